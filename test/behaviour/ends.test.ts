import { describe, expect, test } from 'vitest';
import type { Claim, HistoryEntry } from '../../src/api/capdeployjob.ts';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { JOBS, type KubeObject, PODS } from '../../src/kube/client.ts';
import type { Pod } from '../../src/lanes/job.ts';
import { revisionOf } from '../kit/played-kubelet.ts';
import {
  ended,
  eventually,
  inWorld,
  jobOf,
  overlaps,
  PLAYED_NODE,
  production,
  running,
  type Served,
  served,
  type World,
  waiting,
} from './world.ts';

/**
 * How a deploy ended, by what its Pod said: the reasons of src/api/reasons.ts on Pods as a kubelet would report them.
 */

const image = 'example.test/capistrano:1';
const withSidecar = {
  template: {
    spec: {
      nodeName: PLAYED_NODE,
      containers: [
        { name: 'cap', image },
        { name: 'proxy', image },
      ],
    },
  },
};

const claimOf = async (world: World): Promise<Claim | undefined> => (await production(world))?.active?.[0];

const podOf = (world: World, revision: string): Promise<Pod & KubeObject> =>
  eventually(`the Pod of ${revision} is there`, async () => {
    const { items } = await world.kube.list<Pod & KubeObject>(PODS);
    return items.find((pod) => revisionOf(pod) === revision);
  });

/** v1.0.0 runs until a test ends it; everything else ends well at once. */
async function runs(world: World, spec: Record<string, unknown> = {}): Promise<Served & { pod: Pod & KubeObject }> {
  world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
  const all = await served(world, spec);
  await all.ask('v1.0.0', 0);
  await running(world, 'v1.0.0');
  return { ...all, pod: await podOf(world, 'v1.0.0') };
}

/** v1.0.0 is there, and no container of it has run. */
async function isPending(world: World, spec: Record<string, unknown> = {}): Promise<Pod & KubeObject> {
  world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'pending' : { exitCode: 0 });
  const { ask } = await served(world, spec);
  await ask('v1.0.0', 0);
  return podOf(world, 'v1.0.0');
}

const exited = (exitCode: number, reason: string, message?: string) => {
  const now = new Date().toISOString();
  return { terminated: { exitCode, reason, startedAt: now, finishedAt: now, ...(message ? { message } : {}) } };
};
const statusOf = (name: string, state: object) => ({ name, image, imageID: '', ready: false, restartCount: 0, state });

const exitIsClaimed = (world: World) =>
  eventually('the claim holds the exit', async () => {
    const claim = await claimOf(world);
    return claim?.exit && claim;
  });

describe.concurrent('a deploy that failed says how', () => {
  interface Case {
    what: string;
    reason: string;
    words: string;
    spec?: Record<string, unknown>;
    happens: (world: World) => Promise<unknown>;
  }
  const initContainers = [{ name: 'migrate', image }];
  const cases: Case[] = [
    {
      what: 'its container exits with 1',
      reason: 'BackoffLimitExceeded',
      words: 'container cap: exit code 1 (Error)\nboom',
      happens: async (world) => world.kubelet.finish((await runs(world)).pod.metadata.name, 1, 'boom'),
    },
    {
      what: 'its container is killed for want of memory',
      reason: 'OOMKilled',
      words: 'container cap: exit code 137 (OOMKilled)',
      happens: async (world) => {
        const { pod } = await runs(world);
        const containerStatuses = [statusOf('cap', exited(137, 'OOMKilled'))];
        await world.kubelet.report(pod, { phase: 'Failed', containerStatuses });
      },
    },
    {
      what: 'its Pod is evicted by the kubelet',
      reason: 'Evicted',
      words:
        'Evicted: The node was low on resource: memory; container cap: exit code 137 (Error), after it was told to end',
      happens: async (world) => {
        const { pod } = await runs(world);
        const containerStatuses = [statusOf('cap', exited(137, 'Error'))];
        const message = 'The node was low on resource: memory';
        await world.kubelet.report(pod, { phase: 'Failed', reason: 'Evicted', message, containerStatuses });
      },
    },
    {
      what: 'somebody deletes its Pod, and the container catches the signal and exits with 0',
      reason: 'PodDeleted',
      words: 'container cap: exit code 0, after it was told to end',
      happens: async (world) => {
        world.kubelet.exitWhenTold = 0;
        await world.remove(PODS, (await runs(world)).pod.metadata.name);
      },
    },
    {
      what: 'its kubelet refuses the Pod',
      reason: 'PodRefused',
      words: 'OutOfcpu: no room\nnothing ran on the servers',
      happens: async (world) =>
        world.kubelet.report(await isPending(world), { phase: 'Failed', reason: 'OutOfcpu', message: 'no room' }),
    },
    {
      what: 'its container cannot be started',
      reason: 'ContainerNotStarted',
      words: 'container cap: StartError\nexec: "bundle": not found',
      happens: async (world) => {
        const containerStatuses = [statusOf('cap', exited(128, 'StartError', 'exec: "bundle": not found'))];
        await world.kubelet.report(await isPending(world), { phase: 'Failed', containerStatuses });
      },
    },
    {
      what: 'an init container fails',
      reason: 'InitContainerFailed',
      words: 'init container migrate: exit code 3 (Error); the first container did not run',
      spec: { template: { spec: { nodeName: PLAYED_NODE, initContainers, containers: [{ name: 'cap', image }] } } },
      happens: async (world) => {
        const pod = await isPending(world, cases.find(({ reason }) => reason === 'InitContainerFailed')?.spec);
        await world.kubelet.report(pod, {
          phase: 'Failed',
          initContainerStatuses: [statusOf('migrate', exited(3, 'Error'))],
          containerStatuses: [statusOf('cap', { waiting: { reason: 'PodInitializing' } })],
        });
      },
    },
  ];

  for (const { what, reason, words, happens } of cases) {
    test(
      `${reason}: ${what}`,
      inWorld(async (world) => {
        await happens(world);
        const entry = await ended(world, 'web', 'v1.0.0');
        expect(entry).toMatchObject({ result: 'Failed', reason });
        expect(entry.message).toContain(words);
      }),
    );
  }
});

