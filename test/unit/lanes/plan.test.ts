import { describe, expect, test } from 'vitest';
import { type CapDeployJobStatus, type RejectionEntry, statusSchema } from '../../../src/api/capdeployjob.ts';
import type { Job, Pod } from '../../../src/lanes/job.ts';
import { type Observation, plan } from '../../../src/lanes/plan.ts';
import {
  aClaim,
  aHistoryEntry,
  aJob,
  aMemory,
  anObservation,
  aPod,
  aRawSpec,
  aResource,
  at,
  aWaitingEntry,
  NOW,
} from '../../kit/builders.ts';

const withStatus = (status: CapDeployJobStatus, spec: Record<string, unknown> = {}) =>
  aResource({ status, spec: aRawSpec(spec) });
const aRejection = (n: number): RejectionEntry => ({ messageId: `m${n}`, reason: 'NotJSON', body: 'x', at: at(n) });
const ids = (entries: readonly { id: string }[] | undefined) => entries?.map(({ id }) => id);

describe('the history', () => {
  test('has the newest first: what ends in this pass before what ended before', () => {
    const jobs = [
      aJob({ id: 'a', started: -60, finished: 'Complete', finishedAt: -20 }),
      aJob({ id: 'b', sentAt: at(-30), started: -30, finished: 'Failed', finishedAt: -10 }),
    ];
    const resource = withStatus({ history: [aHistoryEntry(aJob({ id: 'old' }))] });
    const { status, ended } = plan(anObservation({ resource, jobs }));
    expect(ids(ended)).toEqual(['a', 'b']);
    expect(ids(status.history)).toEqual(['b', 'a', 'old']);
  });

  test('keeps 50, and older ones while their Jobs exist', () => {
    const history = Array.from({ length: 52 }, (_, n) => aHistoryEntry(aJob({ id: `h${n}` })));
    const jobs = [aJob({ id: 'h51', started: -60, finished: 'Complete' })];
    const { status, remove } = plan(anObservation({ resource: withStatus({ history }), jobs }));
    expect(ids(status.history)).toEqual([...ids(history)!.slice(0, 50), 'h51']);
    expect(remove).toEqual([]);
  });

  test('knows an id in its own environment only', () => {
    const history = [aHistoryEntry(aJob({ environment: 'staging' }))];
    expect(plan(anObservation({ resource: withStatus({ history }), jobs: [aJob()] })).start).toHaveLength(1);
  });

  test('gives the last deploy to the printer column, and no request that was never started', () => {
    const dropped = aHistoryEntry(aJob({ id: 'x' }), { result: 'Superseded' });
    delete dropped.startedAt;
    const restart = aHistoryEntry(aJob({ id: 'y', task: 'deploy:restart', revision: undefined }));
    expect(
      plan(anObservation({ resource: withStatus({ history: [dropped, aHistoryEntry(aJob())] }) })).status.last,
    ).toBe('production v1.0.0 Succeeded');
    expect(plan(anObservation({ resource: withStatus({ history: [restart] }) })).status.last).toBe(
      'production deploy:restart Succeeded',
    );
    expect(plan(anObservation({ resource: withStatus({ history: [dropped] }) })).status.last).toBeUndefined();
  });
});

describe('rejections', () => {
  test('show the newest five, newest first, and count all', () => {
    const resource = withStatus({ rejections: [aRejection(2), aRejection(1)], rejectionsCount: 7 });
    const rejections = [3, 4, 5, 6].map(aRejection);
    const { status, rejected } = plan(anObservation({ resource, rejections }));
    expect(status.rejections?.map(({ messageId }) => messageId)).toEqual(['m6', 'm5', 'm4', 'm3', 'm2']);
    expect([status.rejectionsCount, rejected]).toEqual([11, rejections]);
  });

  test('of one message are recorded once, in one batch or in two', () => {
    const resource = withStatus({ rejections: [aRejection(1)], rejectionsCount: 1 });
    const { status, rejected } = plan(
      anObservation({ resource, rejections: [aRejection(1), aRejection(2), aRejection(2)] }),
    );
    expect([status.rejectionsCount, rejected]).toEqual([2, [aRejection(2)]]);
  });

  test('push no deploy out of the history', () => {
    const history = [aHistoryEntry(aJob())];
    const rejections = Array.from({ length: 99 }, (_, n) => aRejection(n));
    expect(plan(anObservation({ resource: withStatus({ history }), rejections })).status.history).toEqual(history);
  });
});

