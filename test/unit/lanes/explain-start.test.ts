import { describe, expect, test } from 'vitest';
import { containerHasStarted, type Start, type Warning, whyNotRunning } from '../../../src/lanes/explain-start.ts';
import type { ContainerState, ContainerStatus, Pod } from '../../../src/lanes/job.ts';
import { aJob, aPod, at, NOW, type PodChanges } from '../../kit/builders.ts';

const job = aJob({ started: -30 });
const name = aPod(job).metadata.name;
/** As Kubernetes writes it: no fraction of a second. */
const second = (seconds: number): string => at(seconds).replace('.000Z', 'Z');

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

/** A Pod that a kubelet took up 25 s ago, on a node, with what the changes lay over its status. */
function aPendingPod(status: Pod['status'] = {}): Pod {
  const pod = aPod(job, { waiting: { reason: 'ContainerCreating' }, node: 'node-1' });
  pod.status = { ...pod.status, startTime: second(-25), ...status };
  return pod;
}

const ready = (status: string, since: number) => ({
  type: 'PodReadyToStartContainers',
  status,
  lastTransitionTime: second(since),
});
const running = (since: number): ContainerState => ({ running: { startedAt: second(since) } });
const ended = (since: number): ContainerState => ({ terminated: { exitCode: 0, finishedAt: second(since) } });
const initializing: ContainerState = { waiting: { reason: 'PodInitializing' } };

const sandbox: Warning = { reason: 'FailedCreatePodSandBox', message: 'no IP address is left', at: NOW - 5_000 };

/** A start of 30 s, about which nobody has looked for Events yet. */
function why(pod: Pod | undefined, changes: Partial<Start> & { warning?: Warning | null } = {}): string | undefined {
  const { warning, ...rest } = changes;
  const warnings = { about: (uid: string) => (uid === (pod ?? job).metadata.uid ? warning : null) };
  return whyNotRunning({ job, pod, since: NOW - 30_000, now: NOW, previousWhy: undefined, warnings, ...rest }).why;
}

describe('why a started deploy has no running container yet', () => {
  test.each([
    ['its image cannot be pulled', { reason: 'ErrImagePull', message: 'not found' }, 'ErrImagePull: not found'],
    ['for a reason without words', { reason: 'CreateContainerError' }, 'CreateContainerError'],
  ] as const)('%s', (_, waiting, expected) => {
    expect(why(aPod(job, { waiting }))).toBe(`Pod ${name}, container cap: ${expected}`);
  });

  test('the image of an init container cannot be pulled', () => {
    const waiting = { reason: 'ErrImagePull', message: 'not found' };
    const pod = aPendingPod({ initContainerStatuses: [{ name: 'migrate', state: { waiting } }] });
    expect(why(pod)).toBe(`Pod ${name}, init container migrate: ErrImagePull: not found`);
  });

  test('it cannot be scheduled', () => {
    const pod = aPod(job, { phase: 'Pending' });
    pod.status!.conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }];
    expect(why(pod)).toBe(`Pod ${name} cannot be scheduled: 0/3 nodes`);
  });

  test.each([
    ['with words', { reason: 'OutOfcpu', message: 'Pod was rejected' }, 'OutOfcpu: Pod was rejected'],
    ['without', {}, 'no words given'],
  ])('it has failed before a container ran: %s', (_, words, expected) => {
    const { containerStatuses: __, ...status } = aPod(job, { phase: 'Failed' }).status ?? {};
    expect(why({ ...aPod(job), status: { ...status, ...words } })).toBe(`Pod ${name} has failed: ${expected}`);
  });

  test('it terminates on a node and is kept for its Job: that goes first', () => {
    const pod = aPod(job, { terminating: true, node: 'node-1' });
    pod.metadata.finalizers = ['batch.kubernetes.io/job-tracking'];
    pod.metadata.labels = { 'batch.kubernetes.io/job-name': job.metadata.name };
    expect(why(pod)).toContain(
      `kubectl -n deploy delete job ${job.metadata.name}; kubectl -n deploy delete pod ${name} --force`,
    );
  });

  test('it terminates, on a node or on none: with the command that unblocks', () => {
    const force = `kubectl -n deploy delete pod ${name} --force`;
    expect(why(aPod(job, { terminating: true, node: 'node-1' }))).toBe(
      `Pod ${name} is terminating on node node-1; if that node is lost and its deploy surely dead: ${force}`,
    );
    expect(why(aPod(job, { terminating: true }))).toBe(`Pod ${name} is terminating; if it never ends: ${force}`);
  });

  test.each(['FailedCreatePodSandBox', 'FailedAttachVolume', 'FailedMount', 'NetworkNotReady', 'NeverHeardOf'])(
    'an Event says it, whatever its reason: %s',
    (reason) => {
      expect(why(aPendingPod(), { warning: { ...sandbox, reason, message: 'in words' } })).toBe(
        `Pod ${name}, Warning ${reason}: in words`,
      );
    },
  );

  test('the Pod is refused (Pod Security, quota): an Event of the Job, as there is no Pod', () => {
    const warning = { reason: 'FailedCreate', message: 'exceeded quota', at: NOW };
    expect(why(undefined, { warning })).toBe('the Pod is refused: exceeded quota');
    expect(why(undefined, { warning: { ...warning, message: '' } })).toBe('the Pod is refused: no words given');
  });

  test('another Event of the Job', () => {
    expect(why(undefined, { warning: { reason: 'Odd', message: 'x', at: NOW } })).toBe(
      `Job ${job.metadata.name}, Warning Odd: x`,
    );
  });
});

