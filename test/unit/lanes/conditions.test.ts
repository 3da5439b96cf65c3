import { describe, expect, test } from 'vitest';
import type { LaneStatus } from '../../../src/api/capdeployjob.ts';
import { conditionsOf, type Health, queueReadDeadlineMs } from '../../../src/lanes/conditions.ts';
import { aSpec, at, NOW } from '../../kit/builders.ts';

/** An operator at work: queue read, template tried, nothing deployed yet. */
const healthy: Health = {
  generation: 3,
  spec: aSpec(),
  specProblem: undefined,
  template: { generation: 3, status: 'True', reason: 'DryRunAccepted', message: 'accepted' },
  queue: { kind: 'reading', since: NOW - 600_000, lastReadAt: NOW - 5_000 },
  createFailure: undefined,
  windowProblem: undefined,
  freezeProblem: undefined,
  lanes: [],
  now: NOW,
};

const of = (changes: Partial<Health>, type: string) => {
  const found = conditionsOf({ ...healthy, ...changes }, undefined).find((condition) => condition.type === type);
  return [found?.status, found?.reason];
};
const lane = (name: string, lastResult?: LaneStatus['lastResult']): LaneStatus => ({
  name,
  ...(lastResult ? { lastResult } : {}),
});
const off = (reason: string) => ({ kind: 'off' as const, reason, message: 'said why' });
const failing = {
  kind: 'failing' as const,
  since: NOW - 600_000,
  lastReadAt: NOW - 5_000,
  reason: 'ThrottlingException',
  message: 'slow down',
  lasting: false,
};
const refused = { generation: 3, status: 'False' as const, reason: 'DryRunRefused', message: 'image: required' };

describe('QueueReachable', () => {
  test('of an operator that has just started is what stands there, until the queue was read or should have been', () => {
    const before = conditionsOf(healthy, undefined);
    const starting = { ...healthy, queue: { kind: 'reading' as const, since: NOW - 1000, lastReadAt: 0 } };
    expect(conditionsOf(starting, before)).toEqual(before);
    expect(conditionsOf({ ...healthy, queue: undefined }, before)).toEqual(before);
    const overdue = { ...healthy, queue: { kind: 'reading' as const, since: NOW - 90_001, lastReadAt: 0 } };
    expect(conditionsOf(overdue, before)[1]).toMatchObject({ status: 'False', reason: 'QueueNotRead' });
    expect(conditionsOf({ ...starting, generation: 4 }, before)[1]).toMatchObject({ status: 'Unknown' });
  });

  test.each([
    ['True while it is read', {}, ['True', 'Polling']],
    ['Unknown before anybody has begun', { queue: undefined }, ['Unknown', 'NotYetPolled']],
    [
      'Unknown before the first receive came back',
      { queue: { kind: 'reading', since: NOW - 1000, lastReadAt: 0 } },
      ['Unknown', 'NotYetPolled'],
    ],
    [
      'False where the first receive never comes back',
      { queue: { kind: 'reading', since: NOW - 90_001, lastReadAt: 0 } },
      ['False', 'QueueNotRead'],
    ],
    [
      'True to the last second of 90',
      { queue: { kind: 'reading', since: 0, lastReadAt: NOW - 90_000 } },
      ['True', 'Polling'],
    ],
    [
      'False when it was not read for longer',
      { queue: { kind: 'reading', since: 0, lastReadAt: NOW - 90_001 } },
      ['False', 'QueueNotRead'],
    ],
    [
      'True where reading began again just now, whenever it was read last',
      { queue: { kind: 'reading', since: NOW - 1000, lastReadAt: NOW - 900_000 } },
      ['True', 'Polling'],
    ],
    ['True while a failure that passes is young', { queue: failing }, ['True', 'Polling']],
    [
      'False with AWS’s code when a failure that passes does not',
      { queue: { ...failing, lastReadAt: NOW - 90_001 } },
      ['False', 'ThrottlingException'],
    ],
    [
      'False at once where the failure is lasting',
      { queue: { ...failing, lasting: true, reason: 'QueueDoesNotExist' } },
      ['False', 'QueueDoesNotExist'],
    ],
    ['Unknown while it is suspended', { queue: off('Suspended') }, ['Unknown', 'Suspended']],
    ['Unknown while the template is refused', { queue: off('DryRunRefused') }, ['Unknown', 'DryRunRefused']],
    ['False where the queue belongs to an older resource', { queue: off('QueueShared') }, ['False', 'QueueShared']],
    [
      'False where its origin is not allowed',
      { queue: off('QueueOriginNotAllowed') },
      ['False', 'QueueOriginNotAllowed'],
    ],
    ['False where this resource may not read it', { queue: off('QueueNotAllowed') }, ['False', 'QueueNotAllowed']],
    ['False without a region', { queue: off('NoRegion') }, ['False', 'NoRegion']],
  ] as [string, Partial<Health>, string[]][])('is %s', (_, changes, expected) => {
    expect(of(changes, 'QueueReachable')).toEqual(expected);
  });

  test('waits for three polls, but not less than 90 s', () => {
    expect([0, 20, 30, 31].map(queueReadDeadlineMs)).toEqual([90_000, 90_000, 90_000, 93_000]);
  });
});

