/**
 * The operator's KubeClient on the store, in process: for fast tests and the simulation. Every answer is a copy of its
 * own.
 */

import type { TimerHandle } from 'in-memory-kubernetes/clock.ts';
import type { RequestLog, Verb } from 'in-memory-kubernetes/http/requests.ts';
import { ApiError, pathNotFound } from 'in-memory-kubernetes/store/api-error.ts';
import { clone } from 'in-memory-kubernetes/store/json.ts';
import { mergePatch } from 'in-memory-kubernetes/store/patch.ts';
import { checkVersion } from 'in-memory-kubernetes/store/reading.ts';
import type { Store } from 'in-memory-kubernetes/store/store.ts';
import type {
  AnyVersionOf,
  KubeClient,
  KubeObject,
  ListOptions,
  ObjectList,
  PatchOptions,
  Preconditions,
  RequestOptions,
  ResourceType,
  WatchEvent,
  WatchOptions,
} from '../src/kube/client.ts';
import { classify, KubeError } from '../src/kube/errors.ts';

export interface LocalClientOptions {
  /** Counts the requests, as the HTTP face does. */
  requests?: RequestLog;
  /** How often a quiet watch gets a bookmark. */
  bookmarkIntervalMs?: number;
}

/** A client of a cluster that runs in this process; its requests are counted with those over HTTP. */
export const clientOf = ({ store, requests }: { store: Store; requests: RequestLog }): KubeClient =>
  createLocalClient(store, { requests });

export function createLocalClient(store: Store, options: LocalClientOptions = {}): KubeClient {
  return new LocalClient(store, options);
}

/** What the HTTP client would throw for the same answer. */
export function kubeErrorOf(error: unknown): KubeError {
  if (error instanceof KubeError) return error;
  if (!(error instanceof ApiError)) {
    const message = error instanceof Error ? error.message : String(error);
    return new KubeError('retryable', { status: 500, reason: 'InternalError', message, cause: error });
  }
  return new KubeError(classify(error.code, error.reason), {
    status: error.code,
    reason: error.reason,
    message: error.reason === '' ? error.message : `${error.reason}: ${error.message}`,
    retryAfterSeconds: error.details?.retryAfterSeconds,
    cause: error,
  });
}

class LocalClient implements KubeClient {
  readonly #store: Store;
  readonly #options: LocalClientOptions;

  constructor(store: Store, options: LocalClientOptions) {
    this.#store = store;
    this.#options = options;
  }

  async get<T extends KubeObject>(type: ResourceType, namespace: string, name: string, options?: RequestOptions) {
    return this.#call('get', type, options, () => clone(this.#store.get(type, namespace, name)) as T);
  }

  async list<T extends KubeObject>(type: ResourceType, options: ListOptions = {}): Promise<ObjectList<T>> {
    return this.#call('list', type, options, () => {
      const { items, metadata } = this.#store.list(type, options);
      return { items: clone(items) as T[], metadata: { ...metadata } };
    });
  }

  async *watch<T extends KubeObject>(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    const queue = new EventQueue();
    const timers = new Set<TimerHandle>();
    const { clock } = this.#store;
    const bookmark = (): void => {
      const { served, version } = { served: this.#store.served(type), version: this.#store.version };
      const apiVersion = served.group === '' ? served.version : `${served.group}/${served.version}`;
      const metadata = { name: '', resourceVersion: String(version) };
      queue.push({ type: 'BOOKMARK', object: { kind: served.kind, apiVersion, metadata } });
    };
    const close = this.#call('watch', type, options, () => {
      checkVersion(options.resourceVersion, Number.MAX_SAFE_INTEGER);
      return this.#store.watch(type, options, { event: (event) => queue.push(event), ended: () => queue.end() });
    });
    const abort = (): void => queue.fail(aborted(options.signal));
    options.signal?.addEventListener('abort', abort);
    const repeat = (): void => {
      const timer = clock.setTimeout(() => {
        timers.delete(timer);
        bookmark();
        repeat();
      }, this.#options.bookmarkIntervalMs ?? 60_000);
      timers.add(timer);
    };
    repeat();
    if (options.timeoutSeconds !== undefined)
      timers.add(clock.setTimeout(() => queue.end(), options.timeoutSeconds * 1000));
    try {
      for await (const event of queue) yield clone(event) as WatchEvent<T>;
    } finally {
      close();
      options.signal?.removeEventListener('abort', abort);
      for (const timer of timers) clock.clearTimeout(timer);
    }
  }

  async create<T extends KubeObject>(
    type: ResourceType,
    object: T,
    options: RequestOptions & { dryRun?: boolean } = {},
  ): Promise<T> {
    const { namespace } = object.metadata;
    const fieldValidation = type.group === 'batch' && type.plural === 'jobs' ? 'Strict' : 'Warn';
    const write = { namespace, fieldValidation, dryRun: options.dryRun } as const;
    return this.#call('create', type, options, () => clone(this.#store.create(type, object, write)) as T);
  }

  async replaceStatus<T extends KubeObject>(type: ResourceType, object: T, options?: RequestOptions): Promise<T> {
    return this.#call('update', type, options, () => {
      return clone(this.#store.update(type, object, { subresource: 'status' })) as T;
    });
  }

  async patch<T extends KubeObject>(
    type: ResourceType,
    namespace: string,
    name: string,
    preconditions: Preconditions | AnyVersionOf,
    patch: Record<string, unknown>,
    options: PatchOptions = {},
  ): Promise<T> {
    const { anyVersion: _, ...must } = { anyVersion: undefined, ...preconditions };
    const whole = mergePatch(patch, { metadata: must });
    const write = { dryRun: options.dryRun } as const;
    return this.#call('patch', type, options, () => {
      const stored = this.#store.patch(type, namespace, name, (current) => mergePatch(current, whole), write);
      const { metadata } = stored;
      return clone(
        options.metadataOnly ? { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata } : stored,
      ) as T;
    });
  }

  async delete(
    type: ResourceType,
    namespace: string,
    name: string,
    preconditions: Preconditions,
    options: RequestOptions & { dryRun?: boolean } = {},
  ): Promise<void> {
    const { dryRun } = options;
    this.#call('delete', type, options, () => {
      this.#store.delete(type, namespace, name, { preconditions, propagationPolicy: 'Background', dryRun });
    });
  }

  #call<T>(verb: Verb, type: ResourceType, options: RequestOptions | undefined, call: () => T): T {
    if (options?.signal?.aborted === true) throw aborted(options.signal);
    this.#options.requests?.add({ verb, group: type.group, plural: type.plural });
    try {
      if (this.#store.types.find(type.group, type.version, type.plural) === undefined) throw pathNotFound();
      return call();
    } catch (error) {
      throw kubeErrorOf(error);
    }
  }
}

function aborted(signal: AbortSignal | undefined): KubeError {
  return new KubeError('retryable', {
    status: 0,
    reason: 'AbortError',
    message: 'the request was aborted',
    cause: signal?.reason,
  });
}

/** Events wait here until the reader comes for them. */
class EventQueue implements AsyncIterable<unknown> {
  readonly #events: unknown[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #failure: KubeError | undefined;

  push(event: unknown): void {
    this.#events.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  fail(error: KubeError): void {
    this.#failure = error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<unknown> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#events.length > 0) yield this.#events.shift();
      else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
