import type { Claim } from '../api/capdeployjob.ts';
import { OUTCOME } from '../api/reasons.ts';
import { containerHasStarted, whyNotRunning } from './explain.ts';
import {
  isAlive,
  isBeingDeleted,
  isFinished,
  isRunning,
  isSuspended,
  isWaiting,
  type Job,
  jobUidOf,
  type StoredRequest,
  startedAt,
  storedRequest,
} from './job.ts';
import { inTurn, Lane, type LanePlan, type LaneView, requestOf, summary } from './lane.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { type Drop, dropReason } from './policies.ts';

/** The Job controller can create a Pod from its cache after its Job is gone; it was seen up to 49 ms late under load. */
const LATE_POD_MS = 30_000;
/** How long the watermark of a removed environment is kept: SQS keeps a message no longer than this. */
const FORGET_LANE_MS = 14 * 86_400_000;
/** How often the Events of a started deploy without a container are read again. */
const EXPLAIN_MS = 5_000;

/**
 * Decides what is to become of one lane. Pure; the protocol is the one that ../../docs/lanes.md tells and the model proves: each step is
 * one of its rules. The plan holds only for what the view showed, so it is carried out under the resourceVersions of that view.
 */
export function planLane(view: LaneView): LanePlan {
  const lane = new Lane(view);
  recordFinished(lane);
  recordSuspendedByHand(lane);
  recordVanishedClaim(lane);
  adoptRunning(lane);
  driveClaim(lane);
  followOpening(lane);
  judgeWaiting(lane);
  recordDeletedWhileWaiting(lane);
  removeKnown(lane);
  startNext(lane);
  sayWhy(lane);
  return planOf(lane);
}

/** A finished Job ends its request, claimed or not (a Job that was resumed by hand need not be claimed). */
function recordFinished(lane: Lane): void {
  for (const { job, request } of inTurn(lane.view.jobs)) {
    if (!isFinished(job)) continue;
    const claimed = lane.claim?.uid === job.metadata.uid;
    if (!lane.isRecorded(request.id)) {
      lane.end(
        request,
        job.metadata.name,
        finalOutcome(lane, job, claimed ? lane.claim : undefined),
        startOf(job, lane.claim),
      );
    }
    if (claimed) lane.release();
  }
}

/** A started Job that somebody suspends is aborted: it is never resumed, for half of it may have happened. */
function recordSuspendedByHand(lane: Lane): void {
  for (const { job, request } of inTurn(lane.view.jobs)) {
    const started = startedAt(job);
    if (!isSuspended(job) || isFinished(job) || started === undefined || lane.isRecorded(request.id)) continue;
    if (!hasLeftNothing(lane, job.metadata.uid)) continue;
    lane.end(
      request,
      job.metadata.name,
      {
        result: 'Aborted',
        reason: OUTCOME.jobSuspended,
        message: 'the running Job was suspended by hand',
        finishedAt: iso(lane),
      },
      started,
    );
    if (lane.claim?.uid === job.metadata.uid) lane.release();
  }
}

/** The claimed Job is not there: it was deleted, by people or by us. It counts as started, for its resume may have gone through. */
function recordVanishedClaim(lane: Lane): void {
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
  const { memory, pods, now } = lane.view;
  if (pods.some(isAlive)) return false;
  if (memory.podWasSeen(jobUid)) return true;
  const since = memory.absentSince(jobUid);
  if (since === undefined) {
    lane.absent.push(jobUid);
    return false;
  }
  if (now - since >= LATE_POD_MS) return true;
  lane.wake(since + LATE_POD_MS);
  return false;
}

function outcomeOfVanished(lane: Lane, claim: Claim): Outcome {
  const { memory } = lane.view;
  const last = memory.lastSeen(claim.uid);
  if (last && isFinished(last)) return finalOutcome(lane, last, claim);
  const finishedAt = iso(lane);
  if (claim.ending) return { ...claim.ending, ...withLog(claim.ending.message, memory.logTail(claim.uid)), finishedAt };
  if (last)
    return {
      result: 'Aborted',
      reason: OUTCOME.jobDeleted,
      ...withLog('the Job was deleted', memory.logTail(claim.uid)),
      finishedAt,
    };
  return {
    result: 'Unknown',
    reason: OUTCOME.vanished,
    message: 'the Job was gone when an operator looked again: what it did is not known',
    finishedAt,
  };
}

