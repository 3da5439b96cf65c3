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
  type LaneChanges,
  NOW,
  type PodChanges,
  stamp,
} from '../../kit/builders.ts';

const running = aJob({ started: -30 });
const held = (changes: Partial<LaneStatus> = {}): LaneStatus => ({
  name: 'production',
  active: [aClaim(running)],
  ...changes,
});
const ends = (changes: LaneChanges) =>
  planLane(aLane(changes)).ended.map(({ id, result, reason }) => `${id} ${result} ${reason}`);
const isHeld = (changes: LaneChanges) => planLane(aLane(changes)).status?.active?.[0]?.id;

describe('a finished Job', () => {
  test('never ended before it started, though it tells its end in whole seconds', () => {
    const short = aJob({ started: -5, finished: 'Complete', finishedAt: -6 });
    expect(planLane(aLane({ jobs: [short] })).ended[0]).toMatchObject({ startedAt: at(-5), finishedAt: at(-5) });
  });

  const done = aJob({ started: -30, finished: 'Complete', finishedAt: -5 });
  const failed = aJob({ started: -30, finished: 'Failed', finishedAt: -5, failure: { reason: 'DeadlineExceeded' } });

  test('ends its request, and its claim is released by the record', () => {
    const { ended, status } = planLane(aLane({ jobs: [done], previous: held() }));
    expect(ended).toEqual([
      {
        job: done.metadata.name,
        id: 'r1',
        repository: 'livesense/web',
        task: 'deploy',
        revision: 'v1.0.0',
        requestedBy: 'alice',
        senderId: 'AIDAEXAMPLE',
        sentAt: at(-60),
        environment: 'production',
        result: 'Succeeded',
        reason: 'Completed',
        startedAt: at(-30),
        finishedAt: stamp(-5),
      },
    ]);
    expect(status).toEqual({
      name: 'production',
      openSince: at(-5),
      lastStarted: [{ task: 'deploy', id: 'r1', repository: 'livesense/web', revision: 'v1.0.0', dueAt: at(-60) }],
      lastSuccessful: {
        revision: 'v1.0.0',
        requestedBy: 'alice',
        task: 'deploy',
        job: done.metadata.name,
        finishedAt: stamp(-5),
      },
      lastResult: 'Succeeded',
      lastEndedAt: stamp(-5),
    });
  });

  const deployed = {
    commit: 'e67dbc3d97fa81daf1a010e89fe21a2a9642b9d1',
    committedAt: '2026-11-05T10:00:00Z',
    release: '20261105100102',
  };
  const said = { message: `capdeployjob-result: ${JSON.stringify(deployed)}\n` };

  test('that succeeded is recorded with what its image says it put in place', () => {
    const pod = aPod(done, { phase: 'Succeeded', terminated: { exitCode: 0, finishedAt: stamp(-5), ...said } });
    const { ended, status } = planLane(aLane({ jobs: [done], pods: [pod], previous: held() }));
    expect(ended[0]).toMatchObject(deployed);
    expect(status?.lastSuccessful).toMatchObject(deployed);
    expect(ended[0]).not.toHaveProperty('message');
  });

  test('that has failed put nothing in place, whatever its image says, and the message is the end of its log', () => {
    const pod = aPod(failed, { phase: 'Failed', terminated: { exitCode: 1, finishedAt: stamp(-5), ...said } });
    const [entry] = planLane(aLane({ jobs: [failed], pods: [pod], previous: held() })).ended;
    expect(entry).toMatchObject({ result: 'Failed', message: expect.stringContaining(said.message.trim()) });
    for (const field of Object.keys(deployed)) expect(entry).not.toHaveProperty(field);
  });

  test('what an image said stands in the claim while the deploy cannot be recorded', () => {
    const exit = { code: 0, reason: 'Completed', finishedAt: stamp(-20), ...deployed };
    const claim = { ...aClaim(running), exit };
    const { ended, status } = planLane(
      aLane({ memory: aMemory({ absentSince: () => NOW - 60_000 }), previous: held({ active: [claim] }) }),
    );
    expect(ended[0]).toMatchObject({ result: 'Succeeded', ...deployed });
    expect(status?.lastSuccessful).toMatchObject(deployed);
  });

  test('that failed leaves what last succeeded alone', () => {
    const lastSuccessful = { task: 'deploy', job: 'web-production-x', finishedAt: at(-900) };
    const { status } = planLane(aLane({ jobs: [failed], previous: held({ lastSuccessful }) }));
    expect(status).toMatchObject({ lastSuccessful, lastResult: 'Failed' });
  });

  test('Invariant 1: that is recorded is not recorded again, but its claim is released', () => {
    expect(ends({ jobs: [done], previous: held(), recorded: ['r1'] })).toEqual([]);
    expect(isHeld({ jobs: [done], previous: held(), recorded: ['r1'] })).toBeUndefined();
  });

  test('without a claim, resumed by hand, is recorded all the same, beside the deploy that holds the lane', () => {
    const other = aJob({ id: 'r0', resumedByHand: true, finished: 'Complete' });
    expect(ends({ jobs: [running, other], previous: held() })).toEqual(['r0 Succeeded Completed']);
    expect(isHeld({ jobs: [running, other], previous: held() })).toBe('r1');
  });

  test('without a claim did not start when another Job’s claim was made', () => {
    const other = aJob({ id: 'r0', sentAt: at(-90), createdAt: -80, resumedByHand: true, finished: 'Failed' });
    delete other.status!.startTime;
    expect(planLane(aLane({ jobs: [running, other], previous: held() })).ended[0]?.startedAt).toBe(stamp(-80));
  });

  test('Invariant 4: moves the watermark forward, and never back', () => {
    const mark = { task: 'deploy', id: 'r9', repository: 'livesense/web', revision: 'v1.0.0', dueAt: at(-10) };
    const { status } = planLane(aLane({ jobs: [done], previous: held({ lastStarted: [mark] }) }));
    expect(status?.lastStarted).toEqual([mark]);
  });

  test('of several, after a lost status, the last to finish is the last result and the newest entry', () => {
    const jobs = [
      aJob({ id: 'a', sentAt: at(-300), started: -100, finished: 'Failed', finishedAt: -10 }),
      aJob({ id: 'b', sentAt: at(-200), started: -150, finished: 'Complete', finishedAt: -50 }),
    ];
    const { ended, status } = planLane(aLane({ jobs, previous: undefined }));
    expect(ended.map(({ id }) => id)).toEqual(['b', 'a']);
    expect(status).toMatchObject({ lastResult: 'Failed', lastEndedAt: stamp(-10), lastStarted: [{ id: 'b' }] });
  });

  test('that the operator was about to end keeps the operator’s reason', () => {
    const ending = { result: 'Failed' as const, reason: 'PodNotStarted', message: 'no container ran' };
    const previous = held({ active: [aClaim(running, { ending })] });
    expect(ends({ jobs: [failed], previous })).toEqual(['r1 Failed PodNotStarted']);
    expect(ends({ jobs: [done], previous })).toEqual(['r1 Succeeded Completed']);
  });

  test('with a log and words longer than the status allows is recorded with their end', () => {
    const ending = { result: 'Failed' as const, reason: 'PodNotStarted', message: 'w'.repeat(1024) };
    const memory = aMemory({
      podWasSeen: () => true,
      podEnds: () => [{ pod: 'p', restarts: 0, hasRun: true, isOver: true, log: `${'l'.repeat(1021)}end` }],
    });
    const { ended } = planLane(aLane({ previous: held({ active: [aClaim(running, { ending })] }), memory }));
    expect(ended[0]?.message).toHaveLength(2048);
    expect(ended[0]?.message?.endsWith('end')).toBe(true);
  });

  test('remembers 50 tasks and forgets the one that was started longest ago: the status takes no more', () => {
    const lastStarted = Array.from({ length: 50 }, (_, n) => ({
      task: `t${n}`,
      id: `i${n}`,
      repository: 'livesense/web',
      dueAt: at(-900),
    }));
    const { status } = planLane(aLane({ jobs: [done], previous: held({ lastStarted }) }));
    expect(status?.lastStarted).toHaveLength(50);
    expect(status?.lastStarted?.map(({ task }) => task)).not.toContain('t0');
    expect(status?.lastStarted?.at(-1)?.task).toBe('deploy');
  });
});

