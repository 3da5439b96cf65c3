import { describe, expect, test } from 'vitest';
import { storedRequest } from '../../../src/lanes/job.ts';
import { inTurn, Lane, requestOf, startOf, summary } from '../../../src/lanes/lane.ts';
import { aClaim, aJob, aLane, aMemory, aPod, at, aWaitingEntry, stamp } from '../../kit/builders.ts';

const job = aJob();
const mark = (seconds: number) => ({
  task: 'deploy',
  id: 'r9',
  repository: 'livesense/web',
  revision: 'v1.0.0',
  dueAt: at(seconds),
});

describe('Invariant 4: the watermark of a task', () => {
  const active = [aClaim(job)];
  test.each([
    ['none in a new lane', { previous: undefined }, undefined],
    ['what was started last', { previous: { name: 'production', lastStarted: [mark(-90)] } }, mark(-90)],
    [
      'the claim’s, where that is later',
      { jobs: [aJob({ started: -5 })], previous: { name: 'production', active, lastStarted: [mark(-90)] } },
      { task: 'deploy', id: 'r1', dueAt: at(-60) },
    ],
    [
      'what was started last, where the claim is earlier',
      { jobs: [aJob({ started: -5 })], previous: { name: 'production', active, lastStarted: [mark(-10)] } },
      mark(-10),
    ],
    [
      'the claim’s, where its Job has vanished',
      { previous: { name: 'production', active } },
      { task: 'deploy', id: 'r1', dueAt: at(-60) },
    ],
    [
      'not the claim’s while its Job is seen to wait',
      { jobs: [job], previous: { name: 'production', active } },
      undefined,
    ],
    [
      'not another task’s',
      { previous: { name: 'production', lastStarted: [{ ...mark(0), task: 'deploy:restart' }] } },
      undefined,
    ],
  ])('is %s', (_, changes, expected) => {
    expect(new Lane(aLane(changes)).watermark('deploy')).toEqual(expected);
  });
});

describe('whether a Job waits or was interrupted', () => {
  test.each([
    ['it waits', job, {}, [true, false]],
    ['it was interrupted: it says when it was started', aJob({ started: -5, suspended: true }), {}, [false, true]],
    ['it was interrupted: a Pod of it was seen', job, { memory: aMemory({ podWasSeen: () => true }) }, [false, true]],
    ['it was interrupted: a Pod of it is there', job, { pods: [aPod(job)] }, [false, true]],
    ['neither: it runs', aJob({ started: -5 }), {}, [false, false]],
    ['neither: it has finished', aJob({ started: -5, finished: 'Complete' as const }), {}, [false, false]],
  ])('%s', (_, seen, changes, expected) => {
    const lane = new Lane(aLane(changes));
    expect([lane.isWaiting(seen), lane.isInterrupted(seen)]).toEqual(expected);
  });
});

test('a request that was written into the status is read back from there as from its Job', () => {
  const request = storedRequest(job);
  expect(requestOf(aClaim(job), 'production')).toEqual(request);
  expect(requestOf(aWaitingEntry(job), 'production')).toEqual(request);
});

test('a status holds no key without a value, which would come back as another status', () => {
  expect(Object.keys(summary(storedRequest(aJob({ revision: undefined, requestedBy: undefined })), 'j'))).toEqual([
    'job',
    'id',
    'repository',
    'task',
    'senderId',
    'sentAt',
  ]);
});

test('Jobs come in the order of their requests', () => {
  const jobs = [aJob({ id: 'b' }), aJob({ id: 'c', sentAt: at(-90) }), aJob({ id: 'a' })];
  expect(inTurn(jobs).map(({ request }) => request.id)).toEqual(['c', 'a', 'b']);
});

describe('when a deploy started', () => {
  const byHand = aJob({ resumedByHand: true });
  test.each([
    ['as the resuming patch says', aJob({ started: -7 }), undefined, at(-7)],
    ['as the Job controller says, where it was resumed by hand', byHand, aClaim(byHand), stamp(-10)],
    ['with its claim, where nothing else is known', job, aClaim(job), at(-30)],
    ['when it was created, where nothing at all is known', job, undefined, stamp(-60)],
  ])('%s', (_, seen, claim, expected) => {
    expect(startOf(seen, claim)).toBe(expected);
  });
});
