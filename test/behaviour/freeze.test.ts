import { describe, expect, test } from 'vitest';
import { CAPDEPLOYJOBS, FREEZE_PREFIX } from '../../src/api/names.ts';
import {
  deployed,
  ended,
  eventually,
  inWorld,
  lane,
  operatorEvents,
  production,
  running,
  served,
  specIsSeen,
  turns,
  type World,
  waiting,
} from './world.ts';

const freeze = (world: World, environment: string, words: string | null): Promise<void> =>
  world.change(CAPDEPLOYJOBS, 'web', { metadata: { annotations: { [`${FREEZE_PREFIX}${environment}`]: words } } });

describe.concurrent('an environment that is frozen by an annotation', () => {
  test(
    'starts nothing, says who froze it and why, and goes on when it is thawed',
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
    'is reported if the spec names no such environment: it freezes nothing',
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

describe.concurrent('a thaw', () => {
  const thaws = async (world: World) => (await operatorEvents(world, 'Thawed')).map(({ note }) => note);
  const frozenBy = (world: World, words: string | undefined) =>
    eventually(`the status says ${words ?? 'that it is thawed'}`, async () => {
      const status = await production(world);
      return status !== undefined && status.frozen === words;
    });
  const told = (words: string) =>
    `production is frozen no more, and what waits there may start; it was frozen: ${words}`;

  test(
    'is told by one Event each time, with two replicas at work and after a restart',
    inWorld(async (world) => {
      const { operator } = await served(world);
      const other = world.startOperator();
      await freeze(world, 'production', 'alice: incident 42');
      await frozenBy(world, 'alice: incident 42');
      await freeze(world, 'production', null);
      await frozenBy(world, undefined);
      await eventually('it is told', async () => (await thaws(world)).length > 0);
      // The same words again are another freeze.
      await freeze(world, 'production', 'alice: incident 42');
      await frozenBy(world, 'alice: incident 42');
      await operator.stop();
      await other.stop();
      // Thawed while no operator runs: the status still says that it was frozen.
      await freeze(world, 'production', null);
      world.startOperator();
      await frozenBy(world, undefined);
      await eventually('it is told again', async () => (await thaws(world)).length > 1);
      expect(await thaws(world)).toEqual([told('alice: incident 42'), told('alice: incident 42')]);
    }),
  );

  test(
    'is reported if a replace dropped the freeze, before the report of the deploy that starts by it',
    inWorld(async (world) => {
      const { ask } = await served(world);
      await freeze(world, 'production', 'alice: incident 42');
      await ask('v1.0.0', 0);
      await waiting(world, 'v1.0.0');
      // What a replace leaves of annotations that its file does not have.
      await world.change(CAPDEPLOYJOBS, 'web', { metadata: { annotations: null } });
      await ended(world, 'web', 'v1.0.0');
      const events = await eventually('both are told', async () => {
        const all = await operatorEvents(world);
        return all.some(({ reason }) => reason === 'Started') && all;
      });
      const at = (reason: string) => String(events.find((event) => event.reason === reason)?.eventTime);
      expect(at('Thawed') <= at('Started')).toBe(true);
      expect(await thaws(world)).toEqual([told('alice: incident 42')]);
    }),
  );

  test(
    'is reported if git thaws, and not if the environment is removed or another person freezes it meanwhile',
    inWorld(async (world) => {
      const environments = (suspend: boolean) => [{ name: 'production', suspend }, { name: 'staging' }];
      await served(world, { environments: environments(true) });
      await frozenBy(world, 'spec.environments[production].suspend is true');
      await freeze(world, 'production', 'bob: sale');
      await world.edit('web', { environments: environments(false) });
      await frozenBy(world, 'bob: sale');
      await freeze(world, 'staging', 'bob: sale');
      await eventually(
        'staging is frozen',
        async () => lane((await world.resource('web')).status, 'staging')?.frozen === 'bob: sale',
      );
      await world.edit('web', { environments: [{ name: 'production' }] });
      await specIsSeen(world);
      await freeze(world, 'staging', null);
      await world.edit('web', { environments: environments(true) });
      await frozenBy(world, 'spec.environments[production].suspend is true; bob: sale');
      await freeze(world, 'production', null);
      await frozenBy(world, 'spec.environments[production].suspend is true');
      await world.edit('web', { environments: environments(false) });
      await frozenBy(world, undefined);
      await eventually('it is told', async () => (await thaws(world)).length > 0);
      expect(await thaws(world)).toEqual([told('spec.environments[production].suspend is true')]);
    }),
  );
});
