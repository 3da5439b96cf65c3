import { describe, expect, test } from 'vitest';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { JOBS, type KubeObject, PODS } from '../../src/kube/client.ts';
import { FAST, MovableClock } from '../kit/clocks.ts';
import { revisionOf } from '../kit/played-kubelet.ts';
import { oneRunsAndTwoWait, takesLaneOver } from './resumed-by-hand.ts';
import {
  deployed,
  ended,
  eventually,
  inWorld,
  jobOf,
  message,
  overlaps,
  running,
  type Served,
  served,
  type World,
  waiting,
} from './world.ts';

/** What other tools do to Jobs and Pods where deploy/admission does not keep them from it: docs/other-tools.md. */

interface Stored extends KubeObject {
  spec: { selector?: unknown; template: { metadata?: { labels?: Record<string, string> }; spec: object } };
  status?: unknown;
}

/** An object as a backup or a saved file gives it back: as it was, without its owner, its identity and its status. */
function restored(object: object): Stored {
  const copy = structuredClone(object) as Stored;
  for (const field of ['uid', 'resourceVersion', 'creationTimestamp', 'generation', 'ownerReferences']) {
    delete copy.metadata[field];
  }
  delete copy.status;
  delete copy.spec.selector;
  for (const labels of [copy.metadata.labels, copy.spec.template.metadata?.labels]) {
    delete labels?.['controller-uid'];
    delete labels?.['batch.kubernetes.io/controller-uid'];
  }
  return copy;
}

const nothingIsLeft = (world: World) =>
  eventually('its Jobs and Pods are gone', async () => {
    const pods = await world.kube.list(PODS, { labelSelector: 'capdeployjob.dev/name=web' });
    return (await world.jobs('web')).length === 0 && pods.items.length === 0;
  });

/** The Job of a deploy of v1.0.0 as a backup had it: suspended or started. Nothing of it is left in the world. */
async function jobOutOfABackup(world: World, state: 'waits' | 'runs'): Promise<{ job: Stored; ask: Served['ask'] }> {
  world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
  const environments = [{ name: 'production', suspend: state === 'waits' }];
  const { ask, queue } = await served(world, { environments });
  await ask('v1.0.0', 0, { id: 'release-1' });
  if (state === 'waits') await waiting(world, 'v1.0.0');
  else await running(world, 'v1.0.0');
  const job = restored((await jobOf(world, 'v1.0.0')) ?? {});
  await world.remove(CAPDEPLOYJOBS, 'web');
  await nothingIsLeft(world);
  await world.deployable('web', queue);
  return { job, ask };
}

const writesTo = (world: World, name: string, since: number) =>
  world.calls.slice(since).filter((call) => call.name === name && call.verb !== 'get');

describe.concurrent('a Job that comes back without its owner', () => {
  test(
    'and starts, holds the lane, and whatever waits says so; it is left alone, and nothing is recorded of it',
    inWorld(async (world) => {
      const { job, ask } = await jobOutOfABackup(world, 'runs');
      const since = world.calls.length;
      await world.kube.create(JOBS, job);
      await running(world, 'v1.0.0');
      await ask('v1.0.1', 1);
      const [entry] = await waiting(world, 'v1.0.1');
      expect(entry?.why).toContain(`Job ${job.metadata.name} runs in this lane`);
      expect(entry?.reasons).toEqual(['ForeignDeploy']);
      await world.kubelet.finish(job.metadata.name, 0);
      await ended(world, 'web', 'v1.0.1');
      expect(overlaps(world)).toEqual([]);
      expect((await world.resource('web')).status?.history?.map(({ revision }) => revision)).toEqual(['v1.0.1']);
      expect(writesTo(world, job.metadata.name, since)).toEqual([]);
    }),
  );

  test(
    'and waits, is never started and delays no deploy; only its own request is refused, and the reason names it',
    inWorld(async (world) => {
      const { job, ask } = await jobOutOfABackup(world, 'waits');
      const since = world.calls.length;
      await world.kube.create(JOBS, job);
      await ask('v1.0.1', 1);
      await ended(world, 'web', 'v1.0.1');
      await ask('v1.0.0', 2, { id: 'release-1' });
      const rejection = await eventually(
        'its own request is rejected',
        async () => (await world.resource('web')).status?.rejections?.[0],
      );
      expect(rejection).toMatchObject({ reason: 'NameConflict', message: expect.stringContaining(job.metadata.name) });
      await ask('v1.0.2', 3);
      await ended(world, 'web', 'v1.0.2');
      expect(deployed(world)).toEqual(['v1.0.1', 'v1.0.2']);
      expect(await world.kube.get(JOBS, world.namespace, job.metadata.name)).toMatchObject({ spec: { suspend: true } });
      expect(writesTo(world, job.metadata.name, since).filter(({ verb }) => verb !== 'create')).toEqual([]);
      // With it gone, the request may come again.
      await world.remove(JOBS, job.metadata.name);
      await ask('v1.0.3', 4, { id: 'release-1' });
      await ended(world, 'web', 'v1.0.3');
    }),
  );
});

