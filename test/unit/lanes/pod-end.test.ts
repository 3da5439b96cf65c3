import { describe, expect, test } from 'vitest';
import { endOfGonePod, exitOfAll, mergePodEnd, podEnd } from '../../../src/lanes/pod-end.ts';
import { storedBytes } from '../../../src/text/truncate.ts';
import { aJob, aPod, at, type PodChanges, stamp } from '../../kit/builders.ts';

const job = aJob({ started: -60 });
const end = (changes: PodChanges) => podEnd(aPod(job, changes));
const name = aPod(job).metadata.name;
const exited = (exitCode: number, finishedAt: number, more: object = {}) => ({
  terminated: { exitCode, finishedAt: stamp(finishedAt), ...more },
});

describe('a container that exited by itself', () => {
  test.each<[string, PodChanges, number, string]>([
    ['with 0', exited(0, -5), 0, 'Completed'],
    ['with 0, though the kernel killed a process of it', exited(0, -5, { reason: 'OOMKilled' }), 0, 'Completed'],
    ['with another code', exited(1, -5), 1, 'BackoffLimitExceeded'],
    ['killed for want of memory', exited(137, -5, { reason: 'OOMKilled' }), 137, 'OOMKilled'],
    ['that could not be started', exited(128, -5, { reason: 'StartError' }), 128, 'ContainerNotStarted'],
    [
      'that an older runtime could not start',
      exited(127, -5, { reason: 'ContainerCannotRun' }),
      127,
      'ContainerNotStarted',
    ],
    ['two seconds before its Pod was told to end', { ...exited(0, -5), toldAt: -3 }, 0, 'Completed'],
    [
      'two seconds before its Pod was drained',
      { ...exited(0, -5), toldAt: -3, disruption: 'EvictionByEvictionAPI' },
      0,
      'Completed',
    ],
    ['while a side-car runs on', { ...exited(1, -5), others: { proxy: { running: {} } } }, 1, 'BackoffLimitExceeded'],
  ])('%s', (_, changes, code, reason) => {
    expect(end(changes).exit).toEqual({ code, reason, finishedAt: stamp(-5) });
    expect(end(changes).cause).toBeUndefined();
  });

  test('is named in words, with its code, the runtime’s reason and its signal', () => {
    expect(end(exited(137, -5, { reason: 'OOMKilled', message: 'log' }))).toMatchObject({
      words: `Pod ${name}, container cap: exit code 137 (OOMKilled)`,
      log: 'log',
    });
    expect(end(exited(0, -5, { reason: 'Completed' })).words).toBe(`Pod ${name}, container cap: exit code 0`);
    expect(end(exited(1, -5, { signal: 9 })).words).toContain('exit code 1 (signal 9)');
  });

  test('that was not started after init containers that ran says so', () => {
    const { words } = end({
      initContainers: { migrate: exited(0, -50) },
      ...exited(128, -5, { reason: 'StartError' }),
    });
    expect(words).toContain('StartError; init containers (migrate) ran, and may have done things');
  });

  test('that was not started has no exit code in words', () => {
    const { words, log } = end(exited(128, -5, { reason: 'StartError', message: 'no such file' }));
    expect([words, log]).toEqual([`Pod ${name}, container cap: StartError`, 'no such file']);
  });

  test('is the first one, and not a side-car that the kubelet lists before it', () => {
    const pod = aPod(job, { ...exited(2, -5), others: { agent: { terminated: { exitCode: 0 } } } });
    expect(pod.status?.containerStatuses?.[0]?.name).toBe('agent');
    expect(podEnd(pod).exit?.code).toBe(2);
  });

  test('tells of a side-car that failed by itself', () => {
    const proxy = exited(2, -4, { reason: 'Error' });
    expect(end({ ...exited(0, -5), others: { proxy } }).sidecarFailed).toBe('container proxy: exit code 2 (Error)');
    expect(end({ ...exited(0, -9), others: { proxy }, toldAt: -5 }).sidecarFailed).toBeUndefined();
    expect(end({ ...exited(0, -5), others: { proxy: exited(0, -4) } }).sidecarFailed).toBeUndefined();
  });
});

