import type { VirtualClock } from 'in-memory-kubernetes/clock.ts';
import { GarbageCollector } from 'in-memory-kubernetes/controllers/garbage-collector.ts';
import type { JobControllerOptions } from 'in-memory-kubernetes/controllers/job-controller.ts';
import { JobController } from 'in-memory-kubernetes/controllers/job-controller.ts';
import { PodPlayer } from 'in-memory-kubernetes/kubelet/play-pods.ts';
import { ApiError } from 'in-memory-kubernetes/store/api-error.ts';
import { listAt } from 'in-memory-kubernetes/store/json.ts';
import type { Store } from 'in-memory-kubernetes/store/store.ts';
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../objects.ts';
import { CORE_EVENTS } from '../objects.ts';
import { JOBS, job, merged, newStore, PODS } from './builders.ts';

interface World {
  store: Store;
  clock: VirtualClock;
  player: PodPlayer;
  job: () => KubeObject;
  pods: () => KubeObject[];
  /** `Suspended FailureTarget`: the conditions that are True, in their order. */
  conditions: () => string;
  suspend: (suspend: boolean) => void;
}

function world(spec: Record<string, unknown> = {}, options: JobControllerOptions = {}): World {
  const { store, clock } = newStore();
  new JobController(store, options);
  new GarbageCollector(store);
  store.create(JOBS, job('web', spec));
  clock.advance(0);
  const current = () => store.get(JOBS, 'default', 'web');
  return {
    store,
    clock,
    player: new PodPlayer(store),
    job: current,
    pods: () => store.list(PODS).items,
    conditions: () =>
      listAt(current(), 'status', 'conditions')
        .filter((each) => each.status === 'True')
        .map((each) => each.type)
        .join(' '),
    suspend: (suspend) => {
      store.update(JOBS, merged(current(), { spec: { suspend } }));
      clock.advance(0);
    },
  };
}

const nameOf = (object: KubeObject | undefined): string => object?.metadata.name ?? '';

function act({ player, clock, pods }: World, step: (player: PodPlayer, name: string) => unknown): void {
  step(player, nameOf(pods()[0]));
  clock.advance(0);
}

describe('a suspended Job', () => {
  test('has no Pod, no startTime, and the condition Suspended', () => {
    const it = world({ suspend: true });
    it.clock.advance(60_000);
    expect(it.pods()).toEqual([]);
    expect(it.job().status).not.toHaveProperty('startTime');
    expect(it.conditions()).toBe('Suspended');
  });

  test('that is resumed starts now: startTime, Pod, and Suspended turns False', () => {
    const it = world({ suspend: true });
    it.clock.advance(60_000);
    it.suspend(false);
    expect(it.job().status).toMatchObject({
      startTime: '2030-01-01T00:01:00Z',
      active: 1,
      conditions: [{ type: 'Suspended', status: 'False', reason: 'JobResumed' }],
    });
    expect(it.pods()).toHaveLength(1);
  });

  test('that ran before loses its Pod and its startTime, without counting a failure', () => {
    const it = world();
    act(it, (player, name) => player.run('default', name));
    it.suspend(true);
    expect(it.pods()[0]?.metadata.deletionTimestamp).toBeDefined();
    expect(it.job().status).not.toHaveProperty('startTime');
    expect(it.job().status).toMatchObject({ terminating: 1 });
    act(it, (player, name) => player.endDeleted('default', name));
    expect(it.pods()).toEqual([]);
    expect(it.conditions()).toBe('Suspended');
    expect(it.job().status).not.toHaveProperty('failed');
  });

  test('that is resumed again counts its deadline from then', () => {
    const it = world({ activeDeadlineSeconds: 10 });
    act(it, (player, name) => player.run('default', name));
    it.clock.advance(8000);
    it.suspend(true);
    act(it, (player, name) => player.endDeleted('default', name));
    it.clock.advance(60_000);
    it.suspend(false);
    it.clock.advance(9000);
    expect(it.conditions()).toBe('');
    it.clock.advance(1000);
    expect(it.conditions()).toContain('FailureTarget');
  });
});

