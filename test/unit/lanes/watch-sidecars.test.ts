import { describe, expect, test } from 'vitest';
import type { Claim, LaneStatus } from '../../../src/api/capdeployjob.ts';
import { planLane } from '../../../src/lanes/plan-lane.ts';
import { runningSidecars } from '../../../src/lanes/watch-sidecars.ts';
import {
  aClaim,
  aJob,
  aLane,
  aMemory,
  aPod,
  at,
  aWaitingEntry,
  type LaneChanges,
  NOW,
  stamp,
} from '../../kit/builders.ts';

const running = aJob({ sentAt: at(-95), started: -90 });
const pod = aPod(running, { terminated: { exitCode: 0, finishedAt: stamp(-80) }, others: { proxy: { running: {} } } });
const exit = {
  code: 0,
  reason: 'Completed',
  finishedAt: stamp(-80),
  message: `Pod ${pod.metadata.name}, container cap: exit code 0`,
};
const why =
  `the first container has exited (exit code 0), but Pod ${pod.metadata.name} goes on: container proxy runs. ` +
  'The operator ends the Pod 60 s after that exit';
const ending = {
  result: 'Succeeded' as const,
  reason: 'SidecarEnded',
  message: 'container proxy ran on for 60 s, so the operator ended the Pod',
};
const claimed = (changes: Partial<Claim> = {}): Claim => aClaim(running, { since: at(-90), ...changes });
const held = (changes: Partial<Claim> = {}): LaneStatus => ({ name: 'production', active: [claimed(changes)] });
/** The first container has been seen to have exited for so many seconds. */
const seenFor = (seconds: number) =>
  aMemory({ podWasSeen: (uid) => uid === running.metadata.uid, exitedSince: () => NOW - seconds * 1000 });
const watch = (changes: LaneChanges = {}) =>
  planLane(aLane({ jobs: [running], pods: [pod], previous: held(), memory: seenFor(1), ...changes }));
const claimOf = (plan: ReturnType<typeof watch>) => plan.status?.active?.[0];

describe('a side-car that runs on', () => {
  test('is named at once, with the exit, and looked at again after a minute', () => {
    const plan = watch();
    expect(claimOf(plan)).toEqual(claimed({ exit, why }));
    expect([plan.remove, plan.ended]).toEqual([[], []]);
    expect(plan.wakeAt).toBe(NOW + 59_000);
  });

  test('says the same in the next pass: nothing is written twice', () => {
    const first = watch().status!;
    expect(watch({ previous: first, memory: seenFor(30) }).status).toEqual(first);
  });

  test('is announced a minute after the exit was seen, and not before; then its Job is deleted', () => {
    expect(watch({ memory: seenFor(59.999) }).remove).toEqual([]);
    const plan = watch({ memory: seenFor(60) });
    expect(claimOf(plan)).toEqual(claimed({ exit, why, ending }));
    expect(plan.remove).toEqual([{ job: running, reason: 'abort' }]);
  });

  test('of a deploy that failed is announced as a failure', () => {
    const failed = aPod(running, {
      terminated: { exitCode: 1, finishedAt: stamp(-80) },
      others: { proxy: { running: {} } },
    });
    expect(claimOf(watch({ pods: [failed], memory: seenFor(60) }))?.ending).toMatchObject({
      result: 'Failed',
      reason: 'SidecarEnded',
    });
  });

  test('stays announced, by a process that has seen nothing, too, and its Job is deleted once more', () => {
    const previous = held({ exit, why, ending });
    for (const memory of [seenFor(61), aMemory()]) {
      const plan = watch({ previous, memory });
      expect(plan.status).toMatchObject({ active: previous.active });
      expect([plan.remove, plan.touch]).toEqual([[{ job: running, reason: 'abort' }], []]);
    }
  });

  test('is not waited for by Replace, whose announcement gives way to it after the minute', () => {
    const newer = aJob({ id: 'r2', sentAt: at(-20), revision: 'v2.0.0' });
    const waits = { ...held(), waiting: [aWaitingEntry(newer)] };
    const environment = { concurrencyPolicy: 'Replace' as const };
    const replaced = watch({ jobs: [running, newer], previous: waits, environment });
    expect(claimOf(replaced)?.ending?.reason).toBe('Replaced');
    const later = watch({ jobs: [running, newer], previous: replaced.status, environment, memory: seenFor(60) });
    expect(claimOf(later)?.ending).toEqual(ending);
    const kept = watch({ jobs: [running, newer], previous: later.status, environment, memory: seenFor(70) });
    expect(claimOf(kept)?.ending).toEqual(ending);
  });

  test('holds the lane until the Pod is gone, and the deploy is recorded by its exit', () => {
    const previous = held({ exit, why, ending });
    const terminating = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: stamp(30) } };
    expect(watch({ jobs: [], pods: [terminating], previous }).ended).toEqual([]);
    const gone = watch({ jobs: [], pods: [], previous });
    expect(gone.ended).toMatchObject([{ result: 'Succeeded', reason: 'SidecarEnded', finishedAt: stamp(-80) }]);
    expect(gone.status).toMatchObject({ lastEndedAt: at(0), lastSuccessful: { finishedAt: stamp(-80) } });
    expect(gone.status?.active).toBeUndefined();
  });

  test('that ends by itself leaves the end to the Job', () => {
    const done = { ...pod, status: { ...pod.status, phase: 'Succeeded' } };
    expect(claimOf(watch({ pods: [done] }))).toEqual(claimed());
    const complete = aJob({ sentAt: at(-95), started: -90, finished: 'Complete', finishedAt: -2 });
    expect(watch({ jobs: [complete], pods: [done], previous: held({ exit, why }) }).ended).toMatchObject([
      { result: 'Succeeded', reason: 'Completed', finishedAt: stamp(-80) },
    ]);
  });
});