describe('no exit by itself', () => {
  test.each<[string, PodChanges, string | undefined]>([
    ['of a container that runs', {}, undefined],
    ['of a container that waits', { waiting: { reason: 'ContainerCreating' } }, undefined],
    ['of a Pod that was told to end a second before', { ...exited(0, -5), toldAt: -4 }, 'PodDeleted'],
    ['after the order to end', { ...exited(0, -5), toldAt: -8 }, 'PodDeleted'],
    [
      'of a Pod whose deletion was completed two seconds later',
      { ...exited(0, -5), toldAt: -3, grace: 0 },
      'PodDeleted',
    ],
    [
      'of a drained Pod whose deletion was cut short',
      { ...exited(0, -5), disruption: 'EvictionByEvictionAPI', toldAt: -3, grace: 1 },
      'Disrupted',
    ],
    ['of an eviction by the kubelet', { ...exited(137, -5), phase: 'Failed', reason: 'Evicted' }, 'Evicted'],
    [
      'of an eviction by the kubelet, its Pod deleted long after',
      { ...exited(0, -50), phase: 'Failed', reason: 'Evicted', toldAt: -3 },
      'Evicted',
    ],
    ['of a node that shuts down', { ...exited(0, -50), disruption: 'TerminationByKubelet', toldAt: -3 }, 'Disrupted'],
    ['of a node that shuts down, in its words', { ...exited(0, -5), reason: 'Terminated' }, 'Disrupted'],
    ['of a drain', { ...exited(143, -5), disruption: 'EvictionByEvictionAPI', toldAt: -6 }, 'Disrupted'],
    ['of a Pod that gave way', { ...exited(143, -5), disruption: 'PreemptionByScheduler', toldAt: -6 }, 'Disrupted'],
    [
      'of a taint, on a node that answers',
      { ...exited(143, -5), disruption: 'DeletionByTaintManager', toldAt: -6 },
      'Disrupted',
    ],
    ['of a node that answers no more', { disruption: 'DeletionByTaintManager', toldAt: -6 }, 'NodeLost'],
    ['of a node that was taken away', { phase: 'Failed', disruption: 'DeletionByPodGC', toldAt: -6 }, 'NodeLost'],
    [
      'of a container that the kubelet lost',
      { phase: 'Failed', ...exited(137, -5, { reason: 'ContainerStatusUnknown' }) },
      'NodeLost',
    ],
    [
      'of a container whose process was gone when the node had started again',
      { phase: 'Failed', ...exited(255, -5, { reason: 'Unknown' }) },
      'NodeLost',
    ],
    [
      'of one that it lost and was told to end',
      { phase: 'Failed', toldAt: -6, ...exited(137, -5, { reason: 'ContainerStatusUnknown' }) },
      'PodDeleted',
    ],
    [
      'of the Pod’s own deadline',
      { ...exited(137, -5), phase: 'Failed', reason: 'DeadlineExceeded' },
      'DeadlineExceeded',
    ],
    ['of a Pod that the kubelet refused', { phase: 'Failed', reason: 'OutOfcpu', message: 'no cpu' }, 'PodRefused'],
    ['of another refusal', { phase: 'Failed', reason: 'UnexpectedAdmissionError', message: 'no device' }, 'PodRefused'],
    ['of a Pod that was deleted before it ran', { waiting: { reason: 'ContainerCreating' }, toldAt: -3 }, 'PodDeleted'],
    ['of a Pod that failed without a word', { phase: 'Failed' }, undefined],
  ])('%s', (_, changes, cause) => {
    expect(end(changes).exit).toBeUndefined();
    expect(end(changes).cause).toBe(cause);
  });

  test.each([
    ['in 1970, as runtimes write what they do not know', '1970-01-01T00:00:00Z'],
    ['before its Pod was created: the clock of the node is wrong', stamp(-3600)],
  ])('is proved by one that ended %s', (_, finishedAt) => {
    expect(end({ phase: 'Failed', toldAt: -3, terminated: { exitCode: 0, finishedAt } }).exit).toBeUndefined();
  });

  test('has another reason than those of the list, whatever is written into the status of a Pod', () => {
    expect(end({ phase: 'Failed', reason: 'constructor' }).cause).toBe('PodRefused');
  });

  test('is found in what the container did before its restart', () => {
    const pod = aPod(job);
    pod.status!.containerStatuses![0]!.lastState = { terminated: { exitCode: 0, finishedAt: stamp(-5) } };
    expect(podEnd(pod).exit).toBeUndefined();
  });

  test('makes a success of one that exited with 0 when it was told to end, and says so', () => {
    expect(end({ ...exited(0, -5), toldAt: -8 })).toMatchObject({
      succeededTooLate: true,
      words: `Pod ${name} was deleted; container cap: exit code 0, after it was told to end`,
    });
    expect(end({ ...exited(143, -5), toldAt: -8 }).succeededTooLate).toBeUndefined();
  });

  test('is said of a container that never ran', () => {
    for (const changes of [
      { phase: 'Failed', reason: 'OutOfcpu', message: 'no cpu' },
      { waiting: { reason: 'PodInitializing' }, toldAt: -3 },
      { phase: 'Failed', toldAt: -6, ...exited(137, -5, { reason: 'ContainerStatusUnknown' }) },
    ] satisfies PodChanges[])
      expect(end(changes).words).not.toContain('exit code');
  });
});

