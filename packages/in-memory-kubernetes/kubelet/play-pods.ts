/**
 * For tests and the simulation, where no kubelet runs: what a scheduler and a kubelet would do to a Pod, done by hand.
 * Each call is one step that the real ones take; a Pod that is not played stays as it is, which is what a dead node
 * looks like. Unlike the in-memory Kubernetes's own kubelet, this one runs all containers of a Pod.
 */

import { timestamp } from '../clock.ts';
import type { KubeObject } from '../objects.ts';
import { PODS } from '../objects.ts';
import type { JsonObject } from '../store/json.ts';
import { clone, isObject, listAt, textAt } from '../store/json.ts';
import type { Store } from '../store/store.ts';
import type { ContainerReport, ContainerState, Terminated, Waiting } from './pod-status.ts';
import { containerStatus, failedPodStatus, podStatusOfAll } from './pod-status.ts';

/** How a container ends. */
export interface Ended {
  exitCode: number;
  /** Completed or Error where it is left out. */
  reason?: string | undefined;
  /** What FallbackToLogsOnError would have kept of its log. */
  message?: string | undefined;
  /** Epoch milliseconds; now where it is left out. A kubelet can be late with its report. */
  at?: number | undefined;
}

const isNative = (container: JsonObject): boolean => container.restartPolicy === 'Always';

export class PodPlayer {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Binds the Pod to a node: from now on a deletion waits for that node's kubelet. */
  schedule(namespace: string, name: string, nodeName = 'local'): KubeObject {
    const pod = this.#store.get(PODS, namespace, name);
    if (textAt(pod, 'spec', 'nodeName') !== undefined) return pod;
    const spec = { ...(isObject(pod.spec) ? pod.spec : {}), nodeName };
    return this.#store.update(PODS, { ...pod, spec }, { trusted: true });
  }

