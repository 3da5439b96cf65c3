/** What happens when something is deleted: finalizers, owners and what they own, namespaces. */

import { describe, expect, test } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import type { Json } from './api.ts';
import { capDeployJob, configMap, event, job, pod } from './objects.ts';
import { Player } from './play.ts';
import { makeNamespace, OTHER_UID, pathsIn, said, suite } from './suite.ts';

const it = suite();
const player = new Player(it);
const gone = (path: string) => eventually(`the end of ${path}`, async () => (await it.api.get(path)).status === 404);
const reference = ({ apiVersion, kind, metadata }: Json, more: object = {}) => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid,
  ...more,
});
const make = async (name: string, ...ownerReferences: object[]) => {
  const { status, body } = await it.api.post(it.maps, configMap(name, { x: '1' }, { ownerReferences }));
  expect(status).toBe(201);
  return body;
};

describe('an object with finalizers', () => {
  test('waits for them, takes no new ones, and goes with the last', async () => {
    const finalizers = ['example.dev/a', 'example.dev/b'];
    const path = `${it.maps}/fin`;
    await it.api.post(it.maps, configMap('fin', {}, { finalizers }));
    const { status, body } = await it.api.delete(path);
    expect({ status, kind: body.kind }).toEqual({ status: 200, kind: 'ConfigMap' });
    expect(body.metadata).toMatchObject({
      finalizers,
      deletionGracePeriodSeconds: 0,
      deletionTimestamp: expect.any(String),
    });
    expect((await it.api.delete(path)).body.kind).toBe('ConfigMap');
    const words =
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.dev/c"}';
    expect(said(await it.api.patch(path, { metadata: { finalizers: ['example.dev/a', 'example.dev/c'] } }))).toBe(
      `422 Invalid: ConfigMap "fin" is invalid: ${words}`,
    );
    expect((await it.api.patch(path, { data: { y: '1' } })).status).toBe(200);
    expect(said(await it.api.post(it.maps, configMap('fin')))).toBe(
      '409 AlreadyExists: object is being deleted: configmaps "fin" already exists',
    );
    expect(
      (await it.api.patch(path, { metadata: { finalizers: ['example.dev/b'] } })).body.metadata.finalizers,
    ).toEqual(['example.dev/b']);
    const last = await it.api.patch(path, { metadata: { finalizers: null } });
    expect(last).toMatchObject({ status: 200, body: { kind: 'ConfigMap' } });
    expect(last.body.metadata).not.toHaveProperty('finalizers');
    expect((await it.api.get(path)).status).toBe(404);
  });

  test('of a custom type goes on taking its status meanwhile, and counts the deletion as a generation', async () => {
    const path = `${it.cdj}/fin`;
    await it.api.post(it.cdj, capDeployJob('fin', {}, { finalizers: ['example.dev/a'] }));
    const { body } = await it.api.delete(path, { propagationPolicy: 'Background' });
    expect(body.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, generation: 2 });
    expect((await it.api.patch(`${path}/status`, { status: { waiting: 1 } })).status).toBe(200);
    await it.api.patch(path, { metadata: { finalizers: [] } });
    expect((await it.api.get(path)).status).toBe(404);
  });
});

describe('what an object owns', () => {
  test('goes with it in the background: a CapDeployJob, its Job, its Pod', async () => {
    const owner = (await it.api.post(it.cdj, capDeployJob('owner'))).body;
    const ownerReferences = [reference(owner, { controller: true, blockOwnerDeletion: true })];
    await it.api.post(it.jobs, job('owned', { suspend: false }, {}, { ownerReferences }));
    const { name } = (await player.podOf('owned')).metadata;
    const { body } = await it.api.delete(`${it.cdj}/owner`, { propagationPolicy: 'Background' });
    expect(body).toMatchObject({ kind: 'Status', status: 'Success', details: { uid: owner.metadata.uid } });
    await gone(`${it.jobs}/owned`);
    await gone(`${it.pods}/${name}`);
  });

  test('under a uid that is not its own is collected: an owner of the same name is another one', async () => {
    const owner = await make('same-name');
    await make('orphan-born', { ...reference(owner), uid: OTHER_UID });
    await gone(`${it.maps}/orphan-born`);
    expect((await it.api.get(`${it.maps}/same-name`)).status).toBe(200);
  });

  test('goes before it in the foreground: a Job waits for its running Pod', async () => {
    await it.api.post(it.jobs, job('foreground', { suspend: false }));
    const name = await player.runningPodOf('foreground');
    const { body } = await it.api.delete(`${it.jobs}/foreground`, { propagationPolicy: 'Foreground' });
    expect(body.metadata).toMatchObject({
      finalizers: ['foregroundDeletion'],
      deletionTimestamp: expect.any(String),
      generation: 2,
    });
    await eventually(
      'the Pod to be terminating',
      async () => (await it.api.get(`${it.pods}/${name}`)).body.metadata.deletionTimestamp,
    );
    expect((await it.api.get(`${it.jobs}/foreground`)).status).toBe(200);
    await player.letGo(name);
    await gone(`${it.jobs}/foreground`);
    await gone(`${it.pods}/${name}`);
  });

  test('stays behind as an orphan, and knows it no more', async () => {
    await it.api.post(it.jobs, job('orphaning', { suspend: false }));
    const { name } = (await player.podOf('orphaning')).metadata;
    const { body } = await it.api.delete(`${it.jobs}/orphaning`, { propagationPolicy: 'Orphan' });
    expect(body.metadata.finalizers).toEqual(['orphan']);
    await gone(`${it.jobs}/orphaning`);
    const left = await eventually('the Pod to be let go of', async () => {
      const pod = (await it.api.get(`${it.pods}/${name}`)).body;
      return pod.metadata.finalizers === undefined && pod;
    });
    expect(left.metadata).not.toHaveProperty('ownerReferences');
    expect(left.metadata).not.toHaveProperty('deletionTimestamp');
    await player.letGo(name);
  });

  test('stays while another owner lives, and forgets the one that is gone', async () => {
    const [one, two] = [await make('one'), await make('two')];
    await make('shared', reference(one), reference(two));
    await it.api.delete(`${it.maps}/one`);
    const left = await eventually('one owner to be forgotten', async () => {
      const { ownerReferences } = (await it.api.get(`${it.maps}/shared`)).body.metadata;
      return ownerReferences.length === 1 && ownerReferences;
    });
    expect(left).toEqual([reference(two)]);
    await it.api.delete(`${it.maps}/two`);
    await gone(`${it.maps}/shared`);
  });
});

