import { describe, expect, test } from 'vitest';
import { PODS } from '../../src/kube/client.ts';
import { revisionOf } from '../kit/played-kubelet.ts';
import {
  deployed,
  ended,
  eventually,
  inWorld,
  jobOf,
  MovableClock,
  message,
  overlaps,
  production,
  running,
  served,
  specIsSeen,
  waiting,
} from './world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

/** Until so much time has passed since a moment, by everybody's clock. */
const since = (moment: number, ms: number) => eventually(`${ms} ms have passed`, () => Date.now() - moment > ms);

const frozen = (suspend: boolean) => ({ environments: [{ name: 'production', suspend }] });

describe.concurrent('startingDeadlineSeconds', () => {
  test(
    'a message that is older when it is first read is Missed: it never gets a Pod, and the next one is deployed',
    inWorld(async (world) => {
      const { queue } = await served(world);
      // As from a dead-letter queue, whose redrive makes the queue's own stamp new.
      await world.send(queue, message({ revision: 'v1.0.0', sentAt: ago(2 * HOUR) }));
      const missed = await ended(world, 'web', 'v1.0.0');
      expect(missed).toMatchObject({ result: 'Missed', reason: 'StartingDeadlineExceeded' });
      expect(missed).not.toHaveProperty('startedAt');
      await world.send(queue, message({ revision: 'v1.0.1', sentAt: ago(HOUR / 2) }));
      await ended(world, 'web', 'v1.0.1');
      expect(deployed(world)).toEqual(['v1.0.1']);
      await eventually('its Job is gone', async () => (await jobOf(world, 'v1.0.0')) === undefined);
      await eventually('the queue is empty', async () => (await world.depth(queue)) === 0);
    }),
  );

  test(
    'a message that lay in the queue for longer while no operator ran is Missed',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue, { startingDeadlineSeconds: 1 });
      await world.send(queue, message());
      // A Job tells its creation in whole seconds.
      await since(Date.now(), 2_100);
      world.startOperator();
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({
        result: 'Missed',
        reason: 'StartingDeadlineExceeded',
      });
      expect(deployed(world)).toEqual([]);
    }),
  );

  test(
    'a request that could have started long ago is Missed when the operator comes back',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { ask, operator } = await served(world);
      await ask('v1.0.0', 0);
      const { job } = await running(world, 'v1.0.0');
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.1');
      await operator.stop();
      await world.kubelet.finish(job, 0);
      world.startOperator({ clock: new MovableClock(2 * HOUR) });
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      const missed = await ended(world, 'web', 'v1.0.1');
      expect(missed).toMatchObject({ result: 'Missed', reason: 'StartingDeadlineExceeded' });
      expect(missed.message).toContain('could have started');
      expect(deployed(world)).toEqual(['v1.0.0']);
    }),
  );

  test(
    'a request that was kept waiting for longer by the deploy before it is not late',
    inWorld(async (world) => {
      world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
      const { queue } = await served(world);
      await world.send(queue, message({ revision: 'v1.0.0' }));
      const { job } = await running(world, 'v1.0.0');
      await world.send(queue, message({ revision: 'v1.0.1' }));
      await waiting(world, 'v1.0.1');
      // All by the cluster's clock, which tells when a deploy has ended: from then on the operator has ten seconds.
      await world.edit('web', { startingDeadlineSeconds: 10 });
      await specIsSeen(world);
      await since(Date.now(), 10_500);
      await waiting(world, 'v1.0.1');
      await world.kubelet.finish(job, 0);
      expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Succeeded' });
    }),
  );

  test(
    'a request that was kept waiting for longer by a freeze starts with the thaw',
    inWorld(async (world) => {
      const clock = new MovableClock();
      const { ask } = await served(world, frozen(true), { clock });
      await ask('v1.0.0', 0);
      await waiting(world, 'v1.0.0');
      clock.advance(20 * HOUR);
      await world.edit('web', frozen(false));
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
    }),
  );
});

describe.concurrent('waitingDeadlineSeconds', () => {
  test(
    'a request that still waits after it in a frozen lane is Missed',
    inWorld(async (world) => {
      const clock = new MovableClock();
      const { ask } = await served(world, frozen(true), { clock });
      await ask('v1.0.0', 0);
      await waiting(world, 'v1.0.0');
      clock.advance(24 * HOUR);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({
        result: 'Missed',
        reason: 'WaitingDeadlineExceeded',
      });
      await eventually('its Job is gone', async () => (await world.jobs('web')).length === 0);
      expect(await world.kube.list(PODS)).toMatchObject({ items: [] });
    }),
  );

  test(
    'a request that still waits after it behind another deploy is Missed, and that one runs on',
    inWorld(async (world) => {
      world.script = () => 'run';
      const clock = new MovableClock();
      const { ask } = await served(world, {}, { clock });
      await ask('v1.0.0', 0);
      const first = await running(world, 'v1.0.0');
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.1');
      clock.advance(24 * HOUR);
      const missed = await ended(world, 'web', 'v1.0.1');
      expect(missed).toMatchObject({ result: 'Missed', reason: 'WaitingDeadlineExceeded' });
      expect(await production(world)).toMatchObject({ active: [{ revision: 'v1.0.0' }] });
      await world.kubelet.finish(first.job, 0);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
    }),
  );
});

