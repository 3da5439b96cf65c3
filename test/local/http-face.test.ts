import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LocalCluster } from '../../src/local/cluster.ts';
import { startLocalCluster } from '../../src/local/cluster.ts';
import { capDeployJob, configMap, container, definition, job, pod, until } from './builders.ts';

let cluster: LocalCluster;

beforeEach(async () => {
  cluster = await startLocalCluster({ stopGraceMs: 500, bookmarkIntervalMs: 20 });
});

afterEach(async () => {
  await cluster.stop();
});

type Json = Record<string, unknown>;

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Json; headers: Headers }> {
  const init = { method, headers: { 'Content-Type': 'application/json', ...headers } };
  const response = await fetch(
    cluster.url + path,
    body === undefined ? init : { ...init, body: typeof body === 'string' ? body : JSON.stringify(body) },
  );
  return { status: response.status, body: (await response.json()) as Json, headers: response.headers };
}

const JOBS_PATH = '/apis/batch/v1/namespaces/default/jobs';
const MAPS_PATH = '/api/v1/namespaces/default/configmaps';
const MERGE = { 'Content-Type': 'application/merge-patch+json' };
const TABLE = { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };

describe('an object over HTTP', () => {
  test('is created, read, replaced, patched, and deleted', async () => {
    expect(await ask('POST', MAPS_PATH, configMap('a', { x: '1' }))).toMatchObject({
      status: 201,
      body: { metadata: { name: 'a' } },
    });
    const read = await ask('GET', `${MAPS_PATH}/a`);
    expect(read).toMatchObject({ status: 200, body: { kind: 'ConfigMap', data: { x: '1' } } });
    expect(await ask('PUT', `${MAPS_PATH}/a`, { ...read.body, data: { x: '2' } })).toMatchObject({
      status: 200,
      body: { data: { x: '2' } },
    });
    expect(await ask('PATCH', `${MAPS_PATH}/a`, { data: { y: '3' } }, MERGE)).toMatchObject({
      status: 200,
      body: { data: { x: '2', y: '3' } },
    });
    expect(await ask('DELETE', `${MAPS_PATH}/a`)).toMatchObject({
      status: 200,
      body: { kind: 'Status', status: 'Success', details: { name: 'a', kind: 'configmaps' } },
    });
    expect(await ask('GET', `${MAPS_PATH}/a`)).toMatchObject({
      status: 404,
      body: { kind: 'Status', reason: 'NotFound', code: 404, details: { name: 'a', kind: 'configmaps' } },
    });
  });

  test('conflicts as the real API server words it', async () => {
    const { body } = await ask('POST', JOBS_PATH, job('a', { suspend: true }));
    const { uid } = body.metadata as { uid: string };
    const patch = { metadata: { uid, resourceVersion: '1' }, spec: { suspend: false } };
    expect(await ask('PATCH', `${JOBS_PATH}/a`, patch, MERGE)).toMatchObject({
      status: 409,
      body: {
        status: 'Failure',
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on jobs.batch "a": the object has been modified; please apply your changes to the latest version and try again',
        details: { name: 'a', group: 'batch', kind: 'jobs' },
      },
    });
    const options = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: 'Background',
      preconditions: { uid: 'other' },
    };
    expect(await ask('DELETE', `${JOBS_PATH}/a`, options)).toMatchObject({ status: 409, body: { reason: 'Conflict' } });
  });

  test('is refused with all complaints as causes', async () => {
    const bad = job('a', {}, { restartPolicy: 'Always', containers: [container({ image: '' })] });
    expect(await ask('POST', `${JOBS_PATH}?dryRun=All&fieldValidation=Strict`, bad)).toMatchObject({
      status: 422,
      body: {
        reason: 'Invalid',
        details: {
          name: 'a',
          group: 'batch',
          kind: 'Job',
          causes: [
            {
              reason: 'FieldValueRequired',
              message: 'Required value',
              field: 'spec.template.spec.containers[0].image',
            },
            { reason: 'FieldValueRequired', field: 'spec.template.spec.restartPolicy' },
          ],
        },
      },
    });
  });

  test('warns of unknown fields, or refuses them, as fieldValidation says', async () => {
    const unknown = { ...configMap('a'), dta: {} };
    const warned = await ask('POST', MAPS_PATH, unknown);
    expect(warned.status).toBe(201);
    expect(warned.headers.get('warning')).toBe('299 - "unknown field \\"dta\\""');
    expect(
      await ask('POST', `${MAPS_PATH}?fieldValidation=Strict`, { ...unknown, metadata: { name: 'b' } }),
    ).toMatchObject({ status: 400 });
  });

  test.each<
    [what: string, request: [string, string, unknown?, Record<string, string>?], status: number, reason: string]
  >([
    ['a path that nobody serves', ['GET', '/apis/none.dev/v1/things'], 404, 'NotFound'],
    ['a sub-resource that nobody serves', ['GET', `${JOBS_PATH}/a/scale`], 404, 'NotFound'],
    ['a body that is no JSON', ['POST', MAPS_PATH, '{'], 400, 'BadRequest'],
    ['a PUT without a name', ['PUT', MAPS_PATH, configMap('a')], 405, 'MethodNotAllowed'],
    [
      'protobuf',
      ['POST', JOBS_PATH, 'x', { 'Content-Type': 'application/vnd.kubernetes.protobuf' }],
      415,
      'UnsupportedMediaType',
    ],
    [
      'a body above 3 MiB',
      ['POST', MAPS_PATH, configMap('a', { x: 'x'.repeat(3 * 1024 * 1024) })],
      413,
      'RequestEntityTooLarge',
    ],
    ['an unknown propagation policy', ['DELETE', `${MAPS_PATH}/a?propagationPolicy=Sideways`], 422, 'Invalid'],
  ])('%s is refused', async (_what, request, status, reason) => {
    expect(await ask(...request)).toMatchObject({ status, body: { kind: 'Status', reason } });
  });

  test('status is written through its sub-resource', async () => {
    await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition());
    const path = '/apis/capdeployjob.dev/v1alpha1/namespaces/default/capdeployjobs';
    const { body } = await ask('POST', path, capDeployJob('web'));
    const put = await ask('PUT', `${path}/web/status`, { ...body, status: { waiting: 1 } });
    expect(put).toMatchObject({ status: 200, body: { status: { waiting: 1 }, metadata: { generation: 1 } } });
    expect(await ask('PATCH', `${path}/web/status`, { status: { waiting: 2 } }, MERGE)).toMatchObject({
      body: { status: { waiting: 2 } },
    });
  });

  test('a collection is deleted by label', async () => {
    await ask('POST', MAPS_PATH, configMap('a', {}, { labels: { app: 'web' } }));
    await ask('POST', MAPS_PATH, configMap('b'));
    await ask('DELETE', `${MAPS_PATH}?labelSelector=app%3Dweb`);
    const { body } = await ask('GET', MAPS_PATH);
    expect((body.items as { metadata: Json }[]).map((each) => each.metadata.name)).toEqual(['b']);
  });
});

