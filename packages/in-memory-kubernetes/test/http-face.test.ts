import { request as httpRequest } from 'node:http';
import type { LocalCluster } from 'in-memory-kubernetes/cluster.ts';
import { startLocalCluster } from 'in-memory-kubernetes/cluster.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configMap, container, pod, until } from './builders.ts';

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
  test.each<
    [what: string, request: [string, string, unknown?, Record<string, string>?], status: number, reason: string]
  >([
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
