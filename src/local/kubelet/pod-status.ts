/** The status of a Pod as a kubelet writes it. Pure; also for tests and the simulation that play Pods without processes (`play-pods.ts`). */
import type { KubeObject } from '../../kube/client.ts';
import { timestamp } from '../clock.ts';
import type { JsonObject } from '../store/json.ts';
import { isObject, listAt, textAt } from '../store/json.ts';

export interface Waiting {
  reason: string;
  message?: string | undefined;
}

export interface Terminated {
  exitCode: number;
  signal?: number | undefined;
  /** Completed, Error, StartError, … */
  reason: string;
  message?: string | undefined;
  startedAt: string | undefined;
  finishedAt: string;
}

export type ContainerState = { waiting: Waiting } | { running: { startedAt: string } } | { terminated: Terminated };

/** Why containers beyond the first are never seen to run. */
export const NOT_RUN: Waiting = {
  reason: 'NotRunByLocalKubelet',
  message: 'the laptop edition runs only the first container of a Pod',
};

function phaseOf(state: ContainerState): string {
  if ('waiting' in state) return 'Pending';
  if ('running' in state) return 'Running';
  return state.terminated.exitCode === 0 ? 'Succeeded' : 'Failed';
}

/** The status that follows from the state of the first container. */
export function podStatus(pod: KubeObject, state: ContainerState, nowMs: number): JsonObject {
  const now = timestamp(nowMs);
  const before = isObject(pod.status) ? pod.status : {};
  const phase = phaseOf(state);
  const running = phase === 'Running';
  const ended = phase === 'Succeeded' || phase === 'Failed';
  const notReady = ended ? (phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed') : 'ContainersNotReady';
  const conditions = [
    condition(before, 'PodReadyToStartContainers', running, now),
    condition(before, 'Initialized', true, now, phase === 'Succeeded' ? 'PodCompleted' : undefined),
    condition(before, 'Ready', running, now, running ? undefined : notReady),
    condition(before, 'ContainersReady', running, now, running ? undefined : notReady),
    condition(before, 'PodScheduled', true, now),
  ];
  const containerStatuses = listAt(pod, 'spec', 'containers').map((container, index) => ({
    name: container.name,
    image: container.image,
    imageID: '',
    lastState: {},
    ready: index === 0 && running,
    started: index === 0 && running,
    restartCount: 0,
    state: clean(index === 0 ? state : { waiting: NOT_RUN }),
  }));
  const { reason: _reason, message: _message, ...kept } = before;
  return {
    ...kept,
    phase,
    observedGeneration: pod.metadata.generation,
    conditions,
    startTime: before.startTime ?? now,
    hostIP: '127.0.0.1',
    podIP: '127.0.0.1',
    hostIPs: [{ ip: '127.0.0.1' }],
    podIPs: [{ ip: '127.0.0.1' }],
    containerStatuses,
  };
}

/** A Pod that this kubelet will not run, or that was deleted before it ran. */
export function failedPodStatus(pod: KubeObject, nowMs: number, why?: { reason: string; message: string }): JsonObject {
  const before = isObject(pod.status) ? pod.status : {};
  return { ...before, phase: 'Failed', startTime: before.startTime ?? timestamp(nowMs), ...why };
}

function condition(before: JsonObject, type: string, holds: boolean, now: string, reason?: string): JsonObject {
  const status = holds ? 'True' : 'False';
  const earlier = listAt(before, 'conditions').find((each) => each.type === type);
  const same = earlier?.status === status;
  return {
    type,
    status,
    ...(reason === undefined ? {} : { reason }),
    lastProbeTime: null,
    lastTransitionTime: same ? textAt(earlier, 'lastTransitionTime') : now,
  };
}

/** Without the members that are not set. */
function clean(state: ContainerState): JsonObject {
  return JSON.parse(JSON.stringify(state)) as JsonObject;
}
