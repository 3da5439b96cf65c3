import { defineConfig } from 'vitest/config';

/**
 * The tests of `npm run test:e2e`, which starts what they need and hands it to them by the environment. Run by that
 * alone.
 */
if (!process.env.TEST_E2E_IMAGES) throw new Error('these tests need a node: run them with  npm run test:e2e');

/** It takes the operator away from everybody: it comes last. */
const OPERATOR_TESTS = 'test/e2e/operator.test.ts';

/** @param groupOrder those of a higher one wait until all of a lower one have ended */
const suite = (name: string, include: string, exclude: string[], groupOrder: number) => ({
  extends: true as const,
  test: { name, include: [include], exclude, sequence: { groupOrder } },
});

export default defineConfig({
  test: {
    globals: false,
    // Processes, not threads: each file has servers and queues of its own.
    pool: 'forks',
    // Two cores, and tests that wait for containers and ssh most of their time.
    maxWorkers: 4,
    // Tests that are concurrent wait for a node, and hardly work themselves.
    maxConcurrency: 40,
    sequence: { shuffle: true },
    // A deploy takes five to ten seconds on an idle machine, and some tests make several.
    testTimeout: 240_000,
    hookTimeout: 120_000,
    restoreMocks: true,
    reporters: ['default', './test/e2e/counts-reporter.ts'],
    projects: [
      suite('deploys', 'test/e2e/**/*.test.ts', [OPERATOR_TESTS], 0),
      suite('operator', OPERATOR_TESTS, [], 1),
    ],
  },
});
