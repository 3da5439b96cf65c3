import { at, listAt, textAt } from 'in-memory-kubernetes/store/json.ts';
import type { Claim } from '../../src/api/capdeployjob.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import { disruptionOf, endShown, FORGOTTEN, firstStatus } from './looks.ts';
import type { JobTruth } from './truth.ts';

const anyPod = (job: JobTruth, says: (pod: KubeObject) => boolean): boolean =>
  job.pods.some(({ versions }) => versions.some(({ object }) => object !== undefined && says(object)));

const hasEndedAs = (reason: string) => (job: JobTruth) => anyPod(job, (pod) => endShown(pod)?.reason === reason);

/** Whether what an entry gives as the reason has happened. Those that are not named here are judged with the result. */
const HAPPENED: Record<string, (job: JobTruth, claim: Claim | undefined) => boolean> = {
  BackoffLimitExceeded: (job) => job.pods.some(({ ends }) => ends.some(({ byItself, code }) => byItself && code !== 0)),
  SidecarEnded: (_, claim) => claim?.ending?.reason === 'SidecarEnded',
  SidecarFailed: (job) =>
    anyPod(job, (pod) =>
      listAt(pod, 'status', 'containerStatuses').some(
        (status) => status !== firstStatus(pod) && Number(at(status, 'state', 'terminated', 'exitCode') ?? 0) !== 0,
      ),
    ),
  OOMKilled: hasEndedAs('OOMKilled'),
  ContainerNotStarted: hasEndedAs('StartError'),
  Evicted: (job) => anyPod(job, (pod) => textAt(pod, 'status', 'reason') === 'Evicted'),
  PodRefused: (job) => anyPod(job, (pod) => textAt(pod, 'status', 'reason') === 'OutOfcpu'),
  InitContainerFailed: (job) =>
    anyPod(job, (pod) =>
      listAt(pod, 'status', 'initContainerStatuses').some(
        (status) => Number(at(status, 'state', 'terminated', 'exitCode') ?? 0) !== 0,
      ),
    ),
  Disrupted: (job) => anyPod(job, (pod) => disruptionOf(pod) !== undefined),
  NodeLost: (job) =>
    FORGOTTEN.some((reason) => hasEndedAs(reason)(job)) ||
    anyPod(job, (pod) => disruptionOf(pod)?.reason === 'DeletionByTaintManager'),
  PodDeleted: (job) => anyPod(job, ({ metadata }) => metadata.deletionTimestamp !== undefined),
};

/** @returns what is wrong; undefined where the reason is true. */
export function checkReason(job: JobTruth, claim: Claim | undefined, reason: string): string | undefined {
  return HAPPENED[reason]?.(job, claim) === false ? `that is not what happened to it` : undefined;
}
