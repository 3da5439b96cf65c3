import { isRollback } from '../api/deploy-request.ts';
import { OUTCOME } from '../api/reasons.ts';
import { bounded } from '../text/truncate.ts';
import { HEALTHY_START_MS } from './explain-start.ts';
import { isAlive, isBeingDeleted, isRunning, type StoredRequest, startedAt } from './job.ts';
import { inTurn, type Lane } from './lane.ts';
import { compareTurns } from './order.ts';
import { exitOf } from './outcome.ts';
import { endedOf } from './record-outcomes.ts';

/**
 * An announcement is taken back: the deploy may run on after all. Its Job is written first, so that a delete under way
 * in another pass, which rests on the announcement, is refused. Else that delete would end a deploy of which the status
 * says nothing.
 */
export function fenceTakenBack(lane: Lane): void {
  const { claim, claimedJob: job } = lane;
  const before = lane.view.previous?.active?.[0];
  if (!before?.ending || !claim || claim.uid !== before.uid || claim.ending) return;
  if (job && isRunning(job) && !isBeingDeleted(job)) lane.touch.push(job);
}

/** How long a Pod gets to end by default, and a little more. */
const ENDING_MS = 60_000;

/** A running deploy is not ended for a request whose own time, or window, is over before that deploy is gone. */
function canOutlast({ view, window }: Lane, { expiresAt }: StoredRequest): boolean {
  const earliest = view.now + ENDING_MS;
  if (expiresAt !== undefined && Date.parse(expiresAt) <= earliest) return false;
  return window.until === undefined || window.until > earliest;
}

/**
 * concurrencyPolicy Replace: a newer request that could start ends the deploy that runs. It must be of the same task,
 * because a restart must not end the deploy that it comes after; or a rollback, which is about whatever runs.
 *
 * The claim says how the deploy ends before its Job is deleted, so that a crash in between still tells the truth. It
 * holds the lane until the Pod is gone, so the newer request starts only then (docs/lanes.md). If the newer request is
 * gone before the Job was deleted, the next pass takes the announcement back.
 */
export function replaceRunning(lane: Lane): void {
  const { claim, claimedJob: job } = lane;
  if (lane.policy !== 'Replace' || !claim || !job || !isRunning(job) || isBeingDeleted(job) || lane.claim?.ending)
    return;
  const newer = inTurn(lane.view.jobs.filter((other) => lane.isWaiting(other))).findLast(
    ({ job: other, request }) =>
      (request.task === claim.task || isRollback(request.task)) &&
      compareTurns(request, claim) > 0 &&
      lane.isStartable(request) &&
      canOutlast(lane, request) &&
      lane.waiting.some((entry) => entry.job === other.metadata.name),
  );
  if (!newer) return;
  const podExpectedBy = Date.parse(startedAt(job) ?? claim.since) + HEALTHY_START_MS;
  // If a Job is deleted before its Pod was seen, waiting for a late Pod takes longer than this.
  if (!lane.podWasSeen(job.metadata.uid) && lane.view.now < podExpectedBy) {
    lane.wake(podExpectedBy);
    return;
  }
  // A deploy that has exited is over, or its exit is in the claim before its Job is deleted (rule 14).
  const exit = exitOf(endedOf(lane, claim.uid, claim));
  if (exit && !lane.podsOf(claim.uid).some(isAlive)) return;
  const { id, revision, task, requestedBy } = newer.request;
  const about = [revision ?? task, requestedBy === undefined ? undefined : `for ${requestedBy}`].filter(Boolean);
  lane.claim = {
    ...claim,
    ...(exit ? { exit } : {}),
    ending: {
      result: 'Aborted',
      reason: OUTCOME.replaced,
      message: bounded(`request ${id} (${about.join(', ')}) was to take its place: concurrencyPolicy is Replace`, 1024),
    },
  };
  lane.remove.push({ job, reason: 'abort' });
}