describe('nothing is recorded while a Pod of it lives', () => {
  const failed = aJob({ started: -30, finished: 'Failed', finishedAt: -5, failure: { reason: 'DeadlineExceeded' } });

  test('of a claimed Job that has finished: its claim holds the lane, and says what is left', () => {
    const pods = [aPod(failed, { terminating: true, node: 'n1' })];
    expect(ends({ jobs: [failed], pods, previous: held() })).toEqual([]);
    const [claim] = planLane(aLane({ jobs: [failed], pods, previous: held() })).status?.active ?? [];
    expect(claim?.why).toContain('is terminating on node n1');
  });

  test('of a Job without a claim', () => {
    expect(ends({ jobs: [failed], pods: [aPod(failed)] })).toEqual([]);
    expect(ends({ jobs: [failed], pods: [aPod(failed, { phase: 'Failed' })] })).toEqual(['r1 Failed DeadlineExceeded']);
  });
});

describe('Rule 14: an exit that cannot be recorded yet', () => {
  const exit = {
    code: 0,
    reason: 'Completed',
    finishedAt: stamp(-9),
    message: `Pod ${aPod(running).metadata.name}, container cap: exit code 0`,
  };
  const good = { terminated: { exitCode: 0, finishedAt: stamp(-9) } };
  const sidecar = { ...good, others: { proxy: { running: {} } } };
  const claimOf = (changes: LaneChanges) => planLane(aLane({ previous: held(), ...changes })).status?.active?.[0];

  test('stands in the claim if the Job is gone, suspended, being deleted, or finished beside a Pod that lives', () => {
    for (const jobs of [
      [],
      [aJob({ started: -30, suspended: true })],
      [aJob({ started: -30, beingDeleted: true })],
      [aJob({ started: -30, finished: 'Failed' })],
    ])
      expect(claimOf({ jobs, pods: [aPod(running, sidecar)] })?.exit).toEqual(exit);
  });

  test('is told with what holds the lane, and with the command that ends it if its Job is gone', () => {
    const pods = [aPod(running, { ...sidecar, orphaned: true })];
    const name = pods[0]?.metadata.name;
    expect(claimOf({ jobs: [], pods })?.why).toBe(
      `the first container has exited (exit code 0), but Pod ${name} goes on: container proxy runs. ` +
        `Its Job is gone, so nothing else ends it: kubectl -n deploy delete pod ${name}`,
    );
    expect(claimOf({ jobs: [aJob({ started: -30, suspended: true })], pods })?.why).not.toContain('kubectl');
  });

  test('is never changed, and decides once its Pod is gone', () => {
    const previous = held({ active: [aClaim(running, { exit })] });
    const bad = aPod(running, {
      terminated: { exitCode: 1, finishedAt: stamp(-1) },
      others: { proxy: { running: {} } },
    });
    expect(claimOf({ previous, pods: [bad] })?.exit).toEqual(exit);
    expect(ends({ previous, pods: [aPod(running, { ...bad, phase: 'Failed' })] })).toEqual(['r1 Succeeded Completed']);
  });

  test('is not written if the Job runs and its Pod has ended: the Job controller is about to say so', () => {
    expect(claimOf({ jobs: [running], pods: [aPod(running, { ...good, phase: 'Succeeded' })] })).toEqual(
      aClaim(running),
    );
  });

  test('is none if it came after the order to end', () => {
    expect(claimOf({ pods: [aPod(running, { ...sidecar, toldAt: -12 })] })).not.toHaveProperty('exit');
  });
});

