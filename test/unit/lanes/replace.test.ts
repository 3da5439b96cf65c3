import { describe, expect, test } from 'vitest';
import type { LaneStatus } from '../../../src/api/capdeployjob.ts';
import { planLane } from '../../../src/lanes/plan-lane.ts';
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

const running = aJob({ id: 'r0', sentAt: at(-90), started: -30 });
const newer = aJob({ id: 'r1', sentAt: at(-20), revision: 'v2.0.0' });
const busy = (changes: Partial<LaneStatus> = {}): LaneStatus => ({
  name: 'production',
  active: [aClaim(running)],
  waiting: [aWaitingEntry(newer)],
  ...changes,
});
const replace = (changes: LaneChanges) =>
  planLane(
    aLane({
      jobs: [running, newer],
      pods: [aPod(running)],
      previous: busy(),
      environment: { concurrencyPolicy: 'Replace' },
      ...changes,
    }),
  );
const ending = {
  result: 'Aborted' as const,
  reason: 'Replaced',
  message: 'request r1 (v2.0.0, for alice) was to take its place: concurrencyPolicy is Replace',
};

describe('a deploy that is replaced', () => {
  test('is announced in its claim before its Job is deleted, and holds the lane', () => {
    const { status, remove, start, ended } = replace({});
    expect(status?.active).toEqual([aClaim(running, { ending })]);
    expect(remove).toEqual([{ job: running, reason: 'abort' }]);
    expect([start, ended]).toEqual([undefined, []]);
    expect(status?.waiting?.[0]?.why).toBe(
      `${running.metadata.name} (v1.0.0) has the lane, and is being ended (Replaced)`,
    );
  });

  test.each([
    ['expires', { jobs: [running, aJob({ id: 'r1', sentAt: at(-20), revision: 'v2.0.0', expiresAt: at(59) })] }],
    [
      'is closed out by its window',
      {
        environment: {
          concurrencyPolicy: 'Replace' as const,
          windows: [{ kind: 'Allow' as const, schedule: '59 11 * * *', durationSeconds: 119, timeZone: 'UTC' }],
        },
      },
    ],
  ])('is let run where the newer one %s before the Pod may have ended', (_, changes) => {
    const { status, remove } = replace(changes);
    expect(status?.active).toEqual([aClaim(running)]);
    expect(remove).toEqual([]);
  });

  test('is announced in the same words by the next pass, which then writes nothing new', () => {
    const announced = replace({}).status;
    expect(replace({ previous: announced }).status).toEqual(announced);
  });

  test('is let run if the newer one is gone before its Job was deleted: the announcement is taken back', () => {
    const announced = replace({}).status!;
    const { status, remove, touch } = replace({ jobs: [running], previous: { ...announced, waiting: [] } });
    expect([status?.active, remove]).toEqual([[aClaim(running)], []]);
    // Written first, so that a delete that is under way elsewhere is refused.
    expect(touch).toEqual([running]);
    expect(replace({ previous: announced }).touch).toEqual([]);
  });

  test('holds the lane until its Pod is gone, Job or no Job', () => {
    const previous = busy({ active: [aClaim(running, { ending })] });
    const { start, ended, status } = replace({ jobs: [newer], pods: [aPod(running, { terminating: true })], previous });
    expect([start, ended]).toEqual([undefined, []]);
    expect(status?.active?.[0]).toMatchObject({ id: 'r0', ending });
  });

  test('is recorded as Aborted once its Pod is gone, and the newer one starts with the next pass', () => {
    const previous = busy({ active: [aClaim(running, { ending })] });
    const memory = aMemory({ podWasSeen: (uid) => uid === 'uid-of-r0' });
    const first = replace({ jobs: [newer], pods: [], previous, memory });
    expect(first.ended).toMatchObject([{ id: 'r0', ...ending, finishedAt: at(0) }]);
    expect(first.start).toBeUndefined();
    const second = replace({ jobs: [newer], pods: [], previous: first.status, recorded: ['r0'] });
    expect(second.start).toBe(newer);
  });

  test('that failed by itself before its Job could be deleted has failed', () => {
    const job = aJob({
      id: 'r0',
      sentAt: at(-90),
      started: -30,
      finished: 'Failed',
      failure: { reason: 'BackoffLimitExceeded' },
    });
    const pods = [aPod(job, { phase: 'Failed', terminated: { exitCode: 1 } })];
    const { ended } = replace({ jobs: [job, newer], pods, previous: busy({ active: [aClaim(job, { ending })] }) });
    expect(ended).toMatchObject([{ id: 'r0', result: 'Failed', reason: 'BackoffLimitExceeded' }]);
  });

  test('has its exit in the claim before its Job is deleted, if only a side-car runs on', () => {
    const exited = { exitCode: 0, finishedAt: stamp(0) };
    const pods = [aPod(running, { terminated: exited, others: { proxy: { running: {} } } })];
    const { status, remove } = replace({ pods });
    expect(status?.active?.[0]).toMatchObject({ exit: { code: 0 }, ending });
    expect(remove).toEqual([{ job: running, reason: 'abort' }]);
    // Nothing is left to end: its Job is about to be complete.
    const over = replace({ pods: [aPod(running, { phase: 'Succeeded', terminated: exited })] });
    expect([over.status?.active, over.remove]).toEqual([[aClaim(running)], []]);
  });

  test('that failed because its Job was deleted is aborted', () => {
    const job = aJob({ id: 'r0', sentAt: at(-90), started: -30, finished: 'Failed', beingDeleted: true });
    const { ended } = replace({ jobs: [job, newer], pods: [], previous: busy({ active: [aClaim(job, { ending })] }) });
    expect(ended).toMatchObject([{ id: 'r0', result: 'Aborted', reason: 'Replaced' }]);
  });

  test('that succeeded after all has succeeded', () => {
    const job = aJob({ id: 'r0', sentAt: at(-90), started: -30, finished: 'Complete' });
    const { ended } = replace({ jobs: [job, newer], pods: [], previous: busy({ active: [aClaim(job, { ending })] }) });
    expect(ended).toMatchObject([{ id: 'r0', result: 'Succeeded' }]);
  });
});

