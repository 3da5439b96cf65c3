/**
 * Builds and installs what `npm run test:e2e` needs, into the caches outside the checkout, and starts nothing that
 * stays: CI tells its time apart from that of the tests. The tests do the same by themselves where it was not done.
 */

import { findBinaries } from '../cluster/control-plane/build.ts';
import { letGo } from '../cluster/processes.ts';
import { startMiniStack } from '../cluster/sqs-servers/index.ts';
import { findImages, type Images } from './images.ts';
import { systemPath, whatIsMissing } from './requirements.ts';
import { COMPONENTS } from './rig.ts';

/** @throws Error that says what to do */
export async function prepare(): Promise<Images> {
  process.env.PATH = systemPath();
  const missing = whatIsMissing();
  if (missing !== undefined) throw new Error(`no kubelet can run here: ${missing}`);
  const outcomes = await Promise.allSettled([
    timed('programs', () =>
      findBinaries({ components: COMPONENTS, onBuild: (what) => console.log(`== building ${what}`) }),
    ),
    timed('MiniStack', async () => (await startMiniStack()).stop()),
    timed('images', () => findImages((what) => console.log(`== building ${what}`))),
  ] as const);
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
  if (failed.length > 0) throw new Error(failed.map(({ reason }) => (reason as Error).message).join('\n'));
  return (outcomes[2] as PromiseFulfilledResult<Images>).value;
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  console.log(`== ${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

if (import.meta.main) {
  await prepare().catch((error: Error) => {
    console.error(`e2e: ${error.message}`);
    process.exitCode = 1;
  });
  await letGo();
}
