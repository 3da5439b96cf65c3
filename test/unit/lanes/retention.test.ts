import { describe, expect, test } from 'vitest';
import type { Result } from '../../../src/api/reasons.ts';
import { finishedCondition, type Job, storedRequest } from '../../../src/lanes/job.ts';
import { retain, trimHistory } from '../../../src/lanes/retention.ts';
import { aHistoryEntry, aJob, aSpec, NOW } from '../../kit/builders.ts';

const done = (id: string, finishedAt: number, finished: 'Complete' | 'Failed' = 'Complete'): Job =>
  aJob({ id, started: finishedAt - 10, finished, finishedAt });

function removed(jobs: Job[], spec: Record<string, unknown> = {}, place: (id: string) => number | undefined = () => 0) {
  const resultOf = (id: string): Result => {
    const job = jobs.find((each) => storedRequest(each).id === id);
    return job && finishedCondition(job)?.type === 'Complete' ? 'Succeeded' : 'Failed';
  };
  const recordOf = (_: string, id: string) => {
    const at = place(id);
    return at === undefined ? undefined : { place: at, result: resultOf(id) };
  };
  const { remove, wakeAt } = retain(jobs, aSpec(spec), recordOf, NOW);
  const idOf = (job: Job) => job.metadata.uid.replace('uid-of-', '');
  return { removed: remove.map(({ job, reason }) => `${idOf(job)}: ${reason}`), wakeAt };
}

describe('what is kept of a lane’s finished Jobs', () => {
  test('the newest, as many as the limit says; the oldest go', () => {
    const jobs = [done('a', -40), done('b', -10), done('c', -30), done('d', -20)];
    expect(removed(jobs).removed).toEqual(['a: history limit']);
  });

  test('succeeded and failed ones are counted apart', () => {
    const jobs = [done('a', -40), done('b', -10), done('f', -50, 'Failed'), done('g', -60, 'Failed')];
    const limits = { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 1 };
    expect(removed(jobs, limits).removed).toEqual(['a: history limit', 'g: history limit']);
  });

  test('a Job counts by the recorded result: one that a side-car failed is that of a good deploy', () => {
    const jobs = [done('a', -40), done('f', -10, 'Failed')];
    const recordOf = () => ({ place: 0, result: 'Succeeded' as const });
    const limits = aSpec({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 1 });
    expect(retain(jobs, limits, recordOf, NOW).remove).toEqual([{ job: jobs[0], reason: 'history limit' }]);
  });

  test('none if the limit is 0', () => {
    expect(removed([done('a', -10)], { successfulJobsHistoryLimit: 0 }).removed).toEqual(['a: history limit']);
  });

  test('Invariant 6: one that is not recorded is kept, however old', () => {
    const jobs = [done('a', -10)];
    const spec = { successfulJobsHistoryLimit: 0, ttlSecondsAfterFinished: 1 };
    expect(removed(jobs, spec, () => undefined).removed).toEqual([]);
  });

  test('what runs, what waits and what is being deleted already is no business of it', () => {
    const leaving = aJob({ id: 'l', started: -5, finished: 'Complete', beingDeleted: true });
    const jobs = [aJob({ id: 'w' }), aJob({ id: 's', started: -5 }), leaving];
    expect(removed(jobs, { successfulJobsHistoryLimit: 0 }).removed).toEqual([]);
  });

  test('one older than its ttl goes, to the second; the next one’s end is waited for', () => {
    const spec = { ttlSecondsAfterFinished: 60 };
    const seen = removed([done('a', -60), done('b', -59), done('c', -10)], spec);
    expect(seen.removed).toEqual(['a: ttl']);
    expect(seen.wakeAt).toBe(NOW + 1000);
  });

  test('a ttl of 0 keeps none, and without one nothing is waited for', () => {
    expect(removed([done('a', 0)], { ttlSecondsAfterFinished: 0 }).removed).toEqual(['a: ttl']);
    expect(removed([done('a', 0)], { ttlSecondsAfterFinished: null }).wakeAt).toBeUndefined();
  });

  test('a Job whose entry lies too far back in the history goes, so that the entry may go too', () => {
    expect(removed([done('a', -10)], {}, () => 199).removed).toEqual([]);
    expect(removed([done('a', -10)], {}, () => 200).removed).toEqual(['a: history limit']);
  });
});

describe('how long the history is', () => {
  const entries = Array.from({ length: 53 }, (_, index) => aHistoryEntry(aJob({ id: `r${index}` })));

  test('the newest 50 stay', () => {
    expect(trimHistory(entries, () => false)).toEqual(entries.slice(0, 50));
  });

  test('an older one stays while its Job exists, or the Job would be recorded a second time', () => {
    const kept = entries[52]!;
    expect(trimHistory(entries, (name) => name === kept.job)).toEqual([...entries.slice(0, 50), kept]);
  });
});
