import { describe, expect, test } from 'vitest';
import { ANNOTATION } from '../../../src/api/names.ts';
import { storedRequest } from '../../../src/lanes/job.ts';
import { planLane } from '../../../src/lanes/plan-lane.ts';
import { findInStatus } from '../../../src/requests/find-in-status.ts';
import {
  aClaim,
  aJob,
  aLane,
  aMemory,
  aPod,
  aRequest,
  at,
  aWaitingEntry,
  type JobChanges,
} from '../../kit/builders.ts';

const slack = { channel: 'C0PROD', threadTs: '1764500000.000100' };
const asked = (changes: JobChanges = {}) => aJob({ reason: 'fixes the basket', slack, ...changes });
const told = { requestReason: 'fixes the basket', slack };

describe('why a deploy was asked for, and where in Slack its result belongs', () => {
  test('stands in the entry of a request that waits', () => {
    const { status } = planLane(aLane({ jobs: [asked()], freeze: 'alice' }));
    expect(status?.waiting).toMatchObject([told]);
  });

  test('stands in the claim', () => {
    const { status } = planLane(aLane({ jobs: [asked()] }));
    expect(status?.active).toMatchObject([told]);
  });

  test('stays in a claim that is made again, and in one that is given up', () => {
    const previous = { name: 'production', active: [aClaim(asked())] };
    expect(planLane(aLane({ jobs: [asked()], previous })).status?.active).toMatchObject([told]);
    const { status } = planLane(aLane({ jobs: [asked()], previous, freeze: 'alice' }));
    expect(status).toMatchObject({ waiting: [told] });
    expect(status).not.toHaveProperty('active');
  });

  test('stands in the history entry of a deploy that has finished', () => {
    const job = asked({ started: -30, finished: 'Complete' });
    const { ended } = planLane(aLane({ jobs: [job], previous: { name: 'production', active: [aClaim(asked())] } }));
    expect(ended).toMatchObject([{ ...told, result: 'Succeeded', reason: 'Completed' }]);
  });

  test('stands in the history entry of a deploy whose Job has vanished', () => {
    const previous = { name: 'production', active: [aClaim(asked())] };
    const { ended } = planLane(aLane({ previous, memory: aMemory({ podWasSeen: () => true }) }));
    expect(ended).toMatchObject([{ ...told, result: 'Unknown', reason: 'JobVanished' }]);
  });

  test('stands in the history entry of a request whose Job was deleted while it waited', () => {
    const previous = { name: 'production', waiting: [aWaitingEntry(asked())] };
    expect(planLane(aLane({ previous })).ended).toMatchObject([{ ...told, reason: 'JobDeleted' }]);
  });

  test('stands in the history entry of a request that is dropped before any status lists it', () => {
    const { ended } = planLane(aLane({ jobs: [asked({ expiresAt: at(-1) })] }));
    expect(ended).toMatchObject([{ ...told, result: 'Missed', reason: 'Expired' }]);
  });

  test('stands in the claim of a Job that was resumed by hand', () => {
    const job = asked({ resumedByHand: true });
    expect(planLane(aLane({ jobs: [job], pods: [aPod(job)] })).status?.active).toMatchObject([told]);
  });

  test('is absent if the message does not say it', () => {
    for (const changes of [{}, { freeze: 'alice' }]) {
      const { status } = planLane(aLane({ jobs: [aJob()], ...changes }));
      const [entry] = [...(status?.active ?? []), ...(status?.waiting ?? [])];
      expect(entry).not.toHaveProperty('requestReason');
      expect(entry).not.toHaveProperty('slack');
    }
  });

  test('tells no request from another: a second send with other texts is the same request', () => {
    const again = aRequest({ reason: 'again', slack: undefined });
    const waits = { environments: [{ name: 'production', waiting: [aWaitingEntry(asked())] }] };
    const runs = { environments: [{ name: 'production', active: [aClaim(asked())] }] };
    expect([findInStatus(waits, again), findInStatus(runs, again)]).toEqual(['same', 'same']);
  });
});

describe('a Job whose annotations a person has edited', () => {
  const edited = (annotations: Record<string, string>) => storedRequest(asked({ annotations }));

  test.each([
    ['it is too long', 'x'.repeat(300), `${'x'.repeat(255)}…`],
    ['it has line ends, control characters and direction marks', 'a\nb\u001b[31m\u202ec', 'a b [31m c'],
    ['it is blank', ' \n', undefined],
  ])('gives a reason that fits the status as one line if %s', (_, value, expected) => {
    expect(edited({ [ANNOTATION.reason]: value }).requestReason).toBe(expected);
  });

  test.each([
    ['the channel alone if the thread is none', { [ANNOTATION.slackThreadTs]: 'now' }, { channel: 'C0PROD' }],
    ['nothing if the channel is a name', { [ANNOTATION.slackChannel]: '#deploys' }, undefined],
    ['nothing if the channel is too long', { [ANNOTATION.slackChannel]: 'C'.repeat(33) }, undefined],
    ['nothing if the channel is empty', { [ANNOTATION.slackChannel]: '' }, undefined],
    ['both as they are', {}, slack],
  ])('gives of Slack %s', (_, annotations, expected) => {
    expect(edited(annotations).slack).toEqual(expected);
  });
});
