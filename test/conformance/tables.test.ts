/** What `kubectl get` asks for and shows, and how clients learn what there is. */

import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import type { Json } from './api.ts';
import { capDeployJob, configMap, event, job, pod } from './objects.ts';
import { said, suite } from './suite.ts';

const it = suite();
const as = (form: string, version = 'v1') => ({
  accept: `application/json;as=${form};v=${version};g=meta.k8s.io,application/json`,
});
const NOT_ACCEPTABLE =
  '406 NotAcceptable: only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf';

/** Names of columns (those for `-o wide` in brackets) and cells; what is an age becomes AGE. */
async function table(path: string): Promise<{ columns: string; rows: unknown[][] }> {
  const { status, body } = await it.api.get(path, as('Table'));
  expect(status).toBe(200);
  expect(body).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
  const columns = body.columnDefinitions.map((each: Json) => (each.priority === 0 ? each.name : `[${each.name}]`));
  const cells = (row: Json) => row.cells.map((cell: unknown) => (/^\d+s$/.test(String(cell)) ? 'AGE' : cell));
  return { columns: columns.join(' '), rows: body.rows.map(cells) };
}

describe('a table', () => {
  test('of CapDeployJobs has the columns of their definition, and null if there is nothing', async () => {
    for (const name of ['web', 'empty']) await it.api.post(it.cdj, capDeployJob(name, {}, { labels: { table: '' } }));
    const condition = { reason: 'x', message: 'm', lastTransitionTime: '2030-01-01T00:00:00Z' };
    const conditions = [
      { type: 'QueueReachable', status: 'False', ...condition },
      { type: 'Ready', status: 'True', ...condition },
    ];
    const status = { waiting: 3, active: 1, last: 'production v1 Succeeded', conditions };
    expect((await it.api.patch(`${it.cdj}/web/status`, { status })).status).toBe(200);
    expect(await table(`${it.cdj}?labelSelector=table`)).toEqual({
      columns: 'Name Ready Waiting Active Last Age',
      rows: [
        ['empty', null, null, null, null, 'AGE'],
        ['web', 'True', 3, 1, 'production v1 Succeeded', 'AGE'],
      ],
    });
  });

  test('of Jobs tells their state', async () => {
    await it.api.post(it.jobs, job('waits'));
    await eventually(
      'the condition Suspended',
      async () => (await it.api.get(`${it.jobs}/waits`)).body.status.conditions,
    );
    const uid = (await it.api.get(`${it.jobs}/waits`)).body.metadata.uid;
    expect(await table(`${it.jobs}/waits`)).toEqual({
      columns: 'Name Status Completions Duration Age [Containers] [Images] [Selector]',
      rows: [['waits', 'Suspended', '0/1', '', 'AGE', 'deploy', 'app:1', `batch.kubernetes.io/controller-uid=${uid}`]],
    });
  });

  const container = { name: 'deploy', image: 'app:1', imageID: '', ready: false, restartCount: 0 };
  test.each<[state: string, status: object, cells: unknown[], over: string | undefined]>([
    [
      'waits for its image',
      {
        phase: 'Pending',
        podIP: '1.2.3.4',
        podIPs: [{ ip: '1.2.3.4' }],
        containerStatuses: [{ ...container, restartCount: 2, state: { waiting: { reason: 'ImagePullBackOff' } } }],
      },
      ['0/1', 'ImagePullBackOff', '2', 'AGE', '1.2.3.4'],
      undefined,
    ],
    [
      'runs',
      {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [{ ...container, ready: true, state: { running: { startedAt: '2030-01-01T00:00:00Z' } } }],
      },
      ['1/1', 'Running', '0', 'AGE', '<none>'],
      undefined,
    ],
    [
      'failed',
      {
        phase: 'Failed',
        containerStatuses: [{ ...container, state: { terminated: { exitCode: 3, reason: 'Error' } } }],
      },
      ['0/1', 'Error', '0', 'AGE', '<none>'],
      'The pod failed.',
    ],
    [
      'was killed',
      { phase: 'Failed', containerStatuses: [{ ...container, state: { terminated: { exitCode: 137, signal: 9 } } }] },
      ['0/1', 'Signal:9', '0', 'AGE', '<none>'],
      'The pod failed.',
    ],
    [
      'succeeded',
      {
        phase: 'Succeeded',
        containerStatuses: [{ ...container, state: { terminated: { exitCode: 0, reason: 'Completed' } } }],
      },
      ['0/1', 'Completed', '0', 'AGE', '<none>'],
      'The pod has completed successfully.',
    ],
  ])('of a Pod that %s tells so', async (state, status, cells, over) => {
    const path = `${it.pods}/p-${state.replaceAll(' ', '-')}`;
    await it.api.post(it.pods, pod(path.split('/').at(-1) ?? ''));
    await it.api.patch(`${path}/status`, { status });
    const { columns, rows } = await table(path);
    expect(columns).toBe('Name Ready Status Restarts Age [IP] [Node] [Nominated Node] [Readiness Gates]');
    expect(rows[0]?.slice(1)).toEqual([...cells, '<none>', '<none>', '<none>']);
    const { body } = await it.api.get(path, as('Table'));
    expect(body.rows[0].conditions?.[0].message).toBe(over);
  });

  test('of Events counts, and says <invalid> of a time to come', async () => {
    await it.api.post(it.newEvents, event('e', it.ns));
    for (const path of [`${it.events}/e`, `${it.newEvents}/e`]) {
      expect(await table(path)).toEqual({
        columns: 'Last Seen Type Reason Object [Subobject] [Source] Message [First Seen] [Count] [Name]',
        rows: [
          [
            '<invalid>',
            'Normal',
            'Started',
            'job/web',
            '',
            'capdeployjob.dev/controller, operator-0',
            'it started',
            '<invalid>',
            1,
            'e',
          ],
        ],
      });
    }
  });

  test.each<[what: string, path: () => string, columns: string, cells: (ns: string) => unknown[]]>([
    ['a namespace', () => `/api/v1/namespaces/${it.ns}`, 'Name Status Age', (ns) => [ns, 'Active', 'AGE']],
    ['a ConfigMap', () => `${it.maps}/map`, 'Name Data Age', () => ['map', 1, 'AGE']],
    ['a Secret', () => `${it.secrets}/secret`, 'Name Type Data Age', () => ['secret', 'Opaque', 1, 'AGE']],
    ['a Lease', () => `${it.leases}/lease`, 'Name Holder Age', () => ['lease', 'me', 'AGE']],
    [
      'a service account',
      () => `/api/v1/namespaces/${it.ns}/serviceaccounts/default`,
      'Name Age',
      () => ['default', 'AGE'],
    ],
  ])('of %s has its columns', async (_what, path, columns, cells) => {
    await it.api.post(it.maps, configMap('map'));
    await it.api.post(it.secrets, { metadata: { name: 'secret' }, stringData: { a: 'b' } });
    await it.api.post(it.leases, { metadata: { name: 'lease' }, spec: { holderIdentity: 'me' } });
    expect(await table(path())).toEqual({ columns, rows: [cells(it.ns)] });
  });

  test('carries of each object what includeObject asks for', async () => {
    await it.api.post(it.maps, configMap('included'));
    const objectOf = async (query: string) =>
      (await it.api.get(`${it.maps}/included${query}`, as('Table'))).body.rows[0].object;
    const metadata = { name: 'included', namespace: it.ns };
    expect(await objectOf('')).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata });
    expect(await objectOf('?includeObject=Object')).toMatchObject({ kind: 'ConfigMap', data: { x: '1' }, metadata });
    expect(await objectOf('?includeObject=None')).toBeNull();
    expect(said(await it.api.get(`${it.maps}/included?includeObject=Bad`, as('Table')))).toBe(
      `400 BadRequest: Unable to convert to Table as requested: includeObject: Invalid value: "Bad": must be 'Metadata', 'Object', 'None', or empty`,
    );
  });

  test('of nothing has columns and no rows; of what is not there it is 404', async () => {
    const { body } = await it.api.get(`${it.cdj}?fieldSelector=metadata.name%3Dnone`, as('Table'));
    expect(body.rows).toEqual([]);
    expect(body.columnDefinitions).toHaveLength(6);
    expect(said(await it.api.get(`${it.cdj}/none`, as('Table')))).toMatch(/^404 NotFound/);
  });
});

