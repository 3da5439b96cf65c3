import { defineConfig } from 'vitest/config';

/**
 * The tests of `npm run test:e2e`, which starts what they need and hands it to them by the environment. Run by that alone.
 */
if (!process.env.TEST_E2E_IMAGES) throw new Error('these tests need a node: run them with  npm run test:e2e');

export default defineConfig({
  test: {
    name: 'e2e',
    include: ['test/e2e/**/*.test.ts'],
    globals: false,
    // Processes, not threads: each file has servers and queues of its own.
    pool: 'forks',
    // Two cores, and tests that wait for containers and ssh most of their time.
    maxWorkers: 3,
    sequence: { shuffle: true },
    // A deploy takes five to ten seconds on an idle machine, and some tests make several.
    testTimeout: 180_000,
    hookTimeout: 120_000,
    restoreMocks: true,
    reporters: ['default', './test/real/suites-reporter.ts'],
  },
});
