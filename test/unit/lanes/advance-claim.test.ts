import { describe, expect, test } from 'vitest';
import type { LaneStatus } from '../../../src/api/capdeployjob.ts';
import { planLane } from '../../../src/lanes/plan-lane.ts';
import { aClaim, aJob, aLane, aMemory, aPod, at, aWaitingEntry, NOW } from '../../kit/builders.ts';

const waiting = aJob();
const running = aJob({ started: -30 });
const held = (changes: Partial<LaneStatus> = {}, since = at(-30)): LaneStatus => ({
  name: 'production',
  active: [aClaim(waiting, { since })],
  ...changes,
});

describe('the next deploy', () => {
  test('is claimed in the status and started', () => {
    const { status, start } = planLane(aLane({ jobs: [waiting] }));
    expect(start).toBe(waiting);
    expect(status).toEqual({ name: 'production', active: [aClaim(waiting, { since: at(0) })] });
  });

  test('is the one that was due first, whichever Job was created first', () => {
    const older = aJob({ id: 'r2', sentAt: at(-90), createdAt: -5 });
    expect(planLane(aLane({ jobs: [waiting, older] })).start).toBe(older);
  });

  test.each([
    [
      'a deploy has the lane',
      { previous: { name: 'production', active: [aClaim(running)] }, jobs: [running, aJob({ id: 'r2' })] },
    ],
    ['Invariant 3: a Job runs that is another’s', { foreignJobs: [running], jobs: [aJob({ id: 'r2' })] }],
    ['Invariant 3: an orphaned Pod runs', { pods: [aPod(running, { orphaned: true })], jobs: [aJob({ id: 'r2' })] }],
    [
      'Invariant 3: a Pod terminates for ever on a lost node',
      { pods: [aPod(running, { terminating: true, node: 'n' })], jobs: [aJob({ id: 'r2' })] },
    ],
    ['the resource is frozen', { spec: { suspend: true }, jobs: [waiting] }],
    ['the environment is frozen', { environment: { name: 'production', suspend: true }, jobs: [waiting] }],
    ['its Job is being deleted', { jobs: [aJob({ beingDeleted: true })] }],
    [
      'a claim was released in this very pass',
      {
        previous: { name: 'production', active: [aClaim(running)] },
        jobs: [aJob({ started: -30, finished: 'Complete' as const }), aJob({ id: 'r2', sentAt: at(-5) })],
      },
    ],
  ])('does not start: %s', (_, changes) => {
    expect(planLane(aLane(changes)).start).toBeUndefined();
  });

  test('starts beside Pods that have finished', () => {
    expect(planLane(aLane({ jobs: [waiting], pods: [aPod(aJob({ id: 'r0' }), { phase: 'Succeeded' })] })).start).toBe(
      waiting,
    );
  });
});

