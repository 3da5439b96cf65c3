import { defineConfig } from 'vitest/config';

/**
 * The scenarios of `npm run test:faults`, which builds what they need and hands it to them by the environment. Run by
 * that alone.
 */
if (!process.env.TEST_FAULTS_BUNDLE) throw new Error('run these tests with  npm run test:faults');

export default defineConfig({
  test: {
    globals: false,
    pool: 'forks',
    include: ['test/faults/scenarios/**/*.test.ts'],
    // Each scenario has a control plane, an SQS server and operators of its own, on two cores.
    maxWorkers: 2,
    testTimeout: 15 * 60_000,
    hookTimeout: 60_000,
    // A fault that shows once in many times is a fault: nothing is tried again.
    retry: 0,
    env: { TEST_WORLD: 'real' },
    reporters: ['default', './test/cluster/suites-reporter.ts'],
    projects: [{ extends: true, test: { name: 'faults' } }],
  },
});
