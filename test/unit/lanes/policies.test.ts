import { describe, expect, test } from 'vitest';
import { storedRequest } from '../../../src/lanes/job.ts';
import { type Candidate, dropReason } from '../../../src/lanes/policies.ts';
import { aJob, aSpec, at, type JobChanges, NOW } from '../../kit/builders.ts';

interface Changes extends Partial<Omit<Candidate, 'request' | 'spec'>> {
  request?: JobChanges;
  spec?: Record<string, unknown>;
}

/** A request that was sent a minute ago, read at once, and could have started since. */
function aCandidate({ request, spec, ...changes }: Changes = {}): Candidate {
  const stored = storedRequest(aJob(request));
  return {
    request: stored,
    readAt: Date.parse(stored.dueAt),
    listed: true,
    ahead: 0,
    watermark: undefined,
    openSince: NOW - 3_600_000,
    approvedAt: undefined,
    startable: true,
    newer: undefined,
    environmentExists: true,
    spec: aSpec(spec),
    now: NOW,
    ...changes,
  };
}

const mark = (seconds: number, id = 'r9') => ({ task: 'deploy', id, dueAt: at(seconds) });
const sent = (seconds: number) => ({ sentAt: at(seconds) });

describe('why a waiting request is dropped', () => {
  test.each([
    ['not at all: it may start', {}, undefined],
    ['its environment was removed', { environmentExists: false }, ['Refused', 'EnvironmentRemoved']],

    ['Invariant 4: a request that was due later has started', { watermark: mark(-59) }, ['Superseded', 'OutOfOrder']],
    ['not: what started was due before it', { watermark: mark(-61) }, undefined],
    [
      'Invariant 4: of two of one moment, the second has started',
      { watermark: mark(-60) },
      ['Superseded', 'OutOfOrder'],
    ],
    ['not: of two of one moment, the first has started', { watermark: mark(-60, 'r0') }, undefined],
    ['not: it is itself what was started last', { watermark: mark(-60, 'r1') }, undefined],

    ['not: it was an hour old when it was read', { readAt: NOW - 60_000 + 3_600_000 }, undefined],
    [
      'it was older than an hour when it was read',
      { readAt: NOW - 60_000 + 3_600_001 },
      ['Missed', 'StartingDeadlineExceeded'],
    ],
    ['not: it was read before it was sent, for a clock is wrong', { readAt: NOW - 120_000 }, undefined],

    [
      'not: it has waited a day to the second, in a busy lane',
      { request: sent(-86_400), openSince: undefined },
      undefined,
    ],
    [
      'it has waited longer than a day, in a busy lane',
      { request: sent(-86_400.001), openSince: undefined },
      ['Missed', 'WaitingDeadlineExceeded'],
    ],

    ['not: it could have started an hour ago', { request: sent(-7200), openSince: NOW - 3_600_000 }, undefined],
    [
      'it could have started more than an hour ago and no operator started it',
      { request: sent(-7200), openSince: NOW - 3_600_001 },
      ['Missed', 'StartingDeadlineExceeded'],
    ],
    ['not: the lane has been open for long, but it was sent only now', { openSince: NOW - 7_200_000 }, undefined],
    [
      'not: it is old, but the lane was frozen or busy until now',
      { request: sent(-7200), openSince: undefined },
      undefined,
    ],
    ['not: it was sent in the future, by a clock that is ahead', { request: sent(600), readAt: NOW }, undefined],

    ['a newcomer finds the lane full', { listed: false, ahead: 20 }, ['Refused', 'LaneFull']],
    ['not: a newcomer finds the last place', { listed: false, ahead: 19 }, undefined],
    ['not: the lane is over-full, but its turn has been promised', { listed: true, ahead: 99 }, undefined],
    [
      'a newcomer finds a small lane full',
      { listed: false, ahead: 1, spec: { maxWaiting: 1 } },
      ['Refused', 'LaneFull'],
    ],
  ] as [string, Changes, [string, string] | undefined][])('%s', (_, changes, expected) => {
    const drop = dropReason(aCandidate(changes));
    expect(drop && [drop.result, drop.reason]).toEqual(expected);
  });

  test('the first reason counts, in the order of the table', () => {
    const all: Changes = {
      request: sent(-90_000),
      environmentExists: false,
      watermark: mark(0),
      readAt: NOW,
      openSince: NOW - 7_200_000,
      listed: false,
      ahead: 99,
    };
    const reasons: string[] = [];
    const ways: Changes[] = [
      {},
      { environmentExists: true },
      { watermark: undefined },
      { readAt: NOW - 90_000_000 },
      { request: sent(-7200), readAt: NOW - 7_200_000 },
      { openSince: undefined },
    ];
    let changes = all;
    for (const way of ways) {
      changes = { ...changes, ...way };
      const drop = dropReason(aCandidate(changes));
      reasons.push(`${drop?.reason}: ${drop?.message.slice(0, 24)}`);
    }
    expect(reasons).toEqual([
      'EnvironmentRemoved: the environment "product',
      'OutOfOrder: request r9, due later (2',
      'StartingDeadlineExceeded: the request was 90000 s ',
      'WaitingDeadlineExceeded: the request waited longe',
      'StartingDeadlineExceeded: the request could have s',
      'LaneFull: 99 requests wait already',
    ]);
  });
});
