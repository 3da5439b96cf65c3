/**
 * One model of the Kubernetes API: the objects, and what reading and writing them means. Synchronous: a call has taken
 * effect when it returns, and watches have been told. The HTTP face (`http-face.ts`) and the client (`client.ts`) only
 * translate.
 *
 * Where it differs from the real API server: no managedFields and no server-side apply, no CEL, no admission but
 * namespaces, service accounts and what is put into `admission`, status written by others than its owner is not
 * validated for built-in types.
 */

import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import type { KubeObject, ResourceType } from '../objects.ts';
import { NAMESPACES } from '../objects.ts';
import { BUILT_IN_TYPES } from '../types/builtin-types.ts';
import { typesOf } from '../types/definition-rules.ts';
import { applyDefaults, prune } from '../types/schema.ts';
import type { ServedType } from '../types/served-types.ts';
import { ServedTypes } from '../types/served-types.ts';
import type { AdmissionCheck } from './admission.ts';
import { checkNamespace } from './admission.ts';
import { alreadyExists, notFound, pathNotFound } from './api-error.ts';
import type { Change } from './collection.ts';
import { Collection } from './collection.ts';
import type { DeleteOptions } from './deletion.ts';
import { checkPreconditions, deletionOf } from './deletion.ts';
import { clone, equal, freeze } from './json.ts';
import { generatedName } from './metadata.ts';
import type { ListQuery, StoredList } from './reading.ts';
import { Reading } from './reading.ts';
import type { StoredWatch, WatchQuery } from './watching.ts';
import { Watching } from './watching.ts';
import type { UpdateOptions, WriteOptions } from './writing.ts';
import { checkName, finishNew, replacementOf, startNew } from './writing.ts';

export interface StoreOptions {
  clock?: Clock;
  /** Numbers from 0 up to 1, for generated names. */
  random?: () => number;
  newUid?: () => string;
  /** How many changes of a type a watch can look back at least. */
  watchHistory?: number;
}

/** Told of every change, in order, with the type as it is stored. */
export type ChangeListener = (type: ServedType, change: Change) => void;

export class Store {
  readonly clock: Clock;
  readonly types = new ServedTypes(BUILT_IN_TYPES);
  /** Asked before every write is stored; each may throw an ApiError (quota, Pod Security, a policy). */
  readonly admission: AdmissionCheck[] = [checkNamespace];
  readonly #collections = new Map<string, Collection>();
  readonly #listeners = new Set<ChangeListener>();
  readonly #pending: [ServedType, Change][] = [];
  readonly #reading = new Reading();
  readonly #watching = new Watching();
  readonly #random: () => number;
  readonly #newUid: () => string;
  readonly #historyLimit: number;
  #version = 0;
  #notifying = false;

