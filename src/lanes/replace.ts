import { isRollback } from '../api/deploy-request.ts';
import { OUTCOME } from '../api/reasons.ts';
import { bounded } from '../text/truncate.ts';
import { HEALTHY_START_MS } from './explain.ts';
import { isAlive, isBeingDeleted, isRunning, type StoredRequest, startedAt } from './job.ts';
import { inTurn, type Lane } from './lane.ts';
import { compareTurns } from './order.ts';
import { exitOf } from './outcome.ts';
import { endedOf } from './record-outcomes.ts';

/**
 * An announcement that is taken back: the deploy may run on after all. Its Job is written first, so that the delete that rests on the
 * announcement, under way in another pass, is refused; else it would end a deploy that the status no longer says anything of.
 */
export function fenceTakenBack(lane: Lane): void {
  const { claim, claimedJob: job } = lane;
  const before = lane.view.previous?.active?.[0];
  if (!before?.ending || !claim || claim.uid !== before.uid || claim.ending) return;
  if (job && isRunning(job) && !isBeingDeleted(job)) lane.touch.push(job);
}

/** How long a Pod gets to end, by default, and a little more. */
const ENDING_MS = 60_000;

/** Nothing is ended for a request whose own time, or window, is over before the one that runs has gone. */
function canOutlast({ view, window }: Lane, { expiresAt }: StoredRequest): boolean {
  const earliest = view.now + ENDING_MS;
  if (expiresAt !== undefined && Date.parse(expiresAt) <= earliest) return false;
  return window.until === undefined || window.until > earliest;
}

/**
 * concurrencyPolicy Replace: a newer request that could start ends the deploy that runs. Of the same task, for a restart must not end the
 * deploy that it comes after; or a rollback, which is about whatever runs.
 *
 * The claim says how the deploy ends before its Job is deleted, so that a crash in between still tells the truth; it holds the lane until the
 * Pod is gone, so the newer one starts only then (docs/lanes.md). Where the newer one is gone before the Job was deleted, the next pass takes
 * the announcement back.
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
  // Of a Job that is deleted before its Pod was seen, a late Pod has to be waited out for longer than this.
  if (!lane.podWasSeen(job.metadata.uid) && lane.view.now < podExpectedBy) {
    lane.wake(podExpectedBy);
    return;
  }
  // What has exited is over, or its exit stands in the claim before its Job is deleted (rule 14).
  const exit = exitOf(endedOf(lane, claim.uid, claim));
  if (exit && !lane.podsOf(claim.uid).some(isAlive)) return;
  const { id, revision, task, requestedBy } = newer.request;
  lane.claim = {
    ...claim,
    ...(exit ? { exit } : {}),
    ending: {
      result: 'Aborted',
      reason: OUTCOME.replaced,
      message: bounded(
        `request ${id} (${revision ?? task}${requestedBy === undefined ? '' : `, for ${requestedBy}`}) was to take its place: concurrencyPolicy is Replace`,
        1024,
      ),
    },
  };
  lane.remove.push({ job, reason: 'abort' });
}
