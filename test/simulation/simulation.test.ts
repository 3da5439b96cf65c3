import { describe, expect, test } from 'vitest';
import { mutated } from './mutate.ts';
import { MUTATIONS } from './mutations.ts';
import { REGRESSIONS } from './regressions.ts';
import { summaryOf, Totals } from './report.ts';
import { runSeed } from './run.ts';

/**
 * Others, and more: `npm run simulate -- --seeds 10000 --first 1000`. docs/simulation.md tells how to read what it
 * finds.
 */
const SEEDS = 100;
const STEPS = 200;
const TIMEOUT_MS = 170_000;

test('whatever breaks, nothing is lost, nothing is started twice, no two deploys overlap, and in the end there is rest', {
  timeout: TIMEOUT_MS,
}, async () => {
  const totals = new Totals();
  for (let seed = 1; seed <= SEEDS; seed += 1) totals.add(summaryOf(await runSeed({ seed, steps: STEPS })));
  expect(totals.failed, 'npm run simulate -- --seed <seed> tells the story').toEqual([]);
  expect(totals.passed).toBe(SEEDS);
  expect(totals.steps).toBe(SEEDS * STEPS);
  expect(totals.missing, 'kinds of faults that did not happen').toEqual([]);
});

test('a seed gives the same run again, to the last answer', { timeout: TIMEOUT_MS }, async () => {
  for (const seed of [3, 17, 171]) {
    const [one, other] = [
      await runSeed({ seed, steps: STEPS }),
      await runSeed({ seed, steps: STEPS, keepsLines: true }),
    ];
    expect([other.hash, other.drainSteps]).toEqual([one.hash, one.drainSteps]);
  }
  const [a, b] = [await runSeed({ seed: 1, steps: STEPS }), await runSeed({ seed: 2, steps: STEPS })];
  expect(a.hash).not.toBe(b.hash);
});

describe('what it has found once', () => {
  test.for(REGRESSIONS)('$name', { timeout: TIMEOUT_MS }, async ({ name: _, ...options }) => {
    expect((await runSeed(options)).violation?.message).toBeUndefined();
  });
});

test('the bugs that it has to find still fit the sources', () => {
  for (const mutation of MUTATIONS) expect(() => mutated(mutation)).not.toThrow();
  expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
});
