import type { Store } from 'in-memory-kubernetes/store/store.ts';
import { describe, expect, test } from 'vitest';
import { CONFIG_MAPS, configMap, JOBS, job, NAMESPACES, namespace, newStore, PODS, pod, refusal } from './builders.ts';

describe('reading', () => {
  const many = (): Store => {
    const { store } = newStore();
    store.create(NAMESPACES, namespace('other'));
    for (const [index, name] of ['c', 'a', 'b'].entries()) {
      store.create(
        CONFIG_MAPS,
        configMap(name, {}, { labels: { app: index < 2 ? 'web' : 'api', [`only-${name}`]: 'x' } }),
      );
    }
    store.create(CONFIG_MAPS, configMap('z', {}, { namespace: 'other', labels: { app: 'web' } }));
    return store;
  };

  test('labels that change are found by their new values only', () => {
    const store = many();
    const stored = store.get(CONFIG_MAPS, 'default', 'a');
    store.update(CONFIG_MAPS, { ...stored, metadata: { ...stored.metadata, labels: { app: 'new' } } });
    expect(store.list(CONFIG_MAPS, { labelSelector: 'app=web' }).items.map((each) => each.metadata.name)).toEqual([
      'c',
      'z',
    ]);
    expect(store.list(CONFIG_MAPS, { labelSelector: 'app=new' }).items).toHaveLength(1);
  });

  test('a page whose snapshot is forgotten is 410 Expired, and a token that never was is 400', () => {
    const store = many();
    const { continue: token } = store.list(CONFIG_MAPS, { limit: 1 }).metadata;
    store.forgetHistory();
    expect(refusal(() => store.list(CONFIG_MAPS, { continue: token }))).toMatch(/^410 Expired/);
    expect(refusal(() => store.list(CONFIG_MAPS, { continue: 'x' }))).toMatch(/^400/);
  });
});

test('an admission check that throws refuses the write, of a Pod by its Job for example', () => {
  const { store } = newStore();
  store.create(NAMESPACES, namespace('deploy'));
  expect(refusal(() => store.create(PODS, pod('a', { serviceAccountName: 'none' })))).toContain(
    '403 Forbidden: pods "a" is forbidden: error looking up service account default/none',
  );
});

test('a thousand resources and five thousand Jobs are listed by label and namespace in less than a millisecond of processor time each', () => {
  const { store } = newStore();
  for (let index = 0; index < 5000; index += 1) {
    store.create(JOBS, job(`job-${index}`, {}, {}, { labels: { 'capdeployjob.dev/name': `web-${index % 1000}` } }));
  }
  const start = process.cpuUsage();
  for (let index = 0; index < 1000; index += 1) {
    const labelSelector = `capdeployjob.dev/name=web-${index}`;
    expect(store.list(JOBS, { namespace: 'default', labelSelector }).items).toHaveLength(5);
  }
  const { user, system } = process.cpuUsage(start);
  expect(user + system).toBeLessThan(1_000_000);
});
