import { describe, expect, test } from 'vitest';
import { audit, CHECKS } from './audit.ts';
import type { Asked, Entry, Evidence, Final, Run } from './evidence.ts';

/** The audit of the fault scenarios must bite: each kind of damage, made up, turns the one check red that is for it. */

const WELL = { status: 'True', reason: 'AsExpected', message: '' };

const asked = (revision: string, over: Partial<Asked> = {}): Asked => ({
  resource: 'web',
  environment: 'production',
  task: 'deploy',
  revision,
  dueAt: 1000,
  exitCode: 0,
  ...over,
});

const run = (revision: string, startedAt: number, endedAt: number | undefined, over: Partial<Run> = {}): Run => ({
  resource: 'web',
  environment: 'production',
  task: 'deploy',
  pod: `pod-of-${revision}`,
  job: `job-of-${revision}`,
  revision,
  startedAt,
  endedAt,
  exitCode: endedAt === undefined ? undefined : 0,
  ...over,
});

const entry = (revision: string, over: Partial<Entry> = {}): Entry => ({
  resource: 'web',
  environment: 'production',
  id: `id-of-${revision}`,
  task: 'deploy',
  revision,
  result: 'Succeeded',
  reason: 'Completed',
  startedAt: '2026-11-21T10:00:00.000Z',
  finishedAt: '2026-11-21T10:00:01.000Z',
  seen: { first: 1, last: 9 },
  ...over,
});

const final = (over: Partial<Final> = {}): Final => ({
  name: 'web',
  waiting: 0,
  active: 0,
  rejections: 1,
  conditions: ['Ready', 'QueueReachable', 'TemplateValid'].map((type) => ({ type, ...WELL })),
  ...over,
});

/**
 * v1, v2 and v4 ran one after the other, v3 was dropped for v4, v5 failed in another lane at the same time; one poison.
 */
const sound = (): Evidence => ({
  requests: [
    asked('v1', { dueAt: 1000 }),
    asked('v2', { dueAt: 2000 }),
    asked('v3', { dueAt: 3000 }),
    asked('v4', { dueAt: 4000 }),
    asked('v5', { dueAt: 1000, environment: 'staging', exitCode: 1 }),
  ],
  poison: [{ resource: 'web', body: 'not JSON', sent: 1 }],
  runs: [
    run('v1', 5000, 5100),
    run('v2', 5100, 5200),
    run('v4', 5200, 5300),
    run('v5', 5050, 5250, { environment: 'staging', exitCode: 1 }),
  ],
  entries: [
    entry('v1'),
    entry('v2'),
    entry('v3', { result: 'Superseded', reason: 'OutOfOrder', startedAt: undefined }),
    entry('v4'),
    entry('v5', { environment: 'staging', result: 'Failed', reason: 'BackoffLimitExceeded' }),
  ],
  queues: [{ resource: 'web', messages: 0 }],
  deadLetters: [{ resource: 'web', body: 'not JSON' }],
  resources: [final()],
});

test('if all is well it finds nothing', () => {
  expect(audit(sound())).toEqual([]);
});

const LATE = entry('v1', {
  result: 'Superseded',
  reason: 'OutOfOrder',
  startedAt: undefined,
  finishedAt: '2026-11-21T10:05:00.000Z',
  seen: { first: 10, last: 11 },
});

test('a request that comes again after the history forgot it, and is told to be out of order, is no damage', () => {
  expect(audit({ ...sound(), entries: [...sound().entries, LATE] })).toEqual([]);
});

interface Damage {
  what: string;
  check: keyof typeof CHECKS;
  /** Others that the same damage is bound to turn red. */
  also?: string[];
  make: (evidence: Evidence) => Evidence;
  says: string;
}

const without = <T extends { revision: string }>(all: readonly T[], revision: string): T[] =>
  all.filter((one) => one.revision !== revision);
const instead = <T extends { revision: string }>(all: readonly T[], revision: string, over: Partial<T>): T[] =>
  all.map((one) => (one.revision === revision ? { ...one, ...over } : one));
const condition = (type: string, status: string) => (evidence: Evidence) => ({
  ...evidence,
  resources: evidence.resources.map((one) => ({
    ...one,
    conditions: one.conditions.map((each) => (each.type === type ? { ...each, status } : each)),
  })),
});

