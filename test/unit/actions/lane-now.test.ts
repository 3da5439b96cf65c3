import { describe, expect, it } from 'vitest';
import { laneNow, usualMs } from '../../../src/actions/lane-now.ts';
import type { CapDeployJobStatus, HistoryEntry } from '../../../src/api/capdeployjob.ts';
import { AT, after, aStatus, ended, failed, running, waits } from './a-status.ts';

const now = (status: CapDeployJobStatus | undefined) => laneNow(status, 'production');
const V1 = ended('web-1', { revision: 'v1.0.0', requestedBy: 'bob', finishedAt: after(60) });

describe('an environment', () => {
  it('that the status does not name is empty', () => {
    const empty = {
      environment: 'production',
      waiting: [],
      ...{ active: undefined, frozen: undefined, closed: undefined, current: undefined },
      ...{ unsure: undefined, last: undefined, usualMs: undefined },
    };
    expect(now(undefined)).toEqual(empty);
    expect(laneNow(aStatus({ active: [running('x')], frozen: 'x' }, [V1]), 'staging')).toEqual({
      ...empty,
      environment: 'staging',
    });
  });

  it('shows what runs, and what waits in its order with why', () => {
    const waiting = [waits('web-3', { why: 'web-2 (v1.1.0) has the lane' }), waits('web-4')];
    const lane = now(aStatus({ active: [running('web-2')], waiting }));
    expect(lane.active?.job).toBe('web-2');
    expect(lane.waiting).toEqual(waiting);
  });

  it('shows who froze it and why, and what closes it until when', () => {
    const frozen = 'spec.suspend is true; slack:T0TEAM/U0BOB: incident 42';
    const lane = now(aStatus({ frozen, closed: 'outside its windows', closedUntil: AT }));
    expect(lane.frozen).toEqual({
      text: frozen,
      bySpec: ['spec.suspend is true'],
      who: 'slack:T0TEAM/U0BOB',
      why: 'incident 42',
    });
    expect(lane.closed).toEqual({ why: 'outside its windows', until: AT });
  });

  it('shows what ended last, started or not', () => {
    const { startedAt: _, ...missed } = failed('web-2', { result: 'Missed', reason: 'Expired' });
    const elsewhere = ended('web-9', { environment: 'staging' });
    expect(now(aStatus({}, [elsewhere, missed, V1])).last?.job).toBe('web-2');
  });
});

describe('its current revision', () => {
  const current = (history: HistoryEntry[], lastSuccessful?: NonNullable<ReturnType<typeof success>>) => {
    const lane = now(aStatus(lastSuccessful ? { lastSuccessful } : {}, history));
    return [lane.current?.revision, lane.unsure?.job];
  };
  const success = (task: string) => ({ revision: 'v0.9.0', task, job: 'web-0', finishedAt: AT });

  it('is that of the last deploy that succeeded, with who asked for it', () => {
    expect(now(aStatus({}, [V1])).current).toEqual({
      revision: 'v1.0.0',
      job: 'web-1',
      requestedBy: 'bob',
      finishedAt: after(60),
    });
    expect(current([ended('web-2', { revision: 'v1.1.0' }), V1])).toEqual(['v1.1.0', undefined]);
  });

  it('is the last success of the lane if the history has forgotten it, unless that was another task', () => {
    expect(current([], success('deploy'))).toEqual(['v0.9.0', undefined]);
    expect(current([], success('app:restart'))).toEqual([undefined, undefined]);
    expect(current([V1], success('app:restart'))).toEqual(['v1.0.0', undefined]);
    expect(current([failed('web-2')], success('deploy'))).toEqual(['v0.9.0', 'web-2']);
  });

  it.each<[string, Partial<HistoryEntry>, string | undefined]>([
    ['a deploy failed since', {}, 'web-2'],
    ['a deploy was aborted since', { result: 'Aborted', reason: 'JobDeleted' }, 'web-2'],
    ['a deploy ended since for a reason of a newer operator', { reason: 'NewReason' }, 'web-2'],
    [
      'a rollback by a task succeeded since',
      { task: 'deploy:rollback', result: 'Succeeded', reason: 'Completed' },
      'web-2',
    ],
    ['a deploy since did not touch the servers', { reason: 'PodNotStarted' }, undefined],
    ['another task failed since', { task: 'app:restart' }, undefined],
  ])('is unsure, or not, if %s', (_, change, unsure) => {
    expect(current([failed('web-2', change), V1])).toEqual(['v1.0.0', unsure]);
  });

  it('is not made unsure by what was never started, nor by what was before it', () => {
    const { startedAt: _, ...missed } = failed('web-2', { result: 'Missed', reason: 'Expired' });
    expect(current([missed, V1, failed('web-0')])).toEqual(['v1.0.0', undefined]);
  });

  it('names the newest that makes it unsure', () => {
    expect(current([failed('web-3'), failed('web-2'), V1])).toEqual(['v1.0.0', 'web-3']);
  });
});

describe('the usual time', () => {
  const took = (seconds: number, over: Partial<HistoryEntry> = {}) =>
    ended('x', { finishedAt: after(seconds), ...over });
  const of = (...history: HistoryEntry[]) => usualMs({ history }, 'production');

  it.each<[number[], number | undefined]>([
    [[], undefined],
    [[130], 130_000],
    [[100, 900, 130], 130_000],
    [[100, 130], 115_000],
    // The eleventh is too long ago.
    [[...Array<number>(5).fill(10), ...Array<number>(5).fill(30), 500], 20_000],
  ])('of %j seconds is %s ms', (seconds, expected) => {
    expect(of(...seconds.map((each) => took(each)))).toBe(expected);
    expect(
      now(
        aStatus(
          {},
          seconds.map((each) => took(each)),
        ),
      ).usualMs,
    ).toBe(expected);
  });

  it('counts successes of that task in that environment, with times that make sense', () => {
    const { startedAt: _, ...notStarted } = took(1);
    const others = [failed('x'), took(1, { environment: 'staging' }), took(1, { task: 'app:restart' }), took(-1)];
    expect(of(...others, notStarted, took(130))).toBe(130_000);
    expect(usualMs({ history: others }, 'production', 'app:restart')).toBe(1000);
  });
});
