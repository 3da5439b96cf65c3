import type { Oracle } from './oracle.ts';

import {
  annotationOf,
  isDeployAlive,
  isJobAlive,
  isLater,
  type JobTruth,
  placeOf,
  resourceOf,
  rulesOut,
  type Start,
  whyNot,
} from './truth.ts';
import { Violation } from './violation.ts';

/**
 * Invariants 1, 3, 4 and 6 at the moments at which they can break: a Job is resumed, a Pod comes, a Job is deleted.
 *
 * What is excused is what docs/lanes.md says that nothing closes, and no more: somebody resumed a Job by hand after the
 * pass had looked, or took such a start back before any operator could know of it; or the CapDeployJob itself was
 * deleted.
 */

/** Somebody resumed it by hand, and the pass that acts now had looked before that. */
function wasResumedBehind(oracle: Oracle, start: Start | undefined): boolean {
  if (!start?.byHand) return false;
  return start.version > lookedAt(oracle, start.job);
}

/** Version of the store at which the pass that acts now had listed the Jobs of this one's resource. */
export const lookedAt = (oracle: Oracle, job: JobTruth): number => oracle.look(resourceOf(job)).jobs;

/**
 * An operator resumes a Job: its first start, under a claim, in its turn, for a reason that held when the claim was
 * made.
 */
export function checkResume(oracle: Oracle, { job, looked }: Start): void {
  const { request } = job;
  const resource = oracle.resources.get(job.owner);
  const claim = oracle.claims.get(job.uid);
  const lanes = (resource?.object.status as StatusShape | undefined)?.environments;
  const active = lanes?.find(({ name }) => name === request.environment)?.active?.[0];
  if (claim === undefined) throw new Violation('invariant 3', `${job.name} is resumed without a claim`);
  const wentMeanwhile = resource?.endVersion !== undefined && resource.endVersion > claim.version;
  if (active?.uid !== job.uid && !wentMeanwhile) {
    throw new Violation('invariant 3', `${job.name} is resumed, and the claim is ${active?.job ?? "nobody's"}`);
  }
  // Rules 1 and 4: a pass that writes nothing between its look and its resume fences nobody who concluded otherwise.
  const writtenAt = claim.writers.get(oracle.operator?.name ?? '');
  if (writtenAt === undefined || writtenAt <= looked) {
    throw new Violation('rule 4', `${job.name} is resumed by a pass that has not written its claim`);
  }
  if (request.jobs.some((other) => other.wasTakenOut)) {
    throw new Violation('rule 13', `${job.name} is started, and somebody had taken its request out of the lane`);
  }
  const own = oracle.jobsIn(job.lane).filter((other) => other !== job && other.owner === job.owner);
  const unsettled = own.find((other) => isUnsettled(oracle, other, looked));
  if (unsettled) {
    throw new Violation(
      'rule 3',
      `${job.name} is started, and ${unsettled.name}, which was suspended after its start, is not recorded`,
    );
  }
  for (const earlier of request.starts) {
    if (earlier.isUntraceable || wasResumedBehind(oracle, earlier)) continue;
    throw new Violation(
      'invariant 1',
      `request ${request.id} is started a second time (${earlier.job.name}, then ${job.name})`,
    );
  }
  const why = whyNot(request, job.object, claim.basis, claim.since);
  if (why) throw new Violation('contract 4', `${job.name} is started, but ${why}`);
  for (const other of oracle.requests.values()) {
    if (other === request || !sameLane(other.jobs[0], job) || !rulesOut(other, request)) continue;
    // Its first start gave it its place, whatever somebody did with it after that.
    const first = other.starts.find((start) => !start.isUntraceable);
    if (first && isLater(placeOf(first), request) && !wasResumedBehind(oracle, first)) {
      throw new Violation('invariant 4', `${request.id} starts after ${other.id}, which was due later`);
    }
  }
}

/** Suspended after its start, seen so by a pass that looked at this version of the store, and without a record. */
const isUnsettled = (oracle: Oracle, job: JobTruth, looked: number): boolean =>
  job.isPresent &&
  job.isSuspended &&
  job.finished === undefined &&
  annotationOf(job.object, 'started-at') !== undefined &&
  Number(job.object.metadata.resourceVersion) <= looked &&
  !oracle.isRecorded(job);

