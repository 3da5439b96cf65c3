import { describe, expect, test } from 'vitest';
import type { LaneStatus } from '../../../src/api/capdeployjob.ts';
import { planLane } from '../../../src/lanes/plan-lane.ts';
import { aClaim, aJob, aLane, aMemory, aPod, at, aWaitingEntry, type LaneChanges, NOW } from '../../kit/builders.ts';

const r1 = aJob();
const r2 = aJob({ id: 'r2', sentAt: at(-30) });
const runs = aJob({ id: 'r0', sentAt: at(-90), started: -60 });
const busy = (changes: Partial<LaneStatus> = {}): LaneStatus => ({
  name: 'production',
  active: [aClaim(runs)],
  ...changes,
});
const frozen = { spec: { suspend: true } };
const ends = (changes: LaneChanges) =>
  planLane(aLane(changes)).ended.map(({ id, result, reason }) => `${id} ${result} ${reason}`);

describe('what waits', () => {
  test('stands in the status, the next one first, and says what for', () => {
    const { status } = planLane(aLane({ jobs: [r2, r1, runs], previous: busy() }));
    const name = runs.metadata.name;
    expect(status?.waiting?.map(({ id, why }) => [id, why])).toEqual([
      ['r1', `${name} (v1.0.0) has the lane`],
      ['r2', `${name} (v1.0.0) has the lane; 1 ahead of it in the lane`],
    ]);
  });

  test.each([
    ['who froze it', { jobs: [r1], ...frozen }, 'frozen: spec.suspend is true'],
    [
      'that its environment is frozen',
      { jobs: [r1], environment: { name: 'production', suspend: true } },
      'frozen: spec.environments[production].suspend is true',
    ],
    [
      'which Pod is in its way',
      { jobs: [r1], pods: [aPod(runs)] },
      `Pod ${runs.metadata.name}-x7k2p runs in this lane`,
    ],
    ['that its Job is being deleted', { jobs: [aJob({ beingDeleted: true })] }, 'its Job is being deleted'],
    [
      'that it was suspended after its start, beside a deploy',
      { jobs: [runs, aJob({ started: -5, suspended: true })], previous: busy() },
      'suspended by hand after its start: it is recorded as aborted once its Pod is gone',
    ],
  ] as [string, LaneChanges, string][])('says %s', (_, changes, why) => {
    expect(planLane(aLane(changes)).status?.waiting?.[0]?.why).toBe(why);
  });

  test('wakes the operator when it has waited too long', () => {
    expect(planLane(aLane({ jobs: [r1], ...frozen })).wakeAt).toBe(NOW - 60_000 + 86_400_000 + 1);
  });

  test('Invariant 4: is dropped if something due later has started, recorded first and deleted then', () => {
    const previous = {
      name: 'production',
      lastStarted: [{ task: 'deploy', id: 'r9', repository: 'livesense/web', revision: 'v1.0.0', dueAt: at(0) }],
    };
    const { ended, remove, start } = planLane(aLane({ jobs: [r1], previous }));
    expect(ended).toMatchObject([{ id: 'r1', result: 'Superseded', reason: 'OutOfOrder', finishedAt: at(0) }]);
    expect(ended[0]).not.toHaveProperty('startedAt');
    expect([remove, start]).toEqual([[{ job: r1, reason: 'recorded' }], undefined]);
  });

  test('Invariant 4: is dropped if the deploy that runs was due later', () => {
    const late = aJob({ id: 'r3', sentAt: at(-95) });
    expect(ends({ jobs: [runs, late], previous: busy() })).toEqual(['r3 Superseded OutOfOrder']);
  });

  test('Invariant 4: of another task is not dropped for it', () => {
    const restart = aJob({ id: 'r3', sentAt: at(-95), task: 'deploy:restart' });
    expect(ends({ jobs: [runs, restart], previous: busy() })).toEqual([]);
  });

  test('is dropped behind a claim that has vanished, for that counts as started', () => {
    expect(ends({ jobs: [aJob({ id: 'r3', sentAt: at(-95) })], previous: busy() })).toEqual([
      'r3 Superseded OutOfOrder',
    ]);
  });

  test('leaves the last result and the watermark alone when it is dropped', () => {
    const { status } = planLane(
      aLane({ jobs: [r1], environment: undefined, previous: { name: 'production', lastResult: 'Succeeded' } }),
    );
    expect(status).toMatchObject({ lastResult: 'Succeeded' });
    expect(status?.lastStarted).toBeUndefined();
  });

  test('is refused when its environment is removed, while what runs there goes on', () => {
    const view = { jobs: [runs, r1], environment: undefined, previous: busy() };
    expect(ends(view)).toEqual(['r1 Refused EnvironmentRemoved']);
    expect(planLane(aLane(view)).status?.active?.[0]?.id).toBe('r0');
  });

  test('is kept before newcomers, which take what room is left', () => {
    const previous = busy({ waiting: [aWaitingEntry(r2)] });
    const jobs = [runs, r1, r2, aJob({ id: 'r3', sentAt: at(-10) })];
    expect(ends({ jobs, previous, spec: { maxWaiting: 2 } })).toEqual(['r3 Refused LaneFull']);
  });

  test('is kept though it is more than fits: its turn has been promised', () => {
    const previous = busy({ waiting: [aWaitingEntry(r1), aWaitingEntry(r2)] });
    expect(ends({ jobs: [runs, r1, r2], previous, spec: { maxWaiting: 1 } })).toEqual([]);
  });
});

