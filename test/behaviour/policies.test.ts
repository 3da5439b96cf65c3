import { describe, expect, test } from 'vitest';
import { JOBS, type KubeObject, PODS } from '../../src/kube/client.ts';
import { isAlive, type Job, type Pod } from '../../src/lanes/job.ts';
import { revisionOf } from '../kit/played-kubelet.ts';
import {
  deployed,
  ended,
  eventually,
  inWorld,
  lane,
  production,
  running,
  type Served,
  served,
  specIsSeen,
  type World,
  waiting,
} from './world.ts';

/** Looks, whenever the operator resumes a Job, at what is alive just then: there must be nothing (invariant 3). */
function besideWhatIsAlive(world: World): string[] {
  const found: string[] = [];
  world.intercept = async ({ verb, type, name, body }) => {
    if (verb !== 'patch' || type !== JOBS || (body?.spec as Job['spec'] | undefined)?.suspend !== false) return;
    const { items } = await world.kube.list<Pod & KubeObject>(PODS);
    found.push(...items.filter(isAlive).map(({ metadata }) => `${name} is resumed beside Pod ${metadata.name}`));
  };
  return found;
}

/** v1.0.0 runs until it is ended; the others would end at once. */
async function oneRuns(world: World, spec: Record<string, unknown>): Promise<Served & { job: string }> {
  world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
  const all = await served(world, spec);
  await all.ask('v1.0.0', 0);
  const { job } = await running(world, 'v1.0.0');
  return { ...all, job };
}

describe.concurrent('Supersede', () => {
  test(
    'a newer request drops the waiting one, and the running deploy continues',
    inWorld(async (world) => {
      const { ask, job } = await oneRuns(world, { concurrencyPolicy: 'Supersede' });
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.1');
      await ask('v1.0.2', 2);
      await waiting(world, 'v1.0.2');
      expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Superseded', reason: 'NewerRequest' });
      await world.kubelet.finish(job, 0);
      await ended(world, 'web', 'v1.0.2');
      expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.2']);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
    }),
  );

  test(
    'of one environment holds for it alone, and the others have the policy of the resource',
    inWorld(async (world) => {
      world.script = () => 'run';
      const environments = [{ name: 'production', concurrencyPolicy: 'Supersede' }, { name: 'staging' }];
      const { ask } = await served(world, { environments });
      for (const environment of ['production', 'staging']) {
        const prefix = environment === 'production' ? 'v1' : 'v2';
        await ask(`${prefix}.0.0`, 0, { environment });
        await running(world, `${prefix}.0.0`);
        await ask(`${prefix}.0.1`, 1, { environment });
        await ask(`${prefix}.0.2`, 2, { environment });
      }
      await waiting(world, 'v1.0.2');
      await eventually('both wait in staging', async () => {
        const entries = lane((await world.resource('web')).status, 'staging')?.waiting ?? [];
        return entries.map(({ revision }) => revision).join() === 'v2.0.1,v2.0.2';
      });
    }),
  );
});