describe('a claimed Job that is not there', () => {
  const gone = { previous: held() };
  const timed = (seconds: number) => aMemory({ absentSince: () => NOW - seconds * 1000 });

  test('holds its claim while its Pod lives', () => {
    const pods = [aPod(running, { terminating: true })];
    expect(ends({ ...gone, pods, memory: timed(60) })).toEqual([]);
    expect(isHeld({ ...gone, pods, memory: timed(60) })).toBe('r1');
  });

  test('is recorded at once if its Pod was seen and is gone', () => {
    expect(ends({ ...gone, memory: aMemory({ podWasSeen: () => true }) })).toEqual(['r1 Unknown JobVanished']);
  });

  test('is recorded at once if its Pod is there and has finished', () => {
    expect(ends({ ...gone, pods: [aPod(running, { phase: 'Failed' })] })).toEqual(['r1 Unknown JobVanished']);
  });

  test('is timed from a live look if no Pod was ever seen: one may still come', () => {
    const { ended, absent, status } = planLane(aLane(gone));
    expect([ended, absent, status?.active?.[0]?.id]).toEqual([[], ['uid-of-r1'], 'r1']);
  });

  test('is recorded 30 s after that look, and not before', () => {
    expect(ends({ ...gone, memory: timed(29.999) })).toEqual([]);
    expect(planLane(aLane({ ...gone, memory: timed(10) })).wakeAt).toBe(NOW + 20_000);
    expect(ends({ ...gone, memory: timed(30) })).toEqual(['r1 Unknown JobVanished']);
  });

  test('Invariant 4: counts as started, for its resume may have gone through', () => {
    const { status, ended } = planLane(aLane({ ...gone, memory: timed(30) }));
    expect(status?.lastStarted).toEqual([
      { task: 'deploy', id: 'r1', repository: 'livesense/web', revision: 'v1.0.0', dueAt: at(-60) },
    ]);
    expect(ended[0]?.startedAt).toBe(at(-30));
  });

  test('was aborted if its deletion was watched', () => {
    expect(ends({ ...gone, memory: aMemory({ podWasSeen: () => true, lastSeen: () => running }) })).toEqual([
      'r1 Aborted JobDeleted',
    ]);
  });

  test('ended as it had ended before it was deleted', () => {
    const last = aJob({ started: -30, finished: 'Complete' });
    expect(ends({ ...gone, memory: aMemory({ podWasSeen: () => true, lastSeen: () => last }) })).toEqual([
      'r1 Succeeded Completed',
    ]);
  });

  test('ended as the claim announced, even if the process that announced it is gone', () => {
    const ending = { result: 'Failed' as const, reason: 'PodNotStarted', message: 'no container ran' };
    const previous = held({ active: [aClaim(running, { ending })] });
    expect(ends({ previous, memory: timed(30) })).toEqual(['r1 Failed PodNotStarted']);
  });

  test('is not the newcomer of its name: that one waits unlisted, and is removed as known once the first is recorded', () => {
    const newcomer = aJob({ uid: 'uid-2' });
    const before = planLane(aLane({ ...gone, jobs: [newcomer] }));
    expect([before.start, before.status?.waiting, before.remove]).toEqual([undefined, undefined, []]);
    const after = planLane(aLane({ ...gone, jobs: [newcomer], memory: timed(30) }));
    expect(after.ended).toHaveLength(1);
    expect(after.remove).toEqual([{ job: newcomer, reason: 'recorded' }]);
  });

  test('releases its claim without a second entry if its id is recorded already', () => {
    expect(ends({ ...gone, memory: timed(30), recorded: ['r1'] })).toEqual([]);
    expect(isHeld({ ...gone, memory: timed(30), recorded: ['r1'] })).toBeUndefined();
  });
});

