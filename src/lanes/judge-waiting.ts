import { OUTCOME } from '../api/reasons.ts';
import { isBeingDeleted, isFinished, isRunning, isSuspended, type Job, type StoredRequest } from './job.ts';
import { inTurn, iso, type Lane, requestOf, summary } from './lane.ts';
import { compareTurns } from './order.ts';
import { type Drop, dropReason } from './policies.ts';
import { bounded } from './text.ts';

/**
 * Since when a deploy could have started: from the end of the last deploy, or from the moment at which a thaw was seen. It is stored, so
 * that an operator which comes back after an outage knows what could have started while none was there.
 */
export function followOpening(lane: Lane): void {
  const { previous, createdAt, now } = lane.view;
  if (lane.claim || lane.frozen !== undefined || lane.occupant !== undefined || !lane.view.environment) {
    lane.openSince = undefined;
    return;
  }
  if (lane.openSince !== undefined) return;
  const lastEnd = lane.lastEndedAt === undefined ? undefined : Math.min(now, Date.parse(lane.lastEndedAt));
  if (!previous) lane.openSince = Math.max(createdAt, lastEnd ?? createdAt);
  else if (previous.openSince !== undefined) lane.openSince = Date.parse(previous.openSince);
  // The thaw is what was waited for last where the lane was frozen when its deploy ended.
  else if (previous.active?.length && previous.frozen === undefined && lastEnd !== undefined) lane.openSince = lastEnd;
  else lane.openSince = now;
}

/** Each request that is neither recorded nor claimed is dropped for a reason or stands in the status: none is ever without a place. */
export function judgeWaiting(lane: Lane): void {
  const listed = new Set(lane.view.previous?.waiting?.map(({ job }) => job));
  const open = inTurn(lane.view.jobs).filter(
    // A newcomer under the id of a claimed Job that has vanished has to wait: it is dropped as known once that one is recorded.
    ({ request }) => request.id !== lane.claim?.id && !lane.isKnown(request.id),
  );
  // What is listed has been promised its turn; newcomers take what room is left.
  for (const newcomers of [false, true]) {
    for (const { job, request } of open) {
      const isListed = listed.has(job.metadata.name);
      if (isListed === newcomers) continue;
      // A claim that is given up in this pass is listed again first; what drops it is the next pass's to say.
      const judged = lane.isWaiting(job) && !lane.touch.includes(job);
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

/** What speaks against a request that has not been started, in its lane as it is now. */
export function candidateDrop(
  lane: Lane,
  job: Job,
  request: StoredRequest,
  place: { listed: boolean; ahead: number; openSince: number | undefined },
): Drop | undefined {
  const { view } = lane;
  return dropReason({
    request,
    readAt: Date.parse(job.metadata.creationTimestamp),
    watermark: lane.watermark(request.task),
    environmentExists: view.environment !== undefined,
    spec: view.spec,
    now: view.now,
    ...place,
  });
}

/** Listed before, and now without Job, claim and history entry: somebody deleted the Job before its turn came. */
export function recordDeletedWhileWaiting(lane: Lane): void {
  const present = new Set(lane.view.jobs.map(({ metadata }) => metadata.name));
  for (const entry of lane.view.previous?.waiting ?? []) {
    if (present.has(entry.job) || entry.id === lane.claim?.id || lane.isKnown(entry.id)) continue;
    lane.end(requestOf(entry, lane.view.name), entry.job, {
      result: 'Aborted',
      reason: OUTCOME.jobDeleted,
      message: 'the Job was deleted while it waited',
      finishedAt: iso(lane),
    });
  }
}

/** A suspended Job whose end is in the history has no further use: a duplicate, or one that was dropped or suspended by hand. */
export function removeKnown(lane: Lane): void {
  for (const { job, request } of inTurn(lane.view.jobs)) {
    if (!lane.isKnown(request.id) || job.metadata.uid === lane.claim?.uid) continue;
    if (isSuspended(job) && !isFinished(job) && !isBeingDeleted(job)) lane.remove.push({ job, reason: 'recorded' });
  }
}

/** Puts the waiting in order and says of each what it waits for. */
export function sayWhy(lane: Lane): void {
  lane.waiting.sort(compareTurns);
  const head = whatIsAhead(lane);
  lane.waiting.forEach((entry, index) => {
    const job = lane.view.jobs.find(({ metadata }) => metadata.name === entry.job);
    const own = job && whyOutOfTurn(lane, job);
    entry.why = bounded(own ?? (index === 0 ? head : `${head}; ${index} ahead of it in the lane`), 512);
  });
}

function whatIsAhead({ frozen, claim, occupant }: Lane): string {
  if (frozen !== undefined) return `frozen: ${frozen}`;
  if (claim) return `${claim.job} (${claim.revision ?? claim.task}) has the lane`;
  return occupant ?? 'starts next';
}

function whyOutOfTurn(lane: Lane, job: Job): string | undefined {
  if (isRunning(job)) return 'resumed by hand: it runs, and holds the lane';
  if (isBeingDeleted(job)) return 'its Job is being deleted';
  if (lane.isInterrupted(job))
    return 'suspended by hand after its start: it is recorded as aborted once its Pod is gone';
  return undefined;
}
