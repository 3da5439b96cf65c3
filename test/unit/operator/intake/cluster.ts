import { randomUUID } from 'node:crypto';
import type { CapDeployJob, RejectionEntry } from '../../../../src/api/capdeployjob.ts';
import type { ObjectKey } from '../../../../src/base/object-key.ts';
import type { KubeClient, KubeObject, ResourceType } from '../../../../src/kube/client.ts';
import { KubeError } from '../../../../src/kube/errors.ts';
import { type Job, storedRequest } from '../../../../src/lanes/job.ts';
import type { CreateFailure, QueueState, Reports, Resources } from '../../../../src/operator/intake/ports.ts';

/**
 * As much of a cluster as intake sees: CapDeployJobs and Jobs behind a KubeClient, the cache of the former, and a
 * reconcile that lists Jobs in the status and records rejections. Each part can be switched off or made to fail.
 */
export class Cluster implements Resources, Reports {
  readonly jobs = new Map<string, Job & KubeObject>();
  readonly resources = new Map<ObjectKey, CapDeployJob>();
  readonly rejections: RejectionEntry[] = [];
  readonly queueStates: (QueueState & { key: ObjectKey })[] = [];
  readonly troubles: (CreateFailure | undefined)[] = [];
  /** Names of the Jobs in the order in which creates were accepted, and how many creates were tried. */
  readonly created: string[] = [];
  createCalls = 0;
  gets = 0;
  /**
   * Whether reconcile lists Jobs in the status, whether it records rejections, and whether the watch tells of changes.
   */
  reconciles = true;
  records: boolean | 'refuses' = true;
  watches = true;
  /** Thrown by creates, or by everything. */
  failCreate: ((job: Job) => KubeError | undefined) | undefined;
  failAll: KubeError | undefined;
  readonly #listeners = new Set<(key: ObjectKey) => void>();
  #cache = new Map<ObjectKey, CapDeployJob>();

  readonly kube = {
    get: async (type: ResourceType, namespace: string, name: string) => {
      this.gets++;
      if (this.failAll) throw this.failAll;
      const key = `${namespace}/${name}`;
      const found = type.plural === 'jobs' ? this.jobs.get(key) : this.resources.get(key);
      if (!found) throw apiError('gone', 404, 'NotFound');
      return structuredClone(found) as unknown as KubeObject;
    },
    create: async (_: ResourceType, object: KubeObject) => {
      this.createCalls++;
      const job = structuredClone(object) as unknown as Job & KubeObject;
      const failure = this.failAll ?? this.failCreate?.(job);
      if (failure) throw failure;
      const key = `${job.metadata.namespace}/${job.metadata.name}`;
      if (this.jobs.has(key)) throw apiError('exists', 409, 'AlreadyExists');
      Object.assign(job.metadata, { uid: randomUUID(), creationTimestamp: new Date().toISOString() });
      this.jobs.set(key, job);
      this.created.push(job.metadata.name);
      queueMicrotask(() => this.reconcile());
      return job;
    },
  } as unknown as KubeClient;

  /** Lists every Job of a living resource as waiting. */
  reconcile(): void {
    if (!this.reconciles) return;
    for (const [key, resource] of this.resources) {
      const jobs = [...this.jobs.values()].filter(
        (job) => job.metadata.ownerReferences?.[0]?.uid === resource.metadata.uid,
      );
      const names = new Set(jobs.map((job) => storedRequest(job).environment));
      const environments = [...names].map((name) => ({
        name,
        waiting: jobs
          .map((job) => ({ ...storedRequest(job), job: job.metadata.name, why: 'next' }))
          .filter(({ environment }) => environment === name) as never[],
      }));
      const before = JSON.stringify(resource.status?.environments ?? []);
      if (before !== JSON.stringify(environments))
        this.put({ ...resource, status: { ...resource.status, environments } }, key);
    }
  }

  /** Stores a resource and lets the watch tell of it. */
  put(resource: CapDeployJob, key = `${resource.metadata.namespace}/${resource.metadata.name}`): void {
    this.resources.set(key, resource);
    this.#tell(key);
  }

  remove(key: ObjectKey): void {
    this.resources.delete(key);
    this.#tell(key);
  }

  /** The watch comes back, and the cache catches up. */
  catchUp(): void {
    this.watches = true;
    for (const key of new Set([...this.#cache.keys(), ...this.resources.keys()])) this.#tell(key);
  }

  #tell(key: ObjectKey): void {
    if (!this.watches) return;
    this.#cache = new Map(this.resources);
    for (const listener of this.#listeners) listener(key);
  }

  get(key: ObjectKey): CapDeployJob | undefined {
    return this.#cache.get(key);
  }

  list(): CapDeployJob[] {
    return [...this.#cache.values()];
  }

  onChange(listener: (key: ObjectKey) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  rejected(_: ObjectKey, rejection: RejectionEntry, signal: AbortSignal): Promise<void> {
    this.rejections.push(rejection);
    if (this.records === 'refuses') return Promise.reject(new Error('the resource is gone'));
    if (this.records) return Promise.resolve();
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('not recorded'))));
  }

  queue(key: ObjectKey, state: QueueState): void {
    this.queueStates.push({ key, ...state });
  }

  createFailure(_: ObjectKey, trouble: CreateFailure | undefined): void {
    this.troubles.push(trouble);
  }
}

export function apiError(
  kind: KubeError['kind'],
  status: number,
  reason: string,
  message = reason,
  retryAfterSeconds?: number,
): KubeError {
  return new KubeError(kind, { status, reason, message, retryAfterSeconds });
}
