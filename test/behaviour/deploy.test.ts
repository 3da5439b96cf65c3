import { afterEach, beforeEach, expect, test } from 'vitest';
import { createWorld, ended, eventually, lane, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(async () => {
  await world.stop();
});

test('a message becomes a deploy: REVISION=v1.0.0 cap production deploy, recorded, and the queue is empty', async () => {
  const queue = await world.createQueue('web');
  await world.deployable('web', queue);
  world.startOperator();
  await world.send(queue, {
    repository: 'livesense/web',
    environment: 'production',
    revision: 'v1.0.0',
    requestedBy: 'alice',
  });

  const entry = await ended(world, 'web', 'v1.0.0');
  expect(entry).toMatchObject({ result: 'Succeeded', environment: 'production', task: 'deploy', requestedBy: 'alice' });
  expect(world.kubelet.diary).toHaveLength(1);
  expect(world.kubelet.diary[0]).toMatchObject({ args: ['cap', 'production', 'deploy'], env: { REVISION: 'v1.0.0' } });
  await eventually('the queue is empty', async () => (await world.depth(queue)) === 0);
  const { status } = await world.resource('web');
  expect(status?.last).toBe('production v1.0.0 Succeeded');
  expect(lane(status, 'production')).toMatchObject({ lastResult: 'Succeeded', lastSuccessful: { revision: 'v1.0.0' } });
});
