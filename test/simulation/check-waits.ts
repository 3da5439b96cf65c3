import type { LaneStatus, WaitingEntry } from '../../src/api/capdeployjob.ts';
import type { WaitingReason } from '../../src/api/reasons.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import type { Oracle } from './oracle.ts';
import type { ResourceSpec } from './setting.ts';
import { annotationOf, atVersion, finishedAs, frozenBy, isPodAlive, type ResourceTruth } from './truth.ts';
import { Violation } from './violation.ts';

/** Invariant 7: the reasons for which a request waits are those that the pass saw. */

/** These four are named together, and only if the request's own Job waits. */
const TOGETHER: readonly WaitingReason[] = ['NotDue', 'ApprovalMissing', 'Frozen', 'Closed'];

/** @param basis the resource as the pass read it: the write of the status rests on its version. */
export function checkWaits(oracle: Oracle, truth: ResourceTruth, lane: LaneStatus, basis: KubeObject): void {
  const { waiting = [] } = lane;
  for (const [place, entry] of waiting.entries()) {
    const { id, reasons = [] } = entry;
    for (const reason of reasons) oracle.world.trace.count(`waits: ${reason}`);
    const before = waiting.slice(0, place);
    const problem = wrongReasons(oracle, truth, lane, basis, entry, before);
    if (problem === undefined) continue;
    throw new Violation('invariant 7', `${id} is said to wait for ${reasons.join(', ') || 'nothing'}, but ${problem}`);
  }
}

function wrongReasons(
  oracle: Oracle,
  truth: ResourceTruth,
  lane: LaneStatus,
  basis: KubeObject,
  entry: WaitingEntry,
  before: readonly WaitingEntry[],
): string | undefined {
  const { reasons = [] } = entry;
  const [first] = reasons;
  if (first === undefined) return 'a reason has to be given';
  const { jobs: seen } = oracle.look(truth.name);
  const job = oracle.jobs.get(entry.uid ?? '');
  const object = job && atVersion(job, seen);
  if (!job || !object) return 'the pass saw no such Job';
  const own = whyOutOfTurn(object);
  if (own) return reasons.join() === own ? undefined : `its own Job says ${own}`;
  // A Pod alone tells that a Job was started, and the process may have heard of one that is gone.
  if (first === 'Interrupted' && isSuspended(object) && job.pods.length > 0 && reasons.length === 1) return undefined;

  const holding = causesSeen(oracle, lane, basis, object, reasons);
  const expected = TOGETHER.filter((reason) => holding.has(reason));
  if (expected.length > 0)
    return reasons.join() === expected.join() ? undefined : `it waits for ${expected.join(', ')}`;
  if (reasons.length > 1) return 'nothing keeps it but its turn';
  if (lane.active?.length) return first === 'LaneBusy' ? undefined : `${lane.active[0]?.job} has the lane`;
  return isTrueOfFreeLane(oracle, truth, lane.name, first, before) ? undefined : 'that is not so';
}

/** The Job of the request, as the pass saw it, no longer waits. */
function whyOutOfTurn(job: KubeObject): WaitingReason | undefined {
  const isOver = finishedAs(job) !== undefined;
  if (!isSuspended(job) && !isOver) return 'HandResumed';
  if (job.metadata.deletionTimestamp !== undefined) return 'BeingDeleted';
  return isOver || annotationOf(job, 'started-at') === undefined ? undefined : 'Interrupted';
}

/** Which of the four hold. Windows are judged where something starts: here the lane and its requests must agree. */
function causesSeen(
  oracle: Oracle,
  lane: LaneStatus,
  basis: KubeObject,
  job: KubeObject,
  said: readonly WaitingReason[],
): Set<WaitingReason> {
  const environment = (basis.spec as ResourceSpec).environments.find(({ name }) => name === lane.name);
  const notBefore = annotationOf(job, 'not-before');
  const causes = new Set<WaitingReason>();
  // The pass read its clock before it looked: what has become due since then it may still call not due.
  const isDueByNow = notBefore === undefined || Date.parse(notBefore) <= (oracle.operator?.clock.now() ?? 0);
  if (!isDueByNow || (notBefore !== undefined && said.includes('NotDue'))) causes.add('NotDue');
  if (environment?.requireApproval === true && !annotationOf(job, 'approved-by')) causes.add('ApprovalMissing');
  if (frozenBy(basis, lane.name) !== undefined) causes.add('Frozen');
  if (lane.closed !== undefined) causes.add('Closed');
  return causes;
}

/** Of a request that could start in a lane that nothing claims. */
function isTrueOfFreeLane(
  oracle: Oracle,
  truth: ResourceTruth,
  name: string,
  reason: WaitingReason,
  before: readonly WaitingEntry[],
): boolean {
  const look = oracle.look(truth.name);
  const inLane = oracle.jobsIn(`${truth.name}/${name}`);
  const jobs = inLane.flatMap((job) => {
    const object = atVersion(job, look.jobs);
    return object && finishedAs(object) === undefined ? [{ isOwn: job.owner === truth.uid, object, job }] : [];
  });
  const running = jobs.filter(({ object }) => !isSuspended(object));
  const pods = inLane
    .flatMap((job) => job.pods.map((pod) => atVersion(pod, look.pods)))
    .filter((pod) => pod !== undefined)
    .filter(isPodAlive);
  switch (reason) {
    case 'HandResumed':
      return running.some(({ isOwn }) => isOwn);
    case 'ForeignDeploy':
      return running.some(({ isOwn }) => !isOwn) || pods.length > 0;
    case 'PodStuck':
      return pods.some(({ metadata }) => metadata.deletionTimestamp !== undefined);
    case 'Interrupted':
      return jobs.some(
        ({ object, job }) =>
          isSuspended(object) && (annotationOf(object, 'started-at') !== undefined || job.pods.length > 0),
      );
    case 'LaneBusy':
      return before.some(({ reasons }) => reasons?.join() === 'Next');
    case 'Next':
      return running.length === 0 && pods.length === 0 && !before.some(({ reasons }) => reasons?.join() === 'Next');
    default:
      return false;
  }
}

const isSuspended = (job: KubeObject): boolean => (job.spec as { suspend?: boolean }).suspend === true;
