import { expect, test } from 'vitest';
import { BoundedMap } from '../../../src/base/bounded-map.ts';

const entries = (...keys: string[]): [string, number][] => keys.map((key, index) => [key, index]);

test('forgets the oldest entries beyond its limit, those that it is made of included', () => {
  const map = new BoundedMap(2, entries('a', 'b', 'c'));
  expect([...map]).toEqual([
    ['b', 1],
    ['c', 2],
  ]);
  map.set('d', 3);
  expect([...map.keys()]).toEqual(['c', 'd']);
});

test('a key that is set anew keeps its place and drives no other out; one that was deleted first comes last', () => {
  const map = new BoundedMap(2, entries('a', 'b'));
  map.set('a', 9);
  expect([...map]).toEqual([
    ['a', 9],
    ['b', 1],
  ]);
  map.delete('a');
  map.set('a', 9).set('c', 2);
  expect([...map.keys()]).toEqual(['a', 'c']);
});
