import type { FoundDeploy } from '../../actions/find-deploy.ts';
import { type LaneNow, laneNow } from '../../actions/lane-now.ts';
import { type Requester, requesterOf } from '../../chat/requester.ts';
import type { Line } from '../../chat/rich-text.ts';
import { decideTexts } from '../../chat/texts/decide.ts';
import { timeOf } from '../../chat/texts/time.ts';
import type { BotContext } from '../context.ts';
import { deployedOf, type Subject, standingOf } from './subject.ts';

/** What a person is shown before he decides about a deploy, from memory. */

const MINUTE_MS = 60_000;

export const laneOf = (bot: BotContext, { target, environment }: Subject): LaneNow =>
  laneNow(bot.targets.status(target), environment);

export const askedBy = (bot: BotContext, { entry }: FoundDeploy): Requester =>
  requesterOf(entry, bot.config().trustedSenders);

/** The deploy itself: what, by whom, why, and where it stands. */
export function deployLines(bot: BotContext, { profile }: Subject, deploy: FoundDeploy): Line[] {
  const texts = decideTexts[profile.language];
  const { sentAt, requestReason } = deploy.entry;
  return [
    texts.subject(deployedOf(deploy)),
    texts.askedBy(askedBy(bot, deploy), timeOf(sentAt, profile)),
    ...(requestReason === undefined ? [] : [texts.why(requestReason)]),
    texts.standing(standingOf(deploy, profile)),
  ];
}

/** What is on the servers, as far as the history knows. */
export function thereLines({ current, unsure }: LaneNow, { profile }: Subject): Line[] {
  const texts = decideTexts[profile.language];
  const there = current ? texts.thereNow(current.revision, timeOf(current.finishedAt, profile)) : texts.thereUnknown();
  return [there, ...(unsure ? [texts.unsure(unsure.job, unsure.result)] : [])];
}

/** What a request that starts now would wait for, and what it would undo. */
export function beforeStartLines(lane: LaneNow, { profile }: Subject, deploy?: FoundDeploy): Line[] {
  const texts = decideTexts[profile.language];
  const { current, active, frozen, closed } = lane;
  const isNewer =
    current !== undefined &&
    deploy?.state === 'ended' &&
    current.job !== deploy.entry.job &&
    Date.parse(current.finishedAt) > Date.parse(deploy.entry.finishedAt);
  return [
    ...(isNewer ? [texts.newer(current.revision)] : []),
    ...(active ? [texts.busy(active)] : []),
    ...(frozen ? [texts.frozen(frozen.text)] : []),
    ...(closed ? [texts.closed(closed.why)] : []),
  ];
}

/** Says how old all of this is, if the API server does not answer. */
export function staleLines(bot: BotContext, { profile }: Subject): Line[] {
  const minutes = Math.floor(bot.targets.staleMs() / MINUTE_MS);
  return minutes < 1 ? [] : [decideTexts[profile.language].stale(minutes)];
}