describe('a claim whose Job never started', () => {
  test('waits for a Job that was resumed by hand and suspended again: its Pod may still come, and it has had its turn', () => {
    const interrupted = aJob({ id: 'r2', sentAt: at(-50), started: -5, suspended: true });
    const { status, start } = planLane(aLane({ jobs: [waiting, interrupted], previous: held() }));
    expect(start).toBeUndefined();
    expect(status?.active).toEqual([
      aClaim(waiting, {
        since: at(-30),
        why: `Job ${interrupted.metadata.name} was suspended after its start, and is to be recorded first`,
      }),
    ]);
  });

  test('is given up once that one is recorded, if that was due later', () => {
    const interrupted = aJob({ id: 'r2', sentAt: at(-50), started: -5, suspended: true });
    const memory = aMemory({ podWasSeen: (uid) => uid === interrupted.metadata.uid });
    const { ended, start, touch, status } = planLane(aLane({ jobs: [waiting, interrupted], previous: held(), memory }));
    expect(ended.map(({ id, result }) => [id, result])).toEqual([['r2', 'Aborted']]);
    expect([start, touch, status?.active]).toEqual([undefined, [waiting], undefined]);
  });

  test('is repeated with a new since: a write that changes nothing is no fence', () => {
    const { status, start, touch } = planLane(aLane({ jobs: [waiting], previous: held() }));
    expect([start, touch]).toEqual([waiting, []]);
    expect(status?.active).toEqual([aClaim(waiting, { since: at(0) })]);
  });

  test('gets a new since even if the clock stood still or went back', () => {
    const { status } = planLane(aLane({ jobs: [waiting], previous: held({}, at(10)) }));
    expect(status?.active?.[0]?.since).toBe(at(10.001));
  });

  test.each([
    ['the resource was frozen since', { spec: { suspend: true } }],
    ['its environment was removed since', { environment: undefined }],
    ['its deadline has passed since', { jobs: [aJob({ sentAt: at(-7200) })], previous: held({}, at(-3601)) }],
    ['its day of waiting is over', { jobs: [aJob({ sentAt: at(-86_401), createdAt: -86_401 })] }],
    ['its id has had its turn', { recorded: ['r1'] }],
    [
      'Invariant 4: a later one has started since',
      {
        previous: held({
          lastStarted: [{ task: 'deploy', id: 'r9', repository: 'livesense/web', revision: 'v1.0.0', dueAt: at(0) }],
        }),
      },
    ],
  ])('is given up, its Job written first, so that a resume under way elsewhere is refused: %s', (_, changes) => {
    const view = aLane({ jobs: [waiting], previous: held(), ...changes });
    const { touch, start, status, ended } = planLane(view);
    expect(touch).toEqual(view.jobs);
    expect([start, status?.active, ended]).toEqual([undefined, undefined, []]);
  });

  test('is listed as waiting again by the write that gives it up: no moment without a place', () => {
    const { status } = planLane(aLane({ jobs: [waiting], previous: held(), spec: { suspend: true } }));
    expect(status).toMatchObject({ waiting: [{ id: 'r1', why: 'frozen: spec.suspend is true' }] });
    expect(status?.lastStarted).toBeUndefined();
  });

  test('waits if something else is alive in the lane, and says what', () => {
    const { status, start, touch } = planLane(
      aLane({ jobs: [waiting], foreignJobs: [aJob({ id: 'x', started: -5 })], previous: held() }),
    );
    expect([start, touch]).toEqual([undefined, []]);
    expect(status?.active?.[0]).toMatchObject({ since: at(-30), why: expect.stringContaining('runs in this lane') });
  });

  test('Invariant 7: drops nothing that was due before it, for it has not started', () => {
    const older = aJob({ id: 'r0', sentAt: at(-90) });
    const { ended, status } = planLane(aLane({ jobs: [waiting, older], previous: held() }));
    expect(ended).toEqual([]);
    expect(status?.waiting?.map(({ id }) => id)).toEqual(['r0']);
  });
});

describe('a Job that runs without a claim', () => {
  const byHand = aJob({ resumedByHand: true });

  test('is adopted: it holds the lane', () => {
    const { status, adopted, start } = planLane(aLane({ jobs: [byHand, aJob({ id: 'r2' })] }));
    expect(status?.active?.[0]).toMatchObject({ id: 'r1', uid: 'uid-of-r1', since: at(0) });
    expect([adopted, start]).toEqual([[byHand], undefined]);
  });

  test('is marked as started, with or without a claim, so that it is not started again after it is suspended by hand', () => {
    const other = aJob({ id: 'r2', resumedByHand: true });
    const previous = { name: 'production', active: [aClaim(running)] };
    expect(planLane(aLane({ jobs: [byHand] })).mark).toEqual([byHand]);
    expect(planLane(aLane({ jobs: [running, other], previous })).mark).toEqual([other]);
    expect(planLane(aLane({ jobs: [running], previous })).mark).toEqual([]);
    expect(planLane(aLane({ jobs: [byHand], recorded: ['r1'] })).mark).toEqual([]);
  });

  test('is adopted after a lost status before anything starts', () => {
    const { status, start } = planLane(aLane({ jobs: [running, aJob({ id: 'r2' })], previous: undefined }));
    expect([status?.active?.[0]?.id, start]).toEqual(['r1', undefined]);
  });

  test('beside a claim only waits to be recorded, and says so', () => {
    const other = aJob({ id: 'r2', resumedByHand: true });
    const { status, adopted } = planLane(
      aLane({ jobs: [running, other], previous: { name: 'production', active: [aClaim(running)] } }),
    );
    expect(adopted).toEqual([]);
    expect(status?.waiting).toMatchObject([{ id: 'r2', why: 'resumed by hand: it runs, and holds the lane' }]);
  });

  test('whose end is recorded already is not adopted, but the lane waits for it', () => {
    const { status, start } = planLane(aLane({ jobs: [byHand, aJob({ id: 'r2' })], recorded: ['r1'] }));
    expect([status?.active, start]).toEqual([undefined, undefined]);
    expect(status?.waiting?.[0]?.why).toContain('runs in this lane');
  });
});

