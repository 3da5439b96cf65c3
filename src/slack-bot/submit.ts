import { ActionError } from '../actions/action-error.ts';
import { type DeployMessage, send } from '../actions/send.ts';
import type { Verb } from '../chat/command-line.ts';
import { requestedByOf } from '../chat/request-id.ts';
import { type Answer, answer, type Line } from '../chat/rich-text.ts';
import type { Target } from '../chat/target.ts';
import { deployTexts, type Understood } from '../chat/texts/deploy.ts';
import { timeOf } from '../chat/texts/time.ts';
import type { Asker, Profile } from './asker.ts';
import type { BotContext } from './context.ts';
import type { Outcome } from './decision.ts';
import { followUp } from './follow-up.ts';

/** What is to be sent, after its place was allowed. */
export interface Submission {
  readonly asker: Asker;
  /** What was asked for: `deploy`, `retry` or `rollback`; and the rule that allows it. */
  readonly verb: Verb;
  readonly rule: number | undefined;
  readonly profile: Profile;
  readonly target: Target;
  /** As the message is to say it. */
  readonly wanted: Understood;
  readonly reason: string | undefined;
  /** The Job that a retry or rollback is about. */
  readonly job?: string | undefined;
  readonly id: string;
  /** Epoch milliseconds. */
  readonly sentAt: number;
}

/** What the person is told. */
export interface Submitted extends Answer {
  /** SQS has taken the message for certain. */
  readonly isSent: boolean;
}

/**
 * Sends a message to the queue of a target: the one way in which the bot asks for a deploy. It then looks whether the
 * request is taken up, and tells the person if it is not.
 */
export async function submit(bot: BotContext, submission: Submission): Promise<Submitted> {
  const { target, wanted, profile, id, asker, verb, rule, job } = submission;
  const { environment } = wanted;
  const decided = (outcome: Outcome) =>
    bot.decided({ asker, verb, target: target.name, environment, rule, job, id, outcome });
  const texts = deployTexts[profile.language];
  const at = wanted.notBefore && timeOf(wanted.notBefore, profile);
  const understood: Line = texts.understood(wanted, at);
  try {
    const destination = bot.targets.destination(target);
    const message = messageOf(bot, submission);
    const { messageId } = await send(destination, message, bot.clock.now());
    decided('done');
    followUp(bot, { ...submission, message, messageId });
    const { note } = destination;
    const lines = [understood, texts.sent(target.name), ...(note === undefined ? [] : [texts.queueNotRead(note)])];
    return { ...answer(lines), isSent: true };
  } catch (error) {
    if (!(error instanceof ActionError)) throw error;
    const { kind, message } = error;
    decided(kind);
    bot.log.warn({ err: error, id, target: target.name }, 'could not send');
    const why =
      kind === 'unclear' ? texts.perhapsSent(target.resource && wanted.repository, message) : texts.notSent(message);
    return { ...answer([understood, why]), isSent: false };
  }
}

/** What is sent. */
export function messageOf(bot: BotContext, { asker, profile, wanted, reason, id, sentAt }: Submission): DeployMessage {
  const { user, channel, threadTs } = asker;
  const { repository, environment, task, revision, notBefore } = wanted;
  return {
    id,
    repository,
    environment,
    task,
    ...(revision === undefined ? {} : { revision }),
    sentAt: new Date(sentAt).toISOString(),
    ...(notBefore === undefined ? {} : { notBefore }),
    requestedBy: requestedByOf(bot.config().slack.team, user, profile.name),
    ...(reason === undefined ? {} : { reason }),
    source: 'slack',
    slack: { channel, ...(threadTs === undefined ? {} : { threadTs }) },
  };
}
