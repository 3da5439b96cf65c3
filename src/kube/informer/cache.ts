/**
 * The objects of one type in the cluster, kept up to date: one reflector for each namespace (a namespaced Role allows
 * no watch of all), behind one set of lookups.
 *
 * The objects are shared: **never mutate one**, `structuredClone` it first. They are always a little old: what must be
 * true now is read live (the lane protocol says when). Handlers run synchronously, in the order of the events, after
 * the lookups know the change.
 */

import { type Clock, systemClock } from '../../base/clock.ts';
import { type Log, silentLog } from '../../base/log.ts';
import type { KubeClient, KubeObject, ResourceType } from '../client.ts';
import { isKubeError } from '../errors.ts';
import { Indexer, type IndexerOptions, type ObjectEvent } from './indexer.ts';
import { Reflector, type ReflectorTimings } from './reflector.ts';

export type { Indexers, ObjectEvent } from './indexer.ts';

/** Must return soon. An error of it is logged, and harms neither the cache nor other handlers. */
export type ObjectHandler<T extends KubeObject> = (event: ObjectEvent<T>) => void;

export interface CacheOptions<T extends KubeObject> extends IndexerOptions<T> {
  client: Pick<KubeClient, 'list' | 'watch'>;
  type: ResourceType;
  /** The namespaces to follow. Without it, or if empty: all, with one reflector. */
  namespaces?: readonly string[] | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  clock?: Clock;
  log?: Log;
  timings?: Partial<ReflectorTimings>;
  /** Told of each failed list or watch, for metrics: it is logged already. */
  onFailure?: (error: unknown, step: 'list' | 'watch') => void;
}

export class Cache<T extends KubeObject> {
  readonly type: ResourceType;
  readonly #store: Indexer<T>;
  readonly #reflectors: Reflector<T>[];
  readonly #handlers = new Set<ObjectHandler<T>>();
  readonly #log: Log;
  readonly #firstSync = Promise.withResolvers<void>();
  #stopped = false;

  constructor(options: CacheOptions<T>) {
    this.type = options.type;
    this.#store = new Indexer<T>(options);
    this.#log = options.log ?? silentLog;
    // If the cache is stopped before its first list, there may be no caller of `synced()`.
    this.#firstSync.promise.catch(() => {});
    const namespaces = options.namespaces?.length ? [...new Set(options.namespaces)] : [undefined];
    this.#reflectors = namespaces.map((namespace) => this.#reflectorFor(namespace, options));
  }

  /** Begins to list and watch. Handlers added before see the first list as ADDED events. */
  start(): void {
    for (const reflector of this.#reflectors) reflector.start();
  }

  /** Resolves when no handler will be called any more. The objects stay readable. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#firstSync.reject(new Error(`the cache of ${this.type.plural} was stopped before it was complete`));
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }

  /** The first complete list of each namespace is in. Until then, "not found" means nothing. */
  hasSynced(): boolean {
    return this.#reflectors.every((reflector) => reflector.hasSynced());
  }

  /** Resolves once `hasSynced()`; rejects when the cache is stopped before. */
  synced(): Promise<void> {
    return this.#firstSync.promise;
  }

  /** `Reflector.staleMs` of the namespace where it is longest. */
  staleMs(): number {
    return Math.max(0, ...this.#reflectors.map((reflector) => reflector.staleMs()));
  }

  get(namespace: string, name: string): T | undefined {
    return this.#store.get(namespace, name);
  }

  /** See `Indexer.list`. */
  list(namespace?: string): T[] {
    return this.#store.list(namespace);
  }

  /** See `Indexer.byIndex`. */
  byIndex(index: string, key: string): T[] {
    return this.#store.byIndex(index, key);
  }

  /** To be called before `start`: there are no events for objects known before. @returns a function that removes it. */
  onEvent(handler: ObjectHandler<T>): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  #reflectorFor(namespace: string | undefined, options: CacheOptions<T>): Reflector<T> {
    const reflector: Reflector<T> = new Reflector<T>({
      client: options.client,
      type: options.type,
      namespace,
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      clock: options.clock ?? systemClock,
      timings: options.timings ?? {},
      sink: {
        replace: (objects) => {
          this.#emit(this.#store.replace(objects, namespace));
          // `hasSynced` turns true only after this returns.
          queueMicrotask(() => {
            if (!this.#stopped && this.hasSynced()) this.#firstSync.resolve();
          });
        },
        apply: (event) => this.#emit(this.#store.apply(event)),
        failed: (error, step) => {
          this.#logFailure(error, step, namespace);
          options.onFailure?.(error, step);
        },
      },
    });
    return reflector;
  }

  #emit(events: ObjectEvent<T>[]): void {
    for (const event of events) {
      for (const handler of this.#handlers) {
        try {
          // An async function is assignable here, and its rejection would end the process.
          const result = handler(event) as unknown;
          if (result instanceof Promise) result.catch((error: unknown) => this.#logHandler(error, event));
        } catch (error) {
          this.#logHandler(error, event);
        }
      }
    }
  }

  #logHandler(err: unknown, event: ObjectEvent<T>): void {
    const { namespace, name } = event.object.metadata;
    this.#log.error({ err, kind: this.type.kind, namespace, name, event: event.type }, 'a handler of the cache failed');
  }

  #logFailure(err: unknown, step: 'list' | 'watch', namespace: string | undefined): void {
    // A compacted resourceVersion is an everyday matter: the list that follows cures it.
    const level = isKubeError(err, 'gone') && err.status === 410 ? 'debug' : 'warn';
    this.#log[level](
      { err, kind: this.type.kind, namespace: namespace ?? '(all)' },
      `the ${step} failed, trying again`,
    );
  }
}