describe('TemplateValid', () => {
  test.each([
    ['True where the dry run was accepted', {}, ['True', 'DryRunAccepted']],
    ['False where it was refused', { template: refused }, ['False', 'DryRunRefused']],
    [
      'Unknown where a webhook knows no dry run',
      { template: { ...refused, status: 'Unknown', reason: 'DryRunUnsupported' } },
      ['Unknown', 'DryRunUnsupported'],
    ],
    ['Unknown before the first dry run', { template: undefined }, ['Unknown', 'NotChecked']],
    ['Unknown after the spec changed, until it is tried again', { generation: 4 }, ['Unknown', 'NotChecked']],
  ] as [string, Partial<Health>, string[]][])('is %s', (_, changes, expected) => {
    expect(of(changes, 'TemplateValid')).toEqual(expected);
  });
});

describe('Ready', () => {
  const createFailure = { reason: 'Forbidden', message: 'exceeded quota', template: false };
  test.each([
    ['True where all is well', {}, ['True', 'AsExpected']],
    [
      'True after a failed deploy, for that is not a sick operator',
      { lanes: [lane('production', 'Failed')] },
      ['True', 'AsExpected'],
    ],
    ['True while it is suspended', { queue: off('Suspended') }, ['True', 'Suspended']],
    [
      'True where a webhook knows no dry run: reading goes on',
      { template: { ...refused, status: 'Unknown' } },
      ['True', 'AsExpected'],
    ],
    [
      'False where the spec cannot be read, before all else',
      { specProblem: 'spec.x', template: refused, createFailure },
      ['False', 'InvalidSpec'],
    ],
    ['False where the template is refused', { template: refused, createFailure }, ['False', 'DryRunRefused']],
    [
      'False where Jobs cannot be created',
      { createFailure, queue: off('Suspended') },
      ['False', 'JobsCannotBeCreated'],
    ],
    [
      'False where a window cannot be read, also while the queue is not read',
      { windowProblem: 'spec.environments[a].windows[0]', freezeProblem: 'x', queue: off('QueueShared') },
      ['False', 'InvalidWindow'],
    ],
    [
      'False where a freeze freezes nothing, also while the resource is suspended',
      { freezeProblem: 'metadata.annotations: x', queue: off('Suspended') },
      ['False', 'FreezeOfUnknownEnvironment'],
    ],
    [
      'False where the queue is not read',
      { queue: { kind: 'reading', since: 0, lastReadAt: 1 } },
      ['False', 'QueueNotRead'],
    ],
    ['False where the queue is another’s', { queue: off('QueueShared') }, ['False', 'QueueShared']],
    ['Unknown before the queue was read', { queue: undefined }, ['Unknown', 'NotYetPolled']],
  ] as [string, Partial<Health>, string[]][])('is %s', (_, changes, expected) => {
    expect(of(changes, 'Ready')).toEqual(expected);
  });
});

describe('LastDeploySucceeded', () => {
  test.each([
    ['Unknown before any deploy', [], ['Unknown', 'NoDeployYet']],
    ['Unknown while no deploy has ended', [lane('production')], ['Unknown', 'NoDeployYet']],
    [
      'True where each environment’s last one succeeded',
      [lane('a', 'Succeeded'), lane('b', 'Succeeded'), lane('c')],
      ['True', 'DeploySucceeded'],
    ],
    [
      'False where one environment’s last one failed',
      [lane('a', 'Succeeded'), lane('b', 'Failed')],
      ['False', 'DeployFailed'],
    ],
    ['False where nobody knows how the last one ended', [lane('a', 'Unknown')], ['False', 'DeployFailed']],
  ] as [string, LaneStatus[], string[]][])('is %s', (_, lanes, expected) => {
    expect(of({ lanes }, 'LastDeploySucceeded')).toEqual(expected);
  });

  test('names the environments', () => {
    const lanes = [lane('a', 'Succeeded'), lane('b', 'Failed'), lane('c', 'Aborted')];
    const conditions = conditionsOf({ ...healthy, lanes }, undefined);
    expect(conditions.at(-1)?.message).toBe('b: Failed, c: Aborted');
  });
});

describe('the conditions together', () => {
  test('come in one order, each with the generation that it speaks of', () => {
    const conditions = conditionsOf(healthy, undefined);
    expect(conditions.map(({ type }) => type)).toEqual([
      'Ready',
      'QueueReachable',
      'TemplateValid',
      'LastDeploySucceeded',
    ]);
    expect(new Set(conditions.map(({ observedGeneration }) => observedGeneration))).toEqual(new Set([3]));
  });

  test('Invariant 8: lastTransitionTime stays while the status does, whatever the reason says', () => {
    const before = conditionsOf({ ...healthy, queue: off('QueueShared'), now: NOW - 60_000 }, undefined);
    const after = conditionsOf({ ...healthy, queue: off('NoRegion') }, before);
    expect(after.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual(Array(4).fill(at(-60)));
    expect(after[1]?.reason).toBe('NoRegion');
  });

  test('lastTransitionTime moves with the status', () => {
    const before = conditionsOf({ ...healthy, queue: off('QueueShared'), now: NOW - 60_000 }, undefined);
    const after = conditionsOf(healthy, before);
    expect(after.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual([at(0), at(0), at(-60), at(-60)]);
  });
});
