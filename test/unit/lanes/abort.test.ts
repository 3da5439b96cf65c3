import { describe, expect, test } from 'vitest';
import type { CapDeployJobStatus, LaneStatus } from '../../../src/api/capdeployjob.ts';
import { ANNOTATION } from '../../../src/api/names.ts';
import { planLane } from '../../../src/lanes/plan-lane.ts';
import { endOfGonePod, podEnd } from '../../../src/lanes/pod-end.ts';
import { truncateStatus } from '../../../src/lanes/truncate-status.ts';
import {
  aClaim,
  aHistoryEntry,
  aJob,
  aLane,
  aMemory,
  aPod,
  at,
  aWaitingEntry,
  type JobChanges,
  type LaneChanges,
  stamp,
} from '../../kit/builders.ts';

const by = (who: string): JobChanges => ({ annotations: { [ANNOTATION.abortedBy]: who } });
const planned = (changes: LaneChanges) => planLane(aLane(changes));
const abortedBy = (changes: LaneChanges) =>
  planned(changes).ended.map((entry) => [entry.result, entry.reason, entry.abortedBy]);

const waits = aJob();
const runs = aJob({ started: -30 });
const listed: LaneStatus = { name: 'production', waiting: [aWaitingEntry(waits)] };
const held: LaneStatus = { name: 'production', active: [aClaim(runs)] };
/** Its container was told to end, and ended. */
const told = podEnd(aPod(runs, { phase: 'Failed', toldAt: -8, terminated: { exitCode: 143 } }));
const deletedBy = (who: string | undefined) =>
  aMemory({ podWasSeen: () => true, lastSeen: () => runs, abortedBy: () => who, podEnds: () => [told] });

describe('a name on a Job that nobody deletes', () => {
  test.each([
    ['that waits', waits, aJob(by('alice')), listed],
    ['that runs', runs, aJob({ started: -30, ...by('alice') }), held],
  ])('changes nothing: of one %s', (_, without, annotated, previous) => {
    const plans = [without, annotated].map((job) => {
      const { status, ...acts } = planned({
        jobs: [job],
        pods: previous === held ? [aPod(runs)] : [],
        previous,
        freeze: 'bob: not now',
      });
      const lists = [acts.mark, acts.touch, acts.remove, acts.ended, acts.absent].map(({ length }) => length);
      return { status, lists, starts: acts.start !== undefined };
    });
    expect(plans[1]).toEqual(plans[0]);
  });
});

describe('who deleted a Job that waited', () => {
  test('is in the history, if its deletion was watched', () => {
    const { ended } = planned({ previous: listed, memory: aMemory({ abortedBy: () => 'alice' }) });
    expect(ended).toMatchObject([
      {
        result: 'Aborted',
        reason: 'JobDeleted',
        abortedBy: 'alice',
        message: 'aborted by alice: the Job was deleted while it waited',
      },
    ]);
  });

  test('is asked of the very Job that the status lists', () => {
    const uids: string[] = [];
    const memory = aMemory({ abortedBy: (uid) => void uids.push(uid) });
    expect(abortedBy({ previous: listed, memory })).toEqual([['Aborted', 'JobDeleted', undefined]]);
    expect(uids).toEqual([waits.metadata.uid]);
  });

  test('stands in the status as long as that Job is on its way out, and is known from there', () => {
    const { status } = planned({ jobs: [aJob({ beingDeleted: true, ...by('alice') })], previous: listed });
    expect(status?.waiting).toMatchObject([{ id: 'r1', abortedBy: 'alice' }]);
    expect(abortedBy({ previous: status })).toEqual([['Aborted', 'JobDeleted', 'alice']]);
  });

  test('is not known if no name was written', () => {
    const { ended } = planned({ previous: listed });
    expect(ended).toMatchObject([{ reason: 'JobDeleted', message: 'the Job was deleted while it waited' }]);
    expect(ended[0]).not.toHaveProperty('abortedBy');
  });
});