const DAMAGES: Damage[] = [
  {
    what: 'a request that is nowhere recorded',
    check: 'lost',
    make: (all) => ({ ...all, entries: without(all.entries, 'v2') }),
    says: 'web/production v2 is lost: it has no history entry, and ran 1 times',
  },
  {
    what: 'a request that is recorded a second time, later',
    check: 'recordedTwice',
    make: (all) => ({ ...all, entries: [...all.entries, entry('v1', { finishedAt: '2026-11-21T10:05:00.000Z' })] }),
    says: 'web/production v1 is recorded 2 times',
  },
  {
    what: 'a request that is recorded a second time after the history forgot it, and was started',
    check: 'recordedTwice',
    make: (all) => ({ ...all, entries: [...all.entries, entry('v1', { seen: { first: 10, last: 11 } })] }),
    says: 'web/production v1 is recorded 2 times',
  },
  {
    what: 'a request that is recorded as out of order while the history still knows it',
    check: 'recordedTwice',
    make: (all) => ({ ...all, entries: [...all.entries, { ...LATE, seen: { first: 9, last: 11 } }] }),
    says: 'web/production v1 is recorded 2 times',
  },
  {
    what: 'a request that is recorded a second time, under another id',
    check: 'recordedTwice',
    make: (all) => ({ ...all, entries: [...all.entries, entry('v1', { id: 'another' })] }),
    says: 'web/production v1 is recorded 2 times',
  },
  {
    what: 'a request that runs twice',
    check: 'ranTwice',
    make: (all) => ({ ...all, runs: [...all.runs, run('v4', 6000, 6100, { job: 'another' })] }),
    says: 'web/production v4 ran 2 times: pod-of-v4 00:00:05.200 to 00:00:05.300 (0); pod-of-v4 00:00:06.000',
  },
  {
    what: 'a Job with two Pods',
    check: 'twoPodsOfOneJob',
    make: (all) => ({ ...all, runs: [...all.runs, run('v4', 5250, 5400, { pod: 'second' })] }),
    says: 'web/production v4: one Job, 2 Pods: pod-of-v4 00:00:05.200 to 00:00:05.300 (0); second 00:00:05.250',
  },
  {
    what: 'a run that nobody asked for',
    check: 'unasked',
    make: (all) => ({ ...all, runs: [...all.runs, run('evil', 6000, 6100)] }),
    says: 'web/production evil (deploy) ran, and nobody asked for it',
  },
  {
    what: 'a run of another task than was asked for',
    check: 'unasked',
    make: (all) => ({ ...all, runs: instead(all.runs, 'v1', { task: 'deploy:restart' }) }),
    says: 'web/production v1 (deploy:restart) ran, and nobody asked for it',
  },
  {
    what: 'a run in another environment than was asked for, and recorded so',
    check: 'unasked',
    also: ['lost'],
    make: (all) => ({
      ...all,
      runs: instead(all.runs, 'v5', { environment: 'production', startedAt: 7000, endedAt: 7100 }),
      entries: instead(all.entries, 'v5', { environment: 'production' }),
    }),
    says: 'web/production v5 (deploy) ran, and nobody asked for it',
  },
  {
    what: 'a success that failed',
    check: 'untrue',
    make: (all) => ({ ...all, runs: instead(all.runs, 'v1', { exitCode: 1 }) }),
    says: 'but its container ended with 1',
  },
  {
    what: 'a failure that succeeded',
    check: 'untrue',
    make: (all) => ({ ...all, entries: instead(all.entries, 'v1', { result: 'Failed' }) }),
    says: 'but its container ended with 0',
  },
  {
    what: 'a success that never ran',
    check: 'untrue',
    make: (all) => ({ ...all, runs: without(all.runs, 'v1') }),
    says: 'but no container of it ran',
  },
  {
    what: 'a request that is recorded as dropped, and ran',
    check: 'untrue',
    make: (all) => ({ ...all, entries: instead(all.entries, 'v1', { result: 'Superseded', reason: 'OutOfOrder' }) }),
    says: 'but its container ended with 0',
  },
  {
    what: 'a deploy that ended nobody knows how',
    check: 'untrue',
    make: (all) => ({ ...all, entries: instead(all.entries, 'v1', { result: 'Unknown', reason: 'JobVanished' }) }),
    says: 'but nothing of the kind was done to it',
  },
  {
    what: 'an abort by nobody',
    check: 'untrue',
    make: (all) => ({ ...all, entries: instead(all.entries, 'v1', { result: 'Aborted', reason: 'JobDeleted' }) }),
    says: 'but nobody aborted it',
  },
  {
    what: 'a request that is recorded as ended while its container runs',
    check: 'untrue',
    also: ['stillRunning'],
    make: (all) => ({ ...all, runs: instead(all.runs, 'v4', { endedAt: undefined, exitCode: undefined }) }),
    says: 'but its container still runs',
  },
  {
    what: 'the newest request, dropped though nothing newer has started',
    check: 'droppedForNothing',
    make: (all) => ({
      ...all,
      runs: without(all.runs, 'v4'),
      entries: instead(all.entries, 'v4', { result: 'Superseded', reason: 'NewerRequest' }),
    }),
    says: 'web/production v4 is Superseded (NewerRequest',
  },
  {
    what: 'two deploys of one lane at the same time',
    check: 'overlapping',
    make: (all) => ({ ...all, runs: instead(all.runs, 'v2', { startedAt: 5099 }) }),
    says: 'web/production: v1',
  },
  {
    what: 'a long deploy that another one overlaps, with a third one in between',
    check: 'overlapping',
    make: (all) => ({ ...all, runs: instead(all.runs, 'v1', { endedAt: 5201 }) }),
    says: 'and v4 (from',
  },
  {
    what: 'a deploy that never ended, with another one after it',
    check: 'overlapping',
    also: ['untrue', 'stillRunning'],
    make: (all) => ({ ...all, runs: instead(all.runs, 'v1', { endedAt: undefined }) }),
    says: 'to now)',
  },
  {
    what: 'a deploy that starts after one that was due later',
    check: 'outOfOrder',
    make: (all) => ({ ...all, runs: instead(all.runs, 'v1', { startedAt: 6000, endedAt: 6100 }) }),
    says: 'web/production deploy: v1',
  },
  {
    what: 'a deploy that starts before it is due',
    check: 'tooEarly',
    make: (all) => ({ ...all, runs: instead(all.runs, 'v1', { startedAt: 999 }) }),
    says: 'web/production v1 started at',
  },
  {
    what: 'a container that is never ended',
    check: 'stillRunning',
    also: ['untrue'],
    make: (all) => ({ ...all, runs: instead(all.runs, 'v4', { endedAt: undefined }) }),
    says: 'web/production v4: its container still runs',
  },
  {
    what: 'a message that stays in its queue',
    check: 'leftInQueues',
    make: (all) => ({ ...all, queues: [{ resource: 'web', messages: 1 }] }),
    says: 'web: 1 messages are left',
  },
  {
    what: 'a good message in the dead-letter queue',
    check: 'strayDeadLetters',
    make: (all) => ({ ...all, deadLetters: [...all.deadLetters, { resource: 'web', body: '{"revision":"v1"}' }] }),
    says: 'does not belong there: {"revision":"v1"}',
  },
  {
    what: 'poison in the dead-letter queue of another resource',
    check: 'strayDeadLetters',
    also: ['poisonNotKept'],
    make: (all) => ({ ...all, deadLetters: [{ resource: 'other', body: 'not JSON' }] }),
    says: 'other: a message in the dead-letter queue',
  },
  {
    what: 'poison that was deleted',
    check: 'poisonNotKept',
    make: (all) => ({ ...all, deadLetters: [] }),
    says: 'poison that was sent 1 times is 0 times in the dead-letter queue',
  },
  {
    what: 'poison that is there twice',
    check: 'poisonNotKept',
    make: (all) => ({ ...all, deadLetters: [...all.deadLetters, ...all.deadLetters] }),
    says: 'poison that was sent 1 times is 2 times in the dead-letter queue',
  },
  {
    what: 'poison that was not recorded',
    check: 'poisonNotRecorded',
    make: (all) => ({ ...all, resources: [final({ rejections: 0 })] }),
    says: '1 messages were poison, and its status counts 0',
  },
  {
    what: 'a status that says something waits',
    check: 'notAtRest',
    make: (all) => ({ ...all, resources: [final({ waiting: 1 })] }),
    says: 'still says 1 waiting and 0 active',
  },
  {
    what: 'a status that says something runs',
    check: 'notAtRest',
    make: (all) => ({ ...all, resources: [final({ active: 1 })] }),
    says: 'still says 0 waiting and 1 active',
  },
  {
    what: 'a resource that is not ready',
    check: 'unhealthy',
    make: condition('Ready', 'False'),
    says: 'Ready is False',
  },
  {
    what: 'a queue that is not said to be reachable',
    check: 'unhealthy',
    make: condition('QueueReachable', 'Unknown'),
    says: 'QueueReachable is Unknown',
  },
  {
    what: 'a resource without conditions',
    check: 'unhealthy',
    make: (all) => ({ ...all, resources: [final({ conditions: [] })] }),
    says: 'Ready is not there',
  },
];

describe('it finds', () => {
  test.each(DAMAGES)('$what ($check)', ({ check, also = [], make, says }) => {
    const found = audit(make(sound()));
    const red = new Set(found.map((finding) => finding.split(':')[0] as string));
    expect([...red].sort()).toEqual([check, ...also].sort());
    expect(found.filter((finding) => finding.startsWith(`${check}:`)).join('\n')).toContain(says);
  });
});

test('each check is proven to bite', () => {
  expect(new Set(DAMAGES.map(({ check }) => check))).toEqual(new Set(Object.keys(CHECKS)));
});
