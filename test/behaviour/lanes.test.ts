import { describe, expect, test } from 'vitest';
import { LABEL, MANAGED_BY } from '../../src/api/names.ts';
import { JOBS, type KubeObject, PODS, type ResourceType } from '../../src/kube/client.ts';
import { revisionOf } from '../kit/played-kubelet.ts';
import {
  deployed,
  ended,
  eventually,
  inWorld,
  jobOf,
  lane,
  message,
  overlaps,
  PLAYED_NODE,
  running,
  sentAt,
  served,
  specIsSeen,
  turns,
  type World,
  waiting,
} from './world.ts';

const finish = async (world: World, revision: string, exitCode = 0): Promise<void> =>
  world.kubelet.finish((await running(world, revision)).job, exitCode);

const history = async (world: World) => (await world.resource('web')).status?.history ?? [];

/** Nothing is left to do: what was asked for so far has been seen and settled. */
const isSettled = (world: World, queue: string) =>
  eventually('nothing waits, nothing runs and the queue is empty', async () => {
    const { status } = await world.resource('web');
    return status?.waiting === 0 && status.active === 0 && (await world.depth(queue)) === 0;
  });

describe.concurrent('the turn', () => {
  test(
    'Invariant 3 (one operator): deploys to one environment never overlap, even if Pods come late',
    inWorld(
      async (world) => {
        const { ask, queue } = await served(world);
        const revisions = Array.from({ length: 8 }, (_, index) => `v1.0.${index}`);
        for (const [index, revision] of revisions.entries()) await ask(revision, index);
        await ended(world, 'web', 'v1.0.7');
        await isSettled(world, queue);
        expect(overlaps(world)).toEqual([]);
        const started = deployed(world);
        expect(started.at(-1)).toBe('v1.0.7');
        expect(new Set(started).size).toBe(started.length);
        // Whatever did not start was overtaken while messages were still being read: nobody is forgotten.
        expect((await history(world)).map(({ revision }) => revision).sort()).toEqual(revisions);
      },
      { job: { podCreationLagMs: 25, reactionMs: 5 } },
    ),
  );

  test(
    'the second of two requests waits as a suspended Job until the first has ended',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { ask } = await served(world);
      await ask('v1.0.0', 1);
      const first = await running(world, 'v1.0.0');
      await ask('v1.0.1', 2);
      await waiting(world, 'v1.0.1');
      expect(await jobOf(world, 'v1.0.1')).toMatchObject({ spec: { suspend: true } });
      await world.kubelet.finish(first.job, 0);
      const second = await running(world, 'v1.0.1');
      expect(first.endedAt).toBeLessThanOrEqual(second.startedAt);
      await world.kubelet.finish(second.job, 1);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Failed', reason: 'BackoffLimitExceeded' });
      expect(lane((await world.resource('web')).status, 'production')).toMatchObject({
        lastResult: 'Failed',
        lastSuccessful: { revision: 'v1.0.0' },
      });
    }),
  );

  test(
    'requests start in the order in which they were sent, even when they are received in another one',
    inWorld(async (world) => {
      world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
      const { ask } = await served(world);
      await ask('v1.0.0', 0);
      await running(world, 'v1.0.0');
      await ask('v1.0.3', 3);
      await waiting(world, 'v1.0.3');
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.1', 'v1.0.3');
      await ask('v1.0.2', 2);
      await waiting(world, 'v1.0.1', 'v1.0.2', 'v1.0.3');
      await finish(world, 'v1.0.0');
      await ended(world, 'web', 'v1.0.3');
      expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.1', 'v1.0.2', 'v1.0.3']);
    }),
  );

  test(
    'staging is deployed beside production',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { ask } = await served(world);
      await ask('v1.0.0', 1);
      await running(world, 'v1.0.0');
      await ask('v1.0.1', 2, { environment: 'staging' });
      const beside = await running(world, 'v1.0.1');
      expect(beside).toMatchObject({ environment: 'staging', args: ['cap', 'staging', 'deploy'] });
      await eventually('both are active', async () => (await world.resource('web')).status?.active === 2);
    }),
  );

  test(
    'Invariant 4: what was sent before a request that has started is Superseded, while that one runs and after it has ended',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { ask, queue } = await served(world);
      await ask('v1.0.5', 5);
      await running(world, 'v1.0.5');
      await ask('v1.0.4', 4);
      const superseded = { result: 'Superseded', reason: 'OutOfOrder' };
      expect(await ended(world, 'web', 'v1.0.4')).toMatchObject(superseded);
      await finish(world, 'v1.0.5');
      await ended(world, 'web', 'v1.0.5');
      await ask('v1.0.3', 3);
      const late = await ended(world, 'web', 'v1.0.3');
      expect(late).toMatchObject(superseded);
      expect(late).not.toHaveProperty('startedAt');
      await isSettled(world, queue);
      expect(deployed(world)).toEqual(['v1.0.5']);
      expect((await world.resource('web')).status?.last).toBe('production v1.0.5 Succeeded');
      await eventually('the Jobs that never started are gone', async () => (await world.jobs('web')).length === 1);
    }),
  );

  test(
    'Invariant 4: the order outlives an operator that stops and the Jobs that told it',
    inWorld(async (world) => {
      const { ask, queue, operator } = await served(world, { successfulJobsHistoryLimit: 0 });
      await ask('v1.0.5', 5);
      await ended(world, 'web', 'v1.0.5');
      await eventually('its Job is gone', async () => (await world.jobs('web')).length === 0);
      await operator.stop();
      await ask('v1.0.4', 4);
      world.startOperator();
      expect(await ended(world, 'web', 'v1.0.4')).toMatchObject({ result: 'Superseded', reason: 'OutOfOrder' });
      await isSettled(world, queue);
      expect(deployed(world)).toEqual(['v1.0.5']);
    }),
  );

  test(
    'two tasks of one environment take turns, and neither makes the other one come too late',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { ask } = await served(world, { tasks: ['deploy', 'deploy:restart'] });
      await ask('v1.0.5', 5);
      const deploy = await running(world, 'v1.0.5');
      await ask('v1.0.1', 1, { task: 'deploy:restart' });
      await waiting(world, 'v1.0.1');
      await world.kubelet.finish(deploy.job, 0);
      const restart = await running(world, 'v1.0.1');
      expect(restart.args).toEqual(['cap', 'production', 'deploy:restart']);
      await world.kubelet.finish(restart.job, 0);
      await ended(world, 'web', 'v1.0.1');
      await ask('v1.0.4', 4);
      expect(await ended(world, 'web', 'v1.0.4')).toMatchObject({ result: 'Superseded' });
      expect(lane((await world.resource('web')).status, 'production')?.lastStarted).toMatchObject([
        { task: 'deploy', dueAt: sentAt(5) },
        { task: 'deploy:restart', dueAt: sentAt(1) },
      ]);
      expect(overlaps(world)).toEqual([]);
    }),
  );
});

