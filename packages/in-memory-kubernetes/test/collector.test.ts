import { GarbageCollector } from 'in-memory-kubernetes/controllers/garbage-collector.ts';
import { PodPlayer } from 'in-memory-kubernetes/kubelet/play-pods.ts';
import { describe, expect, test } from 'vitest';
import { CORE_EVENTS } from '../objects.ts';
import { CONFIG_MAPS, configMap, JOBS, job, NAMESPACES, namespace, newStore, PODS, pod } from './builders.ts';

function world() {
  const { store, clock } = newStore();
  new GarbageCollector(store);
  const owner = store.create(CONFIG_MAPS, configMap('owner'));
  const reference = (uid = owner.metadata.uid, blockOwnerDeletion = true) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: 'owner',
    uid,
    blockOwnerDeletion,
  });
  const child = (name: string, ...ownerReferences: object[]) =>
    store.create(CONFIG_MAPS, configMap(name, {}, { ownerReferences }));
  const names = () => store.list(CONFIG_MAPS, { namespace: 'default' }).items.map((each) => each.metadata.name);
  return { store, clock, owner, reference, child, names };
}

describe('objects whose owner is deleted', () => {
  test('in the background go a moment later, and theirs too', () => {
    const it = world();
    const child = it.child('child', it.reference());
    it.child('grandchild', { apiVersion: 'v1', kind: 'ConfigMap', name: 'child', uid: child.metadata.uid });
    it.store.delete(CONFIG_MAPS, 'default', 'owner', { propagationPolicy: 'Background' });
    expect(it.names()).toEqual(['child', 'grandchild']);
    it.clock.advance(50);
    expect(it.names()).toEqual([]);
  });

  test('in the foreground go before it', () => {
    const it = world();
    it.child('child', it.reference());
    it.store.delete(CONFIG_MAPS, 'default', 'owner', { propagationPolicy: 'Foreground' });
    expect(it.store.get(CONFIG_MAPS, 'default', 'owner').metadata.finalizers).toEqual(['foregroundDeletion']);
    it.clock.advance(50);
    expect(it.names()).toEqual([]);
  });

  test('as orphans stay and know it no more', () => {
    const it = world();
    it.child('child', it.reference());
    it.store.delete(CONFIG_MAPS, 'default', 'owner', { propagationPolicy: 'Orphan' });
    it.clock.advance(50);
    expect(it.names()).toEqual(['child']);
    expect(it.store.get(CONFIG_MAPS, 'default', 'child').metadata.ownerReferences).toBeUndefined();
  });

  test('stay while another owner lives, and forget the one that is gone', () => {
    const it = world();
    const second = it.store.create(CONFIG_MAPS, configMap('second'));
    it.child('child', it.reference(), {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: 'second',
      uid: second.metadata.uid,
    });
    it.store.delete(CONFIG_MAPS, 'default', 'owner', { propagationPolicy: 'Background' });
    it.clock.advance(50);
    expect(it.store.get(CONFIG_MAPS, 'default', 'child').metadata.ownerReferences).toMatchObject([{ name: 'second' }]);
  });
});

test('an object born to an owner that is not there is collected, a moment later and not at once', () => {
  const it = world();
  it.child('late', it.reference('a-uid-that-never-was'));
  expect(it.names()).toContain('late');
  it.clock.advance(50);
  expect(it.names()).toEqual(['owner']);
});

test('an owner of the same name with another uid is not the owner', () => {
  const it = world();
  it.child('child', it.reference());
  it.store.delete(CONFIG_MAPS, 'default', 'owner');
  it.store.create(CONFIG_MAPS, configMap('owner'));
  it.clock.advance(50);
  expect(it.names()).toEqual(['owner']);
});

test('an owner of a kind that is not served is waited for', () => {
  const it = world();
  it.child('child', { apiVersion: 'x.dev/v1', kind: 'X', name: 'x', uid: 'u' });
  it.clock.advance(60_000);
  expect(it.names()).toEqual(['child', 'owner']);
});

test('a namespace that is deleted goes when everything in it is gone, Pods that still run included', () => {
  const it = world();
  it.store.create(NAMESPACES, namespace('deploy'));
  it.store.create(JOBS, job('a', {}, {}, { namespace: 'deploy' }));
  it.store.create(PODS, pod('p', {}, { namespace: 'deploy' }));
  const player = new PodPlayer(it.store);
  player.run('deploy', 'p');
  it.store.delete(NAMESPACES, undefined, 'deploy');
  it.clock.advance(1000);
  expect(it.store.list(JOBS).items).toEqual([]);
  expect(it.store.find(NAMESPACES, undefined, 'deploy')).toBeDefined();
  player.endDeleted('deploy', 'p');
  it.clock.advance(1000);
  expect(it.store.find(NAMESPACES, undefined, 'deploy')).toBeUndefined();
});

test('Events are dropped after an hour, so that a demo can run for days', () => {
  const it = world();
  const event = (index: number) =>
    it.store.create(CORE_EVENTS, {
      metadata: { name: `e${index}`, namespace: 'default' },
      involvedObject: { namespace: 'default' },
    });
  event(0);
  it.clock.advance(3_600_001);
  for (let index = 1; index < 500; index += 1) event(index);
  expect(it.store.list(CORE_EVENTS).items).toHaveLength(499);
});
