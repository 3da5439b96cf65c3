import { defineConfig } from 'vitest/config';
import { AWS_KEYS, forgetMachine } from './test/config/environment.ts';

forgetMachine();

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
    // Those need a control plane (npm run test:real, npm run test:faults), a node as well (npm run test:e2e), or images
    // (npm run test:images).
    exclude: ['test/cluster/**', 'test/faults/scenarios/**', 'test/images/**', 'test/e2e/**'],
    globals: false,
    // Processes, not threads: tests start children, send signals and listen on sockets.
    pool: 'forks',
    // Files share a process and its modules. To load the modules anew for each of 174 files took 200 of 480 seconds of
    // the processor.
    isolate: false,
    // Two cores, and tests that wait most of their time.
    maxWorkers: 3,
    // Random order finds the test that needs another one to have run first; the seed is printed and `--sequence.seed`
    // repeats it.
    sequence: { shuffle: true },
    // Limits for what hangs, not for what is slow: a machine may have other work.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A test changes the environment and globals with `vi.stubEnv` and `vi.stubGlobal`: the next test of the process
    // finds them unchanged.
    env: AWS_KEYS,
    globalSetup: ['test/config/bundles.ts'],
    setupFiles: ['test/config/leave-nothing.ts'],
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
  },
});