describe.concurrent('a frozen lane', () => {
  const environments = (suspend: boolean) => [{ name: 'production', suspend }, { name: 'staging' }];

  test(
    'an environment with suspend keeps its requests waiting, lets others go on, and a thaw starts them in order',
    inWorld(async (world) => {
      const { ask, queue } = await served(world, { environments: environments(true) });
      await ask('v1.0.2', 2);
      await waiting(world, 'v1.0.2');
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.1', 'v1.0.2');
      await ask('v1.0.3', 3, { environment: 'staging' });
      await ended(world, 'web', 'v1.0.3');
      await eventually('the queue is read all the same', async () => (await world.depth(queue)) === 0);
      expect(deployed(world)).toEqual([]);
      await world.edit('web', { environments: environments(false) });
      await ended(world, 'web', 'v1.0.2');
      expect(deployed(world)).toEqual(['v1.0.1', 'v1.0.2']);
    }),
  );

  test(
    'suspend of the resource lets run what runs, starts and reads nothing, and a thaw goes on with all of it',
    inWorld(async (world) => {
      world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
      const { ask, queue } = await served(world);
      await ask('v1.0.0', 0);
      await running(world, 'v1.0.0');
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.1');
      await world.edit('web', { suspend: true });
      await turns(world, 'web', 'Ready', 'True', 'Suspended');
      await finish(world, 'v1.0.0');
      await ended(world, 'web', 'v1.0.0');
      await ask('v1.0.2', 2);
      const held = lane((await world.resource('web')).status, 'production');
      expect(held).toMatchObject({ waiting: [{ revision: 'v1.0.1' }], frozen: 'spec.suspend is true' });
      expect(await jobOf(world, 'v1.0.1')).toMatchObject({ spec: { suspend: true } });
      expect(await world.depth(queue)).toBe(1);
      await world.edit('web', { suspend: false });
      await ended(world, 'web', 'v1.0.2');
      expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.1', 'v1.0.2']);
    }),
  );
});

