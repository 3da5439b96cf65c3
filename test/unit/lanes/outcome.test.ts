import { describe, expect, test } from 'vitest';
import type { Claim } from '../../../src/api/capdeployjob.ts';
import type { Job, Pod } from '../../../src/lanes/job.ts';
import {
  type Ended,
  exitOf,
  type Outcome,
  outcomeOfFinished,
  outcomeOfSuspended,
  outcomeOfVanished,
} from '../../../src/lanes/outcome.ts';
import { endOfGonePod, podEnd } from '../../../src/lanes/pod-end.ts';
import { aClaim, aJob, aPod, at, type PodChanges, stamp } from '../../kit/builders.ts';

const running = aJob({ started: -30 });
const complete = aJob({ started: -30, finished: 'Complete', finishedAt: -5 });
const failedJob = (reason: string, message = 'limit') =>
  aJob({ started: -30, finished: 'Failed', finishedAt: -5, failure: { reason, message } });
const limit = failedJob('BackoffLimitExceeded');

const ended = (job: Job, pods: readonly Pod[], claim: Claim | undefined = aClaim(running)): Ended & { job: Job } => ({
  claim,
  job,
  ends: pods.map(podEnd),
  now: at(0),
});
const pod = (changes: PodChanges) => aPod(running, changes);
const good = pod({ phase: 'Succeeded', terminated: { exitCode: 0, finishedAt: stamp(-7) } });
const bad = pod({
  phase: 'Failed',
  terminated: { exitCode: 1, reason: 'Error', message: 'boom', finishedAt: stamp(-7) },
});
/** It traps SIGTERM. */
const tooLate = pod({ phase: 'Succeeded', toldAt: -8, terminated: { exitCode: 0, finishedAt: stamp(-7) } });
const told = pod({ phase: 'Failed', toldAt: -8, terminated: { exitCode: 143, finishedAt: stamp(-7) } });
const ofPod = `Pod ${good.metadata.name}`;

const short = ({ result, reason, message }: Outcome) => [`${result} ${reason}`, ...(message?.split('\n') ?? [])];

describe('a deploy whose Job has finished', () => {
  test('has succeeded if the Job is complete, when its container exited', () => {
    expect(outcomeOfFinished(ended(complete, [good]))).toEqual({
      result: 'Succeeded',
      reason: 'Completed',
      finishedAt: stamp(-7),
      freeAt: stamp(-5),
    });
  });

  test('has succeeded if the Job is complete and its Pod was not seen, at the time that the Job gives', () => {
    expect(outcomeOfFinished(ended(complete, []))).toMatchObject({ result: 'Succeeded', finishedAt: stamp(-5) });
  });

  test('has failed if its container exited by itself with another code: in its words, its log last', () => {
    expect(short(outcomeOfFinished(ended(limit, [bad])))).toEqual([
      'Failed BackoffLimitExceeded',
      `${ofPod}, container cap: exit code 1 (Error)`,
      'boom',
    ]);
  });

  test('has succeeded if its container exited with 0 by itself, though the Job failed by its deadline after that', () => {
    expect(short(outcomeOfFinished(ended(failedJob('DeadlineExceeded'), [good])))).toEqual([
      'Succeeded Completed',
      'its Job failed (DeadlineExceeded), but its container exited by itself',
      `${ofPod}, container cap: exit code 0`,
    ]);
  });

  test('has succeeded if a side-car failed and made the Job a failed one', () => {
    const sidecar = pod({
      phase: 'Failed',
      terminated: { exitCode: 0, finishedAt: stamp(-9) },
      others: { proxy: { terminated: { exitCode: 2, reason: 'Error', finishedAt: stamp(-7) } } },
    });
    expect(short(outcomeOfFinished(ended(limit, [sidecar])))).toEqual([
      'Succeeded SidecarFailed',
      'container proxy: exit code 2 (Error)',
      `${ofPod}, container cap: exit code 0`,
    ]);
  });

  test('has not succeeded if its container exited with 0 only after it was told to end, whatever the Job counts', () => {
    for (const job of [complete, limit]) {
      const outcome = outcomeOfFinished(ended(job, [tooLate]));
      expect(outcome).toMatchObject({ result: 'Failed', reason: 'PodDeleted' });
      expect(outcome.message).toContain('container cap: exit code 0, after it was told to end');
    }
  });

  test('keeps the announced end if its container exited only after it was told to', () => {
    const ending = { result: 'Aborted' as const, reason: 'Replaced', message: 'for another' };
    const outcome = outcomeOfFinished(ended(complete, [tooLate], aClaim(running, { ending })));
    expect(outcome).toMatchObject({ result: 'Aborted', reason: 'Replaced' });
    expect(outcome.message).toContain('after it was told to end');
  });

  test('keeps the reason of the deadline if its Pod was ended for it', () => {
    expect(short(outcomeOfFinished(ended(failedJob('DeadlineExceeded'), [told])))).toEqual([
      'Failed DeadlineExceeded',
      'limit',
      `${ofPod} was deleted; container cap: exit code 143, after it was told to end`,
    ]);
  });

  test.each([
    ['an eviction', { phase: 'Failed' as const, reason: 'Evicted', message: 'low on memory' }, 'Evicted'],
    ['a refusal', { phase: 'Failed' as const, reason: 'OutOfcpu', message: 'no cpu' }, 'PodRefused'],
    ['a drain', { phase: 'Failed' as const, disruption: 'EvictionByEvictionAPI', toldAt: -8 }, 'Disrupted'],
    ['somebody’s delete', { phase: 'Failed' as const, toldAt: -8 }, 'PodDeleted'],
  ])('tells %s of its Pod', (_, changes, reason) => {
    expect(outcomeOfFinished(ended(limit, [pod(changes)]))).toMatchObject({ result: 'Failed', reason });
  });

  test('says where nothing ran on the servers', () => {
    const refused = pod({ phase: 'Failed', reason: 'OutOfcpu', message: 'no cpu' });
    expect(short(outcomeOfFinished(ended(limit, [refused])))).toEqual([
      'Failed PodRefused',
      `${ofPod}: OutOfcpu: no cpu`,
      'nothing ran on the servers',
    ]);
  });

  test('has the Job’s words if no Pod says anything', () => {
    expect(short(outcomeOfFinished(ended(limit, [])))).toEqual(['Failed JobFailed', 'BackoffLimitExceeded: limit']);
    expect(short(outcomeOfFinished(ended(failedJob('DeadlineExceeded'), [])))).toEqual([
      'Failed DeadlineExceeded',
      'limit',
    ]);
  });

  test('of a Job that has not finished is not asked', () => {
    expect(() => outcomeOfFinished(ended(running, []))).toThrow('has not finished');
  });
});