describe('who deleted the Job of a deploy that ran', () => {
  test('stands in the claim as soon as its deletion was watched, and after a restart it is known from there', () => {
    const terminating = aPod(runs, { terminating: true });
    const { status, ended } = planned({ pods: [terminating], previous: held, memory: deletedBy('alice') });
    expect(status?.active).toMatchObject([{ id: 'r1', abortedBy: 'alice' }]);
    expect(ended).toEqual([]);
    const restarted = { pods: [aPod(runs, { phase: 'Failed', toldAt: -8, terminated: { exitCode: 143 } })] };
    const { ended: later } = planned({ ...restarted, previous: status });
    expect(later).toMatchObject([{ result: 'Aborted', reason: 'JobDeleted', abortedBy: 'alice' }]);
    expect(later[0]?.message).toMatch(/^aborted by alice: the Job was deleted\nPod .* was deleted; /);
  });

  test('is the first who deleted it, whatever another operator remembers', () => {
    const previous = { name: 'production', active: [aClaim(runs, { abortedBy: 'alice' })] };
    expect(abortedBy({ previous, memory: deletedBy('mallory') })).toEqual([['Aborted', 'JobDeleted', 'alice']]);
  });

  test('is in the history if its Pod had gone before anybody looked', () => {
    expect(abortedBy({ previous: held, memory: deletedBy('alice') })).toEqual([['Aborted', 'JobDeleted', 'alice']]);
  });

  test('stands in the claim as long as the Job is on its way out', () => {
    const job = aJob({ started: -30, beingDeleted: true, ...by('alice') });
    const { status } = planned({ jobs: [job], pods: [aPod(job, { terminating: true })], previous: held });
    expect(status?.active).toMatchObject([{ abortedBy: 'alice' }]);
  });

  test.each([
    ['Failed' as const, 143],
    ['Complete' as const, 0],
  ])('is in the history where the Job stayed until its Pod had ended, and is %s', (finished, exitCode) => {
    const job = aJob({ started: -30, finished, beingDeleted: true, ...by('alice') });
    const phase = exitCode === 0 ? ('Succeeded' as const) : ('Failed' as const);
    const pods = [aPod(job, { phase, toldAt: -8, terminated: { exitCode } })];
    expect(abortedBy({ jobs: [job], pods, previous: held })).toEqual([['Aborted', 'JobDeleted', 'alice']]);
    // It holds no claim: somebody had resumed it by hand.
    expect(abortedBy({ jobs: [job], pods })).toEqual([['Aborted', 'JobDeleted', 'alice']]);
    const goneToo = aMemory({ podWasSeen: () => true, lastSeen: () => job, abortedBy: () => 'alice' });
    const ends = () => pods.map((pod) => endOfGonePod(podEnd(pod)));
    expect(abortedBy({ previous: held, memory: { ...goneToo, podEnds: ends } })).toEqual([
      ['Aborted', 'JobDeleted', 'alice'],
    ]);
  });

  test('is one line of 256 characters at most, and stands before the end of a long log', () => {
    const log = 'x'.repeat(1000);
    const memory = {
      ...deletedBy('alice'),
      podEnds: () => [
        { ...told, words: 'w'.repeat(1000), log },
        { ...told, words: 'v'.repeat(1000), log },
      ],
    };
    const [entry] = planned({ previous: held, memory }).ended;
    expect(entry?.message).toHaveLength(2048);
    expect(entry?.message).toMatch(/^aborted by alice: ….*x$/s);
    const hostile = aJob({ beingDeleted: true, ...by(`al\u202eice\n${'e'.repeat(300)}`) });
    const [waiting] = planned({ jobs: [hostile], previous: listed }).status?.waiting ?? [];
    expect(waiting?.abortedBy).toMatch(/^al ice e{248}…$/);
    const empty = aJob({ beingDeleted: true, ...by(' \n') });
    expect(planned({ jobs: [empty], previous: listed }).status?.waiting?.[0]).not.toHaveProperty('abortedBy');
  });
});

