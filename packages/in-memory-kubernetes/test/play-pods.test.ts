import { PodPlayer } from 'in-memory-kubernetes/kubelet/play-pods.ts';
import { listAt } from 'in-memory-kubernetes/store/json.ts';
import { expect, test } from 'vitest';
import type { KubeObject } from '../objects.ts';
import { newStore, PODS } from './builders.ts';

const NATIVE = { name: 'proxy', image: 'proxy:1', restartPolicy: 'Always' };

function world(spec: object = {}) {
  const { store, clock } = newStore();
  const containers = [
    { name: 'cap', image: 'web:1' },
    { name: 'agent', image: 'agent:1' },
  ];
  const metadata = { name: 'p', namespace: 'default' };
  store.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers, ...spec } } as KubeObject);
  const pod = () => store.get(PODS, 'default', 'p');
  const say = (list: string) =>
    listAt(pod(), 'status', list).map(({ name, state, restartCount }) => {
      const [[kind = '', what] = []] = Object.entries(state as Record<string, { exitCode?: number }>);
      return [name, kind, what?.exitCode, restartCount || undefined].filter((word) => word !== undefined).join(' ');
    });
  const phase = () => (pod().status as { phase?: string }).phase;
  return { store, clock, player: new PodPlayer(store), pod, say, phase };
}

test('a side-car runs on after the first container, and the Pod with it; the kubelet sorts them by name', () => {
  const it = world();
  it.player.run('default', 'p');
  it.player.finish('default', 'p', 0);
  expect(it.say('containerStatuses')).toEqual(['agent running', 'cap terminated 0']);
  expect(it.phase()).toBe('Running');
  it.player.end('default', 'p', 1, { exitCode: 2 });
  expect(it.say('containerStatuses')).toEqual(['agent terminated 2', 'cap terminated 0']);
  expect(it.phase()).toBe('Failed');
});

test('a native side-car is ended after the others', () => {
  const it = world({ initContainers: [NATIVE], containers: [{ name: 'cap', image: 'web:1' }] });
  it.player.run('default', 'p');
  it.player.finish('default', 'p', 0);
  expect([it.phase(), ...it.say('initContainerStatuses')]).toEqual(['Running', 'proxy running']);
  it.player.endNative('default', 'p');
  expect([it.phase(), ...it.say('initContainerStatuses')]).toEqual(['Succeeded', 'proxy terminated 143']);
});

test('a container that is started again tells of its last end, and the Pod has gone on running', () => {
  const it = world({ containers: [{ name: 'cap', image: 'web:1' }] });
  it.player.run('default', 'p');
  it.player.endForNow('default', 'p', { exitCode: 1 });
  expect([it.phase(), ...it.say('containerStatuses')]).toEqual(['Running', 'cap terminated 1']);
  it.player.restart('default', 'p');
  expect([it.phase(), ...it.say('containerStatuses')]).toEqual(['Running', 'cap running 1']);
  expect(listAt(it.pod(), 'status', 'containerStatuses')[0]).toMatchObject({
    lastState: { terminated: { exitCode: 1 } },
  });
  it.player.finish('default', 'p', 0);
  expect([it.phase(), ...it.say('containerStatuses')]).toEqual(['Succeeded', 'cap terminated 0 1']);
});

test('an evicted Pod says why, and that it was its kubelet', () => {
  const it = world();
  it.player.run('default', 'p');
  it.player.evict('default', 'p', { exitCode: 137 });
  expect(it.pod().status).toMatchObject({ phase: 'Failed', reason: 'Evicted' });
  expect(listAt(it.pod(), 'status', 'conditions')).toContainEqual(
    expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }),
  );
  expect(it.say('containerStatuses')).toEqual(['agent terminated 143', 'cap terminated 137']);
});

test('what a node refuses, or an init container stops, has run nothing', () => {
  const refused = world();
  refused.player.refuse('default', 'p', 'OutOfcpu', 'no room');
  expect(refused.pod().status).toMatchObject({ phase: 'Failed', reason: 'OutOfcpu', message: 'no room' });
  expect(refused.say('containerStatuses')).toEqual([]);

  const failed = world({ initContainers: [{ name: 'prepare', image: 'web:1' }] });
  failed.player.failInit('default', 'p', 1);
  expect(failed.phase()).toBe('Failed');
  expect(failed.say('initContainerStatuses')).toEqual(['prepare terminated 1']);
  expect(failed.say('containerStatuses')).toEqual(['agent waiting', 'cap waiting']);
});

test('a kubelet that releases a deleted Pod makes its grace period 0, and the time of the deletion cannot be read any more', () => {
  const it = world();
  it.player.run('default', 'p');
  const held = it.pod();
  it.store.update(PODS, { ...held, metadata: { ...held.metadata, finalizers: ['batch.kubernetes.io/job-tracking'] } });
  it.store.delete(PODS, 'default', 'p', {});
  expect(it.pod().metadata).toMatchObject({
    deletionTimestamp: '2030-01-01T00:00:30Z',
    deletionGracePeriodSeconds: 30,
  });
  it.clock.advance(5_000);
  it.player.endDeleted('default', 'p', 0);
  expect(it.pod().metadata).toMatchObject({
    deletionTimestamp: '2030-01-01T00:00:05Z',
    deletionGracePeriodSeconds: 0,
  });
  expect([it.phase(), ...it.say('containerStatuses')]).toEqual(['Failed', 'agent terminated 143', 'cap terminated 0']);
});
