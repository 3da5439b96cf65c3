import type { Claim } from '../api/capdeployjob.ts';
import { finishedAt, isAlive, isFinished, type Job, type StoredRequest, startedAt, storedRequest } from './job.ts';
import { inTurn, iso, type Lane, requestOf, startOf } from './lane.ts';
import { type Ended, type Outcome, outcomeOfFinished, outcomeOfSuspended, outcomeOfVanished } from './outcome.ts';

/**
 * The Job controller can create a Pod from its cache after its Job is gone or suspended. Under load this was seen up to
 * 49 ms late. It has to be waited for only if no Pod was ever seen, because a Job here has one.
 */
export const LATE_POD_MS = 30_000;

/**
 * A finished Job ends its request, claimed or not: a Job that was resumed by hand need not be claimed. The first to
 * finish comes first. It is not recorded while a Pod of it lives, because that Pod may still do something.
 */
export function recordFinished(lane: Lane): void {
  const finished = inTurn(lane.view.jobs)
    .filter(({ job }) => isFinished(job) && !lane.podsOf(job.metadata.uid).some(isAlive))
    .sort((a, b) => Date.parse(finishedAt(a.job)) - Date.parse(finishedAt(b.job)));
  for (const { job, request } of finished) record(lane, job, request, outcomeOfFinished);
}

/** Records the end of a Job's request, unless it is recorded already, and releases its claim. */
function record(lane: Lane, job: Job, request: StoredRequest, outcomeOf: (ended: Ended & { job: Job }) => Outcome) {
  const claim = lane.claim?.uid === job.metadata.uid ? lane.claim : undefined;
  if (!lane.isRecorded(request.id)) {
    const outcome = outcomeOf({ ...endedOf(lane, job.metadata.uid, claim), job });
    lane.end(asClaimed(request, claim), job.metadata.name, outcome, startOf(job, claim));
  }
  if (claim) lane.release();
}

/** What is known of the end of a Job's deploy. */
export const endedOf = (lane: Lane, jobUid: string, claim: Claim | undefined) => ({
  claim,
  ends: lane.view.memory.podEnds(jobUid),
  now: iso(lane),
});

/** A started Job that is suspended by hand is aborted. Its claim holds the lane until nothing of it runs. */
export function recordInterrupted(lane: Lane): void {
  for (const { job, request } of inTurn(lane.view.jobs)) {
    if (!lane.isInterrupted(job) || lane.isRecorded(request.id)) continue;
    // Only its Pod says that it was started: the Jobs may have been listed before another operator resumed it. So it is
    // marked first, and that write is refused if the Job has moved since.
    if (startedAt(job) === undefined) continue;
    if (hasLeftNothing(lane, job.metadata.uid)) record(lane, job, request, outcomeOfSuspended);
  }
}

/** What counts is who approved before the start, and who deleted the Job first, whatever is written on it later. */
const asClaimed = (request: StoredRequest, claim: Claim | undefined): StoredRequest =>
  claim ? { ...request, approvedBy: claim.approvedBy, abortedBy: claim.abortedBy ?? request.abortedBy } : request;

/**
 * The claim with the name of who aborted its deploy, if that is known. A Job that is gone tells it to a process that
 * watched, and to none after a restart. If the operator has announced an end of its own, that is the end.
 */
export function withAborter(lane: Lane, claim: Claim): Claim {
  if (claim.abortedBy !== undefined || claim.ending) return claim;
  const job = lane.claimedJob;
  const abortedBy = job ? storedRequest(job).abortedBy : lane.view.memory.abortedBy(claim.uid);
  return abortedBy === undefined ? claim : { ...claim, abortedBy };
}

/** The claimed Job is gone: people or the operator deleted it. It counts as started: its resume may have succeeded. */
export function recordVanishedClaim(lane: Lane): void {
  if (!lane.claim || lane.claimedJob || !hasLeftNothing(lane, lane.claim.uid)) return;
  const claim = withAborter(lane, lane.claim);
  if (!lane.isRecorded(claim.id)) {
    const ended = { ...endedOf(lane, claim.uid, claim), job: lane.view.memory.lastSeen(claim.uid) };
    lane.end(requestOf(claim, lane.view.name), claim.job, outcomeOfVanished(ended), claim.since);
  }
  lane.release();
}

/**
 * Nothing of the Job runs, and nothing of it will: the Pod that was seen is gone, or no Pod can appear any more because
 * a live look showed long ago that the Job is gone.
 */
function hasLeftNothing(lane: Lane, jobUid: string): boolean {
  if (lane.view.pods.some(isAlive)) return false;
  return lane.podWasSeen(jobUid) || isTimeOver(lane, jobUid);
}

/** By then the Job controller has finished what it began before a live look first showed the Job gone, or suspended. */
function isTimeOver(lane: Lane, jobUid: string): boolean {
  const { memory, now, monotonicNow } = lane.view;
  const since = memory.absentSince(jobUid);
  if (since === undefined) {
    lane.absent.push(jobUid);
    return false;
  }
  const leftMs = since + LATE_POD_MS - monotonicNow;
  if (leftMs <= 0) return true;
  lane.wake(now + leftMs);
  return false;
}