describe('an init container that failed', () => {
  const failed = { migrate: exited(3, -5, { reason: 'Error', message: 'no table' }) };
  const waits = { phase: 'Failed' as const, waiting: { reason: 'PodInitializing' } };

  test('is named with its exit code, and that the first container did not run', () => {
    expect(end({ ...waits, initContainers: failed })).toEqual({
      pod: name,
      restarts: 0,
      hasRun: false,
      isOver: true,
      cause: 'InitContainerFailed',
      words: `Pod ${name}, init container migrate: exit code 3 (Error); the first container did not run, but this one may have done things`,
      log: 'no table',
    });
  });

  test('is not one that ended well, one that was told to end, or a native side-car', () => {
    expect(end({ ...waits, initContainers: { migrate: exited(0, -5) } }).cause).toBeUndefined();
    expect(end({ ...waits, initContainers: failed, toldAt: -8 }).cause).toBe('PodDeleted');
    const sidecar = { migrate: { ...failed.migrate, restartPolicy: 'Always' } };
    expect(end({ ...waits, initContainers: sidecar }).cause).toBeUndefined();
  });

  test('is not the cause if the first container ran all the same', () => {
    expect(end({ ...exited(0, -4), initContainers: failed }).exit?.code).toBe(0);
  });
});

describe('what is known of a Pod, once another version of it is seen', () => {
  const good = end(exited(0, -5));
  const deleted = end({ ...exited(0, -5), toldAt: -4 });
  const initFailed = end({ phase: 'Failed', initContainers: { migrate: exited(3, -5) } });

  test('stays the exit that was proved, and learns of a side-car that fails', () => {
    expect(mergePodEnd(good, deleted)).toEqual(good);
    const late = end({ ...exited(0, -5), others: { proxy: exited(2, -1) } });
    expect(mergePodEnd(good, late)).toEqual({ ...good, sidecarFailed: 'container proxy: exit code 2' });
    expect(mergePodEnd({ ...good, sidecarFailed: 'x' }, deleted).sidecarFailed).toBe('x');
  });

  test('stays "told to end" in the last version of a deleted Pod, which tells only when its deletion was completed', () => {
    const told = end({ ...exited(0, -5), toldAt: -6, grace: 2 });
    const last = end({ ...exited(0, -5), toldAt: -3, grace: 0 });
    expect(mergePodEnd(told, last)).toMatchObject({ cause: 'PodDeleted', succeededTooLate: true });
    expect(mergePodEnd(told, last).exit).toBeUndefined();
  });

  test('is an exit that is proved later', () => {
    expect(mergePodEnd(deleted, good)).toEqual(good);
    expect(mergePodEnd(undefined, deleted)).toEqual(deleted);
  });

  test('is the exit of another run after a restart; an older version that comes late tells of none', () => {
    const again = end({ restarts: 1 });
    expect(mergePodEnd(good, again)).toEqual(again);
    expect(mergePodEnd(again, good)).toEqual(again);
  });

  test('keeps its cause if the Pod is deleted after that', () => {
    expect(mergePodEnd(initFailed, end({ phase: 'Failed', toldAt: -3 }))).toEqual(initFailed);
    expect(mergePodEnd(initFailed, end({}))).toEqual(initFailed);
    const drained = end({ disruption: 'EvictionByEvictionAPI', toldAt: -3 });
    expect(mergePodEnd(deleted, drained)).toEqual(drained);
  });

  test('is a delete if it is gone and had not said how it ended', () => {
    expect(endOfGonePod(end({}))).toMatchObject({
      cause: 'PodDeleted',
      words: `Pod ${name} is gone, and did not say how it ended`,
    });
    expect(endOfGonePod(good)).toEqual(good);
    expect(endOfGonePod(initFailed)).toEqual(initFailed);
  });

  test('is no exit by itself once the kubelet says that it had ended the Pod: it needs no order for that', () => {
    const half = end({ ...exited(0, -15), phase: 'Running' });
    expect(half.exit?.code).toBe(0);
    for (const told of [
      end({ ...exited(0, -15), phase: 'Failed', reason: 'Evicted' }),
      end({ ...exited(0, -15), phase: 'Failed', reason: 'Terminated', disruption: 'TerminationByKubelet' }),
    ]) {
      expect(mergePodEnd(half, told).exit).toBeUndefined();
      expect(mergePodEnd(half, told)).toMatchObject({ cause: told.cause, succeededTooLate: true });
    }
    // What was over by itself was over before the kubelet had a reason.
    const over = end({ ...exited(0, -15), phase: 'Succeeded' });
    expect(mergePodEnd(over, end({ ...exited(0, -15), phase: 'Failed', reason: 'Evicted' })).exit?.code).toBe(0);
  });

  test('is no refusal of a Pod that has run: a kubelet that has started again admits its Pods anew', () => {
    const refused = end({ phase: 'Failed', reason: 'NodeAffinity', message: 'Pod was rejected', waiting: {} });
    expect(refused.cause).toBe('PodRefused');
    expect(mergePodEnd(end({}), refused)).toMatchObject({ cause: 'Disrupted', hasRun: true });
    expect(mergePodEnd(end({ waiting: {} }), refused).cause).toBe('PodRefused');
  });

  test('is no init container that failed while it is started again', () => {
    const init = (exitCode: number) => ({ setup: exited(exitCode, -60) });
    const first = end({ phase: 'Pending', waiting: {}, initContainers: init(1) });
    const last = end({ initContainers: init(0), phase: 'Failed', toldAt: -10, ...exited(143, -9) });
    expect(first.cause).toBeUndefined();
    expect(mergePodEnd(mergePodEnd(first, end({ initContainers: init(0) })), last).cause).toBe('PodDeleted');
  });
});