describe('a namespace', () => {
  const path = (name: string) => `/api/v1/namespaces/${name}`;

  test('is named by a label, is Active, and cannot be renamed or emptied by hand', async () => {
    const name = `${it.ns}-a`;
    const { status, body } = await it.api.post('/api/v1/namespaces', { metadata: { name, labels: { a: 'b' } } });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      metadata: { labels: { a: 'b', 'kubernetes.io/metadata.name': name } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
    expect(said(await it.api.post('/api/v1/namespaces', { metadata: { name } }))).toBe(
      `409 AlreadyExists: namespaces "${name}" already exists`,
    );
    const changed = await it.api.patch(path(name), {
      metadata: { labels: { a: null, 'kubernetes.io/metadata.name': 'x' } },
    });
    expect(changed.body.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': name });
    expect((await it.api.patch(path(name), { spec: { finalizers: [] } })).body.spec.finalizers).toEqual(['kubernetes']);
    expect((await it.api.delete(path(name))).body).toMatchObject({
      kind: 'Namespace',
      status: { phase: 'Terminating' },
    });
    await gone(path(name));
  });

  test.each([
    [
      'A.b',
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ],
    ['a.b', 'must not contain dots'],
  ])('cannot be called %s', async (name, words) => {
    expect(said(await it.api.post('/api/v1/namespaces', { metadata: { name } }))).toBe(
      `422 Invalid: Namespace "${name}" is invalid: metadata.name: Invalid value: "${name}": ${words}`,
    );
  });

  test('that is called default stays', async () => {
    expect(said(await it.api.delete(path('default')))).toBe(
      '403 Forbidden: namespaces "default" is forbidden: this namespace may not be deleted',
    );
  });

  test('that is being deleted takes nothing new, empties itself, and goes when the last object has', async () => {
    const name = `${it.ns}-t`;
    const there = pathsIn(name);
    await makeNamespace(it.api, name);
    await it.api.post(there.maps, configMap('hold', {}, { finalizers: ['example.dev/hold'] }));
    await it.api.post(there.jobs, job('job'));
    await it.api.post(there.cdj, capDeployJob('web'));
    const { body } = await it.api.delete(path(name));
    expect(body).toMatchObject({
      kind: 'Namespace',
      status: { phase: 'Terminating' },
      spec: { finalizers: ['kubernetes'] },
    });
    expect(body.metadata.deletionTimestamp).toBeDefined();
    expect(body.metadata).not.toHaveProperty('deletionGracePeriodSeconds');
    for (const [collection, object, what] of [
      ['jobs', job('new'), 'jobs.batch "new"'],
      ['cdj', capDeployJob('new'), 'capdeployjobs.capdeployjob.dev "new"'],
      ['pods', pod('new'), 'pods "new"'],
      ['newEvents', event('new', name), 'events.events.k8s.io "new"'],
    ] as const) {
      const refused = await it.api.post(there[collection], object);
      expect(said(refused)).toBe(
        `403 Forbidden: ${what} is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
      );
      expect(refused.body.details.causes).toEqual([
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${name} is being terminated`,
          field: 'metadata.namespace',
        },
      ]);
    }
    expect((await it.api.post(`${there.jobs}?dryRun=All`, job('new'))).status).toBe(403);
    await gone(`${there.jobs}/job`);
    await gone(`${there.cdj}/web`);
    expect((await it.api.patch(`${there.maps}/hold`, { data: { a: 'b' } })).status).toBe(200);
    expect((await it.api.get(path(name))).body.status.phase).toBe('Terminating');
    expect(said(await it.api.post('/api/v1/namespaces', { metadata: { name } }))).toBe(
      `409 AlreadyExists: object is being deleted: namespaces "${name}" already exists`,
    );
    await it.api.patch(`${there.maps}/hold`, { metadata: { finalizers: null } });
    await gone(path(name));
    expect(said(await it.api.post(there.jobs, job('new')))).toBe(`404 NotFound: namespaces "${name}" not found`);
  }, 60_000);
});
