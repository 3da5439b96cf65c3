import { describe, expect, test } from 'vitest';
import { CAPDEPLOYJOBS, FREEZE_PREFIX } from '../../src/api/names.ts';
import { deployed, ended, eventually, inWorld, lane, running, served, turns, type World, waiting } from './world.ts';

const freeze = (world: World, environment: string, words: string | null): Promise<void> =>
  world.change(CAPDEPLOYJOBS, 'web', { metadata: { annotations: { [`${FREEZE_PREFIX}${environment}`]: words } } });

const production = async (world: World) => lane((await world.resource('web')).status, 'production');

describe.concurrent('an environment that is frozen by an annotation', () => {
  test(
    'starts nothing, says who froze it and why, and goes on once it is thawed',
    inWorld(async (world) => {
      const { ask } = await served(world);
      await freeze(world, 'production', 'alice: incident 42');
      await eventually('the freeze is seen', async () => (await production(world))?.frozen === 'alice: incident 42');
      await ask('v1.0.0', 0);
      const [entry] = await waiting(world, 'v1.0.0');
      expect(entry?.why).toBe('frozen: alice: incident 42');
      await freeze(world, 'production', null);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      expect(await production(world)).not.toHaveProperty('frozen');
    }),
  );

  test(
    'lets run what runs, and other environments',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { ask } = await served(world);
      await ask('v1.0.0', 0);
      const { job } = await running(world, 'v1.0.0');
      await freeze(world, 'production', 'alice');
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.1');
      await ask('v2.0.0', 0, { environment: 'staging' });
      await running(world, 'v2.0.0');
      await world.kubelet.finish(job, 0);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      await waiting(world, 'v1.0.1');
      expect(deployed(world)).toEqual(['v1.0.0']);
    }),
  );

  test(
    'is reported where the spec names no such environment: nothing is frozen by it',
    inWorld(async (world) => {
      const { ask } = await served(world);
      await freeze(world, 'Production', 'alice');
      const { message } = await turns(world, 'web', 'Ready', 'False', 'FreezeOfUnknownEnvironment');
      expect(message).toContain(`${FREEZE_PREFIX}Production`);
      await ask('v1.0.0', 0);
      await ended(world, 'web', 'v1.0.0');
      await freeze(world, 'Production', null);
      await turns(world, 'web', 'Ready', 'True', 'AsExpected');
    }),
  );
});