describe('a waiting entry without a Job', () => {
  const previous = { name: 'production', waiting: [aWaitingEntry(r1)] };

  test('is recorded as aborted: its Job was deleted', () => {
    const { ended, status } = planLane(aLane({ previous }));
    expect(ended).toMatchObject([{ id: 'r1', result: 'Aborted', reason: 'JobDeleted', requestedBy: 'alice' }]);
    expect(status).toMatchObject({ openSince: at(0) });
    expect(status?.lastStarted).toBeUndefined();
  });

  test.each([
    ['its end is recorded', { recorded: ['r1'] }],
    [
      'it was started last',
      {
        previous: {
          ...previous,
          lastStarted: [{ task: 'deploy', id: 'r1', repository: 'livesense/web', revision: 'v1.0.0', dueAt: at(-60) }],
        },
      },
    ],
    ['it has the claim', { previous: { ...previous, active: [aClaim(r1)] } }],
    ['a Job of its name is there again, and was resumed by hand', { jobs: [aJob({ uid: 'uid-2', started: -1 })] }],
    [
      'a Job of its name is there, and the entry does not tell which one it is about',
      {
        previous: { name: 'production', waiting: [aWaitingEntry(r1, { uid: undefined })] },
        jobs: [aJob({ uid: 'uid-2' })],
      },
    ],
  ])('is not recorded: %s', (_, changes) => {
    expect(ends({ previous, ...changes })).toEqual([]);
  });

  test('is recorded also if another Job of its name waits: a second delivery does not undo a deletion', () => {
    const again = aJob({ uid: 'uid-2' });
    const { status, ended, remove, start } = planLane(aLane({ previous, jobs: [again] }));
    expect(ended).toMatchObject([{ id: 'r1', result: 'Aborted', reason: 'JobDeleted' }]);
    expect(remove).toEqual([{ job: again, reason: 'recorded' }]);
    expect(start).toBeUndefined();
    expect(status?.waiting).toBeUndefined();
  });
});

describe('a Job whose request has had its turn', () => {
  test.each([
    ['its end is in the history', { recorded: ['r1'] }],
    [
      'it is what was started last, though the history has forgotten it',
      {
        previous: {
          name: 'production',
          lastStarted: [{ task: 'deploy', id: 'r1', repository: 'livesense/web', revision: 'v1.0.0', dueAt: at(-60) }],
        },
      },
    ],
  ])('is deleted without a new entry and never listed: %s', (_, changes) => {
    const { ended, remove, status, start } = planLane(aLane({ jobs: [r1], ...changes }));
    expect([ended, status?.waiting, start]).toEqual([[], undefined, undefined]);
    expect(remove).toEqual([{ job: r1, reason: 'recorded' }]);
  });

  test.each([
    ['it has finished: retention has to say', aJob({ started: -30, finished: 'Complete' })],
    ['it is being deleted already', aJob({ beingDeleted: true })],
    ['it runs', aJob({ resumedByHand: true })],
  ])('is not deleted: %s', (_, job) => {
    expect(planLane(aLane({ jobs: [job], recorded: ['r1'] })).remove).toEqual([]);
  });

  test('Invariant 6: another’s Job in the lane is never deleted', () => {
    expect(planLane(aLane({ foreignJobs: [r1], recorded: ['r1'] })).remove).toEqual([]);
  });
});

describe('since when the lane is open', () => {
  const openSince = (changes: LaneChanges) => planLane(aLane(changes)).status?.openSince;
  const done = aJob({ id: 'r0', sentAt: at(-90), started: -60, finished: 'Complete', finishedAt: -20 });

  test.each([
    ['since the resource exists, where the lane is new', { previous: undefined }, at(-7 * 86_400)],
    ['as before', { previous: { name: 'production', openSince: at(-99) } }, at(-99)],
    ['since its deploy ended', { previous: busy(), jobs: [done] }, '2026-03-10T11:59:40.000Z'],
    [
      'since now, where a clock says that its deploy ends in the future',
      { previous: busy(), jobs: [aJob({ id: 'r0', started: -60, finished: 'Complete', finishedAt: 50 })] },
      at(0),
    ],
    ['since the thaw was seen', { previous: { name: 'production', frozen: 'alice' } }, at(0)],
    [
      'since the thaw was seen, where its deploy ended in the frozen time',
      { previous: busy({ frozen: 'alice' }), jobs: [done] },
      at(0),
    ],
    [
      'since its last deploy ended, where the status was lost',
      { previous: undefined, jobs: [done] },
      '2026-03-10T11:59:40.000Z',
    ],
    ['not: it is busy', { previous: busy(), jobs: [runs] }, undefined],
    ['not: it is frozen', { previous: { name: 'production', openSince: at(-99) }, ...frozen }, undefined],
    ['not: a Pod is alive', { pods: [aPod(runs)] }, undefined],
  ] as [string, LaneChanges, string | undefined][])('%s', (_, changes, expected) => {
    expect(openSince(changes)).toBe(expected);
  });

  test('an operator back after an outage ships nothing stale', () => {
    const old = aJob({ sentAt: at(-7200), createdAt: -7190 });
    const previous = { name: 'production', openSince: at(-9000), waiting: [aWaitingEntry(old)] };
    expect(ends({ jobs: [old], previous })).toEqual(['r1 Missed StartingDeadlineExceeded']);
  });

  test('what waited in a frozen lane is not stale at the thaw', () => {
    const old = aJob({ sentAt: at(-7200), createdAt: -7190 });
    const previous = { name: 'production', frozen: 'spec.suspend is true', waiting: [aWaitingEntry(old)] };
    expect(planLane(aLane({ jobs: [old], previous, memory: aMemory() })).start).toBe(old);
  });
});
