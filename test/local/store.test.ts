import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/client.ts';
import { CORE_EVENTS, EVENTS } from '../../src/kube/client.ts';
import type { Store } from '../../src/local/store/store.ts';
import {
  CAPDEPLOYJOBS,
  CONFIG_MAPS,
  capDeployJob,
  configMap,
  DEFINITIONS,
  definition,
  JOBS,
  job,
  LEASES,
  merged,
  NAMESPACES,
  namespace,
  newStore,
  PODS,
  pod,
  refusal,
  SECRETS,
  secret,
} from './builders.ts';

function widgets(): { store: Store; stored: KubeObject } {
  const { store } = newStore();
  store.create(DEFINITIONS, definition());
  return { store, stored: store.create(CAPDEPLOYJOBS, capDeployJob('web')) };
}

describe('creating', () => {
  test('sets uid, resourceVersion, generation and creationTimestamp, and nothing that the client claims of them', () => {
    const { store } = newStore();
    const claimed = { uid: 'mine', generation: 9, creationTimestamp: '2000-01-01T00:00:00Z', selfLink: '/x' };
    const { metadata } = store.create(JOBS, job('a', {}, {}, claimed));
    expect(metadata).toMatchObject({ name: 'a', generation: 1, creationTimestamp: '2030-01-01T00:00:00Z' });
    expect(metadata.uid).not.toBe('mine');
    expect(metadata.resourceVersion).toBe(String(store.version));
    expect(metadata).not.toHaveProperty('selfLink');
  });

  test('makes a name of generateName, another one each time', () => {
    const { store } = newStore();
    const make = () =>
      store.create(CONFIG_MAPS, configMap(undefined as unknown as string, {}, { generateName: 'cm-' }));
    const names = [make(), make()].map((object) => object.metadata.name);
    expect(names[0]).toMatch(/^cm-[b-z2-9]{5}$/);
    expect(names[0]).not.toBe(names[1]);
  });

  test('with dryRun judges and answers, and stores nothing', () => {
    const { store } = newStore();
    const before = store.version;
    expect(store.create(JOBS, job('a'), { dryRun: true }).metadata.uid).toBeDefined();
    expect(refusal(() => store.create(JOBS, job('A'), { dryRun: true }))).toMatch(/^422 Invalid/);
    expect(store.version).toBe(before);
    expect(store.find(JOBS, 'default', 'a')).toBeUndefined();
  });

  test.each<[what: string, act: (store: Store) => unknown, words: string]>([
    [
      'a name that is taken is refused with 409 AlreadyExists',
      (store) => [store.create(JOBS, job('a')), store.create(JOBS, job('a'))],
      '409 AlreadyExists: jobs.batch "a" already exists',
    ],
    [
      'a name that is taken is refused in a dry run too',
      (store) => [store.create(JOBS, job('a')), store.create(JOBS, job('a'), { dryRun: true })],
      '409 AlreadyExists: jobs.batch "a" already exists',
    ],
    [
      'a namespace that is not there is 404',
      (store) => store.create(JOBS, job('a', {}, {}, { namespace: 'no' })),
      '404 NotFound: namespaces "no" not found',
    ],
    [
      'an object without a name is refused',
      (store) => store.create(CONFIG_MAPS, { metadata: { namespace: 'default' } }),
      '422 Invalid: ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    ],
    [
      'a namespace in the body other than the one asked for is refused',
      (store) => store.create(CONFIG_MAPS, configMap('a'), { namespace: 'other' }),
      '400 BadRequest: the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      'a resourceVersion on a new object is refused',
      (store) => store.create(CONFIG_MAPS, configMap('a', {}, { resourceVersion: '1' })),
      '500 : resourceVersion should not be set on objects to be created',
    ],
    [
      'an object of another kind is refused',
      (store) => store.create(CONFIG_MAPS, { ...configMap('a'), kind: 'Secret' }),
      '400 BadRequest: the object provided is unrecognized (must be of type ConfigMap): v1, Kind=Secret does not match v1, Kind=ConfigMap',
    ],
    [
      'a type that is not served is 404',
      (store) => store.create(CAPDEPLOYJOBS, capDeployJob('a')),
      '404 NotFound: the server could not find the requested resource',
    ],
    [
      'a label value that is no label is refused',
      (store) => store.create(CONFIG_MAPS, configMap('a', {}, { labels: { x: 'é' } })),
      `422 Invalid: ConfigMap "a" is invalid: metadata.labels: Invalid value: "é": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
    ],
  ])('%s', (_what, act, words) => {
    const { store } = newStore();
    expect(refusal(() => act(store))).toBe(words);
  });
});

describe('updating', () => {
  test('under an old resourceVersion is a conflict', () => {
    const { store, stored } = widgets();
    store.update(CAPDEPLOYJOBS, merged(stored, { spec: { wait: 1 } }));
    expect(refusal(() => store.update(CAPDEPLOYJOBS, merged(stored, { spec: { wait: 2 } })))).toBe(
      '409 Conflict: Operation cannot be fulfilled on capdeployjobs.capdeployjob.dev "web": the object has been modified; please apply your changes to the latest version and try again',
    );
  });

  test('under another uid is a conflict: the object of that name is a later one', () => {
    const { store, stored } = widgets();
    expect(refusal(() => store.update(CAPDEPLOYJOBS, merged(stored, { metadata: { uid: 'other' } })))).toContain(
      '409 Conflict: Operation cannot be fulfilled on capdeployjobs.capdeployjob.dev "web": Precondition failed: UID in precondition: other',
    );
  });

  test('without a resourceVersion replaces a Secret, and is refused for a custom resource and a Lease', () => {
    const { store, stored } = widgets();
    store.create(SECRETS, secret('s', { a: '1' }));
    expect(store.update(SECRETS, secret('s', { a: '2' }) as KubeObject).data).toEqual({ a: 'Mg==' });
    const blind = merged(stored, { metadata: { resourceVersion: '' } });
    expect(refusal(() => store.update(CAPDEPLOYJOBS, blind))).toContain(
      'metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
    const lease = { metadata: { name: 'l', namespace: 'default' }, spec: { holderIdentity: 'me' } };
    store.create(LEASES, lease);
    expect(refusal(() => store.update(LEASES, lease as unknown as KubeObject))).toMatch(/^422 Invalid/);
  });

  test('bumps the generation for the spec, and not for metadata or status', () => {
    const { store, stored } = widgets();
    const labelled = store.update(CAPDEPLOYJOBS, merged(stored, { metadata: { labels: { a: 'b' } } }));
    const withStatus = store.update(CAPDEPLOYJOBS, merged(labelled, { status: { waiting: 1 } }), {
      subresource: 'status',
    });
    const changed = store.update(CAPDEPLOYJOBS, merged(withStatus, { spec: { wait: 3 } }));
    expect([labelled, withStatus, changed].map((object) => object.metadata.generation)).toEqual([1, 1, 2]);
  });

  test('that changes nothing leaves the resourceVersion and tells no watch', () => {
    const { store, stored } = widgets();
    const events: unknown[] = [];
    store.watch(
      CAPDEPLOYJOBS,
      { resourceVersion: stored.metadata.resourceVersion },
      { event: (event) => events.push(event) },
    );
    expect(store.update(CAPDEPLOYJOBS, merged(stored, {})).metadata.resourceVersion).toBe(
      stored.metadata.resourceVersion,
    );
    expect(events).toEqual([]);
  });

  test('the status changes only the status, and the object never its status', () => {
    const { store, stored } = widgets();
    const both = merged(stored, { spec: { wait: 1 }, status: { waiting: 2 } });
    const byStatus = store.update(CAPDEPLOYJOBS, both, { subresource: 'status' });
    expect(byStatus).toMatchObject({ spec: { wait: 20 }, status: { waiting: 2 } });
    const byMain = store.update(CAPDEPLOYJOBS, merged(byStatus, { spec: { wait: 1 }, status: { waiting: 9 } }));
    expect(byMain).toMatchObject({ spec: { wait: 1 }, status: { waiting: 2 } });
  });

  test('the status of a type without that sub-resource is 404', () => {
    const { store } = newStore();
    const stored = store.create(SECRETS, secret('s', {}));
    expect(refusal(() => store.update(SECRETS, stored, { subresource: 'status' }))).toMatch(/^404/);
  });

  test('a patch that carries an old resourceVersion or another uid changes nothing', () => {
    const { store, stored } = widgets();
    const patch = (metadata: object) =>
      refusal(() =>
        store.patch(CAPDEPLOYJOBS, 'default', 'web', (current) => merged(current, { metadata, spec: { wait: 1 } })),
      );
    expect(patch({ resourceVersion: '1' })).toMatch(/^409 Conflict/);
    expect(patch({ uid: 'other' })).toMatch(/^409 Conflict/);
    expect(patch({ uid: stored.metadata.uid, resourceVersion: stored.metadata.resourceVersion })).toBe('accepted');
  });

  test.each([
    [
      'metadata.uid and creationTimestamp stay what they are',
      { creationTimestamp: '2000-01-01T00:00:00Z', generation: 7, deletionTimestamp: '2000-01-01T00:00:00Z' },
    ],
  ])('%s', (_what, metadata) => {
    const { store, stored } = widgets();
    expect(store.update(CAPDEPLOYJOBS, merged(stored, { metadata })).metadata).toEqual(stored.metadata);
  });
});

describe('deleting', () => {
  test.each<[what: string, wrong: object]>([
    ['another uid', { uid: 'other' }],
    ['another resourceVersion', { resourceVersion: '1' }],
  ])('under %s is a conflict and deletes nothing', (_what, preconditions) => {
    const { store } = widgets();
    expect(refusal(() => store.delete(CAPDEPLOYJOBS, 'default', 'web', { preconditions }))).toMatch(
      /^409 Conflict: .*Precondition failed/,
    );
    expect(store.get(CAPDEPLOYJOBS, 'default', 'web')).toBeDefined();
  });

  test('waits for finalizers, refuses new ones, and is complete with the last', () => {
    const { store } = newStore();
    store.create(CONFIG_MAPS, configMap('a', {}, { finalizers: ['example.dev/one'] }));
    expect(store.delete(CONFIG_MAPS, 'default', 'a').gone).toBe(false);
    const waiting = store.get(CONFIG_MAPS, 'default', 'a');
    expect(waiting.metadata.deletionTimestamp).toBe('2030-01-01T00:00:00Z');
    const more = merged(waiting, { metadata: { finalizers: ['example.dev/one', 'example.dev/two'] } });
    expect(refusal(() => store.update(CONFIG_MAPS, more))).toContain(
      'no new finalizers can be added if the object is being deleted',
    );
    store.update(CONFIG_MAPS, merged(waiting, { metadata: { finalizers: [] } }));
    expect(refusal(() => store.get(CONFIG_MAPS, 'default', 'a'))).toBe('404 NotFound: configmaps "a" not found');
  });

  test('with dryRun deletes nothing', () => {
    const { store } = widgets();
    expect(store.delete(CAPDEPLOYJOBS, 'default', 'web', { dryRun: true }).gone).toBe(true);
    expect(store.find(CAPDEPLOYJOBS, 'default', 'web')).toBeDefined();
  });

  test('gives a Pod on a node its grace period, and takes one without a node at once', () => {
    const { store } = newStore();
    store.create(PODS, pod('free'));
    expect(store.delete(PODS, 'default', 'free').gone).toBe(true);
    store.create(PODS, pod('bound', { nodeName: 'local', terminationGracePeriodSeconds: 7 }));
    expect(store.delete(PODS, 'default', 'bound').gone).toBe(false);
    expect(store.get(PODS, 'default', 'bound').metadata).toMatchObject({
      deletionGracePeriodSeconds: 7,
      deletionTimestamp: '2030-01-01T00:00:07Z',
      generation: 2,
    });
    expect(
      store.delete(PODS, 'default', 'bound', { gracePeriodSeconds: 60 }).object.metadata.deletionGracePeriodSeconds,
    ).toBe(7);
    expect(store.delete(PODS, 'default', 'bound', { gracePeriodSeconds: 0 }).gone).toBe(true);
  });
});

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

  test.each<[selector: string, names: string[]]>([
    ['', ['a', 'b', 'c', 'z']],
    ['app=web', ['a', 'c', 'z']],
    ['app==web,only-a', ['a']],
    ['app!=web', ['b']],
    ['app in (web, api),!only-a', ['b', 'c', 'z']],
    ['app notin (web)', ['b']],
    ['only-c', ['c']],
    ['none=x', []],
  ])('the label selector "%s" finds %j, in the order of namespaces and names', (labelSelector, names) => {
    expect(
      many()
        .list(CONFIG_MAPS, { labelSelector })
        .items.map((each) => each.metadata.name),
    ).toEqual(names);
  });

  test.each([
    ['a label selector that cannot be read', { labelSelector: 'a=b=c' }],
    ['a field that cannot be selected', { fieldSelector: 'spec.x=1' }],
  ])('%s is refused with 400', (_what, query) => {
    expect(refusal(() => many().list(CONFIG_MAPS, query))).toMatch(/^400 BadRequest/);
  });

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

  test('a namespace and fields narrow a list', () => {
    const store = many();
    const names = (query: object) => store.list(CONFIG_MAPS, query).items.map((each) => each.metadata.name);
    expect(names({ namespace: 'other' })).toEqual(['z']);
    expect(names({ fieldSelector: 'metadata.name=a' })).toEqual(['a']);
    expect(names({ fieldSelector: 'metadata.namespace!=default' })).toEqual(['z']);
  });

  test('pages come from one snapshot, whatever changes between them', () => {
    const store = many();
    const first = store.list(CONFIG_MAPS, { namespace: 'default', limit: 2 });
    expect(first.items.map((each) => each.metadata.name)).toEqual(['a', 'b']);
    expect(first.metadata).toMatchObject({ remainingItemCount: 1, resourceVersion: String(store.version) });
    store.delete(CONFIG_MAPS, 'default', 'c');
    const second = store.list(CONFIG_MAPS, { namespace: 'default', limit: 2, continue: first.metadata.continue });
    expect(second.items.map((each) => each.metadata.name)).toEqual(['c']);
    expect(second.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion });
  });

  test('a page whose snapshot is forgotten is 410 Expired, and a token that never was is 400', () => {
    const store = many();
    const { continue: token } = store.list(CONFIG_MAPS, { limit: 1 }).metadata;
    store.forgetHistory();
    expect(refusal(() => store.list(CONFIG_MAPS, { continue: token }))).toMatch(/^410 Expired/);
    expect(refusal(() => store.list(CONFIG_MAPS, { continue: 'x' }))).toMatch(/^400/);
  });

  test('a resourceVersion from the future is refused with 504, for the server is behind the client', () => {
    expect(refusal(() => many().list(CONFIG_MAPS, { resourceVersion: '999999' }))).toMatch(
      /^504 Timeout: Too large resource version/,
    );
  });
});

describe('namespaces', () => {
  test('a new one has a default service account', () => {
    const { store } = newStore();
    store.create(NAMESPACES, namespace('deploy'));
    const accounts = { group: '', version: 'v1', plural: 'serviceaccounts', kind: 'ServiceAccount' };
    expect(store.get(accounts, 'deploy', 'default')).toBeDefined();
  });

  test('one that is being deleted takes nothing new: 403 with the cause NamespaceTerminating', () => {
    const { store } = newStore();
    store.create(NAMESPACES, namespace('deploy'));
    store.delete(NAMESPACES, undefined, 'deploy');
    expect(store.get(NAMESPACES, undefined, 'deploy').status).toEqual({ phase: 'Terminating' });
    expect(refusal(() => store.create(JOBS, job('a', {}, {}, { namespace: 'deploy' })))).toBe(
      '403 Forbidden: jobs.batch "a" is forbidden: unable to create new content in namespace deploy because it is being terminated',
    );
  });
});

describe('Events', () => {
  const event = {
    metadata: { name: 'e', namespace: 'default' },
    regarding: { kind: 'Job', name: 'a', namespace: 'default', uid: 'u1' },
    reason: 'Started',
    action: 'Start',
    type: 'Normal',
    note: 'it started',
    reportingController: 'capdeployjob',
    reportingInstance: 'x',
    eventTime: '2030-01-01T00:00:00.000000Z',
  };

  test('written by one API are read by the other', () => {
    const { store } = newStore();
    store.create(EVENTS, event);
    const old = store.get(CORE_EVENTS, 'default', 'e');
    expect(old).toMatchObject({
      apiVersion: 'v1',
      message: 'it started',
      involvedObject: { uid: 'u1' },
      reportingComponent: 'capdeployjob',
    });
    expect(store.get(EVENTS, 'default', 'e')).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      note: 'it started',
      regarding: { uid: 'u1' },
    });
    expect(store.list(CORE_EVENTS, { fieldSelector: 'involvedObject.uid=u1,reason=Started' }).items).toHaveLength(1);
    expect(store.list(EVENTS, { fieldSelector: 'regarding.uid=u2' }).items).toHaveLength(0);
  });

  test.each<[what: string, change: object, words: string]>([
    ['without eventTime', { eventTime: undefined }, 'eventTime: Required value'],
    ['with a time of three digits', { eventTime: '2030-01-01T00:00:00.000Z' }, '2006-01-02T15:04:05.000000Z07:00'],
    ['without action', { action: undefined }, 'action: Required value'],
    ['with a note of 1025 characters', { note: 'x'.repeat(1025) }, 'can have at most 1024 characters'],
    ['about an object of another namespace', { regarding: { namespace: 'other' } }, 'does not match event.namespace'],
  ])('of events.k8s.io/v1 %s are refused', (_what, change, words) => {
    const { store } = newStore();
    expect(refusal(() => store.create(EVENTS, merged(event as unknown as KubeObject, change as never)))).toContain(
      words,
    );
  });

  test('of events.k8s.io/v1 change only in their series', () => {
    const { store } = newStore();
    const stored = store.create(EVENTS, event);
    const series = { count: 2, lastObservedTime: '2030-01-01T00:00:01.000000Z' };
    expect(refusal(() => store.update(EVENTS, { ...stored, note: 'other' }))).toMatch(/^422/);
    expect(refusal(() => store.update(EVENTS, { ...stored, series }))).toBe('accepted');
  });
});

test('an admission check that throws refuses the write, of a Pod by its Job for example', () => {
  const { store } = newStore();
  store.create(NAMESPACES, namespace('deploy'));
  expect(refusal(() => store.create(PODS, pod('a', { serviceAccountName: 'none' })))).toContain(
    '403 Forbidden: pods "a" is forbidden: error looking up service account default/none',
  );
});

test('a Lease takes times of six digits only', () => {
  const { store } = newStore();
  const lease = (renewTime: string) => ({ metadata: { name: 'l', namespace: 'default' }, spec: { renewTime } });
  expect(refusal(() => store.create(LEASES, lease('2030-01-01T00:00:00Z')))).toMatch(/^400 BadRequest/);
  expect(refusal(() => store.create(LEASES, lease('2030-01-01T00:00:00.000000Z')))).toBe('accepted');
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
