/**
 * For tests and the simulation, where no kubelet runs: what a scheduler and a kubelet would do to a Pod, done by hand. Each call is one
 * step that the real ones take; a Pod that nobody plays stays as it is, which is what a dead node looks like.
 */
import type { KubeObject } from '../../kube/client.ts';
import { PODS } from '../../kube/client.ts';
import { timestamp } from '../clock.ts';
import { clone, isObject, listAt, textAt } from '../store/json.ts';
import type { Store } from '../store/store.ts';
import type { Waiting } from './pod-status.ts';
import { failedPodStatus, podStatus } from './pod-status.ts';

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

  /** The container waits: ImagePullBackOff, CreateContainerConfigError, … */
  wait(namespace: string, name: string, waiting: Waiting): KubeObject {
    const pod = this.schedule(namespace, name);
    return this.#setStatus(pod, podStatus(pod, { waiting }, this.#store.clock.now()));
  }

  run(namespace: string, name: string): KubeObject {
    const pod = this.schedule(namespace, name);
    const now = this.#store.clock.now();
    return this.#setStatus(pod, podStatus(pod, { running: { startedAt: timestamp(now) } }, now));
  }

  /** The first container ends; `message` is what FallbackToLogsOnError would have kept of its log. */
  finish(namespace: string, name: string, exitCode = 0, message?: string): KubeObject {
    const pod = this.schedule(namespace, name);
    const now = this.#store.clock.now();
    const [status] = listAt(pod, 'status', 'containerStatuses');
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    const startedAt = textAt(status, 'state', 'running', 'startedAt') ?? timestamp(now);
    const terminated = { exitCode, reason, message, startedAt, finishedAt: timestamp(now) };
    return this.#setStatus(pod, podStatus(pod, { terminated }, now));
  }

  /** What a kubelet does with a Pod that is being deleted: ends it, reports that, and lets go of it. */
  endDeleted(namespace: string, name: string, exitCode = 143): void {
    const pod = this.#store.get(PODS, namespace, name);
    if (pod.metadata.deletionTimestamp === undefined) return;
    const running = listAt(pod, 'status', 'containerStatuses').some((each) =>
      textAt(each, 'state', 'running', 'startedAt'),
    );
    const phase = textAt(pod, 'status', 'phase') ?? 'Pending';
    if (running) this.finish(namespace, name, exitCode);
    else if (phase === 'Pending') this.#setStatus(pod, failedPodStatus(pod, this.#store.clock.now()));
    this.#store.delete(PODS, namespace, name, {
      gracePeriodSeconds: 0,
      preconditions: { uid: pod.metadata.uid },
    });
  }

  #setStatus(pod: KubeObject, status: unknown): KubeObject {
    return this.#store.update(PODS, { ...pod, status: clone(status) }, { subresource: 'status' });
  }
}