test.concurrent(
  'a full lane refuses the request that arrives last, even if it was sent first, and the waiting requests keep their places',
  inWorld(async (world) => {
    world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
    const { ask, queue } = await served(world, { maxWaiting: 2 });
    await ask('v1.0.0', 0);
    await running(world, 'v1.0.0');
    await ask('v1.0.2', 2);
    await waiting(world, 'v1.0.2');
    await ask('v1.0.3', 3);
    await waiting(world, 'v1.0.2', 'v1.0.3');
    await ask('v1.0.1', 1);
    const refused = { result: 'Refused', reason: 'LaneFull' };
    expect(await ended(world, 'web', 'v1.0.1')).toMatchObject(refused);
    await ask('v1.0.4', 4, { environment: 'staging' });
    await ended(world, 'web', 'v1.0.4');
    await eventually('no message is left', async () => (await world.depth(queue)) === 0);
    await waiting(world, 'v1.0.2', 'v1.0.3');
    // What was promised its turn keeps it, even where the lane gets narrower.
    await world.edit('web', { maxWaiting: 1 });
    await specIsSeen(world);
    await waiting(world, 'v1.0.2', 'v1.0.3');
    await finish(world, 'v1.0.0');
    await ended(world, 'web', 'v1.0.3');
    expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.2', 'v1.0.3']);
    expect((await jobOf(world, 'v1.0.1')) ?? 'gone').toBe('gone');
  }),
);

describe.concurrent('editing the resource', () => {
  test(
    'an environment that is removed lets run and records what runs, and refuses what waits',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { ask, queue } = await served(world);
      await ask('v1.0.0', 0);
      await running(world, 'v1.0.0');
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.1');
      await world.edit('web', { environments: [{ name: 'staging' }] });
      const refused = await ended(world, 'web', 'v1.0.1');
      expect(refused).toMatchObject({ result: 'Refused', reason: 'EnvironmentRemoved' });
      expect(lane((await world.resource('web')).status, 'production')?.active).toMatchObject([{ revision: 'v1.0.0' }]);
      await finish(world, 'v1.0.0');
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      await world.edit('web', { environments: [{ name: 'staging' }, { name: 'production' }] });
      await isSettled(world, queue);
      expect(deployed(world)).toEqual(['v1.0.0']);
    }),
  );

  test(
    'a new template touches neither the Job that runs nor those that wait, and holds for requests read after it',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { ask } = await served(world);
      await ask('v1.0.0', 0);
      const first = await running(world, 'v1.0.0');
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.1');
      const before = [await jobOf(world, 'v1.0.0'), await jobOf(world, 'v1.0.1')].map((job) => job?.spec);
      const callsBefore = world.calls.length;
      const image = 'example.test/capistrano:2';
      const template = { spec: { nodeName: PLAYED_NODE, containers: [{ name: 'cap', image }] } };
      await world.edit('web', { template, activeDeadlineSeconds: 100 });
      await specIsSeen(world);
      await turns(world, 'web', 'TemplateValid', 'True', 'DryRunAccepted');
      await ask('v1.0.2', 2);
      await waiting(world, 'v1.0.1', 'v1.0.2');
      expect([await jobOf(world, 'v1.0.0'), await jobOf(world, 'v1.0.1')].map((job) => job?.spec)).toEqual(before);
      const written = world.calls.slice(callsBefore).filter(({ verb, type }) => type === JOBS && verb !== 'create');
      expect(written.filter(({ verb }) => verb === 'patch' || verb === 'delete')).toEqual([]);
      expect(first.endedAt).toBeUndefined();
      expect(await jobOf(world, 'v1.0.2')).toMatchObject({
        spec: { activeDeadlineSeconds: 100, template: { spec: { containers: [{ image }] } } },
      });
    }),
  );
});

