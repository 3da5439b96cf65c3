/**
 * What Kubernetes cleans up by itself: objects whose owners are gone (the garbage collector: background, foreground,
 * orphan), the contents of namespaces and of CustomResourceDefinitions that are being deleted, Pods that are deleted
 * before they met a node, Events after an hour.
 */
import type { KubeObject, ResourceType } from '../objects.ts';
import { CORE_EVENTS, NAMESPACES, PODS } from '../objects.ts';
import { ApiError } from '../store/api-error.ts';
import { DEFINITION_FINALIZER, FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from '../store/deletion.ts';
import { isObject, textAt } from '../store/json.ts';
import type { Store } from '../store/store.ts';
import { typesOf } from '../types/definition-rules.ts';
import { eventTimes } from '../types/event-rules.ts';
import type { ServedType } from '../types/served-types.ts';
import { WorkQueue } from './work-queue.ts';

export interface GarbageCollectorOptions {
  /**
   * Between the end of an owner, or the birth of an object without one, and the collection. The real one takes some 20
   * ms.
   */
  delayMs?: number;
  /** Until a Pod is ended that is being deleted and never met a node. The real one looks every 20 s. */
  unscheduledMs?: number;
}

const DEFINITIONS: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
};
const EVENT_LIFE_MS = 3_600_000;
const EVENTS_BETWEEN_SWEEPS = 500;

interface Known {
  type: ServedType;
  namespace: string | undefined;
  name: string;
  owners: string[];
}

export class GarbageCollector {
  readonly #store: Store;
  readonly #queue: WorkQueue;
  readonly #delayMs: number;
  readonly #unscheduledMs: number;
  readonly #stopListening: () => void;
  readonly #known = new Map<string, Known>();
  readonly #dependents = new Map<string, Set<string>>();
  #events = 0;

