import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/kube/client.ts';
import { Indexer, type ObjectEvent } from '../../../src/kube/informer/indexer.ts';
import { pod } from '../../kit/api-server.ts';

function told(events: ObjectEvent[]): string[] {
  return events.map(({ type, object, old, isMissed }) => {
    const { uid, resourceVersion } = object.metadata;
    const before = old ? ` was ${old.metadata.resourceVersion}` : '';
    return `${type} ${uid}@${resourceVersion}${before}${isMissed ? ' or later' : ''}`;
  });
}

const byOwner = { owner: ({ metadata }: KubeObject) => (metadata.labels?.owner ? [metadata.labels.owner] : []) };

describe('a complete list', () => {
  it('tells what is new, what changed and what is gone since the last one, and nothing of the rest', () => {
    const store = new Indexer({ freeze: true });
    expect(told(store.replace([pod('a', '1'), pod('b', '2'), pod('c', '3')]))).toEqual([
      'ADDED uid-a@1',
      'ADDED uid-b@2',
      'ADDED uid-c@3',
    ]);
    expect(told(store.replace([pod('a', '1'), pod('b', '5'), pod('d', '6')]))).toEqual([
      'DELETED uid-c@3 or later',
      'MODIFIED uid-b@5 was 2',
      'ADDED uid-d@6',
    ]);
  });

  it('takes the same name with another uid for the end of one object and the beginning of another', () => {
    const store = new Indexer({ freeze: true });
    store.replace([pod('a', '1')]);
    expect(told(store.replace([pod('a', '9', { uid: 'second' })]))).toEqual([
      'DELETED uid-a@1 or later',
      'ADDED second@9',
    ]);
  });

  it('of one namespace leaves the others alone', () => {
    const store = new Indexer();
    store.replace([pod('a', '1', { namespace: 'one' })], 'one');
    store.replace([pod('a', '2', { namespace: 'two', uid: 'other' })], 'two');
    expect(told(store.replace([], 'one'))).toEqual(['DELETED uid-a@1 or later']);
    expect(store.get('two', 'a')?.metadata.uid).toBe('other');
    expect(store.list('one')).toEqual([]);
  });
});

describe('an event of a watch', () => {
  const known = () => {
    const store = new Indexer({ freeze: true });
    store.replace([pod('a', '5')]);
    return store;
  };

  it.each([
    ['ADDED of what is known already is a change', 'ADDED' as const, pod('a', '6'), ['MODIFIED uid-a@6 was 5']],
    ['MODIFIED of what is not known is new', 'MODIFIED' as const, pod('b', '6'), ['ADDED uid-b@6']],
    ['the state that is known already is no news', 'MODIFIED' as const, pod('a', '5'), []],
    ['DELETED carries the last state', 'DELETED' as const, pod('a', '7'), ['DELETED uid-a@7']],
    ['DELETED of what is not known is no news', 'DELETED' as const, pod('b', '7'), []],
    ['DELETED of an earlier object of the name is no news', 'DELETED' as const, pod('a', '7', { uid: 'first' }), []],
    ['a bookmark is no news', 'BOOKMARK' as const, pod('', '9'), []],
  ])('%s', (_, type, object, expected) => {
    expect(told(known().apply({ type, object }))).toEqual(expected);
  });
});

describe('an index', () => {
  it('finds objects by key, follows their changes, and keeps no empty keys', () => {
    const store = new Indexer({ indexes: byOwner, freeze: true });
    store.replace([
      pod('a', '1', { labels: { owner: 'x' } }),
      pod('b', '1', { labels: { owner: 'x' } }),
      pod('c', '1'),
    ]);
    const names = (key: string) => store.byIndex('owner', key).map(({ metadata }) => metadata.name);
    expect(names('x')).toEqual(['a', 'b']);
    store.apply({ type: 'MODIFIED', object: pod('a', '2', { labels: { owner: 'y' } }) });
    expect([names('x'), names('y')]).toEqual([['b'], ['a']]);
    store.apply({ type: 'DELETED', object: pod('b', '3', { labels: { owner: 'x' } }) });
    expect(names('x')).toEqual([]);
    store.replace([]);
    expect([names('x'), names('y')]).toEqual([[], []]);
  });

  it('that was never declared is a mistake of the program', () => {
    expect(() => new Indexer().byIndex('owner', 'x')).toThrow(TypeError);
  });
});

it('frozen objects cannot be mutated, deep down', () => {
  const store = new Indexer({ freeze: true });
  store.replace([pod('a', '1', { labels: { owner: 'x' } })]);
  expect(() => {
    store.get('deploy', 'a')!.metadata.labels!.owner = 'y';
  }).toThrow(TypeError);
});