describe('the exit of all Pods of a Job', () => {
  const of = (code: number, pod: string) => podEnd(aPod(job, { ...exited(code, -5, { message: pod }), name: pod }));

  test('is that of the first that failed, else of the last', () => {
    expect(exitOfAll([of(0, 'a'), of(0, 'b')], at(0))?.message).toContain('Pod b');
    expect(exitOfAll([of(0, 'a'), of(2, 'b'), of(3, 'c')], at(0))).toMatchObject({ code: 2 });
  });

  test('is not known if one of them has none, or none was seen', () => {
    expect(exitOfAll([of(0, 'a'), end({})], at(0))).toBeUndefined();
    expect(exitOfAll([], at(0))).toBeUndefined();
  });

  test('ends with the log of one that failed, and fits the status', () => {
    const long = podEnd(aPod(job, exited(1, -5, { message: `${'x'.repeat(3000)}the end` })));
    const { message = '' } = exitOfAll([long], at(0)) ?? {};
    expect(message.length).toBeLessThanOrEqual(1536);
    expect(message).toMatch(/the end$/);
    // In etcd each of these takes six bytes.
    const escaped = podEnd(aPod(job, exited(1, -5, { message: `${'<'.repeat(1000)}the end` })));
    expect(storedBytes(exitOfAll([escaped], at(0))?.message)).toBeLessThanOrEqual(1536 + 2);
    expect(exitOfAll([escaped], at(0))?.message).toMatch(/<the end$/);
    expect(exitOfAll([of(0, 'a')], at(0))?.message).toBe('Pod a, container cap: exit code 0');
  });

  test('is now if the runtime tells no time', () => {
    const pod = aPod(job, exited(128, -5));
    delete pod.status!.containerStatuses![0]!.state!.terminated!.finishedAt;
    expect(exitOfAll([podEnd(pod)], at(0))?.finishedAt).toBe(at(0));
  });
});
