/**
 * The objects of one type, as the API server's storage and watch cache hold them: ordered by namespace and name,
 * indexed by label, with the last changes kept for watches that resume.
 */
import type { KubeObject } from '../objects.ts';
import { expired } from './api-error.ts';
import type { Requirement } from './selectors.ts';
import { matchesLabels } from './selectors.ts';

export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** Frozen, like everything here. A deleted object carries the resourceVersion of its deletion. */
  object: KubeObject;
  previous: KubeObject | undefined;
  version: number;
}

/** The objects of one namespace. Names are kept sorted, for lists come in the order of names. */
class Bucket {
  readonly objects = new Map<string, KubeObject>();
  readonly names: string[] = [];
  readonly #byLabel = new Map<string, Set<string>>();

  put(object: KubeObject): void {
    const { name } = object.metadata;
    const previous = this.objects.get(name);
    if (previous === undefined) this.names.splice(this.#position(name), 0, name);
    if (previous?.metadata.labels !== object.metadata.labels) {
      if (previous !== undefined) this.#unindex(previous);
      for (const pair of pairsOf(object)) {
        const names = this.#byLabel.get(pair);
        if (names === undefined) this.#byLabel.set(pair, new Set([name]));
        else names.add(name);
      }
    }
    this.objects.set(name, object);
  }

  remove(name: string): void {
    const object = this.objects.get(name);
    if (object === undefined) return;
    this.#unindex(object);
    this.objects.delete(name);
    this.names.splice(this.#position(name), 1);
  }

  select(requirements: Requirement[]): KubeObject[] {
    return this.#candidates(requirements).flatMap((name) => {
      const object = this.objects.get(name);
      return object !== undefined && matchesLabels(requirements, object.metadata.labels) ? [object] : [];
    });
  }

  /** The fewest names that can match: those under the rarest of the labels asked for by equality. */
  #candidates(requirements: Requirement[]): string[] {
    let fewest: Set<string> | undefined;
    for (const { key, operator, values } of requirements) {
      if (operator !== 'in' || values.length !== 1) continue;
      const names = this.#byLabel.get(`${key}=${values[0]}`) ?? new Set<string>();
      if (fewest === undefined || names.size < fewest.size) fewest = names;
    }
    return fewest === undefined ? this.names : [...fewest].sort(byCodeUnit);
  }

  #unindex(object: KubeObject): void {
    for (const pair of pairsOf(object)) {
      const names = this.#byLabel.get(pair);
      names?.delete(object.metadata.name);
      if (names?.size === 0) this.#byLabel.delete(pair);
    }
  }

  #position(name: string): number {
    let low = 0;
    let high = this.names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.names[middle] ?? '') < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function byCodeUnit(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function pairsOf(object: KubeObject): string[] {
  return Object.entries(object.metadata.labels ?? {}).map(([key, value]) => `${key}=${value}`);
}

export class Collection {
  readonly #buckets = new Map<string, Bucket>();
  readonly #historyLimit: number;
  #history: Change[] = [];
  /** Changes up to this one are forgotten: a watch cannot resume before it. */
  #forgotten = 0;

  constructor(historyLimit: number) {
    this.#historyLimit = historyLimit;
  }

  get(namespace: string, name: string): KubeObject | undefined {
    return this.#buckets.get(namespace)?.objects.get(name);
  }

  apply(change: Change): void {
    const { namespace = '', name } = change.object.metadata;
    let bucket = this.#buckets.get(namespace);
    if (bucket === undefined) {
      bucket = new Bucket();
      this.#buckets.set(namespace, bucket);
    }
    if (change.type === 'DELETED') bucket.remove(name);
    else bucket.put(change.object);
    if (bucket.names.length === 0) this.#buckets.delete(namespace);
    this.#history.push(change);
    if (this.#history.length > this.#historyLimit * 2) this.forgetHistory(this.#historyLimit);
  }

  /** Puts another form of the same object in its place, unseen by watches: a CRD's new defaults show so on reading. */
  rewrite(object: KubeObject): void {
    this.#buckets.get(object.metadata.namespace ?? '')?.put(object);
  }

  select(namespace: string | undefined, requirements: Requirement[] = []): KubeObject[] {
    if (namespace !== undefined) return this.#buckets.get(namespace)?.select(requirements) ?? [];
    return [...this.#buckets.keys()]
      .sort(byCodeUnit)
      .flatMap((key) => this.#buckets.get(key)?.select(requirements) ?? []);
  }

  get size(): number {
    let size = 0;
    for (const bucket of this.#buckets.values()) size += bucket.names.length;
    return size;
  }

  /** What has happened after a version; 410 Expired where that is no longer known. */
  changesAfter(version: number): Change[] {
    if (version < this.#forgotten) {
      throw expired(`too old resource version: ${version} (${this.#forgotten})`);
    }
    let start = this.#history.length;
    while (start > 0 && (this.#history[start - 1]?.version ?? 0) > version) start -= 1;
    return this.#history.slice(start);
  }

  /** Keeps only the last changes. */
  forgetHistory(keep = 0): void {
    const cut = this.#history.length - keep;
    if (cut <= 0) return;
    this.#forgotten = this.#history[cut - 1]?.version ?? this.#forgotten;
    this.#history = this.#history.slice(cut);
  }
}
