import { describe, expect, test } from 'vitest';
import { storedRequest } from '../../../src/lanes/job.ts';
import { planLane } from '../../../src/lanes/plan-lane.ts';
import { aClaim, aJob, aLane, aPod, at, aWaitingEntry, type JobChanges, type LaneChanges } from '../../kit/builders.ts';

type Policy = 'Queue' | 'Supersede' | 'Replace';

/** r0 runs since half a minute, and its container does. */
const running = aJob({ id: 'r0', sentAt: at(-90), started: -30 });
const older = (changes: JobChanges = {}) => aJob({ id: 'r1', sentAt: at(-60), revision: 'v1.0.1', ...changes });
const newer = (changes: JobChanges = {}) => aJob({ id: 'r2', sentAt: at(-30), revision: 'v1.0.2', ...changes });
const approved = { annotations: { 'capdeployjob.dev/approved-by': 'bob' } };
const closed = [{ kind: 'Allow' as const, schedule: '0 9 * * *', durationSeconds: 3600, timeZone: 'UTC' }];

interface Cell {
  busy: boolean;
  older?: JobChanges;
  newer?: JobChanges;
  lane?: LaneChanges;
}

/** What the plan does with the two, in words. */
function outcome(policy: Policy, cell: Cell): string {
  const jobs = [older(cell.older), newer(cell.newer)];
  const { environment, ...lane } = cell.lane ?? {};
  const plan = planLane(
    aLane({
      ...lane,
      jobs: cell.busy ? [running, ...jobs] : jobs,
      pods: cell.busy ? [aPod(running)] : [],
      previous: {
        name: 'production',
        ...(cell.busy ? { active: [aClaim(running)] } : { openSince: at(-70) }),
        waiting: jobs.map((job) => aWaitingEntry(job)),
      },
      ...(cell.lane && 'environment' in cell.lane && environment === undefined
        ? { environment: undefined }
        : { environment: { concurrencyPolicy: policy, ...environment } }),
    }),
  );
  const aborted = plan.remove.filter(({ reason }) => reason === 'abort').map(({ job }) => storedRequest(job).id);
  const ending = plan.status?.active?.[0]?.ending;
  expect(aborted).toEqual(ending ? [plan.status?.active?.[0]?.id] : []);
  const parts = [
    ...plan.ended.map(({ id, result, reason }) => `${id} ${result} ${reason}`),
    ...(ending ? [`${aborted} ${ending.result} ${ending.reason}`] : []),
    ...(plan.start ? [`${storedRequest(plan.start).id} starts`] : []),
    ...(plan.status?.waiting ?? []).map(({ id }) => `${id} waits`),
  ];
  return parts.join(', ');
}

const bothWait = 'r1 waits, r2 waits';
const BUSY = { busy: true };
const IDLE = { busy: false };

