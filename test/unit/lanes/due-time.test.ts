import { describe, expect, test } from 'vitest';
import type { LaneStatus } from '../../../src/api/capdeployjob.ts';
import { identify, storedRequest } from '../../../src/lanes/job.ts';
import { planLane } from '../../../src/lanes/plan-lane.ts';
import { findInStatus } from '../../../src/requests/find-in-status.ts';
import {
  aClaim,
  aHistoryEntry,
  aJob,
  aLane,
  aPod,
  aRequest,
  aResource,
  at,
  aWaitingEntry,
  type JobChanges,
  NOW,
} from '../../kit/builders.ts';

const HOUR = 3600;
const scheduled = (changes: JobChanges = {}) => aJob({ id: 's1', notBefore: at(HOUR), ...changes });
const mark = (seconds: number) => ({
  task: 'deploy',
  id: 'r9',
  repository: 'livesense/web',
  revision: 'v1.0.0',
  dueAt: at(seconds),
});

describe('a request that is to start later', () => {
  test('waits until then, says so, and is looked at then', () => {
    const job = scheduled();
    const { status, start, wakeAt } = planLane(aLane({ jobs: [job] }));
    expect(status?.waiting).toEqual([
      aWaitingEntry(job, { dueAt: at(HOUR), reasons: ['NotDue'], why: `not before ${at(HOUR)}`, until: at(HOUR) }),
    ]);
    expect([start, wakeAt]).toEqual([undefined, NOW + HOUR * 1000]);
  });

  test('starts at that very moment, whatever ran since it was sent', () => {
    const job = scheduled();
    const previous: LaneStatus = { name: 'production', openSince: at(-60), lastStarted: [mark(-5)] };
    const view = aLane({ jobs: [job], previous });
    expect(planLane({ ...view, now: NOW + HOUR * 1000 - 1 }).start).toBeUndefined();
    expect(planLane({ ...view, now: NOW + HOUR * 1000 }).start).toBe(job);
  });

  test('is Superseded if something has started that was due after it', () => {
    const previous: LaneStatus = { name: 'production', lastStarted: [mark(HOUR + 1)] };
    const view = aLane({ jobs: [scheduled()], previous });
    expect(planLane({ ...view, now: NOW + 2 * HOUR * 1000 }).ended).toMatchObject([{ reason: 'OutOfOrder' }]);
  });

  test('that was resumed by hand before its time took its turn then: requests that are due in between still start', () => {
    const early = scheduled({ sentAt: at(-600), resumedByHand: true, finished: 'Complete' });
    const next = aJob({ id: 'r2', sentAt: at(-5) });
    const { status, ended } = planLane(aLane({ jobs: [early, next] }));
    expect(ended).toMatchObject([{ id: 's1', result: 'Succeeded' }]);
    expect(Date.parse(status?.lastStarted?.[0]?.dueAt ?? '')).toBeLessThanOrEqual(NOW);
    const running = scheduled({ sentAt: at(-600), started: -30 });
    const previous: LaneStatus = { name: 'production', active: [aClaim(running, { since: at(-30) })] };
    const held = planLane(aLane({ jobs: [running, next], pods: [aPod(running)], previous }));
    expect(held.ended).toEqual([]);
    expect(held.status).toMatchObject({ active: [{ id: 's1' }], waiting: [{ id: 'r2' }] });
  });

  test('is not too old though its message was: it counts from its due time', () => {
    const job = scheduled({ sentAt: at(-20 * 86_400), createdAt: 0, notBefore: at(-10) });
    expect(planLane(aLane({ jobs: [job] })).start).toBe(job);
  });

  test('was too old if it was read for the first time long after its due time', () => {
    const job = scheduled({ sentAt: at(-20 * 86_400), createdAt: 0, notBefore: at(-HOUR - 1) });
    expect(planLane(aLane({ jobs: [job] })).ended).toMatchObject([
      { result: 'Missed', reason: 'StartingDeadlineExceeded' },
    ]);
  });

  test('has waited too long only from its due time on', () => {
    const job = scheduled({ sentAt: at(-20 * 86_400), createdAt: -20 * 86_400, notBefore: at(-86_400) });
    const ends = (now: number) =>
      planLane({ ...aLane({ jobs: [job], freeze: 'alice' }), now }).ended.map(({ reason }) => reason);
    expect([ends(NOW), ends(NOW + 1)]).toEqual([[], ['WaitingDeadlineExceeded']]);
  });

  test('holds back and drops no other request, but has its place', () => {
    const plain = aJob();
    const { start, status, ended } = planLane(
      aLane({ jobs: [scheduled(), plain], environment: { concurrencyPolicy: 'Supersede' } }),
    );
    expect([start, ended]).toEqual([plain, []]);
    expect(status?.waiting?.map(({ id }) => id)).toEqual(['s1']);
    const full = planLane(aLane({ jobs: [scheduled(), plain], spec: { maxWaiting: 1 } }));
    expect(full.ended).toMatchObject([{ id: 's1', reason: 'LaneFull' }]);
  });

  test('is not delayed by the clock of who sent it: a moment that only was sent ahead of ours counts as come', () => {
    const job = aJob({ sentAt: at(600), createdAt: 0 });
    expect(planLane(aLane({ jobs: [job] })).start).toBe(job);
  });
});