describe('a deploy with several Pods', () => {
  const other = (changes: PodChanges) => aPod(running, { name: 'other-pod', ...changes });

  test('has succeeded if the Job is complete, and the other Pod is named', () => {
    const pods = [other({ phase: 'Failed', toldAt: -20, terminated: { exitCode: 143 } }), good];
    expect(short(outcomeOfFinished(ended(complete, pods)))).toEqual([
      'Succeeded Completed',
      'its Job had another Pod: Pod other-pod was deleted; container cap: exit code 143, after it was told to end',
    ]);
  });

  test('has succeeded otherwise only if each of them exited with 0 by itself', () => {
    const alsoGood = other({ phase: 'Succeeded', terminated: { exitCode: 0 } });
    const alsoBad = other({ phase: 'Failed', terminated: { exitCode: 3 } });
    expect(outcomeOfVanished(ended(running, [good, alsoGood]))).toMatchObject({ result: 'Succeeded' });
    expect(outcomeOfVanished(ended(running, [good, alsoBad]))).toMatchObject({ result: 'Failed' });
    expect(outcomeOfVanished(ended(running, [good, other({})]))).toMatchObject({ result: 'Aborted' });
    expect(outcomeOfFinished(ended(limit, [good, other({ phase: 'Failed', reason: 'Evicted' })]))).toMatchObject({
      result: 'Failed',
      reason: 'Evicted',
    });
  });
});

describe('a deploy whose Job is gone', () => {
  test('has succeeded if its container exited with 0 by itself: the Pod was orphaned, or the delete came later', () => {
    expect(outcomeOfVanished(ended(running, [good]))).toEqual({
      result: 'Succeeded',
      reason: 'Completed',
      message: `its Job was deleted, but its container exited by itself\n${ofPod}, container cap: exit code 0`,
      finishedAt: stamp(-7),
      freeAt: at(0),
    });
  });

  test('has failed if its container exited otherwise by itself', () => {
    expect(outcomeOfVanished(ended(running, [bad]))).toMatchObject({
      result: 'Failed',
      reason: 'BackoffLimitExceeded',
    });
  });

  test.each([
    ['that exited with 0 after it was told to end', tooLate, 'exit code 0, after it was told to end'],
    ['that was ended', told, 'exit code 143, after it was told to end'],
    ['that said nothing', pod({}), 'did not say how it ended'],
  ])('was aborted with a container %s', (_, last, words) => {
    const outcome = outcomeOfVanished({ ...ended(running, []), ends: [endOfGonePod(podEnd(last))] });
    expect(outcome).toMatchObject({ result: 'Aborted', reason: 'JobDeleted', finishedAt: at(0) });
    expect(outcome.message).toMatch(/^the Job was deleted\n/);
    expect(outcome.message).toContain(words);
  });

  test('is not known if its deletion was not seen', () => {
    expect(outcomeOfVanished({ ...ended(running, []), job: undefined })).toMatchObject({
      result: 'Unknown',
      reason: 'JobVanished',
    });
  });

  test('ended as it had been announced, unless it had ended by itself before', () => {
    const claim = aClaim(running, { ending: { result: 'Aborted', reason: 'Replaced', message: 'for another' } });
    expect(short(outcomeOfVanished(ended(running, [told], claim)))[0]).toBe('Aborted Replaced');
    expect(short(outcomeOfVanished(ended(running, [good], claim)))).toEqual([
      'Succeeded Completed',
      'it was being ended (Replaced), but its container exited by itself',
      `${ofPod}, container cap: exit code 0`,
    ]);
    expect(short(outcomeOfVanished(ended(running, [bad], claim)))[0]).toBe('Failed BackoffLimitExceeded');
  });

  test('that a side-car held ended as its container exited', () => {
    const ending = { result: 'Succeeded' as const, reason: 'SidecarEnded', message: 'proxy ran on' };
    const exit = { code: 0, reason: 'Completed', finishedAt: stamp(-70), message: 'Pod p, container cap: exit code 0' };
    expect(outcomeOfVanished(ended(running, [told], aClaim(running, { ending, exit })))).toEqual({
      result: 'Succeeded',
      reason: 'SidecarEnded',
      message: 'proxy ran on\nPod p, container cap: exit code 0',
      finishedAt: stamp(-70),
      freeAt: at(0),
    });
  });
});