  constructor(store: Store, options: GarbageCollectorOptions = {}) {
    this.#store = store;
    this.#delayMs = options.delayMs ?? 5;
    this.#unscheduledMs = options.unscheduledMs ?? 20_000;
    this.#queue = new WorkQueue(store.clock, (key) => this.#look(key));
    for (const type of store.types.all()) {
      if (type.view === undefined) for (const object of store.list(type).items) this.#learn(type, object);
    }
    this.#stopListening = store.onChange((type, { type: change, object }) => {
      const uid = object.metadata.uid ?? '';
      if (change === 'DELETED') this.#forget(uid, object);
      else this.#learn(type, object);
      if (type.storage === '/events' && change === 'ADDED') this.#sweepEvents();
    });
  }

  stop(): void {
    this.#stopListening();
    this.#queue.stop();
  }

  #learn(type: ServedType, object: KubeObject): void {
    const { uid = '', namespace, name, ownerReferences = [], deletionTimestamp } = object.metadata;
    const owners = ownerReferences.map((owner) => owner.uid);
    for (const owner of this.#known.get(uid)?.owners ?? []) this.#dependents.get(owner)?.delete(uid);
    this.#known.set(uid, { type, namespace, name, owners });
    for (const owner of owners) {
      const dependents = this.#dependents.get(owner) ?? new Set<string>();
      this.#dependents.set(owner, dependents.add(uid));
    }
    if (owners.length > 0 || deletionTimestamp !== undefined) this.#queue.add(uid, this.#delayMs);
  }

  #forget(uid: string, object: KubeObject): void {
    for (const owner of this.#known.get(uid)?.owners ?? []) {
      const dependents = this.#dependents.get(owner);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner);
      if (this.#known.has(owner)) this.#queue.add(owner, this.#delayMs);
    }
    this.#known.delete(uid);
    for (const dependent of this.#dependents.get(uid) ?? []) this.#queue.add(dependent, this.#delayMs);
    // What is being deleted around it may have waited for this one.
    const namespace = object.metadata.namespace;
    if (namespace !== undefined) {
      const home = this.#store.find(NAMESPACES, undefined, namespace);
      if (home?.metadata.deletionTimestamp !== undefined) this.#queue.add(home.metadata.uid ?? '', this.#delayMs);
    }
    for (const definition of this.#store.list(DEFINITIONS).items) {
      if (definition.metadata.deletionTimestamp !== undefined) {
        this.#queue.add(definition.metadata.uid ?? '', this.#delayMs);
      }
    }
  }

  #look(uid: string): void {
    const known = this.#known.get(uid);
    if (known === undefined) return;
    const object = this.#store.find(known.type, known.namespace, known.name);
    if (object === undefined || object.metadata.uid !== uid) return;
    try {
      if (object.metadata.deletionTimestamp !== undefined) this.#helpAway(known.type, object);
      else this.#checkOwners(known.type, object);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#queue.add(uid, 1000);
    }
  }

  /**
   * Without any living owner it goes; with some, it only forgets the others. An owner that waits for its dependents
   * takes them along.
   */
  #checkOwners(type: ServedType, object: KubeObject): void {
    const owners = object.metadata.ownerReferences ?? [];
    if (owners.length === 0) return;
    const states = owners.map((owner) => this.#stateOf(object, owner));
    const living = owners.filter((_, index) => states[index] === 'lives');
    const waiting = states.includes('waits');
    if (living.length > 0) {
      if (living.length < owners.length) this.#setOwners(type, object, living);
      return;
    }
    const { uid, namespace, name } = object.metadata;
    const propagationPolicy = waiting && this.#hasDependents(uid ?? '') ? 'Foreground' : undefined;
    this.#store.delete(type, namespace, name, {
      preconditions: { uid },
      propagationPolicy: propagationPolicy ?? (waiting ? undefined : 'Background'),
    });
  }

  #stateOf(object: KubeObject, owner: { apiVersion: string; kind: string; name: string; uid: string }) {
    const type = this.#store.types.ofKind(owner.apiVersion, owner.kind);
    // A kind that is not served: the real collector waits until it is served.
    if (type === undefined) return 'lives';
    const found = this.#store.find(type, object.metadata.namespace, owner.name);
    if (found === undefined || found.metadata.uid !== owner.uid) return 'gone';
    const { deletionTimestamp, finalizers = [] } = found.metadata;
    return deletionTimestamp !== undefined && finalizers.includes(FOREGROUND_FINALIZER) ? 'waits' : 'lives';
  }

  #hasDependents(uid: string): boolean {
    return (this.#dependents.get(uid)?.size ?? 0) > 0;
  }

  #setOwners(type: ServedType, object: KubeObject, ownerReferences: KubeObject['metadata']['ownerReferences']): void {
    const metadata = { ...object.metadata, ownerReferences: ownerReferences ?? [] };
    this.#store.update(type, { ...object, metadata }, { trusted: true });
  }

  /** `pkg/controller/podgc`: no kubelet will ever end such a Pod, and what counts it waits for its end. */
  #endUnscheduled(object: KubeObject): void {
    const { namespace, name, uid = '', deletionTimestamp = '' } = object.metadata;
    if (textAt(object, 'spec', 'nodeName') !== undefined) return;
    const rest = Date.parse(deletionTimestamp) + this.#unscheduledMs - this.#store.clock.now();
    const over = ['Succeeded', 'Failed'].includes(textAt(object, 'status', 'phase') ?? '');
    if (over) return;
    if (rest > 0) {
      this.#queue.add(uid, rest);
      return;
    }
    const status = { ...(isObject(object.status) ? object.status : {}), phase: 'Failed' };
    this.#store.update(PODS, { ...object, status }, { subresource: 'status' });
    this.#store.delete(PODS, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
  }

  #helpAway(type: ServedType, object: KubeObject): void {
    const { finalizers = [], uid = '' } = object.metadata;
    if (type.storage === '/pods') this.#endUnscheduled(object);
    if (finalizers.includes(ORPHAN_FINALIZER)) {
      for (const dependent of this.#dependentsOf(uid)) {
        const others = (dependent.object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
        this.#setOwners(dependent.type, dependent.object, others);
      }
      this.#dropFinalizer(type, object, ORPHAN_FINALIZER);
    } else if (finalizers.includes(FOREGROUND_FINALIZER)) {
      const blocking = this.#dependentsOf(uid).filter(({ object: dependent }) =>
        dependent.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
      );
      for (const dependent of this.#dependents.get(uid) ?? []) this.#queue.add(dependent);
      if (blocking.length === 0) this.#dropFinalizer(type, object, FOREGROUND_FINALIZER);
    } else if (type.storage === '/namespaces') this.#emptyNamespace(type, object);
    else if (finalizers.includes(DEFINITION_FINALIZER)) this.#emptyDefinition(type, object);
  }

  #dependentsOf(uid: string): { type: ServedType; object: KubeObject }[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => {
      const known = this.#known.get(dependent);
      const object = known && this.#store.find(known.type, known.namespace, known.name);
      return known === undefined || object === undefined ? [] : [{ type: known.type, object }];
    });
  }

  #dropFinalizer(type: ServedType, object: KubeObject, finalizer: string): void {
    const finalizers = (object.metadata.finalizers ?? []).filter((each) => each !== finalizer);
    this.#store.update(type, { ...object, metadata: { ...object.metadata, finalizers } }, { trusted: true });
  }

  #deleteAll(type: ServedType, namespace: string | undefined): number {
    const { items } = this.#store.list(type, { namespace });
    for (const { metadata } of items) {
      if (metadata.deletionTimestamp === undefined) {
        this.#store.delete(type, metadata.namespace, metadata.name, { propagationPolicy: 'Background' });
      }
    }
    return this.#store.list(type, { namespace }).items.length;
  }

  #emptyNamespace(type: ServedType, object: KubeObject): void {
    const { name } = object.metadata;
    const kinds = this.#store.types.all().filter((each) => each.namespaced && each.view === undefined);
    const left = kinds.reduce((sum, each) => sum + this.#deleteAll(each, name), 0);
    if (left === 0) this.#store.update(type, { ...object, spec: { finalizers: [] } }, { trusted: true });
  }

  #emptyDefinition(type: ServedType, object: KubeObject): void {
    const stored = typesOf(object).find((each) => each.view === undefined);
    if (stored !== undefined && this.#deleteAll(stored, undefined) > 0) return;
    this.#dropFinalizer(type, object, DEFINITION_FINALIZER);
  }

  #sweepEvents(): void {
    this.#events += 1;
    if (this.#events % EVENTS_BETWEEN_SWEEPS !== 0) return;
    const oldest = this.#store.clock.now() - EVENT_LIFE_MS;
    for (const event of this.#store.list(CORE_EVENTS).items) {
      const { namespace, name, creationTimestamp = '' } = event.metadata;
      if (Date.parse(eventTimes(event).last ?? creationTimestamp) < oldest) {
        this.#store.delete(CORE_EVENTS, namespace, name);
      }
    }
  }
}