describe('the Pod of a Job', () => {
  test('carries its labels, its controller reference, the template, and the tracking finalizer', () => {
    const it = world();
    const [pod] = it.pods();
    const { uid } = it.job().metadata;
    expect(pod?.metadata).toMatchObject({
      generateName: 'web-',
      labels: {
        app: 'web',
        'batch.kubernetes.io/job-name': 'web',
        'batch.kubernetes.io/controller-uid': uid,
        'job-name': 'web',
        'controller-uid': uid,
      },
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'Job', name: 'web', uid, controller: true, blockOwnerDeletion: true },
      ],
      finalizers: ['batch.kubernetes.io/job-tracking'],
    });
    expect(pod?.spec).toMatchObject({ restartPolicy: 'Never', containers: [{ image: 'app:1' }] });
  });

  test('that is refused is told by an Event FailedCreate, and tried again', () => {
    const { store, clock } = newStore();
    let refuse = true;
    store.admission.push(({ type, operation }) => {
      if (refuse && type.plural === 'pods' && operation === 'CREATE') {
        throw new ApiError(403, 'Forbidden', 'pods "web-" is forbidden: violates PodSecurity "restricted:latest"');
      }
    });
    new JobController(store);
    store.create(JOBS, job('web'));
    clock.advance(0);
    expect(store.list(PODS).items).toEqual([]);
    expect(store.get(JOBS, 'default', 'web').status).not.toHaveProperty('active');
    const [event] = store.list(CORE_EVENTS, { fieldSelector: 'reason=FailedCreate' }).items;
    expect(event?.message).toBe('Error creating: pods "web-" is forbidden: violates PodSecurity "restricted:latest"');
    clock.advance(2999);
    expect(store.list(CORE_EVENTS, { fieldSelector: 'reason=FailedCreate' }).items).toMatchObject([{ count: 2 }]);
    refuse = false;
    clock.advance(1);
    expect(store.list(PODS).items).toHaveLength(1);
    expect(store.get(JOBS, 'default', 'web').status).toMatchObject({ active: 1 });
  });
});

describe('a Job ends', () => {
  test('Complete when its Pod succeeded', () => {
    const it = world();
    act(it, (player, name) => player.run('default', name));
    expect(it.job().status).toMatchObject({ active: 1, ready: 1 });
    it.clock.advance(5000);
    act(it, (player, name) => player.finish('default', name));
    expect(it.conditions()).toBe('SuccessCriteriaMet Complete');
    expect(it.job().status).toMatchObject({
      succeeded: 1,
      ready: 0,
      completionTime: '2030-01-01T00:00:05Z',
      uncountedTerminatedPods: {},
    });
    expect(it.job().status).not.toHaveProperty('active');
    expect(it.pods()[0]?.metadata.finalizers).toBeUndefined();
  });

  test('Failed, BackoffLimitExceeded, when its Pod failed and backoffLimit is 0', () => {
    const it = world();
    act(it, (player, name) => player.run('default', name));
    act(it, (player, name) => player.finish('default', name, 3));
    expect(it.conditions()).toBe('FailureTarget Failed');
    expect(it.job().status).toMatchObject({
      failed: 1,
      conditions: [
        {
          type: 'FailureTarget',
          reason: 'BackoffLimitExceeded',
          message: 'Job has reached the specified backoff limit',
        },
        { type: 'Failed', reason: 'BackoffLimitExceeded' },
      ],
    });
    expect(it.job().status).not.toHaveProperty('completionTime');
    it.clock.advance(600_000);
    expect(it.pods()).toHaveLength(1);
  });

  test('Failed, DeadlineExceeded, when it was active too long; FailureTarget until its Pod is gone', () => {
    const it = world({ activeDeadlineSeconds: 10 });
    act(it, (player, name) => player.run('default', name));
    it.clock.advance(9999);
    expect(it.conditions()).toBe('');
    it.clock.advance(1);
    expect(it.conditions()).toBe('FailureTarget');
    expect(it.pods()[0]?.metadata.deletionTimestamp).toBeDefined();
    it.clock.advance(3_600_000);
    expect(it.conditions()).toBe('FailureTarget');
    act(it, (player, name) => player.endDeleted('default', name));
    expect(it.conditions()).toBe('FailureTarget Failed');
    expect(it.job().status).toMatchObject({
      failed: 1,
      conditions: [{ reason: 'DeadlineExceeded' }, { reason: 'DeadlineExceeded' }],
    });
    expect(it.pods()).toEqual([]);
  });

  test('and stays as it is, whatever happens to its Pod afterwards', () => {
    const it = world();
    act(it, (player, name) => player.finish('default', name));
    const { resourceVersion } = it.job().metadata;
    it.store.delete(PODS, 'default', nameOf(it.pods()[0]));
    it.clock.advance(3_600_000);
    expect(it.job().metadata.resourceVersion).toBe(resourceVersion);
    expect(it.pods()).toEqual([]);
  });
});

