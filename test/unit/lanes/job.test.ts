import { describe, expect, test } from 'vitest';
import { ANNOTATION, LABEL } from '../../../src/api/names.ts';
import {
  finishedAt,
  identify,
  isAlive,
  isFinished,
  isRunning,
  isWaiting,
  type Job,
  jobUidOf,
  startedAt,
  storedRequest,
} from '../../../src/lanes/job.ts';
import { aJob, aPod, aRequest, aResource, at, type JobChanges, stamp } from '../../kit/builders.ts';

describe('what a Job that has a request’s name is to it', () => {
  const changed = (change: (job: Job) => void): Job => {
    const job = aJob();
    change(job);
    return job;
  };
  test.each([
    ['the same: id and content agree', aJob(), {}, 'same'],
    ['the same: it has been started meanwhile', aJob({ started: -5 }), {}, 'same'],
    ['the same: texts for people differ', aJob(), { requestedBy: 'bob', reason: 'again', messageId: 'm2' }, 'same'],
    ['a conflict: the same id with another revision', aJob(), { revision: 'v2.0.0' }, 'id-conflict'],
    ['a conflict: the same id with another repository', aJob(), { repository: 'web' }, 'id-conflict'],
    ['a conflict: the same id with another task', aJob(), { task: 'deploy:restart' }, 'id-conflict'],
    ['a conflict: the same id, now without a revision', aJob(), { revision: undefined }, 'id-conflict'],
    ['leaving: it is being deleted', aJob({ beingDeleted: true }), {}, 'leaving'],
    ['leaving: it belongs to an earlier resource of this name', aJob({ owner: 'uid-of-before' }), {}, 'leaving'],
    ['foreign: it has no owner', changed((job) => delete job.metadata.ownerReferences), {}, 'foreign'],
    [
      'foreign: its owner is only a reference, not its controller',
      changed((job) => delete job.metadata.ownerReferences![0]!.controller),
      {},
      'foreign',
    ],
    [
      'foreign: a CronJob made it',
      changed((job) => Object.assign(job.metadata.ownerReferences![0]!, { kind: 'CronJob' })),
      {},
      'foreign',
    ],
    [
      'foreign: another CapDeployJob made it',
      changed((job) => Object.assign(job.metadata.ownerReferences![0]!, { name: 'api' })),
      {},
      'foreign',
    ],
    [
      'foreign: it does not say that this operator manages it',
      changed((job) => delete job.metadata.labels![LABEL.managedBy]),
      {},
      'foreign',
    ],
  ] as const)('%s', (_, job, request, expected) => {
    expect(identify(job, aResource(), aRequest(request))).toBe(expected);
  });
});

describe('the state of a Job', () => {
  test.each([
    ['waits as it was created', {}, { waiting: true, running: false, finished: false }],
    ['runs once it is resumed', { started: -5 }, { waiting: false, running: true, finished: false }],
    ['runs when it was resumed by hand', { resumedByHand: true }, { waiting: false, running: true, finished: false }],
    [
      'neither waits nor runs when it was suspended after its start',
      { started: -5, suspended: true },
      { waiting: false, running: false, finished: false },
    ],
    [
      'does not wait while it is being deleted',
      { beingDeleted: true },
      { waiting: false, running: false, finished: false },
    ],
    [
      'has finished when it is complete',
      { started: -5, finished: 'Complete' },
      { waiting: false, running: false, finished: true },
    ],
    [
      'has finished when it failed',
      { started: -5, finished: 'Failed' },
      { waiting: false, running: false, finished: true },
    ],
  ] as [string, JobChanges, object][])('it %s', (_, changes, expected) => {
    const job = aJob(changes);
    expect({ waiting: isWaiting(job), running: isRunning(job), finished: isFinished(job) }).toEqual(expected);
  });

  test('it has not finished before its Pods have: SuccessCriteriaMet and FailureTarget come first', () => {
    const job = aJob({ started: -5 });
    job.status!.conditions = [
      { type: 'SuccessCriteriaMet', status: 'True' },
      { type: 'Complete', status: 'False' },
    ];
    expect(isFinished(job)).toBe(false);
  });

  test.each([
    ['when it was completed', { finished: 'Complete' as const, finishedAt: -5 }, stamp(-5)],
    ['when it failed', { finished: 'Failed' as const, finishedAt: -6 }, stamp(-6)],
  ])('it finished %s', (_, changes, expected) => {
    expect(finishedAt(aJob({ started: -30, ...changes }))).toBe(expected);
  });
});