/** What Kubernetes says of the Job; where the operator was about to end it and it failed first, the operator's own reason. */
function finalOutcome(lane: Lane, job: Job, claim: Claim | undefined): Outcome {
  const outcome = outcomeOf(job, lane.view.memory.logTail(job.metadata.uid));
  return outcome.result === 'Failed' && claim?.ending ? { ...outcome, ...claim.ending } : outcome;
}

/** A Job that runs without a claim was resumed by hand, or the status was lost: it holds the lane, and its outcome is ours to record. */
function adoptRunning(lane: Lane): void {
  if (lane.claim) return;
  const [first] = inTurn(lane.view.jobs.filter(isRunning)).filter(({ request }) => !lane.isRecorded(request.id));
  if (!first) return;
  lane.claim = claimOf(first.job, first.request, iso(lane));
  lane.claimMoved = true;
  lane.adopted.push(first.job);
}

/** A claim whose Job never started is planned again from the beginning; one whose Pod does not come up is ended. */
function driveClaim(lane: Lane): void {
  const { claim, claimedJob: job } = lane;
  if (!claim || !job || lane.claimMoved) return;
  if (isWaiting(job)) recoverOrGiveUp(lane, claim, job);
  else if (isRunning(job) && !isBeingDeleted(job)) watchPodStart(lane, claim, job);
}

/**
 * This process, or another, stopped between the claim and the resume. The claiming write is repeated with a new `since`: a write that
 * changes nothing leaves the resourceVersion alone and fences nobody.
 */
function recoverOrGiveUp(lane: Lane, claim: Claim, job: Job): void {
  const request = storedRequest(job);
  const stale =
    lane.frozen !== undefined ||
    candidateDrop(lane, job, request, { listed: true, ahead: 0, openSince: Date.parse(claim.since) });
  if (stale) {
    // The Job is written first: a resume that is under way elsewhere, under the Job's old resourceVersion, is then refused.
    lane.touch.push(job);
    lane.release();
    lane.openSince = Date.parse(claim.since);
  } else if (lane.occupant === undefined) {
    const since = new Date(Math.max(lane.view.now, Date.parse(claim.since) + 1)).toISOString();
    lane.claim = { ...claim, since };
    lane.start = job;
  }
}

function watchPodStart(lane: Lane, claim: Claim, job: Job): void {
  const { memory, now, spec } = lane.view;
  const { uid } = job.metadata;
  const pods = lane.view.pods.filter((pod) => jobUidOf(pod) === uid);
  const { why: _, ending, ...held } = claim;
  lane.claim = held;
  if (pods.some(containerHasStarted) || memory.containerWasSeen(uid)) return;
  lane.explain.push(uid);
  lane.wake(now + EXPLAIN_MS);
  const why = whyNotRunning(pods, memory.events(uid));
  if (why) lane.claim.why = why.slice(0, 512);
  const deadline = Date.parse(startOf(job, claim)) + spec.podStartDeadlineSeconds * 1000;
  if (now < deadline) {
    lane.wake(deadline);
    return;
  }
  // Written before the Job is deleted, so that a crash in between still tells the truth.
  lane.claim.ending = ending ?? {
    result: 'Failed',
    reason: OUTCOME.podNotStarted,
    message:
      `no container ran within podStartDeadlineSeconds (${spec.podStartDeadlineSeconds})${why ? `: ${why}` : ''}`.slice(
        0,
        1024,
      ),
  };
  lane.remove.push({ job, reason: 'abort' });
}

/**
 * Since when a deploy could have started: from the end of the last deploy, or from the moment at which a thaw was seen. It is stored, so
 * that an operator which comes back after an outage knows what could have started while none was there.
 */