test('a side-car is ended a minute after an exit that the claim holds, by a process that cannot prove it, too', () => {
  const drained = aPod(running, {
    terminated: { exitCode: 0, finishedAt: stamp(-80) },
    disruption: 'PreemptionByScheduler',
    others: { proxy: { running: {} } },
  });
  const memory = aMemory({ podWasSeen: () => true });
  const plan = (seconds: number) => {
    const previous = held({ exit: { ...exit, finishedAt: stamp(-seconds) }, why });
    return watch({ pods: [drained], previous, memory });
  };
  expect(plan(59).remove).toEqual([]);
  expect(plan(60).remove).toEqual([{ job: running, reason: 'abort' }]);
});

describe('native side-cars, which the kubelet ends by itself', () => {
  const native = aPod(running, {
    terminated: { exitCode: 0, finishedAt: stamp(-80) },
    initContainers: { proxy: { restartPolicy: 'Always', running: {} } },
  });

  test('are no news for two seconds', () => {
    const plan = watch({ pods: [native] });
    expect(claimOf(plan)).toEqual(claimed());
    expect(plan.wakeAt).toBe(NOW + 1_000);
    expect(claimOf(watch({ pods: [native], memory: seenFor(2) }))?.why).toContain('native side-car proxy runs');
  });

  test('are not told of if there are none: a busy kubelet says late that a Pod has ended', () => {
    const late = aPod(running, { terminated: { exitCode: 0, finishedAt: stamp(-80) }, phase: 'Running' });
    const { why } = claimOf(watch({ pods: [late], memory: seenFor(2) })) ?? {};
    expect(why).toContain('its kubelet has not said yet that the Pod has ended');
    expect(why).not.toContain('side-car');
  });

  test('are not ended by the operator, however long they take: the kubelet is at it, and no delete makes it quicker', () => {
    const late = aPod(running, { terminated: { exitCode: 0, finishedAt: stamp(-80) } });
    for (const pods of [[native], [late]]) {
      const { remove, status } = watch({ pods, memory: seenFor(600) });
      expect(remove).toEqual([]);
      // Nor is the exit written: a kubelet that has evicted the Pod may still be about to say so.
      const { exit: written, ending: announced } = status?.active?.[0] ?? {};
      expect([written, announced]).toEqual([undefined, undefined]);
    }
  });

  test('go on being told of by a process that saw the exit later', () => {
    const told = watch({ pods: [native], memory: seenFor(2) }).status!;
    expect(watch({ pods: [native], memory: seenFor(1), previous: told }).status).toEqual(told);
  });
});

test('a claim that says why its start took so long says no more of it once its container has exited', () => {
  const done = { ...pod, status: { ...pod.status, phase: 'Succeeded' } };
  expect(claimOf(watch({ pods: [done], previous: held({ why: 'ImagePullBackOff' }) }))).toEqual(claimed());
});

test('side-cars that run are the ordinary containers beside the first one that have not ended', () => {
  const others = { proxy: { running: {} }, agent: { waiting: {} }, done: { terminated: { exitCode: 0 } } };
  expect(runningSidecars(aPod(running, { terminated: { exitCode: 0, finishedAt: stamp(-5) }, others })).sort()).toEqual(
    ['agent', 'proxy'],
  );
  expect(runningSidecars(aPod(running))).toEqual([]);
});
