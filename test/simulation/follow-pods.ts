import type { Change } from 'in-memory-kubernetes/store/collection.ts';
import { textAt } from 'in-memory-kubernetes/store/json.ts';
import { checkOverlap } from './check-lanes.ts';
import type { Oracle } from './oracle.ts';
import { Incarnation } from './replica.ts';
import { isPodAlive, type JobTruth, type PodTruth } from './truth.ts';
import { Violation } from './violation.ts';

/** Keeps the account of the Pods. What becomes of them later, the Job of a Pod is the one that it was made for. */
export function podChanged(oracle: Oracle, { type, object, version }: Change): void {
  const uid = object.metadata.uid ?? '';
  const known = oracle.pods.get(uid);
  if (known === undefined) {
    const job = oracle.jobs.get(object.metadata.ownerReferences?.find(({ kind }) => kind === 'Job')?.uid ?? '');
    if (job !== undefined && type === 'ADDED') podAdded(oracle, job, { uid, version, object });
    return;
  }
  known.versions.push({ version, object: type === 'DELETED' ? undefined : object });
  known.isAlive = type !== 'DELETED' && isPodAlive(object);
  const isOrphaned = !object.metadata.ownerReferences?.length && object.metadata.deletionTimestamp === undefined;
  if (isOrphaned && known.isAlive && known.job.deletedBy instanceof Incarnation) {
    throw new Violation('rule 7', `the Pod of ${known.job.name}, which an operator deleted, is orphaned and runs on`);
  }
  if (textAt(object, 'status', 'phase') === 'Running') known.hasRun = true;
}

function podAdded(
  oracle: Oracle,
  job: JobTruth,
  { uid, version, object }: { uid: string; version: number; object: Change['object'] },
): void {
  const pod: PodTruth = {
    uid,
    job,
    version,
    isAlive: true,
    hasRun: false,
    versions: [{ version, object }],
    ends: [],
    end: undefined,
  };
  const others = job.pods.filter(({ hasRun }) => hasRun).length;
  oracle.pods.set(uid, pod);
  job.pods.push(pod);
  if (others > 0 && job.start?.byHand === false && job.request.starts.length === 1) {
    throw new Violation('invariant 1', `${job.name} gets a second Pod after one has run`);
  }
  checkOverlap(oracle, job, 'a Pod came');
}
