/**
 * Watches: who is told of which change. A selector turns a change into an addition or a deletion where an object enters
 * or leaves it.
 */
import type { KubeObject } from '../objects.ts';
import type { ServedType } from '../types/served-types.ts';
import { ApiError } from './api-error.ts';
import type { Change, Collection } from './collection.ts';
import { freeze } from './json.ts';
import { unparsableVersion } from './reading.ts';
import { matchesFields, matchesLabels, parseFieldSelector, parseLabelSelector } from './selectors.ts';

export interface WatchQuery {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** '' and '0' begin with what is there. */
  resourceVersion?: string | undefined;
}

export interface StoredWatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** Frozen. */
  object: KubeObject;
}

/** Called within the write that caused the event: take note, and act later. */
export interface StoredWatch {
  event(event: StoredWatchEvent): void;
  /** The server ended the watch. */
  ended?(): void;
}

interface Watcher {
  matches(object: KubeObject): boolean;
  shown(object: KubeObject): KubeObject;
  watch: StoredWatch;
  after: number;
}

/** Throws what is wrong with a watch's selectors and resourceVersion in themselves. */
export function checkWatch(type: ServedType, query: WatchQuery): void {
  parseLabelSelector(query.labelSelector ?? '');
  parseFieldSelector(query.fieldSelector ?? '', type);
  const from = query.resourceVersion ?? '';
  if (from !== '' && !/^\d+$/.test(from)) throw new ApiError(500, '', unparsableVersion(from));
}

export class Watching {
  readonly #watchers = new Map<string, Set<Watcher>>();

  add(
    type: ServedType,
    collection: Collection,
    query: WatchQuery,
    watch: StoredWatch,
    store: { version: number; shown(object: KubeObject): KubeObject },
  ): () => void {
    const requirements = parseLabelSelector(query.labelSelector ?? '');
    const fields = parseFieldSelector(query.fieldSelector ?? '', type);
    const from = query.resourceVersion ?? '';
    checkWatch(type, query);
    const watcher: Watcher = {
      matches: (object) =>
        (query.namespace === undefined || !type.namespaced || object.metadata.namespace === query.namespace) &&
        matchesLabels(requirements, object.metadata.labels) &&
        matchesFields(fields, type.selectable, object),
      shown: store.shown,
      watch,
      after: Math.max(store.version, Number(from)),
    };
    if (from === '' || from === '0') {
      for (const object of collection.select(type.namespaced ? query.namespace : undefined, requirements)) {
        if (watcher.matches(object)) watch.event({ type: 'ADDED', object: store.shown(object) });
      }
    } else for (const change of collection.changesAfter(Number(from))) tell({ ...watcher, after: 0 }, change);
    let watchers = this.#watchers.get(type.storage);
    if (watchers === undefined) {
      watchers = new Set();
      this.#watchers.set(type.storage, watchers);
    }
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  }

  publish(storage: string, change: Change): void {
    for (const watcher of [...(this.#watchers.get(storage) ?? [])]) tell(watcher, change);
  }

  end(storage: string | undefined): void {
    const ended = storage === undefined ? [...this.#watchers.keys()] : [storage];
    for (const key of ended) {
      const watchers = [...(this.#watchers.get(key) ?? [])];
      this.#watchers.delete(key);
      for (const watcher of watchers) watcher.watch.ended?.();
    }
  }
}

function tell(watcher: Watcher, change: Change): void {
  if (change.version <= watcher.after) return;
  const is = change.type !== 'DELETED' && watcher.matches(change.object);
  const was = change.previous !== undefined && watcher.matches(change.previous);
  if (is) watcher.watch.event({ type: was ? 'MODIFIED' : 'ADDED', object: watcher.shown(change.object) });
  else if (was) watcher.watch.event({ type: 'DELETED', object: watcher.shown(lastSeen(change)) });
}

/** The object as the watch knew it, with the resourceVersion of its going: the watch resumes from there. */
function lastSeen(change: Change): KubeObject {
  if (change.type === 'DELETED' || change.previous === undefined) return change.object;
  const { previous, version } = change;
  return freeze({ ...previous, metadata: { ...previous.metadata, resourceVersion: String(version) } });
}