test('a side-car that ended by itself before the announced delete was not ended by the operator', () => {
  const ending = { result: 'Succeeded' as const, reason: 'SidecarEnded', message: 'proxy ran on' };
  const exit = { code: 0, reason: 'Completed', finishedAt: stamp(-70) };
  const claim = aClaim(running, { ending, exit });
  expect(short(outcomeOfFinished(ended(complete, [good], claim)))).toEqual(['Succeeded Completed']);
  expect(short(outcomeOfVanished(ended(limit, [good], claim)))[0]).toBe('Succeeded Completed');
  const deletedLater = aJob({ started: -30, finished: 'Complete', finishedAt: -5, beingDeleted: true });
  expect(short(outcomeOfVanished(ended(deletedLater, [good], claim)))).toEqual(['Succeeded Completed']);
});

test('a Job that had failed before it was deleted was not ended for a newer one, and one that failed with the delete was', () => {
  const claim = aClaim(running, { ending: { result: 'Aborted', reason: 'Replaced', message: 'for another' } });
  const failed = (finishedAt: number) =>
    aJob({
      started: -30,
      finished: 'Failed',
      finishedAt,
      failure: { reason: 'BackoffLimitExceeded' },
      beingDeleted: true,
    });
  expect(short(outcomeOfFinished(ended(failed(-1), [told], claim)))[0]).toBe('Failed PodDeleted');
  expect(short(outcomeOfFinished(ended(failed(0), [told], claim)))[0]).toBe('Aborted Replaced');
});

describe('a deploy whose Job was suspended', () => {
  test('was aborted, unless its container had exited by itself', () => {
    expect(short(outcomeOfSuspended(ended(running, [told])))).toEqual([
      'Aborted JobSuspended',
      'the running Job was suspended by hand',
      `${ofPod} was deleted; container cap: exit code 143, after it was told to end`,
    ]);
    expect(short(outcomeOfSuspended(ended(running, [good])))[0]).toBe('Succeeded Completed');
    expect(short(outcomeOfSuspended(ended(running, [bad])))[0]).toBe('Failed BackoffLimitExceeded');
  });
});

describe('the exit that the claim holds', () => {
  const exit = { code: 0, reason: 'Completed', finishedAt: stamp(-20) };
  const claim = aClaim(running, { exit });

  test('wins over the announced end, the Job, and what this process has seen', () => {
    for (const outcome of [
      outcomeOfFinished(ended(limit, [bad], claim)),
      outcomeOfFinished(ended(failedJob('DeadlineExceeded'), [told], claim)),
      outcomeOfSuspended(ended(running, [told], claim)),
      outcomeOfVanished(
        ended(running, [], aClaim(running, { exit, ending: { result: 'Aborted', reason: 'Replaced' } })),
      ),
    ])
      expect(outcome).toMatchObject({ result: 'Succeeded', finishedAt: stamp(-20) });
    const failed = aClaim(running, { exit: { ...exit, code: 1, reason: 'OOMKilled' } });
    expect(outcomeOfFinished(ended(complete, [good], failed))).toMatchObject({ result: 'Failed', reason: 'OOMKilled' });
  });

  test('is the one that is told, before any that this process has seen', () => {
    expect(exitOf(ended(running, [bad], claim))).toBe(exit);
    expect(exitOf(ended(running, [bad]))).toEqual({
      code: 1,
      reason: 'BackoffLimitExceeded',
      finishedAt: stamp(-7),
      message: `${ofPod}, container cap: exit code 1 (Error)\nboom`,
    });
    expect(exitOf(ended(running, []))).toBeUndefined();
  });
});
