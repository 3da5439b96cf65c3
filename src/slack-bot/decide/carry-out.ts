import { ActionError } from '../../actions/action-error.ts';
import { type Answer, answer } from '../../chat/rich-text.ts';
import { decidedTexts } from '../../chat/texts/decided.ts';
import type { BotContext } from '../context.ts';
import type { Outcome } from '../decision.ts';
import { submit } from '../submit.ts';
import { actionErrorLine, type Deed, type Possible } from './possible.ts';
import { type Subject, verbOf } from './subject.ts';

export interface Done {
  readonly isDone: boolean;
  /** For the one who decided. */
  readonly answer: Answer;
}

/** Does what was decided. If it was done for certain, all read who did what. Nothing else says so. */
export async function carryOut(bot: BotContext, subject: Subject, { deed, said, job }: Possible): Promise<Done> {
  const { asker } = subject;
  const done = deed.by === 'queue' ? await sent(bot, deed) : await written(bot, subject, deed, job);
  if (!done.isDone || (await bot.voice.say(asker.channel, asker.threadTs, answer([said])))) return done;
  // Nobody else reads it, so at least who decided has it in words.
  return { ...done, answer: deed.by === 'kube' ? answer([said]) : done.answer };
}

async function sent(bot: BotContext, { submission }: Extract<Deed, { by: 'queue' }>): Promise<Done> {
  const submitted = await submit(bot, submission);
  return { isDone: submitted.isSent, answer: submitted };
}

async function written(
  bot: BotContext,
  subject: Subject,
  { act }: Extract<Deed, { by: 'kube' }>,
  job: string,
): Promise<Done> {
  const { language } = subject.profile;
  try {
    if (!bot.kube) throw new ActionError('refused', 'this bot has no API server');
    await act(bot.kube);
    noteDecision(bot, subject, job, 'done');
    return { isDone: true, answer: answer([decidedTexts[language].done()]) };
  } catch (error) {
    if (!(error instanceof ActionError)) throw error;
    noteDecision(bot, subject, job, error.kind);
    bot.log.warn({ err: error, job, target: subject.target.name }, 'could not carry out a decision');
    return { isDone: false, answer: answer([actionErrorLine(error, language)]) };
  }
}

export function noteDecision(bot: BotContext, subject: Subject, job: string | undefined, outcome: Outcome): void {
  const { asker, kind, target, environment, rule } = subject;
  bot.decided({ asker, verb: verbOf(kind), target: target.name, environment, rule, job, outcome });
}
