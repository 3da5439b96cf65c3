import { describe, expect, test } from 'vitest';
import { outcomeOf, terminationMessage } from '../../src/lanes/outcome.ts';
import { aJob, aPod, stamp } from './builders.ts';

describe('how a finished Job ended', () => {
  test('a complete one succeeded, when it says', () => {
    expect(outcomeOf(aJob({ started: -30, finished: 'Complete', finishedAt: -5 }), 'log')).toEqual({
      result: 'Succeeded',
      reason: 'Completed',
      finishedAt: stamp(-5),
    });
  });

  test.each([
    [
      'Kubernetes’ reason and words, then the log',
      { reason: 'BackoffLimitExceeded', message: 'limit' },
      'boom',
      'BackoffLimitExceeded',
      'limit\nboom',
    ],
    ['a reason of ours where there is none', {}, undefined, 'JobFailed', undefined],
    ['the log alone', { reason: 'DeadlineExceeded' }, 'boom', 'DeadlineExceeded', 'boom'],
  ])('a failed one tells %s', (_, failure, log, reason, message) => {
    const outcome = outcomeOf(aJob({ started: -30, finished: 'Failed', finishedAt: -5, failure }), log);
    expect(outcome).toEqual({ result: 'Failed', reason, finishedAt: stamp(-5), ...(message ? { message } : {}) });
  });

  test('of a Job that has not finished is not asked', () => {
    expect(() => outcomeOf(aJob({ started: -30 }), undefined)).toThrow('has not finished');
  });
});

describe('the end of a log in a Pod', () => {
  const job = aJob({ started: -30 });
  test.each([
    [
      'the exit code and the message of a failed container',
      aPod(job, { terminated: { exitCode: 1, message: 'boom' } }),
      'exit code 1\nboom',
    ],
    ['the exit code alone', aPod(job, { terminated: { exitCode: 137 } }), 'exit code 137'],
    ['the message of a good one', aPod(job, { terminated: { exitCode: 0, message: 'done' } }), 'done'],
    ['nothing while it runs', aPod(job), undefined],
    ['nothing before it runs', aPod(job, { phase: 'Pending' }), undefined],
  ])('is %s', (_, pod, expected) => {
    expect(terminationMessage(pod)).toBe(expected);
  });

  test('is the first container’s, not that of a side-car which the kubelet lists before it', () => {
    const pod = aPod(job);
    pod.status!.containerStatuses = [
      { name: 'agent', state: { terminated: { exitCode: 0, message: 'agent' } } },
      { name: 'cap', state: { terminated: { exitCode: 2, message: 'cap' } } },
    ];
    pod.spec!.containers = [{ name: 'cap' }, { name: 'agent' }];
    expect(terminationMessage(pod)).toBe('exit code 2\ncap');
  });
});
