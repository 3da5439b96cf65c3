import type { Store } from 'in-memory-kubernetes/store/store.ts';
import type { WatchQuery } from 'in-memory-kubernetes/store/watching.ts';
import { describe, expect, test } from 'vitest';
import { CONFIG_MAPS, configMap, merged, NAMESPACES, namespace, newStore, refusal } from './builders.ts';

function watched(store: Store, query: WatchQuery = {}): string[] {
  const seen: string[] = [];
  store.watch(CONFIG_MAPS, query, {
    event: ({ type, object }) => seen.push(`${type} ${object.metadata.name}`),
    ended: () => seen.push('ended'),
  });
  return seen;
}

function relabel(store: Store, name: string, labels: Record<string, string>): void {
  const stored = store.get(CONFIG_MAPS, 'default', name);
  store.update(CONFIG_MAPS, { ...stored, metadata: { ...stored.metadata, labels } });
}

describe('a watch', () => {
  test('from the resourceVersion of a list tells everything after it, once', () => {
    const { store } = newStore();
    store.create(CONFIG_MAPS, configMap('a'));
    const { resourceVersion } = store.list(CONFIG_MAPS).metadata;
    store.create(CONFIG_MAPS, configMap('b'));
    const seen = watched(store, { resourceVersion });
    relabel(store, 'a', { x: 'y' });
    store.delete(CONFIG_MAPS, 'default', 'b');
    expect(seen).toEqual(['ADDED b', 'MODIFIED a', 'DELETED b']);
  });

  test('tells a deletion with the resourceVersion of the deletion, so that it can resume there', () => {
    const { store } = newStore();
    store.create(CONFIG_MAPS, configMap('a'));
    const versions: unknown[] = [];
    store.watch(CONFIG_MAPS, {}, { event: ({ object }) => versions.push(object.metadata.resourceVersion) });
    store.delete(CONFIG_MAPS, 'default', 'a');
    expect(versions.at(-1)).toBe(String(store.version));
  });

  test('from before the history that is kept gets 410 Expired', () => {
    const { store } = newStore();
    const from = String(store.version);
    store.create(CONFIG_MAPS, configMap('a'));
    store.forgetHistory();
    expect(refusal(() => watched(store, { resourceVersion: from }))).toMatch(
      /^410 Expired: too old resource version: \d+ \(\d+\)$/,
    );
    expect(refusal(() => watched(store, { resourceVersion: String(store.version) }))).toBe('accepted');
  });

  test('keeps a bounded history of each type, so that a busy type does not make another one forget', () => {
    const { store } = newStore();
    const from = String(store.version);
    store.create(NAMESPACES, namespace('quiet'));
    store.create(CONFIG_MAPS, configMap('a'));
    for (let count = 0; count < 2001; count += 1) relabel(store, 'a', { count: String(count) });
    expect(refusal(() => watched(store, { resourceVersion: from }))).toMatch(/^410/);
    expect(refusal(() => store.watch(NAMESPACES, { resourceVersion: from }, { event: () => {} }))).toBe('accepted');
  });

  test('is ended by the server on demand, and by its own reader', () => {
    const { store } = newStore();
    const seen = watched(store);
    store.endWatches();
    const stop = store.watch(CONFIG_MAPS, {}, { event: () => seen.push('still told') });
    stop();
    store.create(CONFIG_MAPS, configMap('a'));
    expect(seen).toEqual(['ended']);
  });

  test('whose reader writes sees all changes in the order in which they were made', () => {
    const { store } = newStore();
    store.watch(
      CONFIG_MAPS,
      {},
      { event: ({ type, object }) => type === 'ADDED' && relabel(store, object.metadata.name, { seen: 'yes' }) },
    );
    const versions: number[] = [];
    store.watch(CONFIG_MAPS, {}, { event: ({ object }) => versions.push(Number(object.metadata.resourceVersion)) });
    store.create(CONFIG_MAPS, configMap('a'));
    store.create(CONFIG_MAPS, configMap('b'));
    expect(versions).toEqual([...versions].sort((left, right) => left - right));
    expect(versions).toHaveLength(4);
  });

  test('hands out objects that cannot be changed', () => {
    const { store } = newStore();
    const stored = store.create(CONFIG_MAPS, configMap('a', { key: 'value' }));
    expect(() => Object.assign(stored.metadata, { name: 'other' })).toThrow(TypeError);
    expect(merged(stored, {}).metadata.name).toBe('a');
  });
});
