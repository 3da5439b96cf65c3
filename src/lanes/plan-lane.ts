import { bounded } from '../text/truncate.ts';
import { adoptStarted, advanceClaim, markStarted, startNext } from './advance-claim.ts';
import { evaluateWaiting, recordDeletedWhileWaiting, removeKnown } from './evaluate-waiting.ts';
import { explainWaiting } from './explain-waiting.ts';
import { defined, Lane, type LanePlan, type LaneView } from './lane.ts';
import { recordFinished, recordInterrupted, recordVanishedClaim } from './record-outcomes.ts';
import { fenceTakenBack, replaceRunning } from './replace.ts';
import { updateOpenSince } from './update-open-since.ts';

/** How long the watermark of a removed environment is kept: SQS keeps a message no longer than this. */
const FORGET_LANE_MS = 14 * 86_400_000;

/**
 * Decides what is to be done for one lane. Pure. The protocol is that of ../../docs/lanes.md: each step is one of its
 * rules. The plan holds only for what the view showed, so it is applied under the resourceVersions of that view.
 */
export function planLane(view: LaneView): LanePlan {
  const lane = new Lane(view);
  recordFinished(lane);
  recordInterrupted(lane);
  recordVanishedClaim(lane);
  adoptStarted(lane);
  advanceClaim(lane);
  markStarted(lane);
  updateOpenSince(lane);
  recordDeletedWhileWaiting(lane);
  evaluateWaiting(lane);
  removeKnown(lane);
  replaceRunning(lane);
  fenceTakenBack(lane);
  startNext(lane);
  explainWaiting(lane);
  return planOf(lane);
}

function planOf(lane: Lane): LanePlan {
  const { view, claim, window, waiting, lastStarted, lastSuccessful, lastResult, lastEndedAt } = lane;
  const status = {
    name: view.name,
    ...defined({
      active: claim && [claim],
      waiting: waiting.length > 0 ? waiting : undefined,
      frozen: lane.frozen,
      closed: window.closed && bounded(window.closed, 512),
      closedUntil: window.open ? undefined : isoOf(window.until),
      openSince: isoOf(lane.openSince),
      lastStarted: lastStarted.size > 0 ? [...lastStarted.values()] : undefined,
      lastSuccessful,
      lastResult,
      lastEndedAt,
    }),
  };
  const { ended, mark, touch, start, remove, absent, explain, adopted, wakeAt } = lane;
  const work = { ended, mark, touch, start, remove, absent, explain, adopted, wakeAt };
  return { status: isForgotten(lane) ? undefined : status, ...work, windowProblem: window.problem };
}

const isoOf = (moment: number | undefined) => (moment === undefined ? undefined : new Date(moment).toISOString());

function isForgotten(lane: Lane): boolean {
  const { view } = lane;
  if (view.environment || lane.claim || lane.waiting.length > 0 || view.jobs.length > 0 || view.pods.length > 0)
    return false;
  return !lane.lastEndedAt || view.now - Date.parse(lane.lastEndedAt) > FORGET_LANE_MS;
}
