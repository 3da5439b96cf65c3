import { at, listAt, textAt } from 'in-memory-kubernetes/store/json.ts';
import type { KubeObject } from '../../src/kube/client.ts';

/** What a pass has seen when it decides: what its process was told before, and what its own two looks show. */
export interface Look {
  /** Versions of the store at which it listed the Jobs, and then the Pods, of one resource. */
  readonly jobs: number;
  readonly pods: number;
  /** What its process knew before it listed the Pods, by their uid. */
  readonly known: ReadonlyMap<string, KnownExit>;
  /** Whose name was on the Jobs of whose deletion its process was told before that, by their uid. */
  readonly aborters: ReadonlyMap<string, string | undefined>;
}

export const NO_LOOK: Look = { jobs: 0, pods: 0, known: new Map(), aborters: new Map() };

/** What a process knows of the end of a Pod's first container. */
export interface KnownExit {
  readonly code: number | undefined;
  readonly restarts: number;
}

/**
 * What is known of a Pod, once another version of it was shown: it goes on being known until the container is started
 * again.
 */
export function learnt(before: KnownExit | undefined, pod: KubeObject): KnownExit {
  const restarts = restartsOf(pod);
  const code = shownExit(pod);
  if (before === undefined || restarts > before.restarts) return { code, restarts };
  return before.code === undefined && restarts === before.restarts ? { code, restarts } : before;
}

/** How often the first container was started again. */
export const restartsOf = (pod: KubeObject): number => Number(at(firstStatus(pod), 'restartCount') ?? 0);

/** What a kubelet says of a container that was gone when its node had started again; and what containerd does. */
export const FORGOTTEN: readonly string[] = ['ContainerStatusUnknown', 'Unknown'];

/** Clocks of nodes and of API servers differ, and both tell whole seconds. */
const SURE_MS = 2_000;

/**
 * The exit code of a Pod's first container, where this version of the Pod alone proves that nobody had told it to end:
 * by the order in which things were written, or by what the two clocks say. A kubelet that takes its leave of a Pod
 * makes its grace period 0, and the API server then forgets when the Pod was told to end (since Kubernetes 1.33).
 */
export function shownExit(pod: KubeObject): number | undefined {
  const end = endShown(pod);
  if (end === undefined || FORGOTTEN.includes(end.reason)) return undefined;
  if (textAt(pod, 'status', 'reason') !== undefined) return undefined;
  const disruption = disruptionOf(pod);
  if (disruption?.reason === 'TerminationByKubelet') return undefined;
  const toldAt = toldToEndAt(pod);
  if (toldAt === undefined) return disruption === undefined ? end.code : undefined;
  const isSure = Number(pod.metadata.deletionGracePeriodSeconds ?? 0) > 1 && end.finishedAt <= toldAt - SURE_MS;
  return isSure ? end.code : undefined;
}

/** How this version of a Pod says that its first container ended. */
export function endShown(pod: KubeObject): { code: number; reason: string; finishedAt: number } | undefined {
  const terminated = at(firstStatus(pod), 'state', 'terminated');
  if (terminated === undefined) return undefined;
  return {
    code: Number(at(terminated, 'exitCode')),
    reason: textAt(terminated, 'reason') ?? '',
    finishedAt: Date.parse(textAt(terminated, 'finishedAt') ?? ''),
  };
}

/** Another ordinary container of the Pod runs. */
export const othersRun = (pod: KubeObject): boolean =>
  listAt(pod, 'status', 'containerStatuses').some(
    (status) => status !== firstStatus(pod) && at(status, 'state', 'running') !== undefined,
  );

export const disruptionOf = (pod: KubeObject) =>
  listAt(pod, 'status', 'conditions').find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');

function toldToEndAt({ metadata }: KubeObject): number | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = metadata;
  return deletionTimestamp === undefined
    ? undefined
    : Date.parse(deletionTimestamp) - Number(deletionGracePeriodSeconds) * 1000;
}

export function firstStatus(pod: KubeObject): unknown {
  const name = textAt(pod, 'spec', 'containers', 0, 'name');
  return listAt(pod, 'status', 'containerStatuses').find((status) => status.name === name);
}