describe('lanes', () => {
  test('are independent: each environment starts its own', () => {
    const jobs = [aJob({ id: 'a' }), aJob({ id: 'b' }), aJob({ id: 'c', environment: 'staging' })];
    const { start, status } = plan(anObservation({ jobs }));
    expect(start.map(({ metadata }) => metadata.uid)).toEqual(['uid-of-a', 'uid-of-c']);
    expect([status.active, status.waiting]).toEqual([2, 1]);
  });

  test('of removed environments stay while something of them is there, and are forgotten then', () => {
    const gone = aJob({ environment: 'qa', started: -30 });
    const resource = withStatus({ environments: [{ name: 'qa', active: [aClaim(gone)] }] });
    expect(plan(anObservation({ resource, jobs: [gone] })).status.environments?.map(({ name }) => name)).toEqual([
      'production',
      'staging',
      'qa',
    ]);
    const idle = withStatus({ environments: [{ name: 'qa' }] });
    expect(plan(anObservation({ resource: idle })).status.environments?.map(({ name }) => name)).toEqual([
      'production',
      'staging',
    ]);
  });

  test('hold Jobs of their own resource by UID: those of an earlier one of this name only stand in the way', () => {
    const jobs = [aJob({ owner: 'uid-of-before', started: -30 }), aJob({ id: 'r2' })];
    const { start, adopted, status } = plan(anObservation({ jobs }));
    expect([start, adopted, ids(status.environments?.[0]?.waiting)]).toEqual([[], [], ['r2']]);
  });

  test('Invariant 6: Jobs of an earlier resource of this name are not deleted, whatever is recorded', () => {
    const jobs = [
      aJob({ owner: 'uid-of-before', started: -30, finished: 'Complete' }),
      aJob({ id: 'r2', owner: 'uid-of-before' }),
    ];
    const history = jobs.map((job) => aHistoryEntry(job));
    const resource = withStatus({ history }, { successfulJobsHistoryLimit: 0 });
    expect(plan(anObservation({ resource, jobs })).remove).toEqual([]);
  });

  test('have no name that is not one of an environment', () => {
    const job = aJob();
    job.metadata.labels!['capdeployjob.dev/environment'] = '-';
    expect(plan(anObservation({ jobs: [job] })).status.environments?.map(({ name }) => name)).toEqual([
      'production',
      'staging',
    ]);
  });

  test('are left alone if the spec cannot be read: nothing is dropped for a typing error, and what was written stays', () => {
    const running = aJob({ started: -30 });
    const environments = [
      { name: 'production', active: [aClaim(running)], waiting: [aWaitingEntry(aJob({ id: 'r2' }))] },
    ];
    const resource = aResource({
      spec: { queue: 7 },
      status: { environments, history: [aHistoryEntry(aJob({ id: 'r0' }))] },
    });
    const planned = plan(anObservation({ resource, jobs: [] }));
    expect(planned).toMatchObject({ ended: [], touch: [], start: [], remove: [], absent: [] });
    expect(planned.status.environments).toEqual(environments);
    expect(ids(planned.status.history)).toEqual(['r0']);
    expect(planned.status.conditions?.[0]).toMatchObject({ type: 'Ready', status: 'False', reason: 'InvalidSpec' });
  });

  test('what was dropped unstarted pushes the last deploy out of the history, not out of `last`', () => {
    const before = withStatus({ last: 'production v1 Succeeded' });
    expect(plan(anObservation({ resource: before, jobs: [] })).status.last).toBe('production v1 Succeeded');
  });

  test('Invariant 6: a Job is removed by retention only once its end is in the status of the same plan', () => {
    const job = aJob({ started: -30, finished: 'Complete' });
    const resource = withStatus({}, { successfulJobsHistoryLimit: 0 });
    const { remove, status } = plan(anObservation({ resource, jobs: [job] }));
    expect([remove, ids(status.history)]).toEqual([[{ job, reason: 'history limit' }], ['r1']]);
  });
});

