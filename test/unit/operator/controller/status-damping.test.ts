import { describe, expect, it } from 'vitest';
import type { CapDeployJobStatus, Claim } from '../../../../src/api/capdeployjob.ts';
import { StatusDamping } from '../../../../src/operator/controller/status-damping.ts';
import { aClaim, aJob, at, aWaitingEntry, NOW } from '../../../kit/builders.ts';
import { KEY } from './rig.ts';

/** A status by what it says of the queue. */
const aStatus = (reason: string, changes: Partial<CapDeployJobStatus> = {}): CapDeployJobStatus => ({
  waiting: 0,
  conditions: [{ type: 'QueueReachable', status: 'True', reason, message: '', lastTransitionTime: at(0) }],
  ...changes,
});

const mine = aStatus('Polling');
const theirs = aStatus('NotYetPolled');

function whoSaid(status: CapDeployJobStatus, now = NOW): StatusDamping {
  const statusDamping = new StatusDamping();
  statusDamping.said(KEY, status, now);
  return statusDamping;
}

describe('what this process has said and another operator has put otherwise', () => {
  it('waits until ten seconds after it was said', () => {
    expect(whoSaid(mine).waitsUntil(KEY, theirs, mine, NOW + 1)).toBe(NOW + 10_000);
    expect(whoSaid(mine).waitsUntil(KEY, theirs, mine, NOW + 9999)).toBe(NOW + 10_000);
  });

  it('is said again then', () => {
    expect(whoSaid(mine).waitsUntil(KEY, theirs, mine, NOW + 10_000)).toBeUndefined();
  });

  it('waits from when it was said last', () => {
    const statusDamping = whoSaid(mine);
    statusDamping.said(KEY, mine, NOW + 10_000);
    expect(statusDamping.waitsUntil(KEY, theirs, mine, NOW + 15_000)).toBe(NOW + 20_000);
  });

  it('is the same though it turned at another time', () => {
    const later = { ...mine, conditions: mine.conditions!.map((each) => ({ ...each, lastTransitionTime: at(9) })) };
    expect(whoSaid(mine).waitsUntil(KEY, theirs, later, NOW + 1)).toBe(NOW + 10_000);
  });
});

describe('what two operators with different clocks say of a lane', () => {
  const production = (why: string, lane: object = {}, id = 'r1'): CapDeployJobStatus =>
    aStatus('Polling', {
      environments: [{ name: 'production', ...lane, waiting: [aWaitingEntry(aJob({ id }), { why })] }],
    });
  const due = production('starts next');

  it('is not corrected at once: whether a request is due, a window open, and since when', () => {
    for (const other of [
      production('not before 12:00:07'),
      production('starts next', { closed: 'no window is open', closedUntil: at(7) }),
      production('starts next', { openSince: at(0) }),
    ]) {
      expect(whoSaid(due).waitsUntil(KEY, other, due, NOW + 1)).toBe(NOW + 10_000);
    }
  });

  it('is not corrected at once: why a start hangs', () => {
    const active = (changes: Partial<Claim>) =>
      aStatus('Polling', { environments: [{ name: 'production', active: [aClaim(aJob(), changes)] }] });
    const slow = active({ why: 'the Job controller has created no Pod since 12:00:00' });
    const silent = active({});
    expect(whoSaid(silent).waitsUntil(KEY, slow, silent, NOW + 1)).toBe(NOW + 10_000);
    expect(whoSaid(slow).waitsUntil(KEY, silent, slow, NOW + 1)).toBe(NOW + 10_000);
    expect(whoSaid(silent).waitsUntil(KEY, silent, slow, NOW + 1)).toBeUndefined();
    expect(whoSaid(silent).waitsUntil(KEY, slow, active({ since: at(1) }), NOW + 1)).toBeUndefined();
  });

  it('is written at once where another request waits', () => {
    expect(whoSaid(due).waitsUntil(KEY, production('starts next', {}, 'r2'), due, NOW + 1)).toBeUndefined();
  });
});

describe('what is written at once', () => {
  it('is what this process has not said yet', () => {
    expect(new StatusDamping().waitsUntil(KEY, theirs, mine, NOW)).toBeUndefined();
    expect(whoSaid(theirs).waitsUntil(KEY, theirs, mine, NOW + 1)).toBeUndefined();
    expect(whoSaid(mine).waitsUntil('deploy/other', theirs, mine, NOW + 1)).toBeUndefined();
  });

  it('is all that has to do with more than conditions', () => {
    const withLanes = aStatus('Polling', { environments: [{ name: 'production' }] });
    expect(whoSaid(mine).waitsUntil(KEY, theirs, withLanes, NOW + 1)).toBeUndefined();
    expect(whoSaid(mine).waitsUntil(KEY, theirs, aStatus('Polling', { waiting: 1 }), NOW + 1)).toBeUndefined();
  });

  it('is a status that was lost', () => {
    expect(whoSaid(mine).waitsUntil(KEY, undefined, mine, NOW + 1)).toBeUndefined();
  });

  it('is what was said of a resource that was forgotten since', () => {
    const statusDamping = whoSaid(mine);
    statusDamping.forget(KEY);
    expect(statusDamping.waitsUntil(KEY, theirs, mine, NOW + 1)).toBeUndefined();
  });
});