describe('a started deploy without a running container', () => {
  const lane = (started: number, changes = {}) => {
    const job = aJob({ started });
    return { job, view: aLane({ jobs: [job], previous: { name: 'production', active: [aClaim(job)] }, ...changes }) };
  };

  test('has nothing to explain in its first two seconds', () => {
    const { explain, wakeAt } = planLane(lane(-1).view);
    expect([explain, wakeAt]).toEqual([[], NOW + 1000]);
  });

  test('says in its claim what its Pod waits for, and no longer once it runs', () => {
    const { job, view } = lane(-30);
    const stuck = planLane({ ...view, pods: [aPod(job, { waiting: { reason: 'ErrImagePull', message: 'no' } })] });
    expect(stuck.status?.active?.[0]?.why).toContain('ErrImagePull: no');
    const better = planLane({ ...view, previous: stuck.status, pods: [aPod(job)] });
    expect(better.status?.active).toEqual([aClaim(job)]);
    expect(better.explain).toEqual([]);
  });

  test('is left alone to the last moment of podStartDeadlineSeconds, and looked at then', () => {
    const { remove, wakeAt } = planLane(lane(-299).view);
    expect([remove, wakeAt]).toEqual([[], NOW + 1000]);
  });

  test('is ended after it, announced in the claim before the Job is deleted', () => {
    const refused = { reason: 'FailedCreate', message: 'exceeded quota', at: NOW };
    const { job, view } = lane(-300, { warnings: { about: () => refused } });
    const { remove, status, ended } = planLane(view);
    expect([remove, ended]).toEqual([[{ job, reason: 'abort' }], []]);
    expect(status?.active?.[0]?.ending).toEqual({
      result: 'Failed',
      reason: 'PodNotStarted',
      message: 'no container ran within podStartDeadlineSeconds (300): the Pod is refused: exceeded quota',
    });
  });

  test('is not ended if its container was seen, even if its Pod is not listed just now', () => {
    const { view } = lane(-900, { memory: aMemory({ containerWasSeen: () => true }) });
    expect(planLane(view).remove).toEqual([]);
  });

  test('is not ended if the container came up after all: the announcement is withdrawn', () => {
    const { job, view } = lane(-900);
    const announced = planLane(view).status;
    const { remove, status, touch } = planLane({ ...view, previous: announced, pods: [aPod(job)] });
    expect([remove, status?.active]).toEqual([[], [aClaim(job)]]);
    expect(touch).toEqual([job]);
  });

  test('is not ended at once if a person made its start time unreadable', () => {
    const job = aJob({ started: -5, createdAt: -10, annotations: { 'capdeployjob.dev/started-at': 'soon' } });
    const view = aLane({ jobs: [job], previous: { name: 'production', active: [aClaim(job)] } });
    expect(planLane(view).remove).toEqual([]);
  });

  test('is counted from its start by the Job controller if it was resumed by hand', () => {
    const job = aJob({ resumedByHand: true, createdAt: -9000 });
    const view = aLane({ jobs: [job], previous: { name: 'production', active: [aClaim(job)] } });
    expect(planLane(view).remove).toEqual([]);
  });

  test('that is being deleted already is not deleted again', () => {
    const job = aJob({ started: -900, beingDeleted: true });
    const view = aLane({ jobs: [job], previous: { name: 'production', active: [aClaim(job)] } });
    expect(planLane(view).remove).toEqual([]);
  });
});

test('a lane’s waiting entry of a claimed request is taken out of the list by the claim', () => {
  const previous = { name: 'production', openSince: at(-60), waiting: [aWaitingEntry(waiting)] };
  expect(planLane(aLane({ jobs: [waiting], previous })).status?.waiting).toBeUndefined();
});
