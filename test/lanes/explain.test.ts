import { describe, expect, test } from 'vitest';
import { containerHasStarted, whyNotRunning } from '../../src/lanes/explain.ts';
import { aJob, aPod, type PodChanges } from './builders.ts';

const job = aJob({ started: -30 });
const name = aPod(job).metadata.name;

describe('whether the first container of a Pod has run', () => {
  test.each([
    ['yes: it runs', { phase: 'Running' }, true],
    ['yes: it has ended', { terminated: { exitCode: 1 } }, true],
    ['no: it waits', { waiting: { reason: 'ContainerCreating' } }, false],
    ['no: nothing is said of it yet', { phase: 'Pending' }, false],
  ] as [string, PodChanges, boolean][])('%s', (_, changes, expected) => {
    expect(containerHasStarted(aPod(job, changes))).toBe(expected);
  });

  test('yes: it has ended before and is restarted', () => {
    const pod = aPod(job, { waiting: { reason: 'CrashLoopBackOff' } });
    pod.status!.containerStatuses![0]!.lastState = { terminated: { exitCode: 1 } };
    expect(containerHasStarted(pod)).toBe(true);
  });

  test('no: only a side-car runs, which the kubelet lists first because it sorts by name', () => {
    const pod = aPod(job, { phase: 'Pending' });
    pod.spec!.containers = [{ name: 'cap' }, { name: 'agent' }];
    pod.status!.containerStatuses = [
      { name: 'agent', state: { running: {} } },
      { name: 'cap', state: { waiting: { reason: 'ImagePullBackOff' } } },
    ];
    expect(containerHasStarted(pod)).toBe(false);
  });
});

describe('why a started deploy has no running container yet', () => {
  const refused = { reason: 'FailedCreate', message: 'exceeded quota' };
  test.each([
    ['nothing: the Pod is on its way', [], [], undefined],
    ['the Pod is refused (Pod Security, quota)', [], [refused], 'the Pod is refused: exceeded quota'],
    ['the newest refusal counts', [], [{ ...refused, message: 'old' }, refused], 'the Pod is refused: exceeded quota'],
    ['an Event of another kind explains nothing', [], [{ reason: 'SuccessfulCreate' }], undefined],
    ['nothing: its container is being created', [{ waiting: { reason: 'ContainerCreating' } }], [], undefined],
    ['nothing: its init containers are at work', [{ waiting: { reason: 'PodInitializing' } }], [], undefined],
    [
      'its image cannot be pulled',
      [{ waiting: { reason: 'ErrImagePull', message: 'not found' } }],
      [],
      `Pod ${name}, container cap: ErrImagePull: not found`,
    ],
    [
      'its Secret is missing',
      [{ waiting: { reason: 'ContainerCreating' } }],
      [{ reason: 'FailedMount', message: 'secret "web-ssh-key" not found' }],
      `Pod ${name}: secret "web-ssh-key" not found`,
    ],
    [
      'it terminates on a node: with the command that unblocks',
      [{ terminating: true, node: 'node-1' }],
      [],
      `Pod ${name} is terminating on node node-1; if that node is lost and its deploy surely dead: kubectl -n deploy delete pod ${name} --force`,
    ],
    [
      'it terminates without a node',
      [{ terminating: true }],
      [],
      `Pod ${name} is terminating; if it never ends: kubectl -n deploy delete pod ${name} --force`,
    ],
  ] as const)('%s', (_, pods, events, expected) => {
    expect(
      whyNotRunning(
        pods.map((changes) => aPod(job, changes)),
        events,
      ),
    ).toBe(expected);
  });

  test('it cannot be scheduled', () => {
    const pod = aPod(job, { phase: 'Pending' });
    pod.status!.conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }];
    expect(whyNotRunning([pod], [])).toBe(`Pod ${name} cannot be scheduled: 0/3 nodes`);
  });
});