function followOpening(lane: Lane): void {
  const { previous, createdAt, now } = lane.view;
  if (lane.claim || lane.frozen !== undefined || lane.occupant !== undefined || !lane.view.environment) {
    lane.openSince = undefined;
    return;
  }
  if (lane.openSince !== undefined) return;
  if (!previous) lane.openSince = createdAt;
  else if (previous.openSince !== undefined) lane.openSince = Date.parse(previous.openSince);
  else if (previous.active?.length && lane.lastEndedAt) lane.openSince = Math.min(now, Date.parse(lane.lastEndedAt));
  else lane.openSince = now;
}

/** Each request that is neither recorded nor claimed is dropped for a reason or stands in the status: none is ever without a place. */
function judgeWaiting(lane: Lane): void {
  const listed = new Set(lane.view.previous?.waiting?.map(({ job }) => job));
  const open = inTurn(lane.view.jobs).filter(
    // A newcomer under the id of a claimed Job that has vanished has to wait: it is dropped as known once that one is recorded.
    ({ request }) => request.id !== lane.claim?.id && !isKnown(lane, request.id),
  );
  // What is listed has been promised its turn; newcomers take what room is left.
  for (const newcomers of [false, true]) {
    for (const { job, request } of open) {
      const isListed = listed.has(job.metadata.name);
      if (isListed === newcomers) continue;
      // A claim that is given up in this pass is listed again first; what drops it is the next pass's to say.
      const judged = isWaiting(job) && !lane.touch.includes(job);
      const drop = judged
        ? candidateDrop(lane, job, request, { listed: isListed, ahead: lane.waiting.length, openSince: lane.openSince })
        : undefined;
      if (drop) {
        lane.end(request, job.metadata.name, { ...drop, finishedAt: iso(lane) });
      } else {
        lane.waiting.push({ ...summary(request, job.metadata.name), dueAt: request.dueAt, why: '' });
        lane.wake(Date.parse(request.dueAt) + lane.view.spec.waitingDeadlineSeconds * 1000 + 1);
      }
    }
  }
}

/** A suspended Job whose end is in the history has no further use: a duplicate, or one that was dropped or suspended by hand. */
function removeKnown(lane: Lane): void {
  for (const { job, request } of inTurn(lane.view.jobs)) {
    if (!isKnown(lane, request.id) || job.metadata.uid === lane.claim?.uid) continue;
    if (isSuspended(job) && !isFinished(job) && !isBeingDeleted(job)) lane.remove.push({ job, reason: 'recorded' });
  }
}

/** The id has had its turn: its end stands in the history, or it is the one that was started last, which outlives the history. */
const isKnown = (lane: Lane, id: string): boolean => lane.isRecorded(id) || lane.isWatermark(id);

function candidateDrop(
  lane: Lane,
  job: Job,
  request: StoredRequest,
  place: { listed: boolean; ahead: number; openSince: number | undefined },
): Drop | undefined {
  const { view } = lane;
  const watermark = request.id === lane.claim?.id ? lane.lastStarted.get(request.task) : lane.watermark(request.task);
  return dropReason({
    request,
    readAt: Date.parse(job.metadata.creationTimestamp),
    watermark,
    environmentExists: view.environment !== undefined,
    spec: view.spec,
    now: view.now,
    ...place,
  });
}

/** Listed before, and now without Job, claim and history entry: somebody deleted the Job before its turn came. */
function recordDeletedWhileWaiting(lane: Lane): void {
  const present = new Set(lane.view.jobs.map(({ metadata }) => metadata.name));
  for (const entry of lane.view.previous?.waiting ?? []) {
    if (
      present.has(entry.job) ||
      entry.id === lane.claim?.id ||
      lane.isRecorded(entry.id) ||
      lane.isWatermark(entry.id)
    )
      continue;
    lane.end(requestOf(entry, lane.view.name), entry.job, {
      result: 'Aborted',
      reason: OUTCOME.jobDeleted,
      message: 'the Job was deleted while it waited',
      finishedAt: iso(lane),
    });
  }
}

