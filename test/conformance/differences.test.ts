import { describe, expect, test } from 'vitest';
import { WORLD } from './api.ts';
import { DIFFERENCES, ONE_WORLD_ONLY } from './differences.ts';
import { suite } from './suite.ts';

const it = suite();

describe(`the local API differs from the real one (asked of the ${WORLD} one)`, () => {
  test.each(DIFFERENCES)('$what: $reason', async (difference) => {
    expect(await difference.ask(it.api, it.ns)).toEqual(difference[WORLD]);
    expect(difference.local).not.toEqual(difference.real);
  });
});

test.each(ONE_WORLD_ONLY)('$test, $world only: $reason', ({ reason }) => {
  expect(reason).not.toBe('');
});