describe('an init container that runs', () => {
  const withInit = (...initContainerStatuses: ContainerStatus[]): Pod => {
    const pod = aPendingPod({ initContainerStatuses });
    pod.spec!.initContainers = [{ name: 'proxy', restartPolicy: 'Always' }, { name: 'fetch' }, { name: 'migrate' }];
    return pod;
  };

  test('is named, with the time since when', () => {
    const pod = withInit({ name: 'fetch', state: ended(-12) }, { name: 'migrate', state: running(-12) });
    expect(why(pod)).toBe(`Pod ${name}: init container migrate has been running since ${second(-12)}`);
  });

  test('is named though Warnings are younger: the Pod’s own status comes first', () => {
    expect(why(withInit({ name: 'migrate', state: running(-12) }), { warning: sandbox })).toContain('migrate');
  });

  test('is no side-car that has started: that one runs as long as its Pod', () => {
    const sideCar = { name: 'proxy', state: running(-20) };
    expect(why(withInit({ ...sideCar, started: true }, { name: 'fetch', state: running(-9) }))).toContain('fetch');
    expect(why(withInit(sideCar))).not.toContain('has been running');
    expect(why(withInit(sideCar), { warning: sandbox })).toContain('FailedCreatePodSandBox');
  });

  test('is a side-car as long as it has not started', () => {
    expect(why(withInit({ name: 'proxy', state: running(-20), started: false }))).toBe(
      `Pod ${name}: init container proxy has been running since ${second(-20)} and is not ready to go on: ` +
        'it is a side-car with a startup probe or a postStart hook',
    );
  });
});

describe('a start that is slow, and nothing is wrong', () => {
  const pulling = aPendingPod({ conditions: [ready('True', -20)] });

  test('says nothing in its first eight seconds', () => {
    const since = NOW - 7_999;
    const init = aPendingPod({ initContainerStatuses: [{ name: 'migrate', state: running(-3) }] });
    for (const pod of [undefined, aPod(job, { phase: 'Pending' }), pulling, init]) {
      expect(why(pod, { since })).toBeUndefined();
      expect(why(pod, { since: since - 1 })).toBeDefined();
    }
  });

  test('pulls an image, since the moment at which the Pod was ready for it', () => {
    expect(why(pulling)).toBe(
      `Pod ${name}: pulling the image of container cap, or creating the container, since ${second(-20)}`,
    );
  });

  test('pulls the image of an init container, since the one before it has ended', () => {
    const pod = aPendingPod({
      conditions: [ready('True', -20)],
      initContainerStatuses: [
        { name: 'fetch', state: ended(-12) },
        { name: 'migrate', state: initializing },
      ],
    });
    expect(why(pod)).toBe(
      `Pod ${name}: pulling the image of init container migrate, or creating the container, since ${second(-12)}`,
    );
  });

  test('pulls the image of the deploy, since its side-car has started', () => {
    const pod = aPendingPod({
      conditions: [ready('True', -20)],
      initContainerStatuses: [{ name: 'proxy', started: true, state: running(-9) }],
    });
    pod.spec!.initContainers = [{ name: 'proxy', restartPolicy: 'Always' }];
    expect(why(pod)).toContain(`pulling the image of container cap, or creating the container, since ${second(-9)}`);
  });

  test.each([
    ['the Pod is not ready for containers', [ready('False', -24)], -24],
    [
      'the kubelet says nothing of that: since it was scheduled',
      [{ ...ready('True', -23), type: 'PodScheduled' }],
      -23,
    ],
    ['nobody gives a time: since the Pod was created', [], -8],
  ] as const)('sets up volumes, sandbox and network, and an older kubelet may pull: %s', (_, conditions, since) => {
    expect(why(aPendingPod({ conditions: [...conditions] }))).toBe(
      `Pod ${name}: setting up volumes, network and sandbox, or pulling the image ` +
        `(before 1.36 a kubelet does not say which), since ${second(since)}`,
    );
  });

  test('waits for its kubelet', () => {
    const pod = aPod(job, { phase: 'Pending', node: 'node-1' });
    pod.status!.conditions = [{ type: 'PodScheduled', status: 'True', lastTransitionTime: second(-6) }];
    expect(why(pod)).toBe(`Pod ${name}: waiting for the kubelet of node node-1 since ${second(-6)}`);
  });

  test('waits for the scheduler', () => {
    expect(why(aPod(job, { phase: 'Pending' }))).toBe(`Pod ${name}: waiting for the scheduler since ${second(-8)}`);
  });

  test('waits for the Job controller', () => {
    expect(why(undefined)).toBe(`the Job controller has created no Pod since ${second(-30)}`);
  });

  test('has the same words at each look', () => {
    expect(why(pulling, { now: NOW + 60_000 })).toBe(why(pulling));
  });
});

