/**
 * A scheduler and a kubelet for one node called `local`, that runs the first container of each Pod as a process of this
 * machine.
 *
 * Not modelled, and said so on the Pod: init containers and restart policies other than Never are refused (the Pod
 * fails, reason NotRunByLocalKubelet), further containers are not run. Not modelled at all: probes, lifecycle hooks,
 * resources, users and security contexts (a process runs as whoever started the in-memory Kubernetes), network, the
 * Pod's own activeDeadlineSeconds, service account tokens.
 */

import { Recorder } from '../controllers/recorder.ts';
import { WorkQueue } from '../controllers/work-queue.ts';
import type { KubeObject, ResourceType } from '../objects.ts';
import { PODS } from '../objects.ts';
import { ApiError, badRequest } from '../store/api-error.ts';
import { clone, isObject, listAt, textAt } from '../store/json.ts';
import type { Store } from '../store/store.ts';
import type { FindData } from './container-env.ts';
import type { LogQuery, LogSink, LogSource } from './log-source.ts';
import { failedPodStatus, podStatus } from './pod-status.ts';
import type { Node, ResolveImage } from './pod-worker.ts';
import { graceOf, PodWorker } from './pod-worker.ts';
import type { ProcessRunner } from './process-runner.ts';
import { localProcesses } from './process-runner.ts';

export interface KubeletOptions {
  resolveImage: ResolveImage;
  runner?: ProcessRunner;
  /** Where the Pods' directories are made; the system's own by default. */
  temporaryDirectory?: string;
  /** How long `stop` waits between SIGTERM and SIGKILL. */
  stopGraceMs?: number;
}

export const NODE_NAME = 'local';
const SECRETS: ResourceType = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret' };
const CONFIG_MAPS: ResourceType = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };

interface Running {
  worker: PodWorker;
  namespace: string;
  name: string;
}

export class Kubelet implements LogSource {
  readonly #store: Store;
  readonly #options: KubeletOptions;
  readonly #recorder: Recorder;
  readonly #scheduler: Recorder;
  readonly #queue: WorkQueue;
  readonly #stopListening: () => void;
  /** By uid: two Pods of one name are two Pods. */
  readonly #workers = new Map<string, Running>();
  /** The last resort: whatever ends this program ends its Pods. */
  readonly #killAll = (): void => {
    for (const { worker } of this.#workers.values()) worker.signal('SIGKILL');
  };
  #stopping = false;
  #idle: (() => void) | undefined;