describe.concurrent('podStartDeadlineSeconds', () => {
  test(
    'a deploy whose Pod gets no container is Failed (PodNotStarted), its Pod goes, and the lane is free',
    inWorld(async (world) => {
      world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'pending' : { exitCode: 0 });
      const clock = new MovableClock();
      const { ask } = await served(world, {}, { clock });
      await ask('v1.0.0', 0);
      await eventually('its Pod is there', async () => (await world.kube.list(PODS)).items.length === 1);
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.1');
      clock.advance(300_000);
      const failed = await ended(world, 'web', 'v1.0.0');
      expect(failed).toMatchObject({ result: 'Failed', reason: 'PodNotStarted' });
      expect(Date.parse(failed.finishedAt) - Date.parse(failed.startedAt ?? '')).toBeGreaterThanOrEqual(300_000);
      expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Succeeded' });
      expect(deployed(world)).toEqual(['v1.0.1']);
      const pods = (await world.kube.list(PODS)).items;
      expect(pods.map((pod) => revisionOf(pod as never))).toEqual(['v1.0.1']);
    }),
  );

  test(
    'a deploy that never gets a Pod is Failed with the words of the refusal, as soon as no late Pod can come',
    inWorld(async (world) => {
      const clock = new MovableClock();
      const allow = await world.refuse(PODS, 'no-pods');
      const { ask } = await served(world, {}, { clock });
      await ask('v1.0.0', 0);
      await eventually('the status says why', async () => {
        clock.advance(100);
        return (await production(world))?.active?.[0]?.why?.includes('no-pods');
      });
      clock.advance(300_000);
      await eventually('its Job is deleted', async () => (await world.jobs('web')).length === 0);
      await allow();
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.1');
      const failed = await eventually('it has ended', async () => {
        clock.advance(500);
        return (await world.resource('web')).status?.history?.find(({ revision }) => revision === 'v1.0.0');
      });
      expect(failed).toMatchObject({ result: 'Failed', reason: 'PodNotStarted' });
      expect(failed.message).toContain('exceeded quota: no-pods');
      expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Succeeded' });
    }),
  );

  test(
    'a deploy whose container has run is not held to it',
    inWorld(async (world) => {
      world.script = () => 'run';
      const clock = new MovableClock();
      const { ask } = await served(world, {}, { clock });
      await ask('v1.0.0', 0);
      const { job } = await running(world, 'v1.0.0');
      clock.advance(HOUR / 2);
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.1');
      await world.kubelet.finish(job, 0);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
    }),
  );
});

test.concurrent(
  'a deploy that runs longer than activeDeadlineSeconds is stopped and Failed (DeadlineExceeded), and its Pod is gone before the next one starts',
  inWorld(async (world) => {
    world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
    const { ask } = await served(world, { activeDeadlineSeconds: 2 });
    await ask('v1.0.0', 0);
    await eventually('v1.0.0 runs', () => world.kubelet.diary[0]);
    await world.edit('web', { activeDeadlineSeconds: 3600 });
    await specIsSeen(world);
    await ask('v1.0.1', 1);
    expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Failed', reason: 'DeadlineExceeded' });
    expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Succeeded' });
    expect(overlaps(world)).toEqual([]);
  }),
);

describe.concurrent('clocks that differ', () => {
  const clocks: [words: string, aheadMs: number][] = [
    ['an hour slow', -HOUR],
    ['ten minutes fast', 10 * MINUTE],
  ];

  for (const [words, aheadMs] of clocks) {
    test(
      `an operator whose clock is ${words} delays nothing and misses nothing`,
      inWorld(async (world) => {
        world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
        const { queue } = await served(world, {}, { clock: new MovableClock(aheadMs) });
        await world.send(queue, message({ revision: 'v1.0.0' }));
        const { job } = await running(world, 'v1.0.0');
        await world.send(queue, message({ revision: 'v1.0.1' }));
        await waiting(world, 'v1.0.1');
        await world.kubelet.finish(job, 0);
        expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
        expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Succeeded' });
      }),
    );
  }

  test(
    'a message whose stamp lies in the future counts from when the queue took it, and starts at once',
    inWorld(async (world) => {
      const { queue } = await served(world);
      await world.send(queue, message({ sentAt: ago(-2 * HOUR) }));
      const entry = await ended(world, 'web', 'v1.0.0');
      expect(entry).toMatchObject({ result: 'Succeeded' });
      expect(Date.parse(entry.sentAt)).toBeLessThanOrEqual(Date.now());
      // Nor does it push out what is really sent later.
      await world.send(queue, message({ revision: 'v1.0.1' }));
      expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Succeeded' });
    }),
  );
});