/** Two requests wait, r1 and the newer r2; r0 runs where the lane is busy. */
const TABLE: [what: string, cell: Cell, queue: string, supersede: string, replace: string][] = [
  [
    'the lane is idle',
    IDLE,
    'r1 starts, r2 waits',
    'r1 Superseded NewerRequest, r2 starts',
    'r1 Superseded NewerRequest, r2 starts',
  ],
  [
    'another deploy runs',
    BUSY,
    bothWait,
    'r1 Superseded NewerRequest, r2 waits',
    'r1 Superseded NewerRequest, r0 Aborted Replaced, r2 waits',
  ],
  [
    'the environment is frozen from git',
    { ...BUSY, lane: { environment: { suspend: true } } },
    bothWait,
    bothWait,
    bothWait,
  ],
  ['the resource is frozen from git', { ...BUSY, lane: { spec: { suspend: true } } }, bothWait, bothWait, bothWait],
  [
    'the environment is frozen by an annotation',
    { ...BUSY, lane: { freeze: 'alice: incident 42' } },
    bothWait,
    bothWait,
    bothWait,
  ],
  ['the lane is frozen and idle', { ...IDLE, lane: { freeze: 'alice' } }, bothWait, bothWait, bothWait],
  ['no window is open', { ...BUSY, lane: { environment: { windows: closed } } }, bothWait, bothWait, bothWait],
  [
    'no window is open, and the lane is idle',
    { ...IDLE, lane: { environment: { windows: closed } } },
    bothWait,
    bothWait,
    bothWait,
  ],
  [
    'the newer one has expired',
    { ...BUSY, newer: { expiresAt: at(0) } },
    'r2 Missed Expired, r1 waits',
    'r2 Missed Expired, r1 waits',
    // r1 is newer than what runs, too.
    'r2 Missed Expired, r0 Aborted Replaced, r1 waits',
  ],
  [
    'the older one has expired, and the lane is idle',
    { ...IDLE, older: { expiresAt: at(-1) } },
    'r1 Missed Expired, r2 starts',
    'r1 Missed Expired, r2 starts',
    'r1 Missed Expired, r2 starts',
  ],
  [
    'the newer one is not approved',
    { ...IDLE, older: approved, lane: { environment: { requireApproval: true } } },
    'r1 starts, r2 waits',
    'r1 starts, r2 waits',
    'r1 starts, r2 waits',
  ],
  [
    'the newer one is not approved, and another deploy runs',
    { ...BUSY, older: { ...approved, sentAt: at(-95) }, lane: { environment: { requireApproval: true } } },
    'r1 Superseded OutOfOrder, r2 waits',
    'r1 Superseded OutOfOrder, r2 waits',
    'r1 Superseded OutOfOrder, r2 waits',
  ],
  [
    'the older one is not approved: the newer one passes it by',
    { ...IDLE, newer: approved, lane: { environment: { requireApproval: true } } },
    'r2 starts, r1 waits',
    'r1 Superseded NewerRequest, r2 starts',
    'r1 Superseded NewerRequest, r2 starts',
  ],
  ['neither is approved', { ...IDLE, lane: { environment: { requireApproval: true } } }, bothWait, bothWait, bothWait],
  [
    'the environment was removed',
    { ...BUSY, lane: { environment: undefined } },
    'r1 Refused EnvironmentRemoved, r2 Refused EnvironmentRemoved',
    'r1 Refused EnvironmentRemoved, r2 Refused EnvironmentRemoved',
    'r1 Refused EnvironmentRemoved, r2 Refused EnvironmentRemoved',
  ],
  [
    'the newer one is not due yet',
    { ...IDLE, newer: { notBefore: at(600) } },
    'r1 starts, r2 waits',
    'r1 starts, r2 waits',
    'r1 starts, r2 waits',
  ],
  [
    'the newer one is not due yet, and a deploy runs that was due after the older one',
    { ...BUSY, older: { sentAt: at(-91) }, newer: { notBefore: at(600) } },
    'r1 Superseded OutOfOrder, r2 waits',
    'r1 Superseded OutOfOrder, r2 waits',
    'r1 Superseded OutOfOrder, r2 waits',
  ],
  [
    'the one that was sent first is due last: it is the newer one',
    { ...IDLE, older: { notBefore: at(-10) } },
    'r2 starts, r1 waits',
    'r2 Superseded NewerRequest, r1 starts',
    'r2 Superseded NewerRequest, r1 starts',
  ],
  [
    'the newer one is of another task',
    { ...BUSY, newer: { task: 'deploy:restart' } },
    bothWait,
    bothWait,
    // The older one is a deploy, and newer than the deploy that runs.
    'r0 Aborted Replaced, r1 waits, r2 waits',
  ],
  [
    'both are of another task than the deploy that runs',
    { ...BUSY, older: { task: 'deploy:restart' }, newer: { task: 'deploy:restart' } },
    bothWait,
    'r1 Superseded NewerRequest, r2 waits',
    'r1 Superseded NewerRequest, r2 waits',
  ],
  [
    'the newer one is a rollback',
    { ...BUSY, newer: { task: 'deploy:rollback', revision: undefined } },
    'r1 Superseded NewerRequest, r2 waits',
    'r1 Superseded NewerRequest, r2 waits',
    'r1 Superseded NewerRequest, r0 Aborted Replaced, r2 waits',
  ],
  [
    'the newer one is a rollback, and the lane is idle',
    { ...IDLE, newer: { task: 'app:rollback' } },
    'r1 Superseded NewerRequest, r2 starts',
    'r1 Superseded NewerRequest, r2 starts',
    'r1 Superseded NewerRequest, r2 starts',
  ],
  [
    'the newer one is a rollback that nobody has approved',
    { ...IDLE, older: approved, newer: { task: 'deploy:rollback' }, lane: { environment: { requireApproval: true } } },
    'r1 starts, r2 waits',
    'r1 starts, r2 waits',
    'r1 starts, r2 waits',
  ],
  [
    'the older one is a rollback: what was asked for after it stays',
    { ...IDLE, older: { task: 'deploy:rollback' } },
    'r1 starts, r2 waits',
    'r1 starts, r2 waits',
    'r1 starts, r2 waits',
  ],
  [
    'the newer one is being deleted',
    { ...IDLE, newer: { beingDeleted: true } },
    'r1 starts, r2 waits',
    'r1 starts, r2 waits',
    'r1 starts, r2 waits',
  ],
];

