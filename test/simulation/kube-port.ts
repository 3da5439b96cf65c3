import type {
  KubeClient,
  KubeObject,
  ListOptions,
  ObjectList,
  Preconditions,
  RequestOptions,
  ResourceType,
  WatchEvent,
  WatchOptions,
} from '../../src/kube/client.ts';
import { KubeError } from '../../src/kube/errors.ts';
import { Call } from './call.ts';
import type { Incarnation } from './replica.ts';
import { Watch } from './watch.ts';
import type { World } from './world.ts';

/** What the operator's HTTP client allows a request (milliseconds). */
const TIMEOUT_MS = 30_000;

export const lostRequest = (reason: string): KubeError =>
  new KubeError('retryable', { status: 0, reason, message: `${reason}: no answer` });

/**
 * The Kubernetes API as one replica has it: each call is on its way until the scheduler lets it take effect on the
 * store, and its answer is on its way back until the scheduler delivers it.
 */
export class KubePort implements KubeClient {
  readonly #world: World;
  readonly #incarnation: Incarnation;

  constructor(world: World, incarnation: Incarnation) {
    this.#world = world;
    this.#incarnation = incarnation;
  }

  get<T extends KubeObject>(type: ResourceType, namespace: string, name: string, options?: RequestOptions): Promise<T> {
    const perform = () => this.#world.client.get<T>(type, namespace, name);
    return this.#call('get', `${type.kind} ${name}`, perform, options);
  }

  list<T extends KubeObject>(type: ResourceType, options: ListOptions = {}): Promise<ObjectList<T>> {
    const { signal, ...query } = options;
    const perform = (call: Call) => {
      // Nobody sees the answer to a list that was given up: the pass goes by the one that came after it.
      if (!call.isGhost) this.#noteLook(type, query);
      return this.#world.client.list<T>(type, query);
    };
    const selection = query.labelSelector ?? query.fieldSelector ?? 'all';
    const answer = this.#call('list', `${type.plural} (${selection})`, perform, signal ? { signal } : {});
    if (type.plural !== 'pods') return answer;
    return answer.then((list) => {
      for (const pod of list.items) this.#incarnation.hasSeen(pod);
      return list;
    });
  }

  watch<T extends KubeObject>(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    return new Watch(this.#world, this.#incarnation, type, options) as AsyncIterable<WatchEvent<T>>;
  }

  create<T extends KubeObject>(
    type: ResourceType,
    object: T,
    options: RequestOptions & { dryRun?: boolean } = {},
  ): Promise<T> {
    const { dryRun } = options;
    const perform = () => this.#world.client.create(type, object, dryRun === undefined ? {} : { dryRun });
    const name = object.metadata.name || '(dry run)';
    // Events are written beside the rest, and nothing waits for them: they take no step of their own.
    if (type.plural === 'events') return this.#world.as(this.#incarnation, perform) as Promise<T>;
    return this.#call('create', `${type.kind} ${name}${dryRun ? ' (dry run)' : ''}`, perform, options);
  }

  replaceStatus<T extends KubeObject>(type: ResourceType, object: T, options?: RequestOptions): Promise<T> {
    const perform = this.#seeing(() => this.#world.client.replaceStatus(type, object));
    const { name, resourceVersion } = object.metadata;
    return this.#call('update', `status of ${type.kind} ${name} (from ${resourceVersion})`, perform, options);
  }

  patch<T extends KubeObject>(
    type: ResourceType,
    namespace: string,
    name: string,
    preconditions: Preconditions,
    patch: Record<string, unknown>,
    options: RequestOptions & { dryRun?: boolean } = {},
  ): Promise<T> {
    const perform = this.#seeing(() => this.#world.client.patch<T>(type, namespace, name, preconditions, patch));
    const what = `${type.kind} ${name} (from ${preconditions.resourceVersion}): ${JSON.stringify(patch)}`;
    return this.#call('patch', what, perform, options);
  }

  delete(
    type: ResourceType,
    namespace: string,
    name: string,
    preconditions: Preconditions,
    options?: RequestOptions,
  ): Promise<void> {
    const perform = this.#seeing(() => this.#world.client.delete(type, namespace, name, preconditions));
    const what = `${type.kind} ${name} (from ${preconditions.resourceVersion})`;
    return this.#call('delete', what, perform, options);
  }

  /** The second and the third look of a pass: at the Jobs, and at the Pods, of one resource. */
  #noteLook(type: ResourceType, { namespace, labelSelector }: ListOptions): void {
    const name = /capdeployjob\.dev\/name=([^,]+)/.exec(labelSelector ?? '')?.[1];
    if (name === undefined) return;
    const { version } = this.#world.store;
    if (type.plural === 'jobs') this.#incarnation.looksAtJobs(`${namespace}/${name}`, version);
    if (type.plural === 'pods') this.#incarnation.looksAtPods(`${namespace}/${name}`, version);
  }

  /** A write, with what its pass had seen when it sent it: the oracle judges by that. */
  #seeing<T>(perform: () => Promise<T>): () => Promise<T> {
    const seen = new Map(this.#incarnation.looks);
    return () => {
      this.#world.oracle.seen = seen;
      return perform();
    };
  }

  #call<T>(verb: string, what: string, perform: (call: Call) => Promise<T>, options: RequestOptions = {}): Promise<T> {
    const { signal } = options;
    const shared = { port: 'kube', verb, what, perform, signal, lost: lostRequest, timeoutMs: TIMEOUT_MS } as const;
    const call = new Call(this.#world, this.#incarnation, shared);
    this.#world.sent(call);
    return call.promise as Promise<T>;
  }
}