describe('when to look again', () => {
  test('is when the queue will have been silent for too long', () => {
    expect(plan(anObservation()).wakeAt).toBe(NOW - 5_000 + 90_000 + 1);
  });

  test('is never in the past', () => {
    const queue = { kind: 'reading' as const, since: 0, lastReadAt: NOW - 900_000 };
    expect(plan(anObservation({ queue })).wakeAt).toBeUndefined();
  });

  test('is when the first of the finished Jobs is to go', () => {
    const jobs = [aJob({ started: -30, finished: 'Complete', finishedAt: -20 })];
    const resource = withStatus({}, { ttlSecondsAfterFinished: 60 });
    expect(plan(anObservation({ resource, jobs })).wakeAt).toBe(NOW + 40_000);
  });
});

describe('Invariant 8: at rest the plan changes nothing', () => {
  const running = aJob({ started: -30 });
  const byHand = aJob({ id: 'r5', resumedByHand: true });
  const situations: [string, Partial<Observation>][] = [
    ['nothing was ever asked for', {}],
    ['a deploy runs and others wait', { jobs: [running, aJob({ id: 'r2', sentAt: at(-30) })], pods: [aPod(running)] }],
    [
      'a deploy’s Pod does not come up',
      { jobs: [running], pods: [aPod(running, { waiting: { reason: 'ErrImagePull', message: 'n'.repeat(900) } })] },
    ],
    ['a deploy runs beside one that was resumed by hand', { jobs: [running, byHand], pods: [aPod(running)] }],
    [
      'a Pod terminates for ever',
      { jobs: [aJob({ id: 'r2' })], pods: [aPod(running, { terminating: true, node: 'n' })] },
    ],
    [
      'the resource is frozen',
      {
        jobs: [aJob(), aJob({ id: 'r2', revision: undefined, requestedBy: undefined })],
        resource: withStatus({}, { suspend: true }),
      },
    ],
    [
      'deploys have ended',
      { jobs: [aJob({ started: -60, finished: 'Complete' }), aJob({ id: 'r2', started: -20, finished: 'Failed' })] },
    ],
    ['the spec cannot be read', { resource: aResource({ spec: {} }) }],
    ['messages were rejected', { rejections: [aRejection(1)] }],
    [
      'a vanished deploy’s Pod lives on',
      {
        resource: withStatus({ environments: [{ name: 'production', active: [aClaim(running)] }] }),
        pods: [aPod(running, { orphaned: true })],
      },
    ],
    [
      'the Job of a vanished deploy is being timed',
      {
        resource: withStatus({ environments: [{ name: 'production', active: [aClaim(running)] }] }),
        memory: aMemory({ absentSince: () => NOW }),
      },
    ],
  ];

  /** What the API server and the Job controller make of a plan. */
  function carriedOut(
    seen: Observation,
    status: CapDeployJobStatus,
    removed: readonly Job[],
    started: readonly Job[],
    marked: readonly Job[],
  ): Observation {
    const jobs = seen.jobs
      .filter((job) => !removed.includes(job))
      .map((job) =>
        started.includes(job) ? aJob({ id: job.metadata.annotations!['capdeployjob.dev/id']!, started: 0 }) : job,
      )
      .map((job) => (marked.includes(job) ? withMark(job) : job));
    const pods: Pod[] = [...seen.pods, ...started.map((job) => aPod(job))];
    const stored = JSON.parse(JSON.stringify(status)) as CapDeployJobStatus;
    return {
      ...seen,
      resource: { ...seen.resource, status: stored },
      jobs,
      pods,
      rejections: [],
      now: seen.now + 1000,
    };
  }

  test.each(situations)('%s', (_, changes) => {
    let seen = anObservation(changes);
    for (let pass = 0; pass < 5; pass += 1) {
      const { status, remove, start, mark } = plan(seen);
      expect(statusSchema.safeParse(status).error).toBeUndefined();
      seen = carriedOut(
        seen,
        status,
        remove.map(({ job }) => job),
        start,
        mark,
      );
    }
    const settled = plan(seen);
    expect(settled).toMatchObject({
      touch: [],
      start: [],
      remove: [],
      ended: [],
      absent: [],
      rejected: [],
      mark: [],
      adopted: [],
    });
    expect(settled.status).toStrictEqual(seen.resource.status);
  });
});

function withMark(job: Job): Job {
  const annotations = { ...job.metadata.annotations, 'capdeployjob.dev/started-at': '2026-03-10T11:59:50Z' };
  return { ...job, metadata: { ...job.metadata, annotations } };
}