describe('a patch', () => {
  const CASES: [kind: string, patch: unknown, status: number, data: unknown][] = [
    ['application/merge-patch+json', { data: { x: null, y: '2' } }, 200, { y: '2' }],
    ['application/strategic-merge-patch+json', { data: { y: '2' } }, 200, { x: '1', y: '2' }],
    [
      'application/json-patch+json',
      [
        { op: 'test', path: '/data/x', value: '1' },
        { op: 'add', path: '/metadata/annotations', value: {} },
        { op: 'add', path: '/metadata/annotations/example.dev~1note', value: 'x' },
        { op: 'add', path: '/data/y', value: '2' },
      ],
      200,
      { x: '1', y: '2' },
    ],
    [
      'application/json-patch+json',
      [
        { op: 'replace', path: '/data/x', value: '9' },
        { op: 'remove', path: '/data/x' },
      ],
      200,
      undefined,
    ],
    ['application/json-patch+json', [{ op: 'test', path: '/data/x', value: 'other' }], 422, undefined],
    ['application/apply-patch+yaml', 'data: {}', 415, undefined],
    ['application/unknown', {}, 415, undefined],
  ];
  test.each(CASES)('as %s of %j is answered with %d', async (kind, patch, status, data) => {
    await ask('POST', MAPS_PATH, configMap('a', { x: '1' }));
    const answer = await ask('PATCH', `${MAPS_PATH}/a`, patch, { 'Content-Type': kind });
    expect(answer.status).toBe(status);
    if (data !== undefined) expect(answer.body.data).toEqual(data);
  });

  test('by strategic merge takes containers and variables by name, where a merge patch would replace the list', async () => {
    const two = { containers: [container({ env: [{ name: 'A', value: '1' }] }), container({ name: 'side' })] };
    await ask('POST', '/api/v1/namespaces/default/pods', pod('p', { ...two, nodeName: 'elsewhere' }));
    const patch = {
      spec: {
        '$setElementOrder/containers': [{ name: 'deploy' }, { name: 'side' }],
        containers: [{ name: 'side', image: 'side:2' }],
      },
    };
    const answer = await ask('PATCH', '/api/v1/namespaces/default/pods/p', patch, {
      'Content-Type': 'application/strategic-merge-patch+json',
    });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        spec: {
          containers: [
            { name: 'deploy', env: [{ name: 'A' }] },
            { name: 'side', image: 'side:2' },
          ],
        },
      },
    });
  });
});

