import type { FoundDeploy } from '../../actions/find-deploy.ts';
import { type LaneNow, laneNow } from '../../actions/lane-now.ts';
import { activeLine, closedLines, staleLines, thereLines } from '../../chat/lane-lines.ts';
import { type Requester, requesterOf } from '../../chat/requester.ts';
import type { Line } from '../../chat/rich-text.ts';
import { decideTexts } from '../../chat/texts/decide.ts';
import { timeOf } from '../../chat/texts/time.ts';
import type { BotContext } from '../context.ts';
import { readerOf } from '../read/target-state.ts';
import { deployedOf, type Subject, standingOf } from './subject.ts';

/** What a person is shown before he decides about a deploy, from memory. */

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
    texts.standing(standingOf(deploy, readerOf(bot, { profile }))),
  ];
}

/** What is on the servers, as far as the history knows. */
export const nowThereLines = (bot: BotContext, subject: Subject, lane: LaneNow): Line[] =>
  thereLines(lane, readerOf(bot, subject));

/** What a request that starts now would wait for, and what it would undo. */
export function beforeStartLines(bot: BotContext, subject: Subject, lane: LaneNow, deploy?: FoundDeploy): Line[] {
  const reader = readerOf(bot, subject);
  const { current, active, usualMs } = lane;
  const isNewer =
    current !== undefined &&
    deploy?.state === 'ended' &&
    current.job !== deploy.entry.job &&
    Date.parse(current.finishedAt) > Date.parse(deploy.entry.finishedAt);
  return [
    ...(isNewer ? [decideTexts[reader.language].newer(current.revision)] : []),
    ...(active ? [activeLine(active, usualMs, reader)] : []),
    ...closedLines(lane, reader),
  ];
}

/** Says how old all of this is, if the API server does not answer. */
export const ageLines = (bot: BotContext, subject: Subject): Line[] =>
  staleLines(bot.targets.staleMs(), readerOf(bot, subject));
