import { ActionError } from '../../actions/action-error.ts';
import { deploysOf, type FoundDeploy, findDeploy } from '../../actions/find-deploy.ts';
import { mayRetry } from '../../actions/retry.ts';
import { type DeployButton, deployButton } from '../../chat/buttons.ts';
import { type Answer, answer, answerOf, type Line } from '../../chat/rich-text.ts';
import type { Target } from '../../chat/target.ts';
import { decideTexts } from '../../chat/texts/decide.ts';
import { decidedTexts } from '../../chat/texts/decided.ts';
import { deployTexts } from '../../chat/texts/deploy.ts';
import type { Call, Handler } from '../command.ts';
import type { BotContext } from '../context.ts';
import { outsideCluster } from '../read/target-state.ts';
import { resolveLane } from '../resolve.ts';
import { carryOut, noteDecision } from './carry-out.ts';
import { deployLines } from './facts.ts';
import { doubtLines, outlookOf } from './outlook.ts';
import { actionErrorLine } from './possible.ts';
import type { Subject } from './subject.ts';

/**
 * `abort`, `retry`, `rollback`, `approve` as lines. A line that says which deploy it means is a decision: nothing is asked
 * once more. So is `retry` of the only deploy that it can mean.
 */

/** Deploys of which one is chosen by a button; the others by name. */
const MOST_LISTED = 5;

/** Between Slack, SQS and the operator. */
const CLOCKS_DIFFER_MS = 2_000;

type TypedVerb = Exclude<DeployButton, 'refuse'>;

const typed =
  (verb: TypedVerb): Handler =>
  async (bot, call) => {
    const { asker, profile, at } = call;
    const outside = outsideCluster(bot, call);
    if (outside) return outside;
    const { repository = '', environment = '' } = call.command;
    const lane = await resolveLane(bot, asker, profile, verb, { repository, environment });
    if ('answer' in lane) return lane.answer;
    const { target, rule } = lane;
    const about = { kind: verb, asker, profile, target, environment, rule, at };
    const found = choose(bot, call, verb, target, lane.repository);
    if ('told' in found) {
      noteDecision(bot, { ...about, deploy: undefined }, undefined, 'notUnderstood');
      return found.told;
    }
    return await decide(bot, { ...about, deploy: found.deploy }, found.isToBeSeen);
  };

/** @param isToBeSeen the line did not say which deploy it means: a click says so */
async function decide(bot: BotContext, subject: Subject, isToBeSeen = false): Promise<Answer> {
  const { kind, deploy, profile } = subject;
  const outlook = outlookOf(bot, subject);
  if (!outlook.may) {
    noteDecision(bot, subject, deploy?.entry.job, outlook.outcome);
    return answer([outlook.line]);
  }
  // Slack may deliver the line again when the first request has ended: to ask anew takes a click.
  if (outlook.isAskedBefore || isToBeSeen) {
    noteDecision(bot, subject, outlook.job, 'asked');
    const value = { target: subject.target.name, environment: subject.environment, job: outlook.job };
    const texts = decideTexts[profile.language];
    return answer(outlook.lines, [deployButton(kind, isToBeSeen ? texts.buttons[kind] : texts.askAgain, value)]);
  }
  const doubts = kind === 'approve' && deploy ? doubtLines(bot, subject, deploy) : [];
  const done = await carryOut(bot, subject, outlook);
  if (!done.isDone || doubts.length === 0) return done.answer;
  return answer([decidedTexts[profile.language].done(), ...doubts]);
}

type Choice = { readonly deploy: FoundDeploy | undefined; readonly isToBeSeen?: boolean } | { readonly told: Answer };