describe('a list', () => {
  test('comes in pages', async () => {
    for (const name of ['a', 'b', 'c']) await ask('POST', MAPS_PATH, configMap(name));
    const first = (await ask('GET', `${MAPS_PATH}?limit=2`)).body as {
      metadata: { continue: string; resourceVersion: string };
      items: unknown[];
    };
    expect(first).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1', metadata: { remainingItemCount: 1 } });
    const second = await ask('GET', `${MAPS_PATH}?limit=2&continue=${first.metadata.continue}`);
    expect(second.body).toMatchObject({
      items: [{ metadata: { name: 'c' } }],
      metadata: { resourceVersion: first.metadata.resourceVersion },
    });
  });

  test('of all namespaces has no namespace in its path', async () => {
    await ask('POST', MAPS_PATH, configMap('a'));
    expect((await ask('GET', '/api/v1/configmaps?fieldSelector=metadata.name%3Da')).body.items).toHaveLength(1);
  });
});

interface Row {
  cells: unknown[];
  object: { kind: string };
}

async function table(path: string): Promise<{ columns: string[]; rows: unknown[][] }> {
  const { body } = await ask('GET', path, undefined, TABLE);
  expect(body.kind).toBe('Table');
  const columns = (body.columnDefinitions as { name: string; priority: number }[]).filter(
    (each) => each.priority === 0,
  );
  return {
    columns: columns.map((each) => each.name),
    rows: (body.rows as Row[]).map((row) => row.cells.slice(0, columns.length)),
  };
}