describe('metadata alone', () => {
  beforeAll(async () => {
    await it.api.post(it.maps, configMap('partial'));
    await it.api.post(it.cdj, capDeployJob('partial'));
  });

  test.each(['maps', 'cdj'] as const)('is answered for one of %s, and for a list', async (collection) => {
    const path = it[collection];
    const { body } = await it.api.get(`${path}/partial`, as('PartialObjectMetadata'));
    expect(Object.keys(body).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
    expect(body).toMatchObject({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'partial' },
    });
    const selector = '?fieldSelector=metadata.name%3Dpartial';
    const list = (await it.api.get(path + selector, as('PartialObjectMetadataList'))).body;
    expect(list).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
    expect(list.items).toEqual([body]);
  });

  test('is answered to a create too', async () => {
    const { status, body } = await it.api.post(it.maps, configMap('made'), as('PartialObjectMetadata'));
    expect(status).toBe(201);
    expect(body).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'made' } });
    expect(body).not.toHaveProperty('data');
  });

  test('of a list for one, or of one for a list, is 406; so are unknown forms', async () => {
    const only = (form: string) => ({ accept: `application/json;as=${form};v=v1;g=meta.k8s.io` });
    expect(said(await it.api.get(it.maps, only('PartialObjectMetadata')))).toMatch(
      /^406 NotAcceptable: you requested PartialObjectMetadata, but the requested object is a list/,
    );
    expect(said(await it.api.get(`${it.maps}/partial`, only('PartialObjectMetadataList')))).toMatch(
      /^406 NotAcceptable: you requested PartialObjectMetadataList, but the requested object is not a list/,
    );
    expect(
      said(await it.api.get(`${it.cdj}/partial`, { accept: 'application/json;as=Table;v=v2;g=meta.k8s.io' })),
    ).toBe(NOT_ACCEPTABLE);
    expect(said(await it.api.get(`${it.cdj}/none`, { accept: 'application/xml' }))).toBe(NOT_ACCEPTABLE);
    expect((await it.api.get(`${it.cdj}/partial`, { accept: '*/*' })).status).toBe(200);
    expect((await it.api.get(`${it.maps}/partial`, as('Table', 'v1beta1'))).body.kind).toBe('Table');
  });
});

