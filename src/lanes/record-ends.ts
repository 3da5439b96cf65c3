import type { Claim } from '../api/capdeployjob.ts';
import { OUTCOME } from '../api/reasons.ts';
import {
  finishedAt,
  hasSucceeded,
  isAlive,
  isBeingDeleted,
  isFinished,
  type Job,
  jobUidOf,
  type StoredRequest,
  startedAt,
} from './job.ts';
import { inTurn, iso, type Lane, requestOf, startOf } from './lane.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

/**
 * The Job controller can create a Pod from its cache after its Job is gone or suspended; it was seen up to 49 ms late under load. Only where
 * no Pod was ever seen has this to be waited for: a Job here has one.
 */
export const LATE_POD_MS = 30_000;

/** A finished Job ends its request, claimed or not (a Job that was resumed by hand need not be claimed). The first to finish comes first. */
export function recordFinished(lane: Lane): void {
  const finished = inTurn(lane.view.jobs)
    .filter(({ job }) => isFinished(job))
    .sort((a, b) => Date.parse(finishedAt(a.job)) - Date.parse(finishedAt(b.job)));
  for (const { job, request } of finished) {
    const claim = lane.claim?.uid === job.metadata.uid ? lane.claim : undefined;
    if (!lane.isRecorded(request.id)) {
      const outcome = finalOutcome(outcomeOf(job, lane.view.memory.logTail(job.metadata.uid)), claim, job);
      lane.end(asClaimed(request, claim), job.metadata.name, outcome, startOf(job, claim));
    }
    if (claim) lane.release();
  }
}

/** A started Job that somebody suspends is aborted. Its claim holds the lane until nothing of it runs, and is released by this record. */
export function recordInterrupted(lane: Lane): void {
  for (const { job, request } of inTurn(lane.view.jobs)) {
    if (!lane.isInterrupted(job) || lane.isRecorded(request.id)) continue;
    // That it was started is known from its Pod alone: the Jobs may have been listed before it was resumed elsewhere. It is marked first,
    // and that write is refused where the Job has moved since.
    if (startedAt(job) === undefined) continue;
    if (willBeComplete(lane, job) && !isTimeOver(lane, job.metadata.uid)) continue;
    if (!hasLeftNothing(lane, job.metadata.uid)) continue;
    const claim = lane.claim?.uid === job.metadata.uid ? lane.claim : undefined;
    const outcome: Outcome = {
      result: 'Aborted',
      reason: OUTCOME.jobSuspended,
      message: 'the running Job was suspended by hand',
      finishedAt: iso(lane),
    };
    lane.end(asClaimed(request, claim), job.metadata.name, outcome, startOf(job, claim));
    if (claim) lane.release();
  }
}

/**
 * It had ended by itself before: its Job controller is about to say so. A success of a Pod that it has told to end is not counted, and one
 * that it has let go, and not deleted yet, looks the same: so this is waited for as a late Pod is, and no longer.
 */
const willBeComplete = ({ view }: Lane, { metadata }: Job): boolean =>
  view.pods.some((pod) => jobUidOf(pod) === metadata.uid && hasSucceeded(pod) && !isBeingDeleted(pod));

/** Who had approved when the deploy started is what counts, whatever somebody writes on its Job later. */
const asClaimed = (request: StoredRequest, claim: Claim | undefined): StoredRequest =>
  claim ? { ...request, approvedBy: claim.approvedBy } : request;

/** The claimed Job is not there: it was deleted, by people or by us. It counts as started, for its resume may have gone through. */
export function recordVanishedClaim(lane: Lane): void {
  const { claim } = lane;
  if (!claim || lane.claimedJob || !hasLeftNothing(lane, claim.uid)) return;
  if (!lane.isRecorded(claim.id)) {
    lane.end(requestOf(claim, lane.view.name), claim.job, outcomeOfVanished(lane, claim), claim.since);
  }
  lane.release();
}

/**
 * Nothing of the Job runs, and nothing of it will: the Pod that was seen is gone, or so much time has passed since a live look first
 * showed the Job gone that no Pod of it can still appear.
 */
function hasLeftNothing(lane: Lane, jobUid: string): boolean {
  if (lane.view.pods.some(isAlive)) return false;
  return lane.podWasSeen(jobUid) || isTimeOver(lane, jobUid);
}

/** Whatever the Job controller has begun by the time at which a live look first showed the Job gone, or suspended, is done. */
function isTimeOver(lane: Lane, jobUid: string): boolean {
  const { memory, now, elapsed } = lane.view;
  const since = memory.absentSince(jobUid);
  if (since === undefined) {
    lane.absent.push(jobUid);
    return false;
  }
  const leftMs = since + LATE_POD_MS - elapsed;
  if (leftMs <= 0) return true;
  lane.wake(now + leftMs);
  return false;
}

function outcomeOfVanished(lane: Lane, claim: Claim): Outcome {
  const { memory } = lane.view;
  const last = memory.lastSeen(claim.uid);
  const log = memory.logTail(claim.uid);
  if (last && isFinished(last)) return finalOutcome(outcomeOf(last, log), claim, last);
  if (claim.ending) return { ...claim.ending, ...withLog(claim.ending.message, log), finishedAt: iso(lane) };
  if (last) {
    return {
      result: 'Aborted',
      reason: OUTCOME.jobDeleted,
      ...withLog('the Job was deleted', log),
      finishedAt: iso(lane),
    };
  }
  return {
    result: 'Unknown',
    reason: OUTCOME.vanished,
    message: 'the Job was gone when an operator looked again: what it did is not known',
    finishedAt: iso(lane),
  };
}

/**
 * What Kubernetes says of the Job; where the operator was about to end it for a failure and it failed first, the operator's own reason. One
 * that was to be aborted for a newer one, and failed by itself before that, has failed.
 */
function finalOutcome(outcome: Outcome, claim: Claim | undefined, job: Job): Outcome {
  const { ending } = claim ?? {};
  if (outcome.result !== 'Failed' || !ending) return outcome;
  return ending.result === 'Failed' || isBeingDeleted(job) ? { ...outcome, ...ending } : outcome;
}

function withLog(words: string | undefined, log: string | undefined): { message?: string } {
  const message = [words, log].filter(Boolean).join('\n');
  return message ? { message } : {};
}