describe('the order of causes', () => {
  const unschedulable = { type: 'PodScheduled', status: 'False', message: '0/3 nodes' };
  const failing = { waiting: { reason: 'ErrImagePull' } };

  test('is: a container that waits, the scheduler, an init container that runs, Warnings, the stage', () => {
    const init = [{ name: 'migrate', state: running(-12) }];
    const all = aPendingPod({
      conditions: [unschedulable],
      initContainerStatuses: init,
      containerStatuses: [{ name: 'cap', state: failing }],
    });
    expect(why(all, { warning: sandbox })).toContain('ErrImagePull');
    const unpulled = aPendingPod({ conditions: [unschedulable], initContainerStatuses: init });
    expect(why(unpulled, { warning: sandbox })).toContain('cannot be scheduled');
    expect(why(aPendingPod({ initContainerStatuses: init }), { warning: sandbox })).toContain('migrate');
    expect(why(aPendingPod(), { warning: sandbox })).toContain('FailedCreatePodSandBox');
    expect(why(aPendingPod(), { warning: null })).toContain('setting up volumes');
  });

  test.each([
    ['it is ready for containers', { conditions: [ready('True', -4)] }],
    ['it is scheduled', { conditions: [{ ...ready('True', -4), type: 'PodScheduled' }] }],
    ['an init container ended', { initContainerStatuses: [{ name: 'fetch', state: ended(-4) }] }],
    ['a side-car started', { initContainerStatuses: [{ name: 'proxy', started: true, state: running(-4) }] }],
  ])('leaves out a Warning that is older than the last step that the Pod made: %s', (_, status) => {
    const pod = aPendingPod(status);
    pod.spec!.initContainers = [{ name: 'proxy', restartPolicy: 'Always' }];
    expect(why(pod, { warning: sandbox })).not.toContain('FailedCreatePodSandBox');
    // Within one second nobody knows which came first.
    expect(why(pod, { warning: { ...sandbox, at: NOW - 4_000 } })).toContain('FailedCreatePodSandBox');
  });

  test('leaves no Warning out for what a kubelet says when it takes a Pod up: an error may be told before', () => {
    const conditions = [ready('False', -4), { ...ready('True', -4), type: 'Initialized' }];
    expect(why(aPendingPod({ conditions }), { warning: sandbox })).toContain('FailedCreatePodSandBox');
  });
});

describe('what was told of an Event', () => {
  const previousWhy = `Pod ${name}, Warning FailedMount: secret "env" not found`;

  test('stays until somebody has looked: an operator that has just begun takes nothing back', () => {
    expect(why(aPendingPod(), { previousWhy })).toBe(previousWhy);
    expect(why(undefined, { previousWhy: 'the Pod is refused: exceeded quota' })).toBe(
      'the Pod is refused: exceeded quota',
    );
  });

  test('goes once somebody has looked, and it is no more', () => {
    expect(why(aPendingPod(), { previousWhy, warning: null })).toContain('setting up volumes');
  });

  test('goes if it was about something else', () => {
    for (const other of ['the Pod is refused: exceeded quota', `Pod ${name} cannot be scheduled: 0/3 nodes`]) {
      expect(why(aPendingPod(), { previousWhy: other })).toContain('setting up volumes');
    }
    expect(why(undefined, { previousWhy })).toContain('no Pod since');
  });
});

describe('about what Events are asked for', () => {
  const asked = (pod: Pod | undefined, since = NOW - 2_000) =>
    whyNotRunning({ job, pod, since, now: NOW, previousWhy: undefined, warnings: { about: () => undefined } })
      .eventsAbout;

  test('the Pod, or the Job if there is none, once it takes longer than a healthy start', () => {
    expect(asked(aPendingPod())).toBe(`pod-of-${job.metadata.uid}`);
    expect(asked(undefined)).toBe(job.metadata.uid);
    expect(asked(undefined, NOW - 1_999)).toBeUndefined();
  });

  test('nothing if the Pod’s own status says it', () => {
    expect(asked(aPod(job, { waiting: { reason: 'ErrImagePull' } }))).toBeUndefined();
    expect(asked(aPendingPod({ initContainerStatuses: [{ name: 'x', state: running(-1) }] }))).toBeUndefined();
  });
});