describe.concurrent('the record', () => {
  test(
    'Invariant 6: what the limits leave of finished Jobs is deleted only after it stands in the history',
    inWorld(async (world) => {
      const unrecorded: string[] = [];
      world.script = (pod) => ({ exitCode: revisionOf(pod)?.startsWith('bad') ? 1 : 0 });
      world.intercept = async ({ verb, type, name }) => {
        if (verb !== 'delete' || type !== JOBS) return;
        if (!(await history(world)).some(({ job }) => job === name)) unrecorded.push(name ?? '');
      };
      const { ask } = await served(world, { successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 0 });
      const revisions = ['good-1', 'bad-2', 'good-3', 'bad-4', 'good-5'];
      for (const [index, revision] of revisions.entries()) {
        await ask(revision, index);
        await ended(world, 'web', revision);
      }
      await ask('late-0', 0);
      await ended(world, 'web', 'late-0');
      const left = await eventually('the newest good ones are left', async () => {
        const jobs = await world.jobs('web');
        return jobs.length <= 2 && jobs;
      });
      const kept = left.map(({ metadata }) => metadata.annotations?.['capdeployjob.dev/revision']).sort();
      expect(kept).toEqual(['good-3', 'good-5']);
      expect(unrecorded).toEqual([]);
      expect((await history(world)).map(({ revision }) => revision)).toEqual(['late-0', ...revisions.toReversed()]);
    }),
  );

  test(
    'ttlSecondsAfterFinished deletes a finished Job once it is that old, and its entry stays',
    inWorld(async (world) => {
      const { ask } = await served(world, { ttlSecondsAfterFinished: 2 });
      await ask('v1.0.0', 0);
      const [job] = await eventually('its Job is there', async () => {
        const jobs = await world.jobs('web');
        return jobs.length === 1 && jobs;
      });
      expect(job?.spec).not.toHaveProperty('ttlSecondsAfterFinished');
      const { finishedAt } = await ended(world, 'web', 'v1.0.0');
      await eventually('its Job is gone', async () => (await world.jobs('web')).length === 0);
      expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(finishedAt) + 2000);
      expect(await history(world)).toMatchObject([{ revision: 'v1.0.0', result: 'Succeeded' }]);
    }),
  );

  test(
    'the history keeps the newest 50 requests, newest first, and an older one while its Job is kept',
    inWorld(async (world) => {
      const { queue, ask } = await served(world);
      await ask('newest', 29);
      await ended(world, 'web', 'newest');
      const late = Array.from({ length: 54 }, (_, index) => `late-${index}`);
      await Promise.all(late.map((revision) => world.send(queue, message({ revision, sentAt: sentAt(1) }))));
      await isSettled(world, queue);
      const entries = await eventually('only 50 and the one with a Job are left', async () => {
        const all = await history(world);
        return all.length <= 51 && all;
      });
      await eventually('the late ones have no Job', async () => (await world.jobs('web')).length === 1);
      expect(new Set(entries.map(({ id }) => id)).size).toBe(51);
      expect(entries.filter(({ result }) => result !== 'Superseded')).toMatchObject([{ revision: 'newest' }]);
      expect(entries.at(-1)?.revision).toBe('newest');
      const ends = entries.map(({ finishedAt }) => Date.parse(finishedAt));
      expect(ends).toEqual(ends.toSorted((a, b) => b - a));
      const { status } = await world.resource('web');
      expect(lane(status, 'production')).toMatchObject({
        lastResult: 'Succeeded',
        lastSuccessful: { revision: 'newest' },
      });
      expect(deployed(world)).toEqual(['newest']);
    }),
  );
});

describe.concurrent('what belongs to others', () => {
  const labels = { [LABEL.managedBy]: MANAGED_BY, [LABEL.name]: 'web', [LABEL.environment]: 'production' };
  const podSpec = {
    nodeName: PLAYED_NODE,
    restartPolicy: 'Never',
    containers: [{ name: 'cap', image: 'example.test/other:1', args: ['theirs'] }],
  };
  const theirJob = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'theirs', labels },
    spec: { template: { spec: podSpec } },
  };
  const theirPod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'theirs', labels },
    spec: podSpec,
  };
  const cases: [string, ResourceType, KubeObject][] = [
    ['Job', JOBS, theirJob],
    ['Pod', PODS, theirPod],
  ];

  for (const [kind, type, object] of cases) {
    test(
      `Invariants 3 and 6: a ${kind} of others with the lane's labels holds the lane while it runs, and is never touched`,
      inWorld(async (world) => {
        world.script = (pod) => (revisionOf(pod) === undefined ? 'run' : { exitCode: 0 });
        const { uid } = (
          await world.kube.create(type, { ...object, metadata: { ...object.metadata, namespace: world.namespace } })
        ).metadata;
        const theirs = await eventually('theirs runs', () => world.kubelet.diary[0]);
        const { ask } = await served(world, { successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: 0 });
        await ask('v1.0.0', 0);
        const [entry] = await waiting(world, 'v1.0.0');
        expect(entry?.why).toMatch(/^(Job|Pod) theirs.* runs in this lane$/);
        await ask('v1.0.1', 1, { environment: 'staging' });
        await ended(world, 'web', 'v1.0.1');
        expect(world.kubelet.diary.map(({ env }) => env.REVISION)).toEqual([undefined, 'v1.0.1']);
        await world.kubelet.finish(theirs.pod, 0);
        await ended(world, 'web', 'v1.0.0');
        expect(theirs.endedAt).toBeLessThanOrEqual(world.kubelet.diary.at(-1)?.startedAt ?? 0);
        await eventually('our own Jobs are gone', async () => (await history(world)).length === 2);
        expect(await world.kube.get(type, world.namespace, 'theirs')).toMatchObject({ metadata: { uid } });
        expect(world.calls.filter(({ name, verb }) => name === 'theirs' && verb !== 'get')).toEqual([]);
      }),
    );
  }
});