  constructor(options: StoreOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#newUid = options.newUid ?? randomUUID;
    this.#historyLimit = options.watchHistory ?? 1000;
    this.onChange((type, change) => this.#watching.publish(type.storage, change));
    this.create(NAMESPACES, { metadata: { name: 'default' } });
  }

  /** The resourceVersion of the latest change. */
  get version(): number {
    return this.#version;
  }

  /** The type as it is served; 404 where it is not. */
  served(type: ResourceType): ServedType {
    const served = this.types.find(type.group, type.version, type.plural);
    if (served === undefined) throw pathNotFound();
    return served;
  }

  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(type: ResourceType, namespace: string | undefined, name: string): KubeObject {
    const found = this.find(type, namespace, name);
    if (found === undefined) throw notFound(type, name);
    return found;
  }

  find(type: ResourceType, namespace: string | undefined, name: string): KubeObject | undefined {
    const served = this.served(type);
    const stored = this.collection(served).get(served.namespaced ? (namespace ?? '') : '', name);
    return stored === undefined ? undefined : this.#reading.shown(served, stored);
  }

  list(type: ResourceType, query: ListQuery = {}): StoredList {
    const served = this.served(type);
    return this.#reading.list(served, this.collection(served), query, this.#version);
  }

  /**
   * Calls back for every change after `resourceVersion` ('' or '0': what is there first). 410 where that is too long
   * ago.
   */
  watch(type: ResourceType, query: WatchQuery, watcher: StoredWatch): () => void {
    const served = this.served(type);
    return this.#watching.add(served, this.collection(served), query, watcher, {
      version: this.#version,
      shown: (object) => this.#reading.shown(served, object),
    });
  }

  create(
    type: ResourceType,
    body: unknown,
    options: WriteOptions & { namespace?: string | undefined } = {},
  ): KubeObject {
    const served = this.served(type);
    const { object, generated } = startNew(served, body, options, {
      uid: this.#newUid(),
      now: this.clock.now(),
      generateName: (base) => generatedName(base, this.#random),
    });
    this.#admit('CREATE', served, object, undefined, options);
    finishNew(served, object, {
      now: () => this.clock.now(),
      exists: (wanted, namespace, name) => this.find(wanted, namespace, name) !== undefined,
    });
    const { namespace = '', name } = object.metadata;
    const taken = this.collection(served).get(namespace, name);
    if (taken !== undefined) {
      if (generated) return this.create(type, body, options);
      throw alreadyExists(type, name, taken.metadata.deletionTimestamp !== undefined);
    }
    if (options.dryRun === true) return this.#reading.shown(served, freeze(object));
    return this.#reading.shown(served, this.#commit(served, 'ADDED', object, undefined));
  }

  /** PUT of the object, or of its status alone. */
  update(
    type: ResourceType,
    body: KubeObject,
    options: UpdateOptions & { namespace?: string | undefined; name?: string } = {},
  ): KubeObject {
    const served = this.served(type);
    if (options.subresource === 'status' && !served.hasStatus) throw pathNotFound();
    const name = options.name ?? body.metadata.name;
    const namespace = options.namespace ?? body.metadata.namespace;
    checkName(body, name, served.namespaced ? namespace : undefined);
    const shown = this.get(type, namespace, name);
    const before = this.#stored(served, namespace, name);
    const object = replacementOf(served, body, shown, before, options);
    this.#admit('UPDATE', served, object, before, options);
    if (equal(object, before)) return shown;
    if (options.dryRun === true) return this.#reading.shown(served, freeze(object));
    const stored = isLastStep(served, object)
      ? this.#commit(served, 'DELETED', object, before)
      : this.#commit(served, 'MODIFIED', object, before);
    return this.#reading.shown(served, stored);
  }

  /**
   * PATCH: `change` makes the new object of the current one. A uid or resourceVersion that it puts in must be the
   * current one.
   */
  patch(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    change: (current: KubeObject) => unknown,
    options: UpdateOptions = {},
  ): KubeObject {
    const patched = change(this.get(type, namespace, name)) as KubeObject;
    return this.update(type, patched, { ...options, namespace, name, patched: true });
  }

  /** Returns the object, and whether it is gone at once: finalizers and grace periods may keep it for a while. */
  delete(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions = {},
  ): { object: KubeObject; gone: boolean } {
    const served = this.served(type);
    const before = this.get(type, namespace, name);
    checkPreconditions(served, before, options.preconditions ?? {});
    const stored = this.#stored(served, namespace, name);
    this.#admit('DELETE', served, stored, stored, options);
    const next = deletionOf(served, stored, options, this.clock.now());
    if (next === stored) return { object: before, gone: false };
    const gone = next.metadata.deletionTimestamp === undefined || isLastStep(served, next);
    if (options.dryRun === true) return { object: this.#reading.shown(served, freeze(next)), gone };
    const object = this.#commit(served, gone ? 'DELETED' : 'MODIFIED', next, stored);
    return { object: this.#reading.shown(served, object), gone };
  }

  /** Forgets the changes so far, as a compaction of etcd: watches and pages from before get 410. */
  forgetHistory(): void {
    for (const collection of this.#collections.values()) collection.forgetHistory();
    this.#reading.forgetPages();
  }

  /** Ends all watches, of all types or of one, as a restart of the API server does. */
  endWatches(type?: ResourceType): void {
    this.#watching.end(type === undefined ? undefined : this.served(type).storage);
  }

  collection(type: ServedType): Collection {
    let collection = this.#collections.get(type.storage);
    if (collection === undefined) {
      collection = new Collection(this.#historyLimit);
      this.#collections.set(type.storage, collection);
    }
    return collection;
  }

  #stored(served: ServedType, namespace: string | undefined, name: string): KubeObject {
    const stored = this.collection(served).get(served.namespaced ? (namespace ?? '') : '', name);
    if (stored === undefined) throw notFound(served, name);
    return stored;
  }

  #admit(
    operation: 'CREATE' | 'UPDATE' | 'DELETE',
    type: ServedType,
    object: KubeObject,
    before: KubeObject | undefined,
    { dryRun = false, subresource }: { dryRun?: boolean | undefined; subresource?: 'status' | undefined },
  ): void {
    for (const check of this.admission) check({ operation, type, subresource, object, before, dryRun, store: this });
  }

  #commit(served: ServedType, type: Change['type'], object: KubeObject, previous: KubeObject | undefined): KubeObject {
    this.#version += 1;
    object.metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    freeze(object);
    const change: Change = { type, object, previous, version: this.#version };
    this.collection(served).apply(change);
    if (served.storage === DEFINITIONS_STORAGE) this.#serve(change);
    if (served.storage === '/namespaces' && type === 'ADDED') this.#addServiceAccount(object.metadata.name);
    this.#pending.push([served, change]);
    this.#notify();
    return object;
  }

  /** A listener that writes must not make others see the changes out of order: what it causes waits for its turn. */
  #notify(): void {
    if (this.#notifying) return;
    this.#notifying = true;
    try {
      for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
        for (const listener of [...this.#listeners]) listener(...next);
      }
    } finally {
      this.#notifying = false;
    }
  }

  #addServiceAccount(namespace: string): void {
    this.create(SERVICE_ACCOUNTS, { metadata: { name: 'default', namespace } }, { namespace });
  }

  /** A CustomResourceDefinition came, changed or went: so do the types that it defines. */
  #serve(change: Change): void {
    for (const type of change.previous === undefined ? [] : typesOf(change.previous)) this.types.remove(type);
    if (change.type === 'DELETED') {
      for (const type of typesOf(change.object)) this.#watching.end(type.storage);
      return;
    }
    for (const type of typesOf(change.object)) {
      this.types.add(type);
      if (type.view === undefined && change.previous !== undefined) this.#showNewDefaults(type);
    }
  }

  /** Defaults and pruning apply when stored objects are read: no new resourceVersion, no event. */
  #showNewDefaults(type: ServedType): void {
    for (const object of this.collection(type).select(undefined)) {
      const copy = clone(object);
      prune(type.shape, copy);
      applyDefaults(type.shape, copy);
      if (!equal(copy, object)) this.collection(type).rewrite(freeze(copy));
    }
  }
}

const SERVICE_ACCOUNTS: ResourceType = { group: '', version: 'v1', plural: 'serviceaccounts', kind: 'ServiceAccount' };
const DEFINITIONS_STORAGE = 'apiextensions.k8s.io/customresourcedefinitions';

/** Being deleted, and nothing that it waited for is left: finalizers, grace period, the contents of a namespace. */
function isLastStep(served: ServedType, object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = object.metadata;
  if (deletionTimestamp === undefined || finalizers.length > 0 || Number(deletionGracePeriodSeconds ?? 0) > 0)
    return false;
  const { finalizers: contents = [] } = (object.spec ?? {}) as { finalizers?: unknown[] };
  return served.storage !== '/namespaces' || contents.length === 0;
}