  /** The containers wait: ImagePullBackOff, CreateContainerConfigError, … */
  wait(namespace: string, name: string, waiting: Waiting): KubeObject {
    const pod = this.schedule(namespace, name);
    return this.#report(
      pod,
      reportsOf(pod).map(() => ({ state: { waiting } })),
    );
  }

  /** All containers run; init containers have ended well, but for native side-cars, which run, too. */
  run(namespace: string, name: string): KubeObject {
    const pod = this.schedule(namespace, name);
    const startedAt = timestamp(this.#store.clock.now());
    const done = { exitCode: 0, reason: 'Completed', startedAt, finishedAt: startedAt };
    const initial = listAt(pod, 'spec', 'initContainers').map((container) =>
      containerStatus(container, { state: isNative(container) ? { running: { startedAt } } : { terminated: done } }),
    );
    const reports = reportsOf(pod).map(() => ({ state: { running: { startedAt } } }));
    return this.#report(pod, reports, initial.length > 0 ? { initContainerStatuses: initial } : {});
  }

  /** The first container ends; others run on. */
  finish(namespace: string, name: string, exitCode = 0, message?: string): KubeObject {
    return this.end(namespace, name, 0, { exitCode, message });
  }

  /**
   * A container ends, by its place in the spec. A native side-car ends with the last of the others, or at {@link
   * endNative}.
   */
  end(namespace: string, name: string, index: number, ended: Ended): KubeObject {
    const pod = this.schedule(namespace, name);
    const reports = reportsOf(pod).map((report, each) => (each === index ? this.#ended(report, ended) : report));
    return this.#report(pod, reports, {}, runsNative(pod) ? 'Running' : undefined);
  }

  /** The kubelet has ended the native side-cars, after the other containers. */
  endNative(namespace: string, name: string): KubeObject {
    const pod = this.#store.get(PODS, namespace, name);
    return this.#report(pod, reportsOf(pod), this.#nativeEnded(pod));
  }

  /** The first container has ended and will be started again: the Pod goes on running. */
  endForNow(namespace: string, name: string, ended: Ended): KubeObject {
    const pod = this.#store.get(PODS, namespace, name);
    const [first, ...others] = reportsOf(pod);
    return this.#report(pod, first ? [this.#ended(first, ended), ...others] : others, {}, 'Running');
  }

  /** The first container is started again, after it has ended. */
  restart(namespace: string, name: string): KubeObject {
    const pod = this.#store.get(PODS, namespace, name);
    const running = { startedAt: timestamp(this.#store.clock.now()) };
    const reports = reportsOf(pod).map((report, index) => (index === 0 ? startedAgain(report, running) : report));
    return this.#report(pod, reports);
  }

  /** The kubelet does not take the Pod: OutOfcpu, NodeAffinity, … It says nothing of containers. */
  refuse(namespace: string, name: string, reason: string, message: string): KubeObject {
    const pod = this.schedule(namespace, name);
    return this.#setStatus(pod, failedPodStatus(pod, this.#store.clock.now(), { reason, message }));
  }

  /** An init container fails: the others never run. */
  failInit(namespace: string, name: string, exitCode: number): KubeObject {
    const pod = this.schedule(namespace, name);
    const state = this.#ended({ state: { waiting: { reason: 'PodInitializing' } } }, { exitCode });
    const initial = listAt(pod, 'spec', 'initContainers').map((container) => containerStatus(container, state));
    const reports = reportsOf(pod).map(() => ({ state: { waiting: { reason: 'PodInitializing' } } }));
    return this.#report(pod, reports, { initContainerStatuses: initial }, 'Failed');
  }

  /**
   * The node is short of something, and its kubelet ends the Pod: why is told with the end of the containers.
   * @param first how the first container ends, where it still runs.
   */
  evict(namespace: string, name: string, first: Ended): KubeObject {
    const pod = this.#store.get(PODS, namespace, name);
    const reports = reportsOf(pod).map((report, index) => this.#endedIfRunning(report, index === 0 ? first : KILLED));
    const now = this.#store.clock.now();
    const status = podStatusOfAll(withDisruption(pod, 'TerminationByKubelet', now), reports, now, 'Failed');
    const message = 'The node was low on resource: memory.';
    return this.#setStatus(pod, { ...status, ...this.#nativeEnded(pod), reason: 'Evicted', message });
  }

  /** Somebody asks for the Pod's end for the node's sake; the deletion comes after it. */
  announceDisruption(namespace: string, name: string, reason: string): KubeObject {
    const pod = this.#store.get(PODS, namespace, name);
    return this.#setStatus(pod, withDisruption(pod, reason, this.#store.clock.now()).status);
  }

  /**
   * What a kubelet does with a Pod that is being deleted: ends it, reports that, and releases it.
   * @param exitCode of the first container, where it still runs.
   */
  endDeleted(namespace: string, name: string, exitCode = 143): void {
    const { deletionTimestamp } = this.#store.get(PODS, namespace, name).metadata;
    if (deletionTimestamp === undefined) return;
    this.stop(namespace, name, { exitCode });
    this.letGo(namespace, name);
  }

  /**
   * Ends what still runs of a Pod that is to end, and reports that.
   * @param first how its first container ends, where it still runs.
   */
  stop(namespace: string, name: string, first: Ended): void {
    const pod = this.#store.get(PODS, namespace, name);
    const reports = reportsOf(pod);
    const phase = textAt(pod, 'status', 'phase') ?? 'Pending';
    if (phase === 'Pending') this.#setStatus(pod, failedPodStatus(pod, this.#store.clock.now()));
    else if (phase === 'Running') {
      const ended = reports.map((report, index) => this.#endedIfRunning(report, index === 0 ? first : KILLED));
      this.#report(pod, ended, this.#nativeEnded(pod));
    }
  }

  /** The kubelet has nothing left of a Pod that is being deleted: the object may go. */
  letGo(namespace: string, name: string): void {
    const { uid } = this.#store.get(PODS, namespace, name).metadata;
    this.#store.delete(PODS, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
  }

  #endedIfRunning(report: ContainerReport, ended: Ended): ContainerReport {
    return 'running' in report.state ? this.#ended(report, ended) : report;
  }

  #ended(report: ContainerReport, { exitCode, reason, message, at = this.#store.clock.now() }: Ended): ContainerReport {
    const startedAt = 'running' in report.state ? report.state.running.startedAt : timestamp(at);
    const word = reason ?? (exitCode === 0 ? 'Completed' : 'Error');
    const terminated: Terminated = { exitCode, reason: word, message, startedAt, finishedAt: timestamp(at) };
    return { ...report, state: { terminated } };
  }

  #nativeEnded(pod: KubeObject): JsonObject {
    const statuses = listAt(pod, 'status', 'initContainerStatuses');
    if (statuses.length === 0) return {};
    const initContainerStatuses = statuses.map((status) => {
      const container = listAt(pod, 'spec', 'initContainers').find(({ name }) => name === status.name);
      return containerStatus(container, this.#endedIfRunning(reportIn(status), KILLED));
    });
    return { initContainerStatuses };
  }

  #report(pod: KubeObject, reports: readonly ContainerReport[], more: JsonObject = {}, phase?: string): KubeObject {
    return this.#setStatus(pod, { ...podStatusOfAll(pod, reports, this.#store.clock.now(), phase), ...more });
  }

  #setStatus(pod: KubeObject, status: unknown): KubeObject {
    return this.#store.update(PODS, { ...pod, status: clone(status) }, { subresource: 'status' });
  }
}

const KILLED: Ended = { exitCode: 143 };

const runsNative = (pod: KubeObject): boolean =>
  listAt(pod, 'status', 'initContainerStatuses').some((status) => isObject(status.state) && 'running' in status.state);

/** What the Pod's status says of each container, in the order of its spec. */
function reportsOf(pod: KubeObject): ContainerReport[] {
  const statuses = listAt(pod, 'status', 'containerStatuses');
  return listAt(pod, 'spec', 'containers').map(({ name }) => reportIn(statuses.find((each) => each.name === name)));
}

function reportIn(status: JsonObject | undefined): ContainerReport {
  if (status === undefined) return { state: { waiting: { reason: 'ContainerCreating' } } };
  const last = isObject(status.lastState) && 'terminated' in status.lastState ? status.lastState : undefined;
  return {
    state: status.state as unknown as ContainerState,
    lastState: last as ContainerReport['lastState'],
    restartCount: Number(status.restartCount ?? 0),
  };
}

function startedAgain({ state, restartCount = 0 }: ContainerReport, running: { startedAt: string }): ContainerReport {
  const lastState = 'terminated' in state ? state : undefined;
  return { state: { running }, lastState, restartCount: restartCount + 1 };
}

function withDisruption(pod: KubeObject, reason: string, now: number): KubeObject {
  const time = timestamp(now);
  const condition = { type: 'DisruptionTarget', status: 'True', reason, lastProbeTime: null, lastTransitionTime: time };
  const others = listAt(pod, 'status', 'conditions').filter(({ type }) => type !== 'DisruptionTarget');
  const status = { ...(isObject(pod.status) ? pod.status : {}), conditions: [...others, condition] };
  return { ...pod, status } as KubeObject;
}