describe.concurrent('a container that catches the signal and exits with 0', () => {
  test(
    'makes no success of a deploy whose Job was deleted',
    inWorld(async (world) => {
      world.kubelet.exitWhenTold = 0;
      const { pod } = await runs(world);
      await world.remove(JOBS, (await jobOf(world, 'v1.0.0'))?.metadata.name ?? '');
      const entry = await ended(world, 'web', 'v1.0.0');
      expect(entry).toMatchObject({ result: 'Aborted', reason: 'JobDeleted' });
      expect(entry.message).toContain(`Pod ${pod.metadata.name} was deleted; container cap: exit code 0`);
      expect((await production(world))?.lastSuccessful).toBeUndefined();
    }),
  );
});

describe.concurrent('a side-car', () => {
  const isGood = ({ result, reason }: HistoryEntry) => `${result} ${reason}`;

  test(
    'that runs on is named, ended by the operator after a minute, and the deploy counts as it exited; the next one follows',
    inWorld(
      async (world) => {
        const { ask, pod } = await runs(world, withSidecar);
        await ask('v1.0.1', 1);
        await waiting(world, 'v1.0.1');
        const exitedAt = world.now();
        await world.kubelet.finishFirst(pod, 0);
        const { exit, why, ending } = await exitIsClaimed(world);
        expect(exit).toMatchObject({ code: 0, reason: 'Completed' });
        expect(why).toContain(`Pod ${pod.metadata.name} goes on: container proxy runs`);
        expect(ending).toBeUndefined();
        const entry = await ended(world, 'web', 'v1.0.0');
        expect(isGood(entry)).toBe('Succeeded SidecarEnded');
        expect(entry.message).toContain('container proxy ran on for 60 s, so the operator ended the Pod');
        expect(world.now() - exitedAt).toBeGreaterThanOrEqual(60_000);
        expect(isGood(await ended(world, 'web', 'v1.0.1'))).toBe('Succeeded Completed');
        expect(overlaps(world)).toEqual([]);
      },
      { speed: 20 },
    ),
  );

  test(
    'that fails after the container exited with 0 makes the Job a failed one, and not the deploy',
    inWorld(async (world) => {
      const { pod } = await runs(world, withSidecar);
      await world.kubelet.finishFirst(pod, 0);
      await exitIsClaimed(world);
      await world.kubelet.finish(pod.metadata.name, 2);
      const entry = await ended(world, 'web', 'v1.0.0');
      expect(isGood(entry)).toBe('Succeeded SidecarFailed');
      expect(entry.message).toContain('container proxy: exit code 2');
      expect(await production(world)).toMatchObject({
        lastResult: 'Succeeded',
        lastSuccessful: { revision: 'v1.0.0' },
      });
    }),
  );

  test(
    'whose Pod goes while no operator runs takes nothing from the exit: the next operator finds it in the claim',
    inWorld(
      async (world) => {
        const { pod, operator } = await runs(world, withSidecar);
        await world.kubelet.finishFirst(pod, 0);
        await exitIsClaimed(world);
        operator.kill();
        world.kubelet.exitWhenTold = 1;
        await world.remove(JOBS, (await jobOf(world, 'v1.0.0'))?.metadata.name ?? '');
        await eventually('its Pod is gone', async () => (await world.kube.list(PODS)).items.length === 0);
        world.startOperator();
        expect(isGood(await ended(world, 'web', 'v1.0.0'))).toBe('Succeeded Completed');
      },
      { speed: 20 },
    ),
  );

  test(
    'of an orphaned Pod: the exit stands in the claim while the Pod goes on',
    inWorld(async (world) => {
      const { pod } = await runs(world, withSidecar);
      await world.remove(JOBS, (await jobOf(world, 'v1.0.0'))?.metadata.name ?? '', { orphan: true });
      await world.kubelet.finishFirst(pod, 7, 'boom');
      expect((await exitIsClaimed(world)).exit).toMatchObject({ code: 7, reason: 'BackoffLimitExceeded' });
      await world.kubelet.finish(pod.metadata.name, 0);
      const entry = await ended(world, 'web', 'v1.0.0');
      expect(isGood(entry)).toBe('Failed BackoffLimitExceeded');
      expect(entry.message).toMatch(/boom$/);
    }),
  );
});

test.concurrent(
  'a deploy that ends well costs no write more for its exit: it is claimed, recorded, and nothing else is said of it',
  inWorld(async (world) => {
    const { pod } = await runs(world);
    // A start that takes long is told, and that it has come to its end is a write of its own.
    await eventually('the claim stands, and nothing is said of it', async () => {
      const claim = await claimOf(world);
      return claim !== undefined && claim.why === undefined;
    });
    const writes = () =>
      world.calls.filter(({ verb, type, done }) => verb === 'replaceStatus' && type === CAPDEPLOYJOBS && done).length;
    const before = writes();
    await world.kubelet.finish(pod.metadata.name, 0);
    expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded', reason: 'Completed' });
    // The record can be read a moment before the operator has the answer to its write.
    await eventually('the write is answered', async () => writes() > before);
    expect(writes() - before).toBe(1);
  }),
);
