import { defineConfig } from 'vitest/config';

/** `npm run test:images`: the images, built here from Debian's packages and run with runc. */
export default defineConfig({
  test: {
    include: ['test/images/**/*.test.ts'],
    globalSetup: ['test/images/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { shuffle: true },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