describe.concurrent('Replace', () => {
  test(
    'Invariant 3: a newer request ends the deploy that runs, and starts once its Pod is gone',
    inWorld(async (world) => {
      const { ask } = await oneRuns(world, { concurrencyPolicy: 'Replace' });
      const violations = besideWhatIsAlive(world);
      await ask('v1.0.1', 1);
      const replaced = await ended(world, 'web', 'v1.0.0');
      expect(replaced).toMatchObject({ result: 'Aborted', reason: 'Replaced' });
      expect(replaced.message).toContain('v1.0.1');
      await ended(world, 'web', 'v1.0.1');
      expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.1']);
      expect(violations).toEqual([]);
      expect((await world.resource('web')).status?.history).toHaveLength(2);
    }),
  );

  test(
    'Invariant 3: it does not start beside a Pod that terminates on a lost node, and says what it waits for',
    inWorld(async (world) => {
      const { ask } = await oneRuns(world, { concurrencyPolicy: 'Replace' });
      const violations = besideWhatIsAlive(world);
      world.kubelet.loseNode();
      await ask('v1.0.1', 1);
      const claim = await eventually('the Pod holds the lane', async () => {
        const [active] = (await production(world))?.active ?? [];
        return active?.why?.includes('is terminating') && active;
      });
      expect(claim).toMatchObject({ revision: 'v1.0.0', ending: { result: 'Aborted', reason: 'Replaced' } });
      const [entry] = await waiting(world, 'v1.0.1');
      expect(entry?.why).toContain('is being ended (Replaced)');
      expect(deployed(world)).toEqual(['v1.0.0']);
      await world.kubelet.findNode();
      await ended(world, 'web', 'v1.0.1');
      expect(violations).toEqual([]);
    }),
  );

  test(
    'Invariant 1: an operator that dies between the announcement and the delete leaves it to the next one, with the same record',
    inWorld(async (world) => {
      const { ask, operator, job } = await oneRuns(world, { concurrencyPolicy: 'Replace' });
      world.intercept = ({ verb, type, name }) => {
        if (verb === 'delete' && type === JOBS && name === job) operator.kill();
      };
      await ask('v1.0.1', 1);
      await operator.killed;
      const violations = besideWhatIsAlive(world);
      expect((await production(world))?.active).toMatchObject([{ revision: 'v1.0.0', ending: { reason: 'Replaced' } }]);
      world.startOperator();
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Aborted', reason: 'Replaced' });
      await ended(world, 'web', 'v1.0.1');
      expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.1']);
      expect(violations).toEqual([]);
    }),
  );

  test(
    'a request that was sent before what runs, or is for another task, ends nothing',
    inWorld(async (world) => {
      const tasks = ['deploy', 'deploy:restart'];
      const { ask, job } = await oneRuns(world, { concurrencyPolicy: 'Replace', tasks });
      await ask('v0.9.0', -1);
      expect(await ended(world, 'web', 'v0.9.0')).toMatchObject({ result: 'Superseded', reason: 'OutOfOrder' });
      await ask('v1.0.1', 1, { task: 'deploy:restart' });
      await waiting(world, 'v1.0.1');
      await world.kubelet.finish(job, 0);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      await ended(world, 'web', 'v1.0.1');
    }),
  );
});

test.concurrent(
  'a change of the policy ends nothing by itself: what waits already applies the new one',
  inWorld(async (world) => {
    const { ask } = await oneRuns(world, { concurrencyPolicy: 'Queue' });
    await world.edit('web', { concurrencyPolicy: 'Replace' });
    await specIsSeen(world);
    expect((await production(world))?.active).toMatchObject([{ revision: 'v1.0.0' }]);
    await world.edit('web', { concurrencyPolicy: 'Queue' });
    await specIsSeen(world);
    await ask('v1.0.1', 1);
    await waiting(world, 'v1.0.1');
    const violations = besideWhatIsAlive(world);
    await world.edit('web', { concurrencyPolicy: 'Replace' });
    expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Aborted', reason: 'Replaced' });
    await ended(world, 'web', 'v1.0.1');
    expect(violations).toEqual([]);
  }),
);

test.concurrent(
  'a rollback supersedes what waits, under any policy, and a deploy from before it that comes late',
  inWorld(async (world) => {
    const { ask, job } = await oneRuns(world, { tasks: ['deploy', 'deploy:rollback'] });
    await ask('v1.0.1', 1);
    await waiting(world, 'v1.0.1');
    await ask('', 3, { task: 'deploy:rollback', revision: undefined, id: 'rollback-1' });
    expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Superseded', reason: 'NewerRequest' });
    await world.kubelet.finish(job, 0);
    await eventually('the rollback has ended', async () =>
      (await world.resource('web')).status?.history?.some(
        ({ id, result }) => id === 'rollback-1' && result === 'Succeeded',
      ),
    );
    await ask('v1.0.2', 2);
    expect(await ended(world, 'web', 'v1.0.2')).toMatchObject({ result: 'Superseded', reason: 'OutOfOrder' });
    expect(world.kubelet.diary.map(({ args }) => args[2])).toEqual(['deploy', 'deploy:rollback']);
  }),
);
