import type { Played } from '../kit/played-kubelet.ts';
import { eventually, production, running, served, type World, waiting } from './world.ts';

/** v1.0.0 runs until the test ends it. v1.0.1 and v1.0.2 wait. */
export async function oneRunsAndTwoWait(world: World) {
  world.script = () => 'run';
  const { ask } = await served(world);
  await ask('v1.0.0', 0);
  const first = await running(world, 'v1.0.0');
  await ask('v1.0.1', 1);
  await ask('v1.0.2', 2);
  await waiting(world, 'v1.0.1', 'v1.0.2');
  return { ask, first };
}

/**
 * A waiting Job was resumed by hand, and its deploy runs. The status says so. After the first deploy it has the lane.
 */
export async function takesLaneOver(world: World, first: Played, second: Played): Promise<void> {
  await eventually('the status says that it was resumed by hand', async () =>
    (await production(world))?.waiting?.some(({ why }) => why.startsWith('resumed by hand')),
  );
  await world.kubelet.finish(first.job, 0);
  await eventually('the lane is its own', async () => (await production(world))?.active?.[0]?.job === second.job);
}