describe('a deploy is not replaced', () => {
  test.each([
    ['by one that was due before it', { jobs: [running, aJob({ id: 'r1', sentAt: at(-95), task: 'deploy' })] }],
    [
      'by a rollback that was asked for before it',
      { jobs: [running, aJob({ id: 'b1', sentAt: at(-95), task: 'deploy:rollback' })] },
    ],
    ['by one whose Job is being deleted', { jobs: [running, aJob({ id: 'r1', sentAt: at(-20), beingDeleted: true })] }],
    ['by itself', { jobs: [running] }],
    [
      'where it is being deleted already',
      { jobs: [aJob({ id: 'r0', sentAt: at(-90), started: -30, beingDeleted: true }), newer] },
    ],
    ['where its Job is gone', { jobs: [newer] }],
    ['where the policy was changed to Queue', { environment: { concurrencyPolicy: 'Queue' as const } }],
    ['where its environment was removed', { environment: undefined }],
    [
      'where it is a Pod of nobody’s: there is no Job to delete',
      { jobs: [newer], previous: { name: 'production', waiting: [aWaitingEntry(newer)] } },
    ],
  ])('%s', (_, changes) => {
    const { remove, status } = replace(changes);
    expect(remove.filter(({ reason }) => reason === 'abort')).toEqual([]);
    expect(status?.active?.[0]?.ending).toBeUndefined();
  });

  test('before its Pod was seen, in the two seconds that this takes: a Pod that is late has to be waited out for longer', () => {
    const job = aJob({ id: 'r0', sentAt: at(-90), started: -1 });
    const changes = { jobs: [job, newer], pods: [], previous: busy({ active: [aClaim(job)] }) };
    const { remove, wakeAt } = replace(changes);
    expect([remove, wakeAt]).toEqual([[], NOW + 1000]);
    expect(replace({ ...changes, now: NOW + 1000 }).remove).toMatchObject([{ reason: 'abort' }]);
    expect(replace({ ...changes, pods: [aPod(job)] }).remove).toMatchObject([{ reason: 'abort' }]);
  });
});

test('a deploy that was resumed by hand is replaced as any other: it has the claim', () => {
  const byHand = aJob({ id: 'r0', sentAt: at(-90), resumedByHand: true });
  const { remove } = replace({
    jobs: [byHand, newer],
    pods: [aPod(byHand)],
    previous: busy({ active: [aClaim(byHand)] }),
  });
  expect(remove).toEqual([{ job: byHand, reason: 'abort' }]);
});
