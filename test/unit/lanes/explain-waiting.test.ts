import { describe, expect, test } from 'vitest';
import { planLane } from '../../../src/lanes/plan-lane.ts';
import { aClaim, aJob, aLane, aPod, at, type LaneChanges } from '../../kit/builders.ts';

const HOUR = 3600;
const running = aJob({ id: 'r0', sentAt: at(-90), started: -60 });
const tomorrow = '2026-03-11T09:00:00.000Z';
const closed = { windows: [{ kind: 'Allow' as const, schedule: '0 9 * * *', durationSeconds: HOUR, timeZone: 'UTC' }] };
const closedWords = `closed: no window of kind Allow is open (spec.environments[production].windows); it opens at ${tomorrow}`;
const never = { windows: [{ kind: 'Allow' as const, schedule: '0 0 30 2 *', durationSeconds: HOUR, timeZone: 'UTC' }] };
const approval = (words: string) =>
  `waits for an approval: kubectl -n deploy annotate job ${aJob().metadata.name} capdeployjob.dev/approved-by=<you>; without one it is Missed at ${words}`;

describe('why the first request of a lane waits, and until when', () => {
  test.each([
    ['it is not due', { jobs: [aJob({ notBefore: at(HOUR) })] }, `not before ${at(HOUR)}`, at(HOUR)],
    ['it is frozen', { jobs: [aJob()], freeze: 'alice: incident 42' }, 'frozen: alice: incident 42', undefined],
    ['no window is open', { jobs: [aJob()], environment: closed }, closedWords, tomorrow],
    [
      'no window ever opens',
      { jobs: [aJob()], environment: never },
      'closed: no window of kind Allow is open (spec.environments[production].windows), and none ever opens',
      undefined,
    ],
    [
      'nobody has approved it',
      { jobs: [aJob()], environment: { requireApproval: true } },
      approval(at(86_340)),
      undefined,
    ],
    [
      'nobody has approved it, and it expires',
      { jobs: [aJob({ expiresAt: at(30) })], environment: { requireApproval: true } },
      approval(at(30)),
      undefined,
    ],
    [
      'it is not due, and no window is open: the later of the two',
      { jobs: [aJob({ notBefore: at(2 * 86_400) })], environment: closed },
      `not before ${at(2 * 86_400)}; and ${closedWords}`,
      at(2 * 86_400),
    ],
    [
      'no window is open, and the lane is frozen: nobody knows until when',
      { jobs: [aJob()], environment: closed, freeze: 'alice' },
      `frozen: alice; and ${closedWords}`,
      undefined,
    ],
    [
      'another deploy has the lane',
      { jobs: [aJob(), running], previous: { name: 'production', active: [aClaim(running)] }, pods: [aPod(running)] },
      `${running.metadata.name} (v1.0.0) has the lane`,
      undefined,
    ],
  ] as [string, LaneChanges, string, string | undefined][])('%s', (_, changes, why, until) => {
    const [entry] = planLane(aLane(changes)).status?.waiting ?? [];
    expect([entry?.why, entry?.until]).toEqual([why, until]);
  });
});

test('what has a reason of its own to wait is not said to be ahead of others', () => {
  const jobs = [
    aJob({ id: 'a', sentAt: at(-50) }),
    aJob({ id: 'b', sentAt: at(-40), annotations: { 'capdeployjob.dev/approved-by': 'bob' } }),
    aJob({ id: 'c', sentAt: at(-30), annotations: { 'capdeployjob.dev/approved-by': 'bob' } }),
    running,
  ];
  const previous = { name: 'production', active: [aClaim(running)] };
  const { status } = planLane(aLane({ jobs, previous, pods: [aPod(running)], environment: { requireApproval: true } }));
  const busy = `${running.metadata.name} (v1.0.0) has the lane`;
  expect(status?.waiting?.map(({ id, why }) => [id, why.slice(0, 20)])).toEqual([
    ['a', 'waits for an approva'],
    ['b', busy.slice(0, 20)],
    ['c', busy.slice(0, 20)],
  ]);
  expect(status?.waiting?.map(({ why }) => why.replace(busy, '')).slice(1)).toEqual([
    '',
    '; 1 ahead of it in the lane',
  ]);
});