/** The claim is the lock: it is stored under the resource's resourceVersion before the Job is resumed. */
function startNext(lane: Lane): void {
  if (lane.claim || lane.claimMoved || lane.openSince === undefined) return;
  const turns = inTurn(lane.view.jobs.filter(isWaiting));
  const next = turns.find(({ job }) => lane.waiting.some((entry) => entry.job === job.metadata.name));
  if (!next) return;
  lane.waiting = lane.waiting.filter((entry) => entry.job !== next.job.metadata.name);
  lane.claim = claimOf(next.job, next.request, iso(lane));
  lane.openSince = undefined;
  lane.start = next.job;
}

function sayWhy(lane: Lane): void {
  lane.waiting.sort((a, b) => Date.parse(a.dueAt) - Date.parse(b.dueAt) || (a.id < b.id ? -1 : 1));
  const { claim, frozen, occupant } = lane;
  const head = frozen
    ? `frozen: ${frozen}`
    : claim
      ? `${claim.job} (${claim.revision ?? claim.task}) has the lane`
      : (occupant ?? 'starts next');
  lane.waiting.forEach((entry, index) => {
    const job = lane.view.jobs.find(({ metadata }) => metadata.name === entry.job);
    if (job && isRunning(job)) entry.why = 'resumed by hand: it runs, and holds the lane';
    else if (job && isBeingDeleted(job)) entry.why = 'its Job is being deleted';
    else if (job && startedAt(job) !== undefined)
      entry.why = 'suspended by hand after its start: it is recorded as aborted once its Pod is gone';
    else entry.why = (index === 0 ? head : `${head}; ${index} ahead of it in the lane`).slice(0, 512);
  });
}

function planOf(lane: Lane): LanePlan {
  const { view, claim } = lane;
  const status = {
    name: view.name,
    ...(claim ? { active: [claim] } : {}),
    ...(lane.waiting.length > 0 ? { waiting: lane.waiting } : {}),
    ...(lane.frozen === undefined ? {} : { frozen: lane.frozen }),
    ...(lane.openSince === undefined ? {} : { openSince: new Date(lane.openSince).toISOString() }),
    ...(lane.lastStarted.size > 0 ? { lastStarted: [...lane.lastStarted.values()] } : {}),
    ...(lane.lastSuccessful ? { lastSuccessful: lane.lastSuccessful } : {}),
    ...(lane.lastResult ? { lastResult: lane.lastResult } : {}),
    ...(lane.lastEndedAt ? { lastEndedAt: lane.lastEndedAt } : {}),
  };
  const { ended, touch, start, remove, absent, explain, adopted, wakeAt } = lane;
  return {
    status: isForgotten(lane) ? undefined : status,
    ended,
    touch,
    start,
    remove,
    absent,
    explain,
    adopted,
    wakeAt,
  };
}

function isForgotten(lane: Lane): boolean {
  const { view } = lane;
  if (view.environment || lane.claim || lane.waiting.length > 0 || view.jobs.length > 0 || view.pods.length > 0)
    return false;
  return !lane.lastEndedAt || view.now - Date.parse(lane.lastEndedAt) > FORGET_LANE_MS;
}

function claimOf(job: Job, request: StoredRequest, since: string): Claim {
  return { ...summary(request, job.metadata.name), uid: job.metadata.uid, dueAt: request.dueAt, since };
}

/** When a deploy started: the patch that resumed it says so; one that was resumed by hand started when its Job controller saw it. */
function startOf(job: Job, claim: Claim | undefined): string {
  return startedAt(job) ?? job.status?.startTime ?? claim?.since ?? job.metadata.creationTimestamp;
}

function withLog(words: string | undefined, log: string | undefined): { message?: string } {
  const message = [words, log].filter(Boolean).join('\n');
  return message ? { message } : {};
}

const iso = (lane: Lane): string => new Date(lane.view.now).toISOString();