describe('a table, as kubectl get shows it', () => {
  test('of Jobs has status, completions, duration and age', async () => {
    await ask('POST', JOBS_PATH, job('a', { suspend: true }));
    await until(
      () =>
        cluster.store.get({ group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job' }, 'default', 'a').status !==
          undefined &&
        'conditions' in
          (cluster.store.get({ group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job' }, 'default', 'a')
            .status as object),
    );
    expect(await table(JOBS_PATH)).toEqual({
      columns: ['Name', 'Status', 'Completions', 'Duration', 'Age'],
      rows: [['a', 'Suspended', '0/1', '', expect.stringMatching(/^\ds$/)]],
    });
  });

  test('of Pods has the reason for which they wait', async () => {
    await ask('POST', '/api/v1/namespaces/default/pods', pod('p'));
    await until(() =>
      JSON.stringify(cluster.store.list({ group: '', version: 'v1', plural: 'pods', kind: 'Pod' }).items).includes(
        'ErrImagePull',
      ),
    );
    expect(await table('/api/v1/namespaces/default/pods')).toEqual({
      columns: ['Name', 'Ready', 'Status', 'Restarts', 'Age'],
      rows: [['p', '0/1', 'ErrImagePull', '0', expect.any(String)]],
    });
  });

  test('of custom resources has the columns of their definition', async () => {
    await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition());
    const path = '/apis/capdeployjob.dev/v1alpha1/namespaces/default/capdeployjobs';
    const { body } = await ask('POST', path, capDeployJob('web'));
    await ask('PUT', `${path}/web/status`, {
      ...body,
      status: {
        waiting: 3,
        conditions: [
          { type: 'Other', status: 'x' },
          { type: 'Ready', status: 'True' },
        ],
      },
    });
    await ask('POST', path, capDeployJob('new'));
    expect(await table(path)).toEqual({
      columns: ['Name', 'Ready', 'Waiting', 'Age'],
      rows: [
        ['new', '', null, expect.any(String)],
        ['web', 'True', 3, expect.any(String)],
      ],
    });
  });

  test('of one object carries its metadata in the row', async () => {
    await ask('POST', MAPS_PATH, configMap('a', { x: '1' }));
    const { body } = await ask('GET', `${MAPS_PATH}/a`, undefined, TABLE);
    expect(body.rows).toMatchObject([
      { cells: ['a', 1, expect.any(String)], object: { kind: 'PartialObjectMetadata', metadata: { name: 'a' } } },
    ]);
  });
});

/** Reads a watch line by line; `lines` grows while it runs. */
async function watch(path: string, headers: Record<string, string> = {}) {
  const controller = new AbortController();
  const response = await fetch(cluster.url + path, { headers, signal: controller.signal });
  const read = { lines: [] as { type: string; object: Json }[], ended: false, stop: () => controller.abort() };
  const done = (async () => {
    let rest = '';
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      const parts = (rest + Buffer.from(chunk).toString()).split('\n');
      rest = parts.pop() ?? '';
      read.lines.push(...parts.map((line) => JSON.parse(line) as { type: string; object: Json }));
    }
    read.ended = true;
  })();
  done.catch(() => {});
  return read;
}

const shown = (read: { lines: { type: string; object: Json }[] }) =>
  read.lines
    .filter((line) => line.type !== 'BOOKMARK')
    .map((line) => `${line.type} ${(line.object.metadata as Json).name}`);

describe('a watch over HTTP', () => {
  test('streams what happens after the list, one JSON object a line', async () => {
    await ask('POST', MAPS_PATH, configMap('a'));
    const { resourceVersion } = (await ask('GET', MAPS_PATH)).body.metadata as { resourceVersion: string };
    const read = await watch(`${MAPS_PATH}?watch=true&resourceVersion=${resourceVersion}`);
    await ask('POST', MAPS_PATH, configMap('b'));
    await ask('DELETE', `${MAPS_PATH}/a`);
    await until(() => read.lines.length === 2);
    expect(shown(read)).toEqual(['ADDED b', 'DELETED a']);
    read.stop();
  });

  test('sends bookmarks to those who ask, and ends after timeoutSeconds', async () => {
    const read = await watch(`${MAPS_PATH}?watch=1&allowWatchBookmarks=true&timeoutSeconds=1`);
    await until(() => read.ended);
    const bookmark = read.lines.at(-1);
    expect(bookmark).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'ConfigMap', metadata: { resourceVersion: String(cluster.store.version) } },
    });
  });

  test('from too long ago has one event, ERROR 410 Expired', async () => {
    await ask('POST', MAPS_PATH, configMap('a'));
    cluster.store.forgetHistory();
    const read = await watch(`${MAPS_PATH}?watch=true&resourceVersion=1`);
    await until(() => read.ended);
    expect(read.lines).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }]);
  });

  test('begins with all objects and a bookmark that says so, where sendInitialEvents is asked for', async () => {
    await ask('POST', MAPS_PATH, configMap('a'));
    const read = await watch(
      `${MAPS_PATH}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    await until(() => read.lines.length >= 2);
    expect(read.lines[0]?.type).toBe('ADDED');
    expect(read.lines[1]?.object.metadata).toMatchObject({ annotations: { 'k8s.io/initial-events-end': 'true' } });
    read.stop();
  });

  test('as a table sends rows, with the columns in the first one', async () => {
    const read = await watch(`${MAPS_PATH}?watch=true`, TABLE);
    await ask('POST', MAPS_PATH, configMap('a'));
    await ask('POST', MAPS_PATH, configMap('b'));
    await until(() => read.lines.length === 2);
    expect(read.lines).toMatchObject([
      { object: { kind: 'Table', columnDefinitions: [{ name: 'Name' }, {}, {}], rows: [{ cells: ['a', 0, '0s'] }] } },
      { object: { kind: 'Table', columnDefinitions: null, rows: [{ cells: ['b', 0, '0s'] }] } },
    ]);
    read.stop();
  });

  test('is ended by a server that restarts', async () => {
    const read = await watch(`${MAPS_PATH}?watch=true`);
    cluster.store.endWatches();
    await until(() => read.ended);
  });
});

describe('logs over HTTP', () => {
  const PODS_PATH = '/api/v1/namespaces/default/pods';

  test('are followed to their end', async () => {
    await ask(
      'POST',
      PODS_PATH,
      pod('p', { containers: [container({ command: ['sh', '-c', 'echo one; sleep 0.1; echo two'] })] }),
    );
    await until(() =>
      JSON.stringify(cluster.store.list({ group: '', version: 'v1', plural: 'pods', kind: 'Pod' }).items).includes(
        '"running"',
      ),
    );
    const response = await fetch(`${cluster.url + PODS_PATH}/p/log?follow=true&container=deploy`);
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(await response.text()).toBe('one\ntwo\n');
    expect(await (await fetch(`${cluster.url + PODS_PATH}/p/log?tailLines=1`)).text()).toBe('two\n');
  });

  test('of an unknown container or Pod are refused', async () => {
    await ask('POST', PODS_PATH, pod('p'));
    expect(await ask('GET', `${PODS_PATH}/p/log?container=x`)).toMatchObject({
      status: 400,
      body: { message: 'container x is not valid for pod p' },
    });
    expect(await ask('GET', `${PODS_PATH}/none/log`)).toMatchObject({ status: 404 });
  });
});

describe('discovery', () => {
  test('names groups, versions and types, those of custom resources too', async () => {
    await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition());
    expect((await ask('GET', '/api')).body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    const { groups } = (await ask('GET', '/apis')).body as { groups: { name: string }[] };
    expect(groups.map((group) => group.name).sort()).toEqual([
      'apiextensions.k8s.io',
      'batch',
      'capdeployjob.dev',
      'coordination.k8s.io',
      'events.k8s.io',
    ]);
    expect((await ask('GET', '/apis/capdeployjob.dev/v1alpha1')).body).toMatchObject({
      kind: 'APIResourceList',
      resources: [
        { name: 'capdeployjobs', kind: 'CapDeployJob', shortNames: ['cdj'], namespaced: true },
        { name: 'capdeployjobs/status' },
      ],
    });
    expect((await ask('GET', '/version')).body).toMatchObject({ major: '1', minor: '36' });
    expect((await ask('GET', '/openapi/v2')).status).toBe(404);
  });

  test('has the schemas of types, with the parameter that tells kubectl of field validation', async () => {
    const { paths } = (await ask('GET', '/openapi/v3')).body as {
      paths: Record<string, { serverRelativeURL: string }>;
    };
    const document = (await ask('GET', paths['apis/batch/v1']?.serverRelativeURL ?? '')).body;
    expect(document).toMatchObject({ components: { schemas: { 'batch.v1.Job': { properties: { spec: {} } } } } });
    expect(JSON.stringify(document)).toContain('fieldValidation');
  });

  test.each(['/healthz', '/readyz', '/livez'])('%s is ok', async (path) => {
    expect(await (await fetch(cluster.url + path)).text()).toBe('ok');
  });
});

describe('requests', () => {
  test('are counted by verb and type, and writes can be told from reads', async () => {
    await ask('GET', MAPS_PATH);
    await ask('POST', MAPS_PATH, configMap('a'));
    await ask('PATCH', `${MAPS_PATH}/a`, {}, MERGE);
    expect(cluster.requests.counts()).toEqual({ 'create configmaps': 1, 'list configmaps': 1, 'patch configmaps': 1 });
    expect(cluster.requests.writes()).toHaveLength(2);
    expect(cluster.requests.count({ verb: 'patch', name: 'a' })).toBe(1);
    cluster.requests.clear();
    expect(cluster.requests.writes()).toEqual([]);
  });

  test('can be answered in place of the server, before they take effect', async () => {
    const body = { kind: 'Status', status: 'Failure', reason: 'TooManyRequests', code: 429 };
    cluster.http.intercept = ({ method }) =>
      method === 'POST' ? { status: 429, body, headers: { 'Retry-After': '1' } } : undefined;
    const answer = await ask('POST', MAPS_PATH, configMap('a'));
    expect(answer).toMatchObject({ status: 429, body });
    expect(answer.headers.get('retry-after')).toBe('1');
    expect((await ask('GET', `${MAPS_PATH}/a`)).status).toBe(404);
  });

  test('can be answered wrongly after they took effect', async () => {
    cluster.http.intercept = ({ resource }) =>
      resource?.verb === 'create' ? { when: 'after', status: 500, body: {}, delayMs: 1 } : undefined;
    expect((await ask('POST', MAPS_PATH, configMap('a'))).status).toBe(500);
    expect((await ask('GET', `${MAPS_PATH}/a`)).status).toBe(200);
  });

  test('can lose their connection after they took effect', async () => {
    cluster.http.intercept = ({ resource }) =>
      resource?.verb === 'create' ? { when: 'after', drop: true } : undefined;
    await expect(ask('POST', MAPS_PATH, configMap('a'))).rejects.toThrow();
    expect((await ask('GET', `${MAPS_PATH}/a`)).status).toBe(200);
  });

  test('can be made to wait until the test lets them go', async () => {
    const gate = Promise.withResolvers<undefined>();
    cluster.http.intercept = () => gate.promise;
    let answered = false;
    const answer = ask('GET', MAPS_PATH).finally(() => {
      answered = true;
    });
    await until(() => cluster.requests.count() === 1);
    expect(answered).toBe(false);
    gate.resolve(undefined);
    expect((await answer).status).toBe(200);
  });
});

test('a thousand requests take less than three seconds of processor time, client included', async () => {
  await ask('POST', JOBS_PATH, job('a', { suspend: true }));
  const start = process.cpuUsage();
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(
      Array.from({ length: 50 }, () => fetch(`${cluster.url}${JOBS_PATH}/a`).then((response) => response.text())),
    );
  }
  const { user, system } = process.cpuUsage(start);
  expect(user + system).toBeLessThan(3_000_000);
});

describe('a cluster with a token', () => {
  test('answers 401 to those who do not have it, and health to everybody', async () => {
    const closed = await startLocalCluster({ token: 'secret', kubelet: false });
    const status = async (path: string, headers = {}) => (await fetch(closed.url + path, { headers })).status;
    expect(await status('/api/v1/pods')).toBe(401);
    expect(await status('/api/v1/pods', { Authorization: 'Bearer other' })).toBe(401);
    expect(await status('/api/v1/pods', { Authorization: `Bearer ${closed.kubeconfig.users[0]?.user.token}` })).toBe(
      200,
    );
    expect(await status('/readyz')).toBe(200);
    await closed.stop();
  });
});

test('the cluster listens on the loopback address only', async () => {
  expect(new URL(cluster.url).hostname).toBe('127.0.0.1');
  expect(cluster.kubeconfig.clusters[0]?.cluster.server).toBe(cluster.url);
});

test('a cluster that stops ends its watches and refuses connections', async () => {
  const other = await startLocalCluster({ kubelet: false });
  const response = await fetch(`${other.url}/api/v1/pods?watch=true`);
  await other.stop();
  await expect(response.text()).rejects.toThrow();
  await expect(fetch(other.url)).rejects.toThrow();
});

test('a client that speaks HTTP badly does no harm', async () => {
  await new Promise<void>((resolve) => {
    const port = Number(new URL(cluster.url).port);
    const request = httpRequest({ port, host: '127.0.0.1', path: '/api/v1/namespaces/%E0%A4%A/pods' }, (response) => {
      response.resume();
      response.on('end', resolve);
    });
    request.on('error', () => resolve());
    request.end();
  });
  expect((await ask('GET', MAPS_PATH)).status).toBe(200);
});