describe('a Pod', () => {
  const job = aJob({ started: -5 });
  test.each([
    ['is alive while it runs', 'Running', true],
    ['is alive before it runs', 'Pending', true],
    ['is alive where its node is lost', 'Unknown', true],
    ['is not alive once it succeeded', 'Succeeded', false],
    ['is not alive once it failed', 'Failed', false],
  ] as const)('%s', (_, phase, expected) => {
    expect(isAlive(aPod(job, { phase }))).toBe(expected);
  });

  test('belongs to the Job that controls it, and if it was orphaned to the one that its label names', () => {
    expect(jobUidOf(aPod(job))).toBe('uid-of-r1');
    expect(jobUidOf(aPod(job, { orphaned: true }))).toBe('uid-of-r1');
  });
});

describe('a request as its Job remembers it', () => {
  test('is the one that the Job was made of', () => {
    expect(storedRequest(aJob())).toEqual({
      id: 'r1',
      environment: 'production',
      task: 'deploy',
      repository: 'livesense/web',
      revision: 'v1.0.0',
      requestedBy: 'alice',
      senderId: 'AIDAEXAMPLE',
      sentAt: at(-60),
      dueAt: at(-60),
    });
  });

  test('survives that all annotations are taken away', () => {
    const job = aJob({ createdAt: -50 });
    delete job.metadata.annotations;
    expect(storedRequest(job)).toMatchObject({
      id: 'uid-of-r1',
      task: 'deploy',
      repository: '',
      revision: undefined,
      dueAt: stamp(-50),
    });
  });

  test.each([
    ['sent-at is no moment', ANNOTATION.sentAt, 'yesterday', 'sentAt', stamp(-50)],
    ['sent-at is a moment that RFC 3339 does not know', ANNOTATION.sentAt, '10 March 2026', 'sentAt', stamp(-50)],
    ['sent-at has no offset', ANNOTATION.sentAt, '2026-03-10T11:59:00', 'sentAt', stamp(-50)],
    ['sent-at is a day that there is not', ANNOTATION.sentAt, '2026-02-30T11:59:00Z', 'sentAt', stamp(-50)],
    ['expires-at has no offset', ANNOTATION.expiresAt, '2026-03-10T13:00:00', 'expiresAt', at(-60)],
    ['sent-at is in another time zone', ANNOTATION.sentAt, '2026-03-10T20:59:00+09:00', 'sentAt', at(-60)],
    ['the id is too long', ANNOTATION.id, 'x'.repeat(129), 'id', 'uid-of-r1'],
    ['the id has a blank', ANNOTATION.id, 'r 1', 'id', 'uid-of-r1'],
    ['the revision is too long', ANNOTATION.revision, 'v'.repeat(300), 'revision', `${'v'.repeat(243)}…`],
    ['the repository is too long', ANNOTATION.repository, 'r'.repeat(300), 'repository', `${'r'.repeat(139)}…`],
    ['the task is too long', ANNOTATION.task, 't'.repeat(300), 'task', `${'t'.repeat(99)}…`],
    [
      'the name of who asked is too long',
      ANNOTATION.requestedBy,
      'a'.repeat(300),
      'requestedBy',
      `${'a'.repeat(255)}…`,
    ],
  ] as const)('fits the status schema though somebody spoilt it: %s', (_, key, value, field, expected) => {
    expect(storedRequest(aJob({ createdAt: -50, annotations: { [key]: value } }))[field]).toBe(expected);
  });

  test('was started even if a person made its start time unreadable', () => {
    const job = aJob({ createdAt: -50, started: -5, annotations: { [ANNOTATION.startedAt]: '' } });
    expect(startedAt(job)).toBe(stamp(-50));
    expect(startedAt(aJob({ started: -5 }))).toBe(at(-5));
    expect(startedAt(aJob())).toBeUndefined();
  });
});
