import { describe, expect, it } from 'vitest';
import type { CapDeployJobStatus, Claim } from '../../../../src/api/capdeployjob.ts';
import type { WaitingReason } from '../../../../src/api/reasons.ts';
import { StatusDamping } from '../../../../src/operator/controller/status-damping.ts';
import { aClaim, aJob, at, aWaitingEntry, NOW } from '../../../kit/builders.ts';

/** A status by what it says of the queue. */
const aStatus = (reason: string, changes: Partial<CapDeployJobStatus> = {}): CapDeployJobStatus => ({
  waiting: 0,
  conditions: [{ type: 'QueueReachable', status: 'True', reason, message: '', lastTransitionTime: at(0) }],
  ...changes,
});

const mine = aStatus('Polling');
const theirs = aStatus('NotYetPolled');

function afterWriting(status: CapDeployJobStatus, now = NOW): StatusDamping {
  const statusDamping = new StatusDamping();
  statusDamping.written(status, status, now);
  return statusDamping;
}

describe('what this process has said and another operator has put otherwise', () => {
  it('waits until ten seconds after it was said', () => {
    expect(afterWriting(mine).waitsUntil(theirs, mine, NOW + 1)).toBe(NOW + 10_000);
    expect(afterWriting(mine).waitsUntil(theirs, mine, NOW + 9999)).toBe(NOW + 10_000);
  });

  it('is said again then', () => {
    expect(afterWriting(mine).waitsUntil(theirs, mine, NOW + 10_000)).toBeUndefined();
  });

  it('waits from when it was said last', () => {
    const statusDamping = afterWriting(mine);
    statusDamping.written(theirs, mine, NOW + 10_000);
    expect(statusDamping.waitsUntil(theirs, mine, NOW + 15_000)).toBe(NOW + 20_000);
  });

  it('is the same though it turned at another time', () => {
    const later = { ...mine, conditions: mine.conditions!.map((each) => ({ ...each, lastTransitionTime: at(9) })) };
    expect(afterWriting(mine).waitsUntil(theirs, later, NOW + 1)).toBe(NOW + 10_000);
  });
});

describe('what two operators with different clocks say of a lane', () => {
  const production = (why: string, lane: object = {}, id = 'r1', reason: WaitingReason = 'Next'): CapDeployJobStatus =>
    aStatus('Polling', {
      environments: [
        { name: 'production', ...lane, waiting: [aWaitingEntry(aJob({ id }), { why, reasons: [reason] })] },
      ],
    });
  const due = production('starts next');

  it('is not corrected at once: whether a request is due, a window open, and since when', () => {
    for (const other of [
      production('not before 12:00:07', {}, 'r1', 'NotDue'),
      production('starts next', {}, 'r1', 'NotDue'),
      production('starts next', { closed: 'no window is open', closedUntil: at(7) }),
      production('starts next', { openSince: at(0) }),
    ]) {
      expect(afterWriting(due).waitsUntil(other, due, NOW + 1)).toBe(NOW + 10_000);
    }
  });

  it('is not corrected at once: why a start hangs', () => {
    const active = (changes: Partial<Claim>) =>
      aStatus('Polling', { environments: [{ name: 'production', active: [aClaim(aJob(), changes)] }] });
    const slow = active({ why: 'the Job controller has created no Pod since 12:00:00' });
    const silent = active({});
    expect(afterWriting(silent).waitsUntil(slow, silent, NOW + 1)).toBe(NOW + 10_000);
    expect(afterWriting(slow).waitsUntil(silent, slow, NOW + 1)).toBe(NOW + 10_000);
    expect(afterWriting(silent).waitsUntil(silent, slow, NOW + 1)).toBeUndefined();
    expect(afterWriting(silent).waitsUntil(slow, active({ since: at(1) }), NOW + 1)).toBeUndefined();
  });

  it('is written at once if another request waits', () => {
    expect(afterWriting(due).waitsUntil(production('starts next', {}, 'r2'), due, NOW + 1)).toBeUndefined();
  });
});

describe('why a start hangs, if the words change all the time', () => {
  const because = (why?: string, changes: Partial<CapDeployJobStatus> = {}) =>
    aStatus('Polling', {
      environments: [{ name: 'production', active: [aClaim(aJob(), why ? { why } : {})] }],
      ...changes,
    });
  const [none, first, second, third] = [because(), because('first'), because('second'), because('third')];

  /** After these were written one second apart, the last of them at NOW. */
  function onceWritten(...statuses: CapDeployJobStatus[]): StatusDamping {
    const statusDamping = new StatusDamping();
    for (const [index, status] of statuses.slice(1).entries()) {
      statusDamping.written(statuses[index], status, NOW + (index + 2 - statuses.length) * 1000);
    }
    return statusDamping;
  }

  it('is said at once the first time and the second time, and then again after half a minute', () => {
    expect(onceWritten(none, first).waitsUntil(first, second, NOW + 1)).toBeUndefined();
    const reworded = onceWritten(none, first, second);
    expect(reworded.waitsUntil(second, third, NOW + 29_999)).toBe(NOW + 30_000);
    expect(reworded.waitsUntil(second, third, NOW + 30_000)).toBeUndefined();
  });

  it('is taken away at once', () => {
    expect(onceWritten(none, first, second).waitsUntil(second, none, NOW + 1)).toBeUndefined();
  });

  it('is said at once together with anything else', () => {
    const other = because('third', { waiting: 1 });
    expect(onceWritten(none, first, second).waitsUntil(second, other, NOW + 1)).toBeUndefined();
  });
});

describe('what is written at once', () => {
  it('is what this process has not said yet', () => {
    expect(new StatusDamping().waitsUntil(theirs, mine, NOW)).toBeUndefined();
    expect(afterWriting(theirs).waitsUntil(theirs, mine, NOW + 1)).toBeUndefined();
  });

  it('is all that has to do with more than conditions', () => {
    const withLanes = aStatus('Polling', { environments: [{ name: 'production' }] });
    expect(afterWriting(mine).waitsUntil(theirs, withLanes, NOW + 1)).toBeUndefined();
    expect(afterWriting(mine).waitsUntil(theirs, aStatus('Polling', { waiting: 1 }), NOW + 1)).toBeUndefined();
  });

  it('is a status that was lost', () => {
    expect(afterWriting(mine).waitsUntil(undefined, mine, NOW + 1)).toBeUndefined();
  });
});