  constructor(store: Store, options: KubeletOptions) {
    this.#store = store;
    this.#options = options;
    this.#recorder = new Recorder(store, 'kubelet', NODE_NAME);
    this.#scheduler = new Recorder(store, 'default-scheduler');
    this.#queue = new WorkQueue(store.clock, (key) => this.#sync(key));
    this.#stopListening = store.onChange((type, change) => {
      const { uid = '', namespace = '', name } = change.object.metadata;
      if (type.storage === '/pods') {
        if (change.type === 'DELETED') this.#gone(uid);
        this.#queue.add(`${namespace}/${name}`);
      } else if (type.storage === '/secrets' || type.storage === '/configmaps') this.#retry(namespace);
    });
    for (const { metadata } of store.list(PODS).items) this.#queue.add(`${metadata.namespace}/${metadata.name}`);
    process.once('exit', this.#killAll);
  }

  /** Ends every process that was started here and removes every file. Pods keep the status that they have. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#stopListening();
    this.#queue.stop();
    for (const { worker } of this.#workers.values()) {
      worker.abandon();
      worker.signal('SIGTERM');
    }
    const grace = this.#options.stopGraceMs ?? 2000;
    if (!(await this.#allOver(grace))) {
      this.#killAll();
      await this.#allOver(grace);
    }
    process.removeListener('exit', this.#killAll);
  }

  readLog(pod: KubeObject, query: LogQuery, sink: LogSink): () => void {
    const { name, uid = '' } = pod.metadata;
    if (query.previous) {
      throw badRequest(`previous terminated container "${query.container}" in pod "${name}" not found`);
    }
    const worker = this.#workers.get(uid)?.worker;
    const first = listAt(pod, 'spec', 'containers')[0]?.name;
    if (worker?.log === undefined || query.container !== first) {
      const why = worker?.waiting ?? 'ContainerCreating';
      throw badRequest(`container "${query.container}" in pod "${name}" is waiting to start: ${why}`);
    }
    return worker.log.read(query, sink);
  }

  #allOver(withinMs: number): Promise<boolean> {
    const left = (): boolean => [...this.#workers.values()].some(({ worker }) => !worker.isOver);
    if (!left()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), withinMs);
      this.#idle = () => {
        if (left()) return;
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  #sync(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const pod = this.#store.find(PODS, namespace, name);
    if (pod === undefined || this.#stopping) return;
    try {
      this.#act(pod);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#queue.add(key, 1000);
    }
  }

  #act(pod: KubeObject): void {
    const { uid = '', deletionTimestamp } = pod.metadata;
    const node = textAt(pod, 'spec', 'nodeName');
    if (node !== undefined && node !== NODE_NAME) return;
    const finished = ['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase') ?? '');
    const running = this.#workers.get(uid);
    if (deletionTimestamp !== undefined) {
      if (running !== undefined && !running.worker.isOver) running.worker.terminate(graceOf(pod));
      else if (node !== undefined) this.#letGo(pod);
      return;
    }
    if (finished || running !== undefined) return;
    if (listAt(pod, 'spec', 'schedulingGates').length > 0) return;
    const bound = node === undefined ? this.#bind(pod) : pod;
    const worker = new PodWorker(bound, this.#nodeFor(bound));
    this.#workers.set(uid, { worker, namespace: pod.metadata.namespace ?? '', name: pod.metadata.name });
    this.#setStatus(bound, podStatus(bound, { waiting: { reason: 'ContainerCreating' } }, this.#store.clock.now()));
    worker.prepare();
  }

  #bind(pod: KubeObject): KubeObject {
    const spec = { ...(isObject(pod.spec) ? pod.spec : {}), nodeName: NODE_NAME };
    const bound = this.#store.update(PODS, { ...pod, spec }, { trusted: true });
    const { namespace, name } = pod.metadata;
    this.#scheduler.event(bound, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${NODE_NAME}`);
    return bound;
  }

  #nodeFor(pod: KubeObject): Node {
    const { uid = '', namespace = '', name } = pod.metadata;
    const current = (): KubeObject | undefined => {
      const found = this.#store.find(PODS, namespace, name);
      return found?.metadata.uid === uid && !this.#stopping ? found : undefined;
    };
    const container = listAt(pod, 'spec', 'containers')[0]?.name;
    const find: FindData = (kind, wanted) =>
      this.#store.find(kind === 'secret' ? SECRETS : CONFIG_MAPS, namespace, wanted);
    return {
      clock: this.#store.clock,
      runner: this.#options.runner ?? localProcesses,
      resolveImage: this.#options.resolveImage,
      temporaryDirectory: this.#options.temporaryDirectory,
      find,
      report: (state) => {
        const found = current();
        if (found !== undefined) this.#setStatus(found, podStatus(found, state, this.#store.clock.now()));
      },
      refuse: (message) => {
        const found = current();
        const why = { reason: 'NotRunByLocalKubelet', message };
        if (found !== undefined) this.#setStatus(found, failedPodStatus(found, this.#store.clock.now(), why));
      },
      event: (type, reason, message) => {
        const found = current();
        if (found !== undefined) this.#recorder.event(found, type, reason, message, `spec.containers{${container}}`);
      },
      over: () => {
        if (current() !== undefined) this.#queue.add(`${namespace}/${name}`);
        else this.#workers.delete(uid);
        this.#idle?.();
      },
    };
  }

  #setStatus(pod: KubeObject, status: unknown): void {
    this.#store.update(PODS, { ...pod, status: clone(status) }, { subresource: 'status' });
  }

  /** The process is gone, or never was: the Pod's status says so, and then the Pod may go. */
  #letGo(pod: KubeObject): void {
    const { namespace, name, uid, deletionGracePeriodSeconds } = pod.metadata;
    const finished = ['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase') ?? '');
    if (!finished) this.#setStatus(pod, failedPodStatus(pod, this.#store.clock.now()));
    if (deletionGracePeriodSeconds === 0 && finished) return;
    this.#store.delete(PODS, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
  }

  /** The object is gone, by force or in good order. */
  #gone(uid: string): void {
    const running = this.#workers.get(uid);
    if (running === undefined) return;
    running.worker.abandon();
    running.worker.signal('SIGKILL');
    if (running.worker.isOver) this.#workers.delete(uid);
  }

  /** A Secret or ConfigMap changed: Pods that wait for one may start. */
  #retry(namespace: string): void {
    for (const { worker, namespace: theirs } of this.#workers.values()) {
      if (theirs === namespace && !worker.isOver && worker.log === undefined) {
        this.#store.clock.setTimeout(() => {
          if (!this.#stopping) worker.prepare();
        }, 0);
      }
    }
  }
}
