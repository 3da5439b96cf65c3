import { describe, expect, test } from 'vitest';
import { readDeployed } from '../../../src/lanes/deployed.ts';

const COMMIT = 'e67dbc3d97fa81daf1a010e89fe21a2a9642b9d1';
const WHOLE = { commit: COMMIT, committedAt: '2026-11-05T10:00:00Z', release: '20261105100102' };
const line = (value: unknown) => `capdeployjob-result: ${JSON.stringify(value)}`;

test('a line of the image tells commit, time and release', () => {
  expect(readDeployed(`${line(WHOLE)}\n`)).toEqual(WHOLE);
  expect(readDeployed(`other words\n${line(WHOLE)}\nmore`)).toEqual(WHOLE);
});

test('a commit may be of SHA-256', () => {
  const commit = 'a'.repeat(64);
  expect(readDeployed(line({ commit }))).toEqual({ commit });
});

describe('what is not in its form is left out', () => {
  test.each<[string, object, object]>([
    ['a short commit', { ...WHOLE, commit: 'e67dbc3' }, { committedAt: WHOLE.committedAt, release: WHOLE.release }],
    ['a commit in capitals', { commit: COMMIT.toUpperCase() }, {}],
    ['a commit with a line after it', { commit: `${COMMIT}\n` }, {}],
    ['a release of another kind', { commit: COMMIT, release: '../etc' }, { commit: COMMIT }],
    ['a month that is none', { committedAt: '2026-13-05T10:00:00Z' }, {}],
    ['a time of another zone', { committedAt: '2026-11-05T10:00:00+09:00' }, {}],
    ['numbers', { commit: 1, committedAt: 2, release: 20261105100102 }, {}],
    ['fields of its own', { secret: 'x' }, {}],
  ])('%s', (_, claimed, expected) => {
    expect(readDeployed(line(claimed))).toEqual(expected);
  });
});

test.each<[string, string | undefined]>([
  ['nothing', undefined],
  ['an empty message', ''],
  ['the end of a log', 'deployed\nok'],
  ['a line that only quotes one', `log: ${line(WHOLE)}`],
  ['half a line', line(WHOLE).slice(0, 60)],
  ['a list', 'capdeployjob-result: [1]'],
  ['null', 'capdeployjob-result: null'],
  ['a line that is too long', line({ ...WHOLE, padding: 'x'.repeat(500) })],
])('%s says nothing', (_, message) => {
  expect(readDeployed(message)).toEqual({});
});