describe('a failed Pod', () => {
  test('is replaced after 10 s, then after 20 s, while backoffLimit allows', () => {
    const it = world({ backoffLimit: 2 });
    act(it, (player, name) => player.finish('default', name, 1));
    it.clock.advance(9999);
    expect(it.pods()).toHaveLength(1);
    it.clock.advance(1);
    expect(it.pods()).toHaveLength(2);
    it.player.finish(
      'default',
      nameOf(it.pods().find((pod) => (pod.status as { phase: string }).phase === 'Pending')),
      1,
    );
    it.clock.advance(19_999);
    expect(it.pods()).toHaveLength(2);
    it.clock.advance(1);
    expect(it.pods()).toHaveLength(3);
    it.player.finish(
      'default',
      nameOf(it.pods().find((pod) => (pod.status as { phase: string }).phase === 'Pending')),
      1,
    );
    it.clock.advance(0);
    expect(it.conditions()).toBe('FailureTarget Failed');
    expect(it.job().status).toMatchObject({ failed: 3 });
  });

  test.each([
    ['Failed', 1],
    ['TerminatingOrFailed', 2],
  ])('that only terminates has under podReplacementPolicy %s %d Pods beside it', (podReplacementPolicy, count) => {
    const it = world({ podReplacementPolicy, backoffLimit: 6 });
    act(it, (player, name) => player.run('default', name));
    it.store.delete(PODS, 'default', nameOf(it.pods()[0]));
    it.clock.advance(20_000);
    // With the second policy the first Pod is counted and let go of; its kubelet still has to end it.
    expect(it.pods()).toHaveLength(count);
  });
});

describe('the Job controller that lags behind', () => {
  test('creates a Pod after its Job is gone, and the collector takes that Pod away', () => {
    const it = world({}, { podCreationLagMs: 40 });
    expect(it.pods()).toEqual([]);
    it.store.delete(JOBS, 'default', 'web', { propagationPolicy: 'Background' });
    it.clock.advance(39);
    expect(it.pods()).toEqual([]);
    it.clock.advance(1);
    expect(it.pods()).toHaveLength(1);
    it.clock.advance(20);
    expect(it.pods()).toEqual([]);
  });

  test('does not create a second Pod while the first is on its way', () => {
    const it = world({}, { podCreationLagMs: 40 });
    it.store.update(JOBS, merged(it.job(), { metadata: { annotations: { touched: 'yes' } } }));
    it.clock.advance(1000);
    expect(it.pods()).toHaveLength(1);
  });
});

test('a Job that is deleted takes its running Pod along, when the kubelet has ended it', () => {
  const it = world();
  act(it, (player, name) => player.run('default', name));
  it.store.delete(JOBS, 'default', 'web', { propagationPolicy: 'Background' });
  it.clock.advance(100);
  expect(it.pods()[0]?.metadata.deletionTimestamp).toBeDefined();
  act(it, (player, name) => player.endDeleted('default', name));
  expect(it.pods()).toEqual([]);
});

test('a Job at rest is not written to', () => {
  const it = world({ suspend: true });
  const { version } = it.store;
  it.clock.advance(3_600_000);
  expect(it.store.version).toBe(version);
});
