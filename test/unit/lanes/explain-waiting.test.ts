import { describe, expect, test } from 'vitest';
import type { WaitingReason } from '../../../src/api/reasons.ts';
import { explainWaiting } from '../../../src/lanes/explain-waiting.ts';
import { Lane } from '../../../src/lanes/lane.ts';
import { planLane } from '../../../src/lanes/plan-lane.ts';
import { aClaim, aJob, aLane, aPod, at, aWaitingEntry, type LaneChanges } from '../../kit/builders.ts';

const HOUR = 3600;
const running = aJob({ id: 'r0', sentAt: at(-90), started: -60 });
const busy = { name: 'production', active: [aClaim(running)] };
const tomorrow = '2026-03-11T09:00:00.000Z';
const closed = { windows: [{ kind: 'Allow' as const, schedule: '0 9 * * *', durationSeconds: HOUR, timeZone: 'UTC' }] };
const closedWords = `closed: no window of kind Allow is open (spec.environments[production].windows); it opens at ${tomorrow}`;
const never = { windows: [{ kind: 'Allow' as const, schedule: '0 0 30 2 *', durationSeconds: HOUR, timeZone: 'UTC' }] };
const approval = (words: string) =>
  `waits for an approval: kubectl -n deploy annotate job ${aJob().metadata.name} capdeployjob.dev/approved-by=<you>; without one it is Missed at ${words}`;

describe('why the first request of a lane waits, and until when', () => {
  test.each([
    ['it is not due', { jobs: [aJob({ notBefore: at(HOUR) })] }, `not before ${at(HOUR)}`, at(HOUR), ['NotDue']],
    [
      'it is frozen',
      { jobs: [aJob()], freeze: 'alice: incident 42' },
      'frozen: alice: incident 42',
      undefined,
      ['Frozen'],
    ],
    ['no window is open', { jobs: [aJob()], environment: closed }, closedWords, tomorrow, ['Closed']],
    [
      'no window ever opens',
      { jobs: [aJob()], environment: never },
      'closed: no window of kind Allow is open (spec.environments[production].windows), and none ever opens',
      undefined,
      ['Closed'],
    ],
    [
      'nobody has approved it',
      { jobs: [aJob()], environment: { requireApproval: true } },
      approval(at(86_340)),
      undefined,
      ['ApprovalMissing'],
    ],
    [
      'nobody has approved it, and it expires',
      { jobs: [aJob({ expiresAt: at(30) })], environment: { requireApproval: true } },
      approval(at(30)),
      undefined,
      ['ApprovalMissing'],
    ],
    [
      'it is not due, and no window is open: the later of the two',
      { jobs: [aJob({ notBefore: at(2 * 86_400) })], environment: closed },
      `not before ${at(2 * 86_400)}; and ${closedWords}`,
      at(2 * 86_400),
      ['NotDue', 'Closed'],
    ],
    [
      'no window is open, and the lane is frozen: nobody knows until when',
      { jobs: [aJob()], environment: closed, freeze: 'alice' },
      `frozen: alice; and ${closedWords}`,
      undefined,
      ['Frozen', 'Closed'],
    ],
    [
      'another deploy has the lane',
      { jobs: [aJob(), running], previous: busy, pods: [aPod(running)] },
      `${running.metadata.name} (v1.0.0) has the lane`,
      undefined,
      ['LaneBusy'],
    ],
    [
      'all four keep it: the first two are its own',
      {
        jobs: [aJob({ notBefore: at(HOUR) })],
        environment: { ...closed, requireApproval: true },
        freeze: 'alice',
      },
      `not before ${at(HOUR)}; and ${approval(at(HOUR + 86_400))}; and frozen: alice; and ${closedWords}`.slice(0, 511),
      undefined,
      ['NotDue', 'ApprovalMissing', 'Frozen', 'Closed'],
    ],
    [
      'the lane is frozen, and another deploy has it: only what keeps the lane shut is told',
      { jobs: [aJob(), running], freeze: 'alice', previous: busy, pods: [aPod(running)] },
      'frozen: alice',
      undefined,
      ['Frozen'],
    ],
    [
      'a Job of another owner runs in the lane',
      { jobs: [aJob()], foreignJobs: [running] },
      `Job ${running.metadata.name} runs in this lane`,
      undefined,
      ['ForeignDeploy'],
    ],
    [
      'a Pod runs in the lane, and nothing is claimed',
      { jobs: [aJob()], pods: [aPod(running)] },
      `Pod ${running.metadata.name}-x7k2p runs in this lane`,
      undefined,
      ['ForeignDeploy'],
    ],
    [
      'a Pod in the lane was told to end, and has not',
      { jobs: [aJob()], pods: [aPod(running, { terminating: true, node: 'n1' })] },
      `Pod ${running.metadata.name}-x7k2p is terminating on node n1; if that node is lost and its deploy surely dead: kubectl -n deploy delete pod ${running.metadata.name}-x7k2p --force`,
      undefined,
      ['PodStuck'],
    ],
    [
      'a Job whose end is recorded was resumed by hand and runs',
      { jobs: [aJob(), running], recorded: ['r0'] },
      `Job ${running.metadata.name} runs in this lane`,
      undefined,
      ['HandResumed'],
    ],
    [
      'its own Job was resumed by hand, beside a deploy',
      { jobs: [aJob({ resumedByHand: true }), running], previous: busy, pods: [aPod(running)] },
      'resumed by hand: it runs, and holds the lane',
      undefined,
      ['HandResumed'],
    ],
    [
      'its own Job is being deleted, frozen or not',
      { jobs: [aJob({ beingDeleted: true })], freeze: 'alice' },
      'its Job is being deleted',
      undefined,
      ['BeingDeleted'],
    ],
    [
      'its own Job was suspended after its start, beside a deploy',
      { jobs: [aJob({ started: -5, suspended: true }), running], previous: busy, pods: [aPod(running)] },
      'suspended by hand after its start: it is recorded as aborted once its Pod is gone',
      undefined,
      ['Interrupted'],
    ],
  ] as [string, LaneChanges, string, string | undefined, WaitingReason[]][])(
    '%s',
    (_, changes, why, until, reasons) => {
      const [entry] = planLane(aLane(changes)).status?.waiting ?? [];
      expect([entry?.why.replace(/…$/, ''), entry?.until, entry?.reasons]).toEqual([why, until, reasons]);
    },
  );

  test('another Job, which was started and suspended by hand, is to be recorded first', () => {
    const lane = new Lane(aLane({ jobs: [aJob({ id: 'r0', started: -60, suspended: true })] }));
    lane.waiting = [aWaitingEntry(aJob())];
    explainWaiting(lane);
    expect(lane.waiting).toMatchObject([
      { why: expect.stringContaining('is to be recorded first'), reasons: ['Interrupted'] },
    ]);
  });
});

