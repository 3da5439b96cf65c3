/**
 * The Job controller: what `job-decision.ts` decides, done on the store. See there for the features that it does not
 * model.
 *
 * `podCreationLagMs` is the time between the decision to create a Pod, from the controller's cache, and its creation.
 * In that time the Job may go: the Pod then comes late and has no owner, as measured on the real controller under
 * load (docs of the lane protocol).
 */
import type { KubeObject } from '../objects.ts';
import { JOBS, PODS } from '../objects.ts';
import { ApiError } from '../store/api-error.ts';
import type { JsonObject } from '../store/json.ts';
import { clone, isObject } from '../store/json.ts';
import type { Store } from '../store/store.ts';
import { decideJob, TRACKING_FINALIZER } from './job-decision.ts';
import { Recorder } from './recorder.ts';
import { WorkQueue } from './work-queue.ts';

export interface JobControllerOptions {
  podCreationLagMs?: number | ((job: KubeObject) => number);
  /** As before Kubernetes 1.31: a Job that fails is over before its Pods are. */
  finishesEarly?: boolean;
  /** Between a change and the controller's look at it. */
  reactionMs?: number | (() => number);
}

const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
const LONGEST_NAME = 58;
/** Before the uid of a Job that is gone: its Pods are not counted any more. */
const ORPHANS = 'orphans of ';

export class JobController {
  readonly #store: Store;
  readonly #queue: WorkQueue;
  readonly #recorder: Recorder;
  readonly #options: JobControllerOptions;
  readonly #stopWatches: (() => void)[];
  /** Pods by the uid of the Job that controls them. */
  readonly #pods = new Map<string, Map<string, KubeObject>>();
  /** Pods decided on and not created yet, by Job uid. */
  readonly #expected = new Map<string, number>();
  /** How often the Pod of a Job was refused in a row, and when to try again, by Job uid. */
  readonly #refusals = new Map<string, { times: number; until: number }>();
  #stopped = false;

