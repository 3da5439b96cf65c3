/**
 * The status of a Pod as a kubelet writes it. Pure; also for tests and the simulation that play Pods without processes
 * (`play-pods.ts`).
 */

import { timestamp } from '../clock.ts';
import type { KubeObject } from '../objects.ts';
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
  message: 'the in-memory Kubernetes runs only the first container of a Pod',
};

const NOT_RUN_STATE: ContainerState = { waiting: NOT_RUN };

function phaseOf(state: ContainerState): string {
  if ('waiting' in state) return 'Pending';
  if ('running' in state) return 'Running';
  return state.terminated.exitCode === 0 ? 'Succeeded' : 'Failed';
}

/** One container of a Pod as its kubelet has it. */
export interface ContainerReport {
  state: ContainerState;
  /** How it ended before it was started again. */
  lastState?: { terminated: Terminated } | undefined;
  restartCount?: number | undefined;
}

/**
 * The phase of a Pod all of whose containers are run: it is over when the last one has ended, and well if all have
 * ended well.
 */
function phaseOfAll(states: readonly ContainerState[]): string {
  if (states.some((state) => 'running' in state)) return 'Running';
  if (states.some((state) => 'waiting' in state)) return 'Pending';
  return states.every((state) => phaseOf(state) === 'Succeeded') ? 'Succeeded' : 'Failed';
}

/** The status that follows from the state of the first container: the in-memory Kubernetes runs no other. */
export function podStatus(pod: KubeObject, state: ContainerState, nowMs: number): JsonObject {
  const reports = listAt(pod, 'spec', 'containers').map((_, index) => ({ state: index === 0 ? state : NOT_RUN_STATE }));
  return statusOf(pod, phaseOf(state), reports, nowMs);
}

/**
 * The status of a Pod all of whose containers are run.
 * @param reports as the Pod's spec lists its containers.
 * @param phase where it does not follow from the containers: one that has ended is about to be started again.
 */
export function podStatusOfAll(
  pod: KubeObject,
  reports: readonly ContainerReport[],
  nowMs: number,
  phase = phaseOfAll(reports.map(({ state }) => state)),
): JsonObject {
  return statusOf(pod, phase, reports, nowMs);
}

function statusOf(pod: KubeObject, phase: string, reports: readonly ContainerReport[], nowMs: number): JsonObject {
  const now = timestamp(nowMs);
  const before = isObject(pod.status) ? pod.status : {};
  const running = phase === 'Running';
  const ended = phase === 'Succeeded' || phase === 'Failed';
  const notReady = ended ? (phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed') : 'ContainersNotReady';
  const conditions = [
    condition(before, 'PodReadyToStartContainers', running, now),
    condition(before, 'Initialized', true, now, phase === 'Succeeded' ? 'PodCompleted' : undefined),
    condition(before, 'Ready', running, now, running ? undefined : notReady),
    condition(before, 'ContainersReady', running, now, running ? undefined : notReady),
    condition(before, 'PodScheduled', true, now),
    ...listAt(before, 'conditions').filter(({ type }) => type === 'DisruptionTarget'),
  ];
  const containers = listAt(pod, 'spec', 'containers');
  const containerStatuses = reports.map((report, index) => containerStatus(containers[index], report));
  // A kubelet sorts them by name.
  containerStatuses.sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1));
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

/** What a kubelet says of one container, of an init container, too. */
export function containerStatus(container: JsonObject | undefined, report: ContainerReport): JsonObject {
  const { state, lastState, restartCount = 0 } = report;
  const running = 'running' in state;
  return {
    name: container?.name,
    image: container?.image,
    imageID: '',
    lastState: lastState === undefined ? {} : clean(lastState),
    ready: running,
    started: running,
    restartCount,
    state: clean(state),
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
function clean(state: object): JsonObject {
  return JSON.parse(JSON.stringify(state)) as JsonObject;
}
