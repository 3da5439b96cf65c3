import { describe, expect, test } from 'vitest';
import type { LaneStatus } from '../../../src/api/capdeployjob.ts';
import { planLane } from '../../../src/lanes/plan-lane.ts';
import { aClaim, aJob, aLane, aPod, at, aWaitingEntry, type JobChanges, type LaneChanges } from '../../kit/builders.ts';

const by = (words: string) => ({ annotations: { 'capdeployjob.dev/approved-by': words } });
/** Sent two hours ago: too old to start by itself. */
const aJobOf = (changes: JobChanges = {}) => aJob({ sentAt: at(-7200), createdAt: -7190, ...changes });
const lane = (changes: LaneChanges) => planLane(aLane({ environment: { requireApproval: true }, ...changes }));
const waitedFor = (job = aJobOf(), changes = {}): LaneStatus => ({
  name: 'production',
  openSince: at(-9000),
  waiting: [aWaitingEntry(job, { approvalMissing: true, ...changes })],
});

describe('a deploy that has to be approved', () => {
  test('waits, and says what is missing, with the command and what comes of waiting', () => {
    const job = aJobOf();
    const { status, start, wakeAt } = lane({ jobs: [job], previous: waitedFor() });
    expect(start).toBeUndefined();
    expect(status?.waiting).toEqual([
      aWaitingEntry(job, {
        reasons: ['ApprovalMissing'],
        why: `waits for an approval: kubectl -n deploy annotate job ${job.metadata.name} capdeployjob.dev/approved-by=<you>; without one it is Missed at ${at(79_200)}`,
        approvalMissing: true,
      }),
    ]);
    // It is not Missed by startingDeadlineSeconds, for it could not start; but it is by the other one.
    expect(wakeAt).toBe(Date.parse(at(79_200)) + 1);
  });

  test('starts once it is approved, however long that took, and keeps who did it in its claim', () => {
    const job = aJobOf(by('bob'));
    const { status, start } = lane({ jobs: [job], previous: waitedFor() });
    expect(start).toBe(job);
    expect(status?.active).toEqual([aClaim(job, { since: at(0) })]);
    expect(status?.active?.[0]).toMatchObject({ approvedBy: 'bob' });
  });

  test.each([
    ['an empty name', ''],
    ['blanks', '  \n'],
    ['what nobody can see', '\u200b\u202e'],
  ])('is not approved by %s', (_, words) => {
    expect(lane({ jobs: [aJobOf(by(words))], previous: waitedFor() }).start).toBeUndefined();
  });

  test('is not approved any more if the approval is withdrawn before its start', () => {
    const job = aJobOf();
    const { start, status } = lane({
      jobs: [job],
      previous: waitedFor(job, { approvalMissing: undefined, approvedAt: at(-60) }),
    });
    expect(start).toBeUndefined();
    expect(status?.waiting?.[0]).toMatchObject({ approvalMissing: true });
    expect(status?.waiting?.[0]).not.toHaveProperty('approvedAt');
  });

  test('is not approved any more if it is withdrawn between the claim and the start: the claim is given up', () => {
    const job = aJobOf();
    const previous: LaneStatus = { name: 'production', active: [aClaim(aJobOf(by('bob')))] };
    const { touch, start, status } = lane({ jobs: [job], previous });
    expect([touch, start, status?.active]).toEqual([[job], undefined, undefined]);
    expect(status?.waiting?.[0]).toMatchObject({ id: 'r1', approvalMissing: true });
  });

  test('is started again after a crash with the approval that stands there now', () => {
    const job = aJobOf(by('carol'));
    const previous: LaneStatus = { name: 'production', active: [aClaim(aJobOf(by('bob')))] };
    const { start, status } = lane({ jobs: [job], previous });
    expect([start, status?.active?.[0]?.approvedBy]).toEqual([job, 'carol']);
  });
});

describe('since when it could have started', () => {
  const job = aJobOf(by('bob'));
  const ends = (changes: LaneChanges) => lane(changes).ended.map(({ result, reason }) => `${result} ${reason}`);

  test('is stored with the request when the approval is seen, behind another deploy', () => {
    const running = aJob({ id: 'r0', sentAt: at(-7300), started: -60 });
    const previous: LaneStatus = { ...waitedFor(), active: [aClaim(running)] };
    const { status } = lane({ jobs: [running, job], pods: [aPod(running)], previous });
    expect(status?.waiting?.[0]).toMatchObject({ approvedAt: at(0), approvedBy: 'bob' });
    expect(status?.waiting?.[0]).not.toHaveProperty('approvalMissing');
  });

  test('is the moment that was stored, so that an operator back after an outage ships nothing stale', () => {
    const approvedAt = at(-3601);
    expect(ends({ jobs: [job], previous: waitedFor(job, { approvalMissing: undefined, approvedAt }) })).toEqual([
      'Missed StartingDeadlineExceeded',
    ]);
    const { start } = lane({
      jobs: [job],
      previous: waitedFor(job, { approvalMissing: undefined, approvedAt: at(-3600) }),
    });
    expect(start).toBe(job);
  });

  test('is now, if the status was lost: an annotation tells no time', () => {
    const previous: LaneStatus = { name: 'production', openSince: at(-9000) };
    expect(lane({ jobs: [job], previous }).start).toBe(job);
  });

  test('is now, if no approval is asked for any more', () => {
    const unapproved = aJobOf();
    const view = { jobs: [unapproved], previous: waitedFor(), environment: { requireApproval: false } };
    const { start, ended } = planLane(aLane(view));
    expect([start, ended]).toEqual([unapproved, []]);
  });

  test('is that of the claim, if one is given up and listed again', () => {
    const previous: LaneStatus = { name: 'production', active: [aClaim(job, { since: at(-30) })] };
    const { status } = lane({ jobs: [job], previous, freeze: 'alice' });
    expect(status?.waiting?.[0]).toMatchObject({ approvedAt: at(-30) });
  });

  test('is not stored if no approval was ever asked for', () => {
    const { status } = planLane(aLane({ jobs: [aJob(), aJob({ id: 'r2' })] }));
    expect(Object.keys(status?.waiting?.[0] ?? {})).not.toContain('approvedAt');
  });
});

describe('who approved', () => {
  test.each([
    [
      'stands in the history of a deploy that has ended',
      aJobOf({ ...by('bob'), started: -60, finished: 'Complete' as const }),
    ],
    [
      'is who had approved when it started, whatever was written there later',
      aJobOf({ ...by('mallory'), started: -60, finished: 'Complete' as const }),
    ],
  ])('%s', (_, job) => {
    const previous: LaneStatus = { name: 'production', active: [aClaim(aJobOf(by('bob')))] };
    expect(lane({ jobs: [job], previous }).ended).toMatchObject([{ result: 'Succeeded', approvedBy: 'bob' }]);
  });

  test('is known from the claim if the Job is gone', () => {
    const previous: LaneStatus = { name: 'production', active: [aClaim(aJobOf(by('bob')))] };
    const absentSince = () => Date.parse(at(-60));
    const memory = { ...aLane().memory, absentSince };
    expect(lane({ previous, memory }).ended).toMatchObject([{ result: 'Unknown', approvedBy: 'bob' }]);
  });

  test('is known of a request that was deleted while it waited', () => {
    const previous: LaneStatus = { name: 'production', waiting: [aWaitingEntry(aJobOf(by('bob')))] };
    expect(lane({ previous }).ended).toMatchObject([{ result: 'Aborted', approvedBy: 'bob' }]);
  });
});
