/** The objects that a cache knows, with indexes over them. No I/O: `replace` and `apply` return what has changed. */

import { keyOf } from '../../base/object-key.ts';
import type { KubeObject, WatchEvent } from '../client.ts';

/**
 * A change of one object. `object` of a DELETED is the state in which it was deleted or, if the deletion was not
 * watched (`isMissed`), the last known one. MODIFIED has `old`.
 */
export interface ObjectEvent<T extends KubeObject = KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: T;
  old?: T;
  isMissed?: true;
}

/** By name of the index: the keys under which an object is found, none or many. Must be pure. */
export type Indexers<T extends KubeObject> = Record<string, (object: T) => string[]>;

export interface IndexerOptions<T extends KubeObject> {
  indexes?: Indexers<T>;
  /** Deep-freezes each object, for tests: a mutated object would be mutated for all users of the cache. */
  freeze?: boolean;
}

type Names<T> = Map<string, T>;

export class Indexer<T extends KubeObject> {
  readonly #namespaces = new Map<string, Names<T>>();
  readonly #indexers: Indexers<T>;
  readonly #indexes = new Map<string, Map<string, Set<T>>>();
  readonly #freeze: boolean;

  constructor(options: IndexerOptions<T> = {}) {
    this.#indexers = options.indexes ?? {};
    this.#freeze = options.freeze ?? false;
    for (const name of Object.keys(this.#indexers)) this.#indexes.set(name, new Map());
  }

  get(namespace: string, name: string): T | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  /** All objects, or those of one namespace. A new array each time, in no particular order. */
  list(namespace?: string): T[] {
    if (namespace !== undefined) return [...(this.#namespaces.get(namespace)?.values() ?? [])];
    return [...this.#namespaces.values()].flatMap((names) => [...names.values()]);
  }

  /**
   * The objects under one key of an index, in time proportional to their number. @throws TypeError without the index.
   */
  byIndex(index: string, key: string): T[] {
    const entries = this.#indexes.get(index);
    if (entries === undefined) throw new TypeError(`there is no index "${index}"`);
    return [...(entries.get(key) ?? [])];
  }

  /**
   * Takes over a complete list, of one namespace or of all. An object that is not in it was deleted unwatched. The same
   * name with another uid is another object: DELETED, then ADDED (client-go reports an update here, and each handler
   * has to find out).
   */
  replace(objects: T[], namespace?: string): ObjectEvent<T>[] {
    const events: ObjectEvent<T>[] = [];
    const present = new Set(objects.map(keyOf));
    for (const known of this.list(namespace)) {
      if (!present.has(keyOf(known))) events.push(this.#miss(known));
    }
    for (const object of objects) events.push(...this.#put(object));
    return events;
  }

  /** Takes over one event of a watch; a bookmark changes nothing. */
  apply(event: WatchEvent<T>): ObjectEvent<T>[] {
    if (event.type === 'BOOKMARK') return [];
    if (event.type !== 'DELETED') return this.#put(event.object);
    const known = this.#known(event.object);
    // The deletion of an earlier object of this name is not that of the present one.
    if (known === undefined || known.metadata.uid !== event.object.metadata.uid) return [];
    this.#remove(known);
    return [{ type: 'DELETED', object: this.#frozen(event.object) }];
  }

  #put(object: T): ObjectEvent<T>[] {
    const known = this.#known(object);
    if (known === undefined) return this.#add(object);
    if (known.metadata.uid !== object.metadata.uid) return [this.#miss(known), ...this.#add(object)];
    const [before, after] = [known.metadata.resourceVersion, object.metadata.resourceVersion];
    if (before === after) return [];
    this.#unindex(known);
    return [{ type: 'MODIFIED', object: this.#insert(object), old: known }];
  }

  #add(object: T): ObjectEvent<T>[] {
    return [{ type: 'ADDED', object: this.#insert(object) }];
  }

  #insert(object: T): T {
    const stored = this.#frozen(object);
    const { namespace = '', name } = stored.metadata;
    let names = this.#namespaces.get(namespace);
    if (names === undefined) {
      names = new Map();
      this.#namespaces.set(namespace, names);
    }
    names.set(name, stored);
    for (const [index, key] of this.#keysOf(stored)) {
      const entries = this.#indexes.get(index)!;
      const found = entries.get(key);
      if (found === undefined) entries.set(key, new Set([stored]));
      else found.add(stored);
    }
    return stored;
  }

  #miss(known: T): ObjectEvent<T> {
    this.#remove(known);
    return { type: 'DELETED', object: known, isMissed: true };
  }

  #remove(known: T): void {
    const { namespace = '', name } = known.metadata;
    const names = this.#namespaces.get(namespace);
    names?.delete(name);
    if (names?.size === 0) this.#namespaces.delete(namespace);
    this.#unindex(known);
  }

  #unindex(known: T): void {
    for (const [index, key] of this.#keysOf(known)) {
      const entries = this.#indexes.get(index)!;
      const found = entries.get(key);
      found?.delete(known);
      if (found?.size === 0) entries.delete(key);
    }
  }

  #keysOf(object: T): [index: string, key: string][] {
    return Object.entries(this.#indexers).flatMap(([index, keys]) =>
      keys(object).map((key): [string, string] => [index, key]),
    );
  }

  #known(object: T): T | undefined {
    return this.get(object.metadata.namespace ?? '', object.metadata.name);
  }

  #frozen(object: T): T {
    return this.#freeze ? deepFreeze(object) : object;
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
