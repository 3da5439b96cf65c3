import { describe, expect, test } from 'vitest';
import { findInStatus } from '../../../src/requests/find-in-status.ts';
import { aClaim, aHistoryEntry, aJob, aRequest, at, aWaitingEntry } from '../../kit/builders.ts';

const job = aJob();
const inLane = (lane: object, name = 'production') => ({ environments: [{ name, ...lane }] });

describe('Invariant 2: whether a request stands in the status, so that its message may be deleted', () => {
  test.each([
    ['no: there is no status', undefined, {}, undefined],
    ['no: the status is empty', {}, {}, undefined],
    ['yes: it waits', inLane({ waiting: [aWaitingEntry(job)] }), {}, 'same'],
    ['yes: it has the claim', inLane({ active: [aClaim(job)] }), {}, 'same'],
    ['yes: its end is in the history', { history: [aHistoryEntry(job)] }, {}, 'same'],
    [
      'yes: it was started last, though the history has forgotten it',
      inLane({
        lastStarted: [{ task: 'deploy', id: 'r1', repository: 'livesense/web', revision: 'v1.0.0', dueAt: at(-60) }],
      }),
      {},
      'same',
    ],
    [
      'yes: texts for people may differ',
      inLane({ waiting: [aWaitingEntry(job)] }),
      { requestedBy: 'bob', reason: 'x' },
      'same',
    ],
    ['no: another request waits', inLane({ waiting: [aWaitingEntry(job)] }), { id: 'r2' }, undefined],
    ['no: the id waits in another environment', inLane({ waiting: [aWaitingEntry(job)] }, 'staging'), {}, undefined],
    [
      'no: the id ended in another environment',
      { history: [aHistoryEntry(job, { environment: 'staging' })] },
      {},
      undefined,
    ],
    [
      'no: it was started last in another environment',
      inLane(
        {
          lastStarted: [{ task: 'deploy', id: 'r1', repository: 'livesense/web', revision: 'v1.0.0', dueAt: at(-60) }],
        },
        'staging',
      ),
      {},
      undefined,
    ],
    [
      'conflict: the id waits with another revision',
      inLane({ waiting: [aWaitingEntry(job)] }),
      { revision: 'v2' },
      'conflict',
    ],
    [
      'conflict: the id runs with another task',
      inLane({ active: [aClaim(job)] }),
      { task: 'deploy:restart' },
      'conflict',
    ],
    [
      'conflict: the id ended for another repository',
      { history: [aHistoryEntry(job)] },
      { repository: 'api' },
      'conflict',
    ],
    [
      'conflict: the id was started last with another revision, and the history has forgotten it',
      inLane({
        lastStarted: [{ task: 'deploy', id: 'r1', repository: 'livesense/web', revision: 'v0.9.0', dueAt: at(-60) }],
      }),
      {},
      'conflict',
    ],
    [
      'conflict: the id ended without a revision',
      { history: [aHistoryEntry(aJob({ revision: undefined }))] },
      {},
      'conflict',
    ],
  ] as const)('%s', (_, status, request, expected) => {
    expect(findInStatus(status as Parameters<typeof findInStatus>[0], aRequest(request))).toBe(expected);
  });
});
