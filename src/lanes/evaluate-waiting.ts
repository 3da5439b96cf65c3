import type { WaitingEntry } from '../api/capdeployjob.ts';
import { isRollback } from '../api/deploy-request.ts';
import { OUTCOME } from '../api/reasons.ts';
import { isBeingDeleted, isFinished, isSuspended, type Job, type StoredRequest } from './job.ts';
import { inTurn, iso, type Lane, requestOf, summary } from './lane.ts';
import { compareTurns } from './order.ts';
import { type Candidate, type Drop, dropReason } from './policies.ts';

/** A request that is neither recorded nor claimed. */
interface Open {
  readonly job: Job;
  readonly request: StoredRequest;
  /** What is stored of its approval. */
  readonly approval: Pick<WaitingEntry, 'approvalMissing' | 'approvedAt'>;
  readonly isListed: boolean;
  /** It waits, so a reason against it drops it. */
  readonly isDroppable: boolean;
}

/** Each request that is neither recorded nor claimed is dropped for a reason or listed in the status: none is lost. */
export function evaluateWaiting(lane: Lane): void {
  const open = openRequests(lane);
  // A request that is dropped for a reason of its own does not replace others.
  const remaining = open.filter(
    (each) => each.isDroppable && !dropOf(lane, each, { listed: true, ahead: 0, newer: undefined }),
  );
  const startable = remaining.filter(({ request }) => lane.isStartable(request));
  const newerThan = new Map(remaining.map((each) => [each, newerOf(lane, each, startable)]));
  for (const each of inOrderOfPlaces(open, newerThan)) {
    const { job, request } = each;
    const place = {
      listed: each.isListed || takesPlaceOfListed(each, newerThan),
      ahead: lane.waiting.length,
      newer: newerThan.get(each)?.request,
    };
    const drop = each.isDroppable ? dropOf(lane, each, place) : undefined;
    if (drop) {
      lane.end(request, job.metadata.name, { ...drop, finishedAt: iso(lane) });
    } else {
      const { name, uid } = job.metadata;
      lane.waiting.push({ ...summary(request, name), uid, dueAt: request.dueAt, why: '', ...each.approval });
      lane.wake(Date.parse(request.dueAt) + lane.view.spec.waitingDeadlineSeconds * 1000 + 1);
      if (request.notBefore !== undefined) lane.wake(Date.parse(request.notBefore));
      if (request.expiresAt !== undefined) lane.wake(Date.parse(request.expiresAt));
    }
  }
}

function openRequests(lane: Lane): Open[] {
  const { previous } = lane.view;
  const listed = new Map(previous?.waiting?.map((entry) => [entry.job, entry]));
  return (
    inTurn(lane.view.jobs)
      // A new Job with the id of a vanished claimed Job waits. It is dropped as known once that one is recorded.
      .filter(({ request }) => request.id !== lane.claim?.id && !lane.isKnown(request.id))
      .map(({ job, request }) => {
        const before = listed.get(job.metadata.name);
        const givenUp = previous?.active?.find(({ uid }) => uid === job.metadata.uid);
        return {
          job,
          request,
          approval: followApproval(lane, request, before ?? (givenUp && { approvedAt: givenUp.since })),
          isListed: before !== undefined,
          // A claim that is given up in this pass is listed again first. Only the next pass may drop it.
          isDroppable: lane.isWaiting(job) && !lane.touch.includes(job),
        };
      })
  );
}

/**
 * The moment at which an approval is first seen is stored: a deploy that waited for it for hours counts from then. An
 * annotation tells no time, so if the status was lost it counts from now.
 */
function followApproval(lane: Lane, request: StoredRequest, before: Open['approval'] | undefined): Open['approval'] {
  if (lane.lacksApproval(request)) return { approvalMissing: true };
  if (before?.approvedAt !== undefined) return { approvedAt: before.approvedAt };
  const isAskedFor = lane.view.environment?.requireApproval === true;
  return isAskedFor || before?.approvalMissing ? { approvedAt: iso(lane) } : {};
}

/** The newest startable request that replaces this one (docs/lanes.md, the policies). */
function newerOf(lane: Lane, { request }: Open, startable: readonly Open[]): Open | undefined {
  return startable.findLast(
    (other) =>
      (isRollback(other.request.task) || (lane.policy !== 'Queue' && other.request.task === request.task)) &&
      compareTurns(other.request, request) > 0,
  );
}

/** Listed requests have been promised their turn. New ones take the other places, first those that replace others. */
function inOrderOfPlaces(open: readonly Open[], newerThan: ReadonlyMap<Open, Open | undefined>): Open[] {
  const replacing = new Set(newerThan.values());
  const rank = (each: Open) => (each.isListed ? 0 : replacing.has(each) ? 1 : 2);
  return open.toSorted((a, b) => rank(a) - rank(b));
}

function takesPlaceOfListed(each: Open, newerThan: ReadonlyMap<Open, Open | undefined>): boolean {
  return [...newerThan].some(([older, newer]) => newer === each && older.isListed);
}

function dropOf(
  lane: Lane,
  { job, request, approval }: Open,
  place: Pick<Candidate, 'listed' | 'ahead' | 'newer'>,
): Drop | undefined {
  const approvedAt = approval.approvedAt === undefined ? undefined : Date.parse(approval.approvedAt);
  return candidateDrop(lane, job, request, { ...place, openSince: lane.openSince, approvedAt });
}

/** Why a request that has not been started is dropped, in its lane as it is now. */
export function candidateDrop(
  lane: Lane,
  job: Job,
  request: StoredRequest,
  place: Pick<Candidate, 'listed' | 'ahead' | 'newer' | 'openSince' | 'approvedAt'>,
): Drop | undefined {
  const { view } = lane;
  return dropReason({
    request,
    readAt: Date.parse(job.metadata.creationTimestamp),
    watermark: lane.watermark(request.task),
    environmentExists: view.environment !== undefined,
    startable: lane.isStartable(request),
    spec: view.spec,
    now: view.now,
    ...place,
  });
}

/**
 * Listed before, and now without Job, claim and history entry: its Job was deleted before its turn came. A waiting Job
 * of that name with another uid does not change this. An operator that knew of neither created it from a second
 * delivery, or from another message with this id (docs/lanes.md, rule 13). It is removed as known.
 */
export function recordDeletedWhileWaiting(lane: Lane): void {
  const present = new Map(lane.view.jobs.map((job) => [job.metadata.name, job]));
  for (const entry of lane.view.previous?.waiting ?? []) {
    const job = present.get(entry.job);
    const isReplaced = job && entry.uid !== undefined && entry.uid !== job.metadata.uid && lane.isWaiting(job);
    if ((job && !isReplaced) || entry.id === lane.claim?.id || lane.isKnown(entry.id)) continue;
    const { abortedBy = entry.uid === undefined ? undefined : lane.view.memory.abortedBy(entry.uid) } = entry;
    lane.end({ ...requestOf(entry, lane.view.name), abortedBy }, entry.job, {
      result: 'Aborted',
      reason: OUTCOME.jobDeleted,
      message: 'the Job was deleted while it waited',
      finishedAt: iso(lane),
    });
  }
}

/** A suspended Job whose end is recorded has no further use: a duplicate, or one dropped or suspended by hand. */
export function removeKnown(lane: Lane): void {
  for (const { job, request } of inTurn(lane.view.jobs)) {
    if (!lane.isKnown(request.id) || job.metadata.uid === lane.claim?.uid) continue;
    if (isSuspended(job) && !isFinished(job) && !isBeingDeleted(job)) lane.remove.push({ job, reason: 'recorded' });
  }
}