describe('a request that expires', () => {
  test('is looked at when it does, and is Missed then', () => {
    const job = aJob({ expiresAt: at(30) });
    const view = aLane({ jobs: [job], freeze: 'alice' });
    expect(planLane(view).wakeAt).toBe(NOW + 30_000);
    expect(planLane({ ...view, now: NOW + 29_999 }).ended).toEqual([]);
    expect(planLane({ ...view, now: NOW + 30_000 }).ended).toMatchObject([
      {
        result: 'Missed',
        reason: 'Expired',
        expiresAt: at(30),
        message: `the request was to start before ${at(30)} (expiresAt)`,
      },
    ]);
  });

  test('is Missed if it had expired when it was first read', () => {
    expect(planLane(aLane({ jobs: [aJob({ expiresAt: at(-55), createdAt: 0 })] })).ended).toMatchObject([
      { reason: 'Expired' },
    ]);
  });

  test('gives up its claim if its start was delayed until then', () => {
    const job = aJob({ expiresAt: at(0) });
    const previous: LaneStatus = { name: 'production', active: [aClaim(job)] };
    const { touch, start } = planLane(aLane({ jobs: [job], previous }));
    expect([touch, start]).toEqual([[job], undefined]);
  });

  test('runs to its end once it was started', () => {
    const job = aJob({ expiresAt: at(-5), started: -10 });
    const previous: LaneStatus = { name: 'production', active: [aClaim(job)] };
    const { remove, ended } = planLane(aLane({ jobs: [job], pods: [aPod(job)], previous }));
    expect([remove, ended]).toEqual([[], []]);
  });
});

describe('bounds in time that are read back from a Job', () => {
  test.each([
    [
      'as they were written',
      { 'not-before': at(60), 'expires-at': at(90) },
      { notBefore: at(60), expiresAt: at(90), dueAt: at(60) },
    ],
    ['by their moments', { 'not-before': '2026-03-10T21:01:00+09:00' }, { notBefore: at(60), dueAt: at(60) }],
    [
      'spoilt: not before the last day that may be asked for',
      { 'not-before': 'soon' },
      { notBefore: at(-60 + 30 * 86_400) },
    ],
    ['spoilt: expired', { 'expires-at': 'never' }, { expiresAt: at(-60) }],
    ['not there', {}, { notBefore: undefined, expiresAt: undefined, dueAt: at(-60) }],
  ])('%s', (_, annotations, expected) => {
    const named = Object.entries(annotations).map(([key, value]) => [`capdeployjob.dev/${key}`, value]);
    expect(storedRequest(aJob({ annotations: Object.fromEntries(named) }))).toMatchObject(expected);
  });
});

describe('the same id again, with other bounds in time', () => {
  const bounds = { notBefore: at(60), expiresAt: at(90) };
  const again = (changes: object) => aRequest({ ...bounds, ...changes });
  test.each([
    ['the same', {}, 'same'],
    ['another start', { notBefore: at(61) }, 'conflict'],
    ['another end', { expiresAt: at(91) }, 'conflict'],
    ['no end', { expiresAt: undefined }, 'conflict'],
  ])('%s', (_, changes, expected) => {
    const job = aJob(bounds);
    const request = again(changes);
    expect(identify(job, aResource(), request)).toBe(expected === 'same' ? 'same' : 'id-conflict');
    const lane = (status: Partial<LaneStatus>) => ({ environments: [{ name: 'production', ...status }] });
    expect(findInStatus(lane({ waiting: [aWaitingEntry(job)] }), request)).toBe(expected);
    expect(findInStatus(lane({ active: [aClaim(job)] }), request)).toBe(expected);
    expect(findInStatus({ history: [aHistoryEntry(job)] }, request)).toBe(expected);
    // The watermark does not tell: that it is known is what matters.
    expect(findInStatus(lane({ lastStarted: [{ ...mark(60), id: 'r1' }] }), request)).toBe('same');
  });
});

test('Invariant 4: a rollback that comes late does not undo a deploy that was asked for after it', () => {
  const late = aJob({ id: 'b1', task: 'deploy:rollback', sentAt: at(-600) });
  const previous: LaneStatus = { name: 'production', openSince: at(-60), lastStarted: [mark(-300)] };
  expect(planLane(aLane({ jobs: [late], previous })).ended).toMatchObject([
    { id: 'b1', result: 'Superseded', reason: 'OutOfOrder' },
  ]);
  const ofARestart: LaneStatus = { ...previous, lastStarted: [{ ...mark(-300), task: 'deploy:restart' }] };
  expect(planLane(aLane({ jobs: [late], previous: ofARestart })).start).toBe(late);
});

describe('Invariant 4: a rollback that was started', () => {
  const rollback = { ...mark(-30), task: 'deploy:rollback', id: 'b1' };
  test.each([
    ['supersedes a deploy that was due before it and comes late', {}, ['OutOfOrder']],
    ['supersedes any other task that was due before it', { task: 'deploy:restart' }, ['OutOfOrder']],
    ['leaves alone what was asked for after it', { sentAt: at(-29) }, []],
    ['leaves alone what is to start after it', { notBefore: at(HOUR) }, []],
  ])('%s', (_, changes, reasons) => {
    const job = aJob(changes);
    const previous: LaneStatus = { name: 'production', lastStarted: [rollback, { ...mark(-90), id: 'r0' }] };
    expect(planLane(aLane({ jobs: [job], previous })).ended.map(({ reason }) => reason)).toEqual(reasons);
    const running = aJob({ id: 'b1', task: 'deploy:rollback', sentAt: at(-30), started: -20 });
    const busy: LaneStatus = { name: 'production', active: [aClaim(running)] };
    const { ended } = planLane(aLane({ jobs: [running, job], pods: [aPod(running)], previous: busy }));
    expect(ended.map(({ reason }) => reason)).toEqual(reasons);
  });
});