describe('no name is recorded for a deploy', () => {
  const exited = podEnd(aPod(runs, { phase: 'Succeeded', terminated: { exitCode: 0, finishedAt: stamp(-9) } }));
  const ending = (reason: string) => ({ result: 'Aborted' as const, reason, message: 'for another' });
  const claimed = (reason: string): LaneStatus => ({
    name: 'production',
    active: [aClaim(runs, { ending: ending(reason) })],
  });

  /** Anybody may delete it then, whose name ever is on it. */
  const failedAndDeleted = aJob({
    started: -30,
    finished: 'Failed',
    finishedAt: -1,
    failure: { reason: 'BackoffLimitExceeded' },
    beingDeleted: true,
    ...by('alice'),
  });

  test.each<[string, LaneChanges, string]>([
    [
      'that ended by itself before the delete took effect',
      { previous: held, memory: { ...deletedBy('alice'), podEnds: () => [exited] } },
      'Succeeded Completed',
    ],
    [
      'that had succeeded by itself, though its claim says who deleted it',
      {
        previous: { name: 'production', active: [aClaim(runs, { abortedBy: 'alice' })] },
        memory: { ...deletedBy('alice'), podEnds: () => [exited] },
      },
      'Succeeded Completed',
    ],
    [
      'whose Job had finished',
      { jobs: [aJob({ started: -30, finished: 'Complete', ...by('alice') })], previous: held },
      'Succeeded Completed',
    ],
    [
      'whose Job failed by its deadline, also where somebody deletes it after that',
      {
        jobs: [
          aJob({
            started: -30,
            finished: 'Failed',
            failure: { reason: 'DeadlineExceeded' },
            beingDeleted: true,
            ...by('alice'),
          }),
        ],
        previous: held,
        memory: { ...deletedBy(undefined), podEnds: () => [told] },
      },
      'Failed DeadlineExceeded',
    ],
    [
      'that was replaced, also where somebody was faster with the delete',
      { previous: claimed('Replaced'), memory: deletedBy('alice') },
      'Aborted Replaced',
    ],
    [
      'that was suspended',
      {
        jobs: [aJob({ started: -30, suspended: true, ...by('alice') })],
        previous: held,
        memory: deletedBy(undefined),
      },
      'Aborted JobSuspended',
    ],
    [
      'of which nobody saw how its Job went',
      { previous: held, memory: aMemory({ podWasSeen: () => true, podEnds: () => [told] }) },
      'Unknown JobVanished',
    ],
    [
      'that was dropped while it waited',
      { jobs: [aJob({ expiresAt: at(-1), ...by('alice') })], previous: listed },
      'Missed Expired',
    ],
    [
      'whose Pod was deleted, and not its Job',
      {
        jobs: [aJob({ started: -30, finished: 'Failed', failure: { reason: 'BackoffLimitExceeded' }, ...by('alice') })],
        previous: held,
        memory: deletedBy(undefined),
      },
      'Failed PodDeleted',
    ],
    [
      'whose Pod was deleted, and its Job when it had failed for that, also where no operator worked in between',
      { jobs: [failedAndDeleted], previous: held, memory: deletedBy('alice') },
      'Failed PodDeleted',
    ],
    [
      'whose Pod was deleted, and its Job when it had failed for that, also where it was gone when an operator looked',
      { previous: held, memory: { ...deletedBy('alice'), lastSeen: () => failedAndDeleted } },
      'Failed PodDeleted',
    ],
  ])('%s', (_, changes, expected) => {
    const { ended } = planned(changes);
    expect(ended.map(({ result, reason }) => `${result} ${reason}`)).toEqual([expected]);
    expect(ended[0]).not.toHaveProperty('abortedBy');
    expect(ended[0]?.message ?? '').not.toContain('alice');
  });

  test('nor written into a claim that announces another end', () => {
    const pods = [aPod(runs, { terminating: true })];
    const { status } = planned({ pods, previous: claimed('Replaced'), memory: deletedBy('alice') });
    expect(status?.active?.[0]).toMatchObject({ ending: { reason: 'Replaced' } });
    expect(status?.active?.[0]).not.toHaveProperty('abortedBy');
  });
});

test('a status that is too large for etcd has the names cut in its history, and left out of what waits', () => {
  const who = '漢'.repeat(256);
  const lane = (index: number): LaneStatus => ({
    name: `e${index}`,
    waiting: Array.from({ length: 20 }, (_, place) =>
      aWaitingEntry(waits, { id: `r${index}-${place}`, why: '漢'.repeat(512), abortedBy: who }),
    ),
  });
  const entry = aHistoryEntry(waits, { abortedBy: who, message: '漢'.repeat(2048) });
  const status: CapDeployJobStatus = {
    environments: Array.from({ length: 50 }, (_, index) => lane(index)),
    history: Array.from({ length: 200 }, () => entry),
  };
  const { environments, history } = truncateStatus(status);
  expect(environments?.[0]?.waiting?.[0]).not.toHaveProperty('abortedBy');
  expect(history?.[0]?.abortedBy).toBe(`${'漢'.repeat(31)}…`);
});