  constructor(store: Store, options: JobControllerOptions = {}) {
    this.#store = store;
    this.#options = options;
    this.#recorder = new Recorder(store, 'job-controller');
    this.#queue = new WorkQueue(store.clock, (key) => this.#sync(key));
    this.#stopWatches = [
      store.onChange((type, { object, type: change }) => {
        if (type.storage === 'batch/jobs' && change === 'DELETED') this.#refusals.delete(object.metadata.uid ?? '');
        if (type.storage === 'batch/jobs')
          this.#enqueue(change === 'DELETED' ? ORPHANS + object.metadata.uid : keyOf(object));
        if (type.storage === '/pods') this.#podChanged(object, change === 'DELETED');
      }),
    ];
    for (const pod of store.list(PODS).items) this.#podChanged(pod, false);
    for (const job of store.list(JOBS).items) this.#enqueue(keyOf(job));
  }

  stop(): void {
    this.#stopped = true;
    for (const stop of this.#stopWatches) stop();
    this.#queue.stop();
  }

  #enqueue(key: string, afterMs?: number): void {
    const { reactionMs = 0 } = this.#options;
    this.#queue.add(key, afterMs ?? (typeof reactionMs === 'function' ? reactionMs() : reactionMs));
  }

  #podChanged(pod: KubeObject, gone: boolean): void {
    const owner = controllerOf(pod);
    if (owner === undefined || owner.kind !== 'Job') return;
    const pods = this.#pods.get(owner.uid) ?? new Map<string, KubeObject>();
    this.#pods.set(owner.uid, pods);
    if (gone) pods.delete(pod.metadata.name);
    else pods.set(pod.metadata.name, pod);
    if (pods.size === 0) this.#pods.delete(owner.uid);
    this.#enqueue(`${pod.metadata.namespace}/${owner.name}`);
    const job = this.#store.find(JOBS, pod.metadata.namespace, owner.name);
    if (job?.metadata.uid !== owner.uid) this.#enqueue(ORPHANS + owner.uid);
  }

  #sync(key: string): void {
    if (key.startsWith(ORPHANS)) {
      for (const pod of [...(this.#pods.get(key.slice(ORPHANS.length))?.values() ?? [])]) this.#release(pod);
      return;
    }
    const [namespace, name = ''] = key.split('/');
    const job = this.#store.find(JOBS, namespace, name);
    if (job === undefined) return;
    try {
      this.#act(job, key);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#enqueue(key, RETRY_MS);
    }
  }

  #act(job: KubeObject, key: string): void {
    const uid = job.metadata.uid ?? '';
    const pods = [...(this.#pods.get(uid)?.values() ?? [])];
    const now = this.#store.clock.now();
    const expected = this.#expected.get(uid) ?? 0;
    const decision = decideJob(job, pods, expected, now, this.#options.finishesEarly);
    for (const pod of decision.delete) this.#deletePod(job, pod);
    if (decision.interim !== undefined) this.#writeStatus(job, decision.interim);
    for (const pod of decision.release) this.#release(pod);
    const refused = this.#createPods(job, key, decision.create);
    const active = Number(decision.status.active ?? 0) - refused;
    this.#writeStatus(job, { ...decision.status, active: active === 0 ? undefined : active });
    for (const { type, reason, message } of decision.events) this.#recorder.event(job, type, reason, message);
    if (decision.wakeAt !== undefined) this.#queue.add(key, Math.max(0, decision.wakeAt - now));
  }

  #writeStatus(job: KubeObject, status: JsonObject): void {
    const current = this.#store.find(JOBS, job.metadata.namespace, job.metadata.name);
    if (current === undefined || current.metadata.uid !== job.metadata.uid) return;
    this.#store.update(JOBS, { ...current, status: clone(status) }, { subresource: 'status' });
  }

  #deletePod(job: KubeObject, pod: KubeObject): void {
    const { namespace, name, uid } = pod.metadata;
    if (this.#store.find(PODS, namespace, name)?.metadata.uid !== uid) return;
    this.#store.delete(PODS, namespace, name, { preconditions: { uid } });
    this.#recorder.event(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
  }

  #release(pod: KubeObject): void {
    const { namespace, name, uid } = pod.metadata;
    const current = this.#store.find(PODS, namespace, name);
    if (current === undefined || current.metadata.uid !== uid) return;
    const finalizers = (current.metadata.finalizers ?? []).filter((each) => each !== TRACKING_FINALIZER);
    this.#store.update(PODS, { ...current, metadata: { ...current.metadata, finalizers } }, { trusted: true });
  }

  /** How many of them were refused, or must wait because one was refused lately. */
  #createPods(job: KubeObject, key: string, count: number): number {
    const wait = (this.#refusals.get(job.metadata.uid ?? '')?.until ?? 0) - this.#store.clock.now();
    if (wait > 0 && count > 0) {
      this.#enqueue(key, wait);
      return count;
    }
    let refused = 0;
    for (let made = 0; made < count; made += 1) if (!this.#createPod(job, key)) refused += 1;
    return refused;
  }

  /** False where the Pod was refused: then it is tried again, after 1 s, 2 s, 4 s, up to a minute. */
  #createPod(job: KubeObject, key: string): boolean {
    const lag = this.#options.podCreationLagMs ?? 0;
    const milliseconds = typeof lag === 'function' ? lag(job) : lag;
    if (milliseconds <= 0) return this.#createNow(job, key);
    const uid = job.metadata.uid ?? '';
    this.#expected.set(uid, (this.#expected.get(uid) ?? 0) + 1);
    this.#store.clock.setTimeout(() => {
      const left = (this.#expected.get(uid) ?? 1) - 1;
      if (left > 0) this.#expected.set(uid, left);
      else this.#expected.delete(uid);
      if (this.#stopped) return;
      if (this.#createNow(job, key)) this.#enqueue(key);
    }, milliseconds);
    return true;
  }

  #createNow(job: KubeObject, key: string): boolean {
    const uid = job.metadata.uid ?? '';
    try {
      const pod = this.#store.create(PODS, podOf(job));
      this.#refusals.delete(uid);
      this.#recorder.event(job, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') === true) return false;
      this.#recorder.event(job, 'Warning', 'FailedCreate', `Error creating: ${error.message}`);
      const times = this.#refusals.get(uid)?.times ?? 0;
      const wait = Math.min(RETRY_MS * 2 ** times, LONGEST_RETRY_MS);
      this.#refusals.set(uid, { times: times + 1, until: this.#store.clock.now() + wait });
      this.#enqueue(key, wait);
      return false;
    }
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace}/${object.metadata.name}`;
}

function controllerOf(object: KubeObject) {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

function podOf(job: KubeObject): KubeObject {
  const template = clone((job.spec as JsonObject).template) as JsonObject;
  const metadata = isObject(template.metadata) ? template.metadata : {};
  const { name, uid = '', namespace = '' } = job.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      generateName: `${name.slice(0, LONGEST_NAME - 1)}-`,
      namespace,
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true, blockOwnerDeletion: true }],
      finalizers: [...((metadata.finalizers as string[] | undefined) ?? []), TRACKING_FINALIZER],
    },
    spec: template.spec,
  } as unknown as KubeObject;
}
