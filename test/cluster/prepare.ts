/**
 * Builds and installs what `npm run test:real` needs, into the caches outside the checkout, and starts nothing that
 * stays: CI tells its time apart from that of the tests. The tests do the same by themselves where it was not done.
 */

import { findBinaries } from './control-plane/build.ts';
import { letGo } from './processes.ts';
import { startElasticMq, startMiniStack } from './sqs-servers/index.ts';

async function timed(what: string, work: () => Promise<string>): Promise<void> {
  const start = performance.now();
  const result = await work();
  console.log(`== ${what}: ${result}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

/** An installation is complete when what was installed starts. */
const startsAndStops = (start: typeof startMiniStack) => async () => {
  const server = await start();
  await server.stop();
  return server.version;
};

// Downloads and compilers: they hardly get into each other's way.
const outcomes = await Promise.allSettled([
  timed(
    'control plane',
    async () => (await findBinaries({ onBuild: (what) => console.log(`== building ${what}`) })).version,
  ),
  timed('MiniStack', startsAndStops(startMiniStack)),
  timed('ElasticMQ', startsAndStops(startElasticMq)),
]);
for (const outcome of outcomes) {
  if (outcome.status === 'fulfilled') continue;
  console.error(`prepare: ${(outcome.reason as Error).message}`);
  process.exitCode = 1;
}
await letGo();