test.concurrent(
  'a Pod that comes back by itself holds the lane until it has ended, and whatever waits says so',
  inWorld(async (world) => {
    const { job, ask } = await jobOutOfABackup(world, 'waits');
    const { metadata, spec } = job.spec.template;
    const name = `${job.metadata.name}-r2d2c`;
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name, namespace: world.namespace }, spec };
    await world.kube.create(PODS, pod);
    await running(world, 'v1.0.0');
    await ask('v1.0.1', 1);
    const [entry] = await waiting(world, 'v1.0.1');
    expect(entry?.why).toContain(`Pod ${name} runs in this lane`);
    expect(entry?.reasons).toEqual(['ForeignDeploy']);
    await world.kubelet.finish(name, 0);
    await ended(world, 'web', 'v1.0.1');
    expect(overlaps(world)).toEqual([]);
  }),
);

test.concurrent(
  'a CapDeployJob that comes back with its status has lost no memory: what ran is Unknown, what waited Aborted, and what came before stays out',
  inWorld(async (world) => {
    world.script = (pod) => (revisionOf(pod) === 'v1.0.2' ? 'run' : { exitCode: 0 });
    const { ask, queue, operator } = await served(world);
    await ask('v1.0.1', 1, { id: 'release-1' });
    await ended(world, 'web', 'v1.0.1');
    await ask('v1.0.2', 2);
    await running(world, 'v1.0.2');
    await ask('v1.0.3', 3);
    await waiting(world, 'v1.0.3');
    await operator.stop();
    const backup = await world.resource('web');
    await world.remove(CAPDEPLOYJOBS, 'web');
    await nothingIsLeft(world);
    const created = await world.kube.create<KubeObject>(CAPDEPLOYJOBS, restored(backup));
    await world.kube.replaceStatus<KubeObject>(CAPDEPLOYJOBS, { ...created, status: backup.status });
    // What ran is Unknown half a minute after its Job was found gone: a Pod of it might still come.
    world.startOperator({ clock: new MovableClock(0, FAST) });
    await world.send(queue, message({ revision: 'v1.0.1', id: 'release-1' }));
    await ask('v1.0.0', 0);
    await ask('v1.0.4', 4);
    await ended(world, 'web', 'v1.0.4');
    const { history = [], rejections } = (await world.resource('web')).status ?? {};
    expect(history.map(({ revision, result }) => `${revision} ${result}`).toSorted()).toEqual([
      'v1.0.0 Superseded',
      'v1.0.1 Succeeded',
      'v1.0.2 Unknown',
      'v1.0.3 Aborted',
      'v1.0.4 Succeeded',
    ]);
    expect(rejections).toBeUndefined();
    expect(deployed(world)).toEqual(['v1.0.1', 'v1.0.2', 'v1.0.4']);
  }),
);

test.concurrent(
  'Kueue admits a Job that waits: it is reported as resumed by hand, and nothing else starts before it has ended',
  inWorld(async (world) => {
    const { first } = await oneRunsAndTwoWait(world);
    // Kueue's patch: the Job goes on, where the flavour says.
    const flavour = {
      metadata: { annotations: { 'kueue.x-k8s.io/workload': 'job-web' } },
      spec: { nodeSelector: { pool: 'a' } },
    };
    const name = (await jobOf(world, 'v1.0.1'))?.metadata.name ?? '';
    await world.change(JOBS, name, { spec: { suspend: false, template: flavour } });
    const second = await running(world, 'v1.0.1');
    await takesLaneOver(world, first, second);
    await ended(world, 'web', 'v1.0.0');
    await waiting(world, 'v1.0.2');
    await world.kubelet.finish(second.job, 0);
    await running(world, 'v1.0.2');
    expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.1', 'v1.0.2']);
  }),
);
