import { describe, expect, test } from 'vitest';
import { LEASES } from '../../src/kube/client.ts';
import type { Lease } from '../../src/kube/election/lease.ts';
import { ended, eventually, inWorld, message, type Operator, overlaps, sentAt, type World } from './world.ts';

const leader = (...operators: Operator[]) =>
  eventually('one leads', () => operators.find((one) => one.controller.isLeader()));

const holder = async (world: World) =>
  (await world.kube.get<Lease>(LEASES, world.namespace, 'capdeployjob')).spec?.holderIdentity;

const revisions = (count: number) => Array.from({ length: count }, (_, index) => `v1.0.${index}`);

/**
 * Whatever happened to the replicas: each request ran once, in order, has one entry, and nothing is left in the queue.
 */
async function allRanOnce(world: World, queue: string, expected: readonly string[]): Promise<void> {
  for (const revision of expected) {
    expect(await ended(world, 'web', revision)).toMatchObject({ result: 'Succeeded', revision });
  }
  await eventually('the queue is empty', async () => (await world.depth(queue)) === 0);
  expect(world.kubelet.diary.map(({ env }) => env.REVISION)).toEqual(expected);
  expect(overlaps(world, 'production')).toEqual([]);
  expect((await world.resource('web')).status?.history).toHaveLength(expected.length);
}

async function sendAll(world: World, queue: string, all: readonly string[]): Promise<void> {
  for (const [minute, revision] of all.entries())
    await world.send(queue, message({ revision, sentAt: sentAt(minute) }));
}

describe.concurrent('of two replicas that agree on a leader', () => {
  test(
    'while nothing happens the follower sends no request and the leader writes only its Lease (invariant 8)',
    inWorld(
      async (world) => {
        const queue = await world.createQueue('web');
        await world.deployable('web', queue);
        // At twenty times the speed a machine that stands still for two seconds would lose a Lease of one minute.
        const first = world.startOperator({ leaseSeconds: 180 });
        await leader(first);
        const second = world.startOperator({ leaseSeconds: 180 });
        await world.send(queue, message());
        expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
        await eventually('the follower is ready', () => second.controller.readiness().ok);
        // Until the pass of the last event is over.
        const begun = world.now();
        await eventually('a minute passes', () => world.now() - begun > 60_000, 60_000);
        const from = world.calls.length;
        await eventually('three more minutes pass', () => world.now() - begun > 4 * 60_000, 60_000);
        const calls = world.calls.slice(from).filter(({ verb }) => verb !== 'watch');
        expect(calls.filter(({ by }) => by === 2)).toEqual([]);
        expect(new Set(calls.map(({ verb, type }) => `${verb} ${type.plural}`))).toEqual(new Set(['patch leases']));
        expect([first, second].map(({ controller }) => controller.liveness())).toEqual([{ ok: true }, { ok: true }]);
      },
      { speed: 20 },
    ),
  );

  test(
    'the second one continues when the first is stopped in the middle of its work: no deploy runs twice or is lost',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      const first = world.startOperator({ leaseSeconds: 15 });
      await leader(first);
      const second = world.startOperator({ leaseSeconds: 15 });
      await eventually('the second one stands by', () => second.controller.readiness().ok);
      const all = revisions(6);
      await sendAll(world, queue, all);
      await eventually('two have run', () => world.kubelet.diary.length >= 2);
      const stopped = first.stop();
      await eventually('the second one leads', () => second.controller.isLeader());
      expect(await holder(world)).toBe('operator-2');
      await stopped;
      await allRanOnce(world, queue, all);
    }),
  );

  test(
    'the second one continues when the first is killed, and then the third',
    inWorld(
      async (world) => {
        const queue = await world.createQueue('web');
        await world.deployable('web', queue);
        const first = world.startOperator({ leaseSeconds: 15 });
        await leader(first);
        const others = [world.startOperator({ leaseSeconds: 15 }), world.startOperator({ leaseSeconds: 15 })];
        const all = revisions(9);
        await sendAll(world, queue, all);
        await eventually('two have run', () => world.kubelet.diary.length >= 2);
        first.kill();
        const next = await leader(...others);
        await world.redeliver(queue);
        await eventually('five have run', () => world.kubelet.diary.length >= 5, 60_000);
        next.kill();
        await world.redeliver(queue);
        await leader(...others.filter((one) => one !== next));
        await allRanOnce(world, queue, all);
      },
      { speed: 5 },
    ),
  );
});
