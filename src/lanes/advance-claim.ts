import type { Claim } from '../api/capdeployjob.ts';
import { candidateDrop } from './evaluate-waiting.ts';
import { containerHasStarted, terminating } from './explain-start.ts';
import {
  isAlive,
  isBeingDeleted,
  isRunning,
  type Job,
  jobUidOf,
  type Pod,
  type StoredRequest,
  startedAt,
  storedRequest,
} from './job.ts';
import { defined, inTurn, iso, type Lane, summary, withWhy } from './lane.ts';
import { occupantOf } from './occupant.ts';
import { exitOf } from './outcome.ts';
import { endedOf, withAborter } from './record-outcomes.ts';
import { watchSidecars, whyLaneIsHeld } from './watch-sidecars.ts';
import { watchStart } from './watch-start.ts';

/**
 * A Job that was started and has no claim was resumed by hand, or the status was lost. It holds the lane, and its
 * outcome is recorded. A Job that was suspended since holds it too: a Pod of it may still come.
 */
export function adoptStarted(lane: Lane): void {
  if (lane.claim) return;
  const open = inTurn(lane.view.jobs).filter(({ request }) => !lane.isRecorded(request.id));
  const running = open.find(({ job }) => isRunning(job));
  const started = running ?? open.find(({ job }) => lane.isInterrupted(job));
  if (!started) return;
  lane.claim = claimOf(started.job, started.request, iso(lane));
  lane.claimMoved = true;
  if (running) lane.adopted.push(running.job);
}

/** What was started without the operator's mark was resumed by hand. It gets the mark, with or without the lane. */
export function markStarted(lane: Lane): void {
  for (const { job, request } of inTurn(lane.view.jobs)) {
    const isStarted = (isRunning(job) && !isBeingDeleted(job)) || lane.isInterrupted(job);
    if (isStarted && startedAt(job) === undefined && !lane.isRecorded(request.id)) lane.mark.push(job);
  }
}

/** A claim whose Job never started is planned again from the beginning. A claim whose Pod does not start is ended. */
export function advanceClaim(lane: Lane): void {
  const { claim, claimedJob: job } = lane;
  if (!claim || lane.claimMoved) return;
  const exit = exitOf(endedOf(lane, claim.uid, claim));
  if (job && lane.isWaiting(job)) recoverOrGiveUp(lane, claim, job);
  else if (!job || !isRunning(job) || isBeingDeleted(job))
    explainWhatRemains(lane, withAborter(lane, exit ? { ...claim, exit } : claim));
  else if (exit) watchSidecars(lane, claim, job, exit);
  else watchPodStart(lane, claim, job);
}

/**
 * This process, or another, stopped between the claim and the resume. The claim is written again with a new `since`: a
 * write that changes nothing does not move the resourceVersion, so it fences nothing.
 */
function recoverOrGiveUp(lane: Lane, claim: Claim, job: Job): void {
  const { why: _, approvedBy: __, ...rest } = claim;
  const place = { listed: true, ahead: 0, openSince: Date.parse(claim.since), approvedAt: undefined, newer: undefined };
  const request = storedRequest(job);
  const occupant = occupantOf(lane);
  const isStale = !lane.isStartable(request) || lane.isKnown(claim.id) || candidateDrop(lane, job, request, place);
  if (isStale) {
    // The Job is written first: a resume under way elsewhere, under its old resourceVersion, is then refused.
    lane.touch.push(job);
    lane.release();
    lane.openSince = Date.parse(claim.since);
  } else if (occupant === undefined) {
    const since = new Date(Math.max(lane.view.now, Date.parse(claim.since) + 1)).toISOString();
    // The present approver counts: the claim may be older than that approval.
    lane.claim = { ...rest, since, ...defined({ approvedBy: request.approvedBy }) };
    lane.start = job;
  } else {
    lane.claim = withWhy(claim, occupant.words);
  }
}

function watchPodStart(lane: Lane, claim: Claim, job: Job): void {
  const { memory } = lane.view;
  const { uid } = job.metadata;
  const pods = lane.view.pods.filter((pod) => jobUidOf(pod) === uid);
  const { why: _, ending: __, ...rest } = claim;
  lane.claim = rest;
  if (pods.some(containerHasStarted) || memory.containerWasSeen(uid)) {
    if (pods.some(isBeingDeleted)) explainWhatRemains(lane, lane.claim);
    return;
  }
  watchStart(lane, claim, job, pods);
}

/** A deploy that was ended holds its lane until its Pod is gone. On a lost node that is until a person acts. */
function explainWhatRemains(lane: Lane, claim: Claim): void {
  const pod = lane.view.pods.find(isAlive);
  lane.claim = withWhy(claim, pod && (isBeingDeleted(pod) ? terminating(pod) : whyPodRemains(lane, claim, pod)));
}

/** An orphaned Pod ends only by itself: without its Job it has no deadline. */
function whyPodRemains(lane: Lane, { exit, uid }: Claim, pod: Pod): string {
  if (!exit || jobUidOf(pod) !== uid) return `Pod ${pod.metadata.name} has not ended yet`;
  const command = `kubectl -n ${pod.metadata.namespace} delete pod ${pod.metadata.name}`;
  const advice = lane.claimedJob ? '' : `. Its Job is gone, so nothing else ends it: ${command}`;
  return `${whyLaneIsHeld(pod, exit)}${advice}`;
}

/** The claim is the lock: it is stored under the resource's resourceVersion before the Job is resumed. */
export function startNext(lane: Lane): void {
  if (lane.claim || lane.claimMoved || lane.openSince === undefined) return;
  const inOrder = inTurn(lane.view.jobs.filter((job) => lane.isWaiting(job)));
  const next = inOrder.find(
    ({ job, request }) => lane.isStartable(request) && lane.waiting.some((entry) => entry.job === job.metadata.name),
  );
  if (!next) return;
  lane.waiting = lane.waiting.filter((entry) => entry.job !== next.job.metadata.name);
  lane.claim = claimOf(next.job, next.request, iso(lane));
  lane.openSince = undefined;
  lane.start = next.job;
}

function claimOf(job: Job, request: StoredRequest, since: string): Claim {
  return { ...summary(request, job.metadata.name), uid: job.metadata.uid, dueAt: request.dueAt, since };
}