describe.each(['Queue', 'Supersede', 'Replace'] as const)('%s', (policy) => {
  test.each(TABLE)('%s', (_, cell, queue, supersede, replace) => {
    expect(outcome(policy, cell)).toBe({ Queue: queue, Supersede: supersede, Replace: replace }[policy]);
  });
});

test('an environment without a policy of its own has the resource’s', () => {
  const jobs = [older(), newer()];
  const { ended } = planLane(aLane({ jobs, spec: { concurrencyPolicy: 'Supersede' } }));
  expect(ended.map(({ id, reason }) => `${id} ${reason}`)).toEqual(['r1 NewerRequest']);
  const own = planLane(
    aLane({ jobs, spec: { concurrencyPolicy: 'Replace' }, environment: { concurrencyPolicy: 'Queue' } }),
  );
  expect([own.ended, own.start]).toEqual([[], jobs[0]]);
});

describe('a full lane under Supersede', () => {
  const environment = { concurrencyPolicy: 'Supersede' as const, requireApproval: true };
  const spec = { maxWaiting: 2 };
  const unapproved = aJob({ id: 'u1', sentAt: at(-80) });
  const places = (listed: ReturnType<typeof aJob>[], newcomers: ReturnType<typeof aJob>[]) => {
    const previous = {
      name: 'production',
      active: [aClaim(running)],
      waiting: listed.map((job) => aWaitingEntry(job)),
    };
    const jobs = [running, ...listed, ...newcomers];
    return planLane(aLane({ jobs, pods: [aPod(running)], previous, environment, spec })).ended.map(
      ({ id, result, reason }) => `${id} ${result} ${reason}`,
    );
  };

  test('takes a newcomer that makes room for itself', () => {
    expect(places([unapproved, older(approved)], [newer(approved)])).toEqual([
      'u1 Superseded NewerRequest',
      'r1 Superseded NewerRequest',
    ]);
  });

  test('gives the place that it frees to no other request', () => {
    const other = aJob({ id: 'x1', sentAt: at(-50), task: 'deploy:restart' });
    const listed = [aJob({ id: 'x0', sentAt: at(-85), task: 'deploy:check' }), older(approved)];
    expect(places(listed, [other, newer(approved)])).toEqual(['r1 Superseded NewerRequest', 'x1 Refused LaneFull']);
  });

  test('refuses a new request that drops no other one, and the others keep their places', () => {
    const listed = [unapproved, older()];
    expect(places(listed, [newer()])).toEqual(['r2 Refused LaneFull']);
  });

  test('drops nothing for a newcomer that was too old when it was read', () => {
    const kept = older({ ...approved, sentAt: at(-7300), createdAt: -7300 });
    const late = newer({ ...approved, sentAt: at(-7200), createdAt: 0 });
    const previous = { name: 'production', openSince: at(-60), waiting: [aWaitingEntry(kept)] };
    const { ended, start } = planLane(aLane({ jobs: [kept, late], previous, environment, spec }));
    expect(ended.map(({ id, reason }) => `${id} ${reason}`)).toEqual(['r2 StartingDeadlineExceeded']);
    expect(start).toBe(kept);
  });
});