test('if the last deploy has just ended, the first request starts next and the others wait for their turn', () => {
  const done = aJob({ id: 'r0', sentAt: at(-90), started: -60, finished: 'Complete' });
  const jobs = [done, aJob({ id: 'a', sentAt: at(-50) }), aJob({ id: 'b', sentAt: at(-40) })];
  const { status, start } = planLane(aLane({ jobs, previous: { name: 'production', active: [aClaim(done)] } }));
  expect(start).toBeUndefined();
  expect(status?.waiting).toMatchObject([
    { id: 'a', why: 'starts next', reasons: ['Next'] },
    { id: 'b', why: 'waits for its turn; 1 ahead of it in the lane', reasons: ['LaneBusy'] },
  ]);
});

test('what has a reason of its own to wait is not said to be ahead of others', () => {
  const jobs = [
    aJob({ id: 'a', sentAt: at(-50) }),
    aJob({ id: 'b', sentAt: at(-40), annotations: { 'capdeployjob.dev/approved-by': 'bob' } }),
    aJob({ id: 'c', sentAt: at(-30), annotations: { 'capdeployjob.dev/approved-by': 'bob' } }),
    running,
  ];
  const { status } = planLane(
    aLane({ jobs, previous: busy, pods: [aPod(running)], environment: { requireApproval: true } }),
  );
  const words = `${running.metadata.name} (v1.0.0) has the lane`;
  expect(status?.waiting?.map(({ id, why, reasons }) => [id, why.slice(0, 20), reasons])).toEqual([
    ['a', 'waits for an approva', ['ApprovalMissing']],
    ['b', words.slice(0, 20), ['LaneBusy']],
    ['c', words.slice(0, 20), ['LaneBusy']],
  ]);
  expect(status?.waiting?.map(({ why }) => why.replace(words, '')).slice(1)).toEqual([
    '',
    '; 1 ahead of it in the lane',
  ]);
});
