import { describe, expect, test } from 'vitest';
import type { LaneStatus } from '../../../src/api/capdeployjob.ts';
import { plan } from '../../../src/lanes/plan.ts';
import { planLane } from '../../../src/lanes/plan-lane.ts';
import {
  aClaim,
  aJob,
  aLane,
  anObservation,
  aPod,
  aRawSpec,
  aResource,
  at,
  aWaitingEntry,
  type LaneChanges,
  NOW,
} from '../../kit/builders.ts';

/** It is Tuesday, 12:00 UTC. */
const window = (schedule: string, durationSeconds: number, kind: 'Allow' | 'Deny' = 'Allow') => ({
  windows: [{ kind, schedule, durationSeconds, timeZone: 'UTC' }],
});
const sinceTen = window('0 10 * * *', 4 * 3600);
const fromFourteen = window('0 14 * * *', 3600);
/** Closed since yesterday, to be opened at 10:00. */
const closed = (changes: Partial<LaneStatus> = {}): LaneStatus => ({
  name: 'production',
  closed: 'no window of kind Allow is open',
  closedUntil: at(-2 * 3600),
  ...changes,
});
const old = aJob({ sentAt: at(-5 * 3600), createdAt: -5 * 3600 + 10 });
const done = aJob({ id: 'r0', sentAt: at(-6 * 3600), started: -20_000, finished: 'Complete', finishedAt: -1800 });

describe('since when a lane with windows is open', () => {
  const openSince = (changes: LaneChanges) => planLane(aLane(changes)).status?.openSince;
  test.each([
    [
      'since the window opened, though nobody was there to see it',
      { environment: sinceTen, previous: closed() },
      at(-7200),
    ],
    ['since the window opened, where the lane is new', { environment: sinceTen, previous: undefined }, at(-7200)],
    [
      'since the window opened again, where the status is from before',
      { environment: sinceTen, previous: { name: 'production', openSince: at(-86_400) } },
      at(-7200),
    ],
    [
      'since its last deploy ended, in the open window',
      { environment: sinceTen, previous: closed({ active: [aClaim(done)] }), jobs: [done] },
      '2026-03-10T11:30:00.000Z',
    ],
    [
      'since the thaw was seen, where it was frozen and closed',
      { environment: sinceTen, previous: closed({ frozen: 'alice' }) },
      at(0),
    ],
    [
      'since now, where it was to be opened later, and its windows were changed',
      { environment: sinceTen, previous: closed({ closedUntil: at(7200) }) },
      at(0),
    ],
    [
      'since now, where it was never to be opened, and its windows were changed',
      { environment: sinceTen, previous: closed({ closedUntil: undefined }) },
      at(0),
    ],
    [
      'since its time came, where its windows were taken away meanwhile',
      { environment: {}, previous: closed() },
      at(-7200),
    ],
    [
      'not: no window is open',
      { environment: fromFourteen, previous: { name: 'production', openSince: at(-60) } },
      undefined,
    ],
    ['not: a window of kind Deny is open', { environment: window('0 10 * * *', 4 * 3600, 'Deny') }, undefined],
    ['not: a window cannot be read', { environment: window('99 10 * * *', 3600) }, undefined],
  ] as [string, LaneChanges, string | undefined][])('%s', (_, changes, expected) => {
    expect(openSince(changes)).toBe(expected);
  });
});

describe('what waited for a window', () => {
  const waiting = [aWaitingEntry(old)];

  test('starts when it opens, however long it waited', () => {
    const previous = closed({ waiting, closedUntil: at(0) });
    expect(planLane(aLane({ jobs: [old], previous, environment: window('0 12 * * *', 3600) })).start).toBe(old);
  });

  test('is Missed by an operator that comes back long after it opened', () => {
    const { ended } = planLane(aLane({ jobs: [old], previous: closed({ waiting }), environment: sinceTen }));
    expect(ended).toMatchObject([{ result: 'Missed', reason: 'StartingDeadlineExceeded' }]);
    expect(ended[0]?.message).toContain(`could have started at ${at(-7200)}`);
  });

  test('starts if the windows were changed so that it may start, however long it waited', () => {
    const previous = closed({ waiting, closedUntil: at(7200) });
    expect(planLane(aLane({ jobs: [old], previous, environment: {} })).start).toBe(old);
  });

  test('gives up a claim whose Job had not been started when the window closed', () => {
    const job = aJob();
    const previous: LaneStatus = { name: 'production', active: [aClaim(job)] };
    const { touch, start } = planLane(aLane({ jobs: [job], previous, environment: fromFourteen }));
    expect([touch, start]).toEqual([[job], undefined]);
  });
});

test('what runs when the window closes runs on', () => {
  const job = aJob({ started: -60 });
  const previous: LaneStatus = { name: 'production', active: [aClaim(job)] };
  const { remove, status } = planLane(aLane({ jobs: [job], pods: [aPod(job)], previous, environment: fromFourteen }));
  expect([remove, status?.active]).toEqual([[], [aClaim(job)]]);
});

test('a closed lane says so and until when, and is looked at then', () => {
  const { status, wakeAt } = planLane(aLane({ environment: fromFourteen }));
  expect(status).toEqual({
    name: 'production',
    closed: `no window of kind Allow is open (spec.environments[production].windows); it opens at ${at(7200)}`,
    closedUntil: at(7200),
  });
  expect(wakeAt).toBe(NOW + 7_200_000);
});

test('an open lane is looked at when its window closes', () => {
  expect(planLane(aLane({ environment: sinceTen })).wakeAt).toBe(NOW + 7_200_000);
});

test('a moment that has passed does not hide the next one', () => {
  // It is being deleted, so that nothing drops it though its time is over.
  const job = aJob({ expiresAt: at(-5), beingDeleted: true });
  expect(planLane(aLane({ jobs: [job], environment: sinceTen })).wakeAt).toBe(NOW + 7_200_000);
});

test('a window that cannot be read keeps its environment closed, makes the resource not ready, and leaves the other environments alone', () => {
  const spec = aRawSpec({
    environments: [{ name: 'production', ...window('99 10 * * *', 3600) }, { name: 'staging' }],
  });
  const jobs = [aJob(), aJob({ id: 'r2', environment: 'staging' })];
  const { status, start } = plan(anObservation({ resource: aResource({ spec }), jobs }));
  expect(start).toEqual([jobs[1]]);
  const words =
    'spec.environments[production].windows[0].schedule: found "99 10 * * *"; the minute, "99", cannot be read; ' +
    'expected are 0 to 59, * for all, lists (1,3), ranges from low to high (1-5) and steps (*/2)';
  expect(status.environments?.[0]).toMatchObject({ closed: `a window cannot be read: ${words}` });
  expect(status.environments?.[0]?.waiting?.[0]?.why).toBe(`closed: a window cannot be read: ${words}`);
  expect(status.conditions?.[0]).toMatchObject({
    type: 'Ready',
    status: 'False',
    reason: 'InvalidWindow',
    message: `${words}; until it is corrected nothing starts in this environment`,
  });
});