describe('discovery', () => {
  const resource = (list: Json, name: string) => list.resources.find((each: Json) => each.name === name);
  const ALL = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

  test('names the groups', async () => {
    expect((await it.api.get('/api')).body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    const groups = (await it.api.get('/apis')).body;
    expect(groups).toMatchObject({ kind: 'APIGroupList', apiVersion: 'v1' });
    for (const [name, version] of [
      ['batch', 'v1'],
      ['capdeployjob.dev', 'v1alpha1'],
      ['coordination.k8s.io', 'v1'],
      ['events.k8s.io', 'v1'],
      ['apiextensions.k8s.io', 'v1'],
    ]) {
      const each = { groupVersion: `${name}/${version}`, version };
      const group = { name, versions: [each], preferredVersion: each };
      expect(groups.groups).toContainEqual(group);
      expect((await it.api.get(`/apis/${name}`)).body).toEqual({ kind: 'APIGroup', apiVersion: 'v1', ...group });
    }
    expect(said(await it.api.get('/apis/batch/v9'))).toBe(
      '404 NotFound: the server could not find the requested resource',
    );
  });

  test.each<[path: string, name: string, expected: Json]>([
    [
      '/apis/capdeployjob.dev/v1alpha1',
      'capdeployjobs',
      { singularName: 'capdeployjob', namespaced: true, kind: 'CapDeployJob', shortNames: ['cdj'], verbs: ALL },
    ],
    [
      '/apis/capdeployjob.dev/v1alpha1',
      'capdeployjobs/status',
      { namespaced: true, verbs: ['get', 'patch', 'update'] },
    ],
    ['/apis/batch/v1', 'jobs', { singularName: 'job', kind: 'Job', categories: ['all'], verbs: ALL }],
    ['/apis/batch/v1', 'jobs/status', { kind: 'Job', verbs: ['get', 'patch', 'update'] }],
    ['/api/v1', 'pods', { singularName: 'pod', shortNames: ['po'], categories: ['all'], verbs: ALL }],
    ['/api/v1', 'pods/log', { verbs: ['get'] }],
    [
      '/api/v1',
      'namespaces',
      { namespaced: false, shortNames: ['ns'], verbs: ALL.filter((each) => each !== 'deletecollection') },
    ],
    ['/api/v1', 'events', { shortNames: ['ev'], verbs: ALL }],
    ['/apis/events.k8s.io/v1', 'events', { shortNames: ['ev'], verbs: ALL }],
    ['/apis/coordination.k8s.io/v1', 'leases', { kind: 'Lease', verbs: ALL }],
  ])('of %s tells what %s is', async (path, name, expected) => {
    const list = (await it.api.get(path)).body;
    expect(list).toMatchObject({ kind: 'APIResourceList' });
    const found = resource(list, name);
    expect({ ...found, verbs: found.verbs.sort() }).toMatchObject(expected);
  });

  test('has OpenAPI v3 for kubectl explain, with the parameter that tells of field validation', async () => {
    const { paths } = (await it.api.get('/openapi/v3')).body;
    const path = 'apis/capdeployjob.dev/v1alpha1';
    expect(paths[path].serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/capdeployjob\.dev\/v1alpha1/);
    const document = (await it.api.get(paths[path].serverRelativeURL)).body;
    const schema = document.components.schemas['dev.capdeployjob.v1alpha1.CapDeployJob'];
    expect(schema.properties.spec.properties.maxWaiting).toMatchObject({ type: 'integer', minimum: 1, maximum: 100 });
    expect(schema['x-kubernetes-group-version-kind']).toEqual([
      { group: 'capdeployjob.dev', version: 'v1alpha1', kind: 'CapDeployJob' },
    ]);
    const { patch } = document.paths[`/${path}/namespaces/{namespace}/capdeployjobs/{name}`];
    expect(patch.parameters.map((each: Json) => each.name)).toContain('fieldValidation');
  });

  test('knows its version and that it is well', async () => {
    expect((await it.api.get('/version')).body).toMatchObject({ major: '1', minor: expect.stringMatching(/^\d+$/) });
    for (const path of ['/healthz', '/readyz', '/livez']) {
      expect(await it.api.get(path)).toMatchObject({ status: 200, body: 'ok' });
    }
  });
});