/** The deploy that a line means: the one that it names, or the only one that it can mean. */
function choose(bot: BotContext, call: Call, verb: TypedVerb, target: Target, repository: string): Choice {
  const { command, profile } = call;
  const { job, environment = '' } = command;
  const texts = decidedTexts[profile.language];
  const among = deploysOf(bot.targets.status(target)).filter((deploy) => deploy.environment === environment);
  const known = call.at + CLOCKS_DIFFER_MS;
  if (job !== undefined) {
    try {
      return { deploy: findDeploy(among, job) };
    } catch (error) {
      if (!(error instanceof ActionError)) throw error;
      return { told: answer([actionErrorLine(error, profile.language)]) };
    }
  }
  // It goes back from what was started last.
  if (verb === 'rollback') {
    const isAfter = among.some(({ entry }) => 'startedAt' in entry && isLater(entry.startedAt, known));
    return isAfter ? { told: answer([deployTexts[profile.language].late()]) } : { deploy: undefined, isToBeSeen: true };
  }
  const candidates = CANDIDATES[verb](among.filter((deploy) => !isLater(seenFrom(verb, deploy), known)));
  const [deploy] = candidates;
  if (!deploy) return { told: answer([texts.none[verb]({ repository, environment })]) };
  if (candidates.length > 1) return { told: listed(bot, call, verb, target, candidates) };
  // What is there may have changed since the person looked: who approves, aborts or rolls back has to see what.
  return { deploy, isToBeSeen: verb !== 'retry' };
}

/**
 * Since when a person can have meant a deploy. Slack may deliver a line again after it was carried out: it must not mean
 * what has come since.
 */
const seenFrom = (verb: TypedVerb, { state, entry }: FoundDeploy): string =>
  verb === 'retry' && state === 'ended' ? entry.finishedAt : entry.sentAt;

const isLater = (moment: string | undefined, known: number): boolean =>
  moment !== undefined && Date.parse(moment) > known;

const CANDIDATES: Record<Exclude<TypedVerb, 'rollback'>, (among: readonly FoundDeploy[]) => readonly FoundDeploy[]> = {
  abort: (among) => among.filter(({ state }) => state !== 'ended'),
  approve: (among) => among.filter(({ state, entry }) => state === 'waiting' && entry.approvalMissing),
  retry: retryable,
};

/** What has not gone well since the last success, the newest of each content. What a newer request overtook is no loss. */
function retryable(among: readonly FoundDeploy[]): FoundDeploy[] {
  const ended = among.filter((deploy) => deploy.state === 'ended');
  const success = ended.findIndex(({ entry }) => entry.result === 'Succeeded');
  const since = success < 0 ? ended : ended.slice(0, success);
  const wanted = since.filter(({ entry: { result } }) => mayRetry(result) && result !== 'Superseded');
  const contentOf = ({ entry: { repository, task, revision } }: FoundDeploy) =>
    JSON.stringify([repository, task, revision]);
  return wanted.filter((deploy, place) => wanted.findIndex((each) => contentOf(each) === contentOf(deploy)) === place);
}

function listed(
  bot: BotContext,
  { asker, profile, command }: Call,
  verb: TypedVerb,
  target: Target,
  candidates: readonly FoundDeploy[],
): Answer {
  const { language } = profile;
  const texts = decidedTexts[language];
  const { environment = '' } = command;
  const shown = candidates.slice(0, MOST_LISTED);
  const more: Line[] = candidates.length > shown.length ? [texts.more(candidates.length - shown.length)] : [];
  return answerOf([
    { lines: [texts.several()] },
    ...shown.map((deploy, place) => {
      const { job } = deploy.entry;
      const subject = { kind: verb, asker, profile, target, environment, deploy, rule: undefined, at: 0 };
      const value = { target: target.name, environment, job };
      return {
        lines: [...deployLines(bot, subject, deploy), [{ code: job }]],
        buttons: [deployButton(verb, decideTexts[language].buttons[verb], value, String(place))],
      };
    }),
    ...more.map((line) => ({ lines: [line] })),
  ]);
}

export const abortTyped = typed('abort');
export const retryTyped = typed('retry');
export const rollbackTyped = typed('rollback');
export const approveTyped = typed('approve');