/** Of the same resource, not only of the same name: a resource that is created again begins anew. */
const sameLane = (a: JobTruth | undefined, b: JobTruth): boolean => a?.lane === b.lane && a.owner === b.owner;

/** Something of this Job has come to life: it is alone in its lane. */
export function checkOverlap(oracle: Oracle, job: JobTruth, how: 'resumed' | 'a Pod came'): void {
  for (const other of oracle.jobs.values()) {
    if (other === job || other.lane !== job.lane || !isDeployAlive(other)) continue;
    const pair = [job.uid, other.uid].sort().join(' ');
    if (oracle.excused.has(pair)) continue;
    if (isExcused(oracle, job, other, how)) oracle.excused.add(pair);
    else throw new Violation('invariant 3', `${job.name} (${how}) and ${other.name} are alive in one lane`);
  }
}

function isExcused(oracle: Oracle, job: JobTruth, other: JobTruth, how: 'resumed' | 'a Pod came'): boolean {
  if (how === 'resumed') {
    if (oracle.operator === undefined || wasResumedBehind(oracle, other.start)) return true;
    // The Job went with its resource, or somebody took its start back before any operator could know of it, and its Pod
    // came after the pass had looked: nothing was there that would have waited for it.
    const cameLate = other.pods.every((pod) => !pod.isAlive || pod.version > lookedAt(oracle, other));
    return (
      (wentWithItsResource(oracle, other) || (other.start?.isUntraceable ?? false)) && !isJobAlive(other) && cameLate
    );
  }
  // A Pod that comes late, of a Job that runs no more. The lane was to wait for it, unless nobody could know.
  if (job.start?.isUntraceable || (other.start?.byHand ?? false)) return true;
  // Resumed by hand again, after an earlier Pod of it had come and gone: whoever heard of that one waits for none.
  if (job.start?.byHand && job.pods.length > 1 && job.request.starts.filter((start) => start.job === job).length > 1)
    return true;
  // Somebody resumed it, and took that back, after the other one's pass had looked.
  if (job.start?.byHand && other.start && other.start.looked < job.start.version) return true;
  // The other one's, and its Pod came after this one's pass had looked.
  const looked = job.start?.looked ?? 0;
  if (wentWithItsResource(oracle, other) && other.pods.every((pod) => !pod.isAlive || pod.version > looked))
    return true;
  return wentWithItsResource(oracle, job);
}

/**
 * Or was orphaned with it, and somebody suspended it: nobody waits for a Pod of what no resource owns and what does not
 * run.
 */
const wentWithItsResource = (oracle: Oracle, job: JobTruth): boolean =>
  oracle.resources.get(job.owner)?.endVersion !== undefined && (!job.isPresent || job.isSuspended);

interface StatusShape {
  environments?: {
    name: string;
    active?: { uid: string; job: string; ending?: { reason: string } }[];
    lastStarted?: { id: string }[];
  }[];
  history?: { id: string; environment: string }[];
}

/** An operator deletes a Job: one that is recorded, or whose abort stands in its claim. */
export function checkRemoval(oracle: Oracle, job: JobTruth): void {
  const resource = oracle.resources.get(job.owner);
  const status = resource?.object.status as StatusShape | undefined;
  const { id, environment } = job.request;
  const lane = status?.environments?.find(({ name }) => name === environment);
  const { ending } = lane?.active?.find(({ uid }) => uid === job.uid) ?? {};
  job.abortReason = ending?.reason;
  const isRecorded =
    status?.history?.some((entry) => entry.id === id && entry.environment === environment) ||
    lane?.lastStarted?.some((mark) => mark.id === id);
  if (!isRecorded && ending === undefined) {
    throw new Violation('invariant 6', `${job.name} is deleted before it is recorded`);
  }
  if (isJobAlive(job) && ending === undefined) {
    throw new Violation('invariant 6', `${job.name} is deleted while it runs, and nothing announces that`);
  }
}