describe('a started Job that somebody suspended', () => {
  const stopped = aJob({ started: -30, suspended: true });
  const lane = { jobs: [stopped], previous: held() };

  test('is never resumed', () => {
    expect(planLane(aLane(lane)).start).toBeUndefined();
  });

  test('holds the lane until its Pod is gone, then is recorded as aborted and removed', () => {
    expect(ends({ ...lane, pods: [aPod(stopped, { terminating: true })] })).toEqual([]);
    const { ended, remove, status } = planLane(aLane({ ...lane, memory: aMemory({ podWasSeen: () => true }) }));
    expect(ended).toMatchObject([{ id: 'r1', result: 'Aborted', reason: 'JobSuspended', startedAt: at(-30) }]);
    expect(remove).toEqual([{ job: stopped, reason: 'recorded' }]);
    expect(status?.active).toBeUndefined();
  });

  test('Invariant 7: is recorded by its exit if its container had exited by itself, whatever the Job counts', () => {
    const exited = (exitCode: number, changes: PodChanges = {}) => [
      aPod(stopped, { phase: exitCode === 0 ? 'Succeeded' : 'Failed', terminated: { exitCode }, ...changes }),
    ];
    expect(ends({ ...lane, pods: exited(0) })).toEqual(['r1 Succeeded Completed']);
    expect(ends({ ...lane, pods: exited(1) })).toEqual(['r1 Failed BackoffLimitExceeded']);
    expect(ends({ ...lane, pods: exited(0, { terminating: true }) })).toEqual(['r1 Aborted JobSuspended']);
    const complete = aJob({ started: -30, suspended: true, finished: 'Complete', finishedAt: -1 });
    expect(ends({ ...lane, jobs: [complete], pods: exited(0) })).toEqual(['r1 Succeeded Completed']);
  });

  test('is timed like one that vanished if no Pod was ever seen', () => {
    expect(planLane(aLane(lane)).absent).toEqual(['uid-of-r1']);
    expect(ends({ ...lane, memory: aMemory({ absentSince: () => NOW - 30_000 }) })).toEqual([
      'r1 Aborted JobSuspended',
    ]);
  });

  test('Invariant 1: that had been resumed by hand is not started a second time: its Pod was seen', () => {
    const byHand = aJob();
    const claimed = { jobs: [byHand], previous: held() };
    // It is marked first: that write is refused where the Jobs were listed before another operator resumed it.
    const seen = planLane(aLane({ ...claimed, memory: aMemory({ podWasSeen: () => true }) }));
    expect([seen.start, seen.ended, seen.mark]).toEqual([undefined, [], [byHand]]);
    const there = planLane(aLane({ ...claimed, pods: [aPod(byHand, { phase: 'Failed' })] }));
    expect([there.start, there.ended, there.mark]).toEqual([undefined, [], [byHand]]);
    const marked = {
      ...byHand,
      metadata: {
        ...byHand.metadata,
        annotations: { ...byHand.metadata.annotations, 'capdeployjob.dev/started-at': at(-9) },
      },
    };
    const next = planLane(aLane({ ...claimed, jobs: [marked], pods: [aPod(byHand, { phase: 'Failed' })] }));
    expect([next.start, next.ended[0]?.reason]).toEqual([undefined, 'JobSuspended']);
  });

  test('Invariant 3: holds the lane though the status was lost, for a Pod of it may still come', () => {
    const next = aJob({ id: 'r2', sentAt: at(-10) });
    const { status, start, ended, adopted } = planLane(aLane({ jobs: [stopped, next], previous: undefined }));
    expect(status?.active?.[0]?.uid).toBe('uid-of-r1');
    expect([start, ended, adopted]).toEqual([undefined, [], []]);
  });
});
