import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CAPDEPLOYJOBS } from '../../../src/api/names.ts';
import { JOBS, type KubeObject, PODS, type WatchEvent } from '../../../src/kube/client.ts';
import { KubeError, type KubeErrorKind } from '../../../src/kube/errors.ts';
import { HttpKubeClient, type HttpKubeClientOptions, type Verb } from '../../../src/kube/http/http-client.ts';
import {
  type Answer,
  ApiServer,
  anonymous,
  bookmark,
  clientFor,
  event,
  json,
  pod,
  status,
} from '../../kit/api-server.ts';
import { until } from '../../kit/eventually.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function start(answer: Answer, options: Partial<HttpKubeClientOptions> = {}) {
  const server = await new ApiServer(answer).listen();
  const client = clientFor(server, options);
  open.push(server, client);
  return { server, client };
}

/** What a rejected promise was rejected with. */
async function failure(promise: Promise<unknown>): Promise<KubeError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KubeError);
  return error as KubeError;
}

async function collect<T extends KubeObject>(events: AsyncIterable<WatchEvent<T>>): Promise<WatchEvent<T>[]> {
  const all: WatchEvent<T>[] = [];
  for await (const each of events) all.push(each);
  return all;
}

const job = (more: object = {}): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'web', namespace: 'deploy', ...more },
});
const preconditions = { uid: 'u-1', resourceVersion: '42' };

describe('requests', () => {
  it('reads one object of the core group and of another group by their paths, names encoded', async () => {
    const { server, client } = await start((response) => json(response, pod('a', '1')));
    await client.get(PODS, 'deploy', 'a');
    await client.get(CAPDEPLOYJOBS, 'deploy', 'a/../b');
    expect(server.received.map(({ path }) => path)).toEqual([
      '/api/v1/namespaces/deploy/pods/a',
      '/apis/capdeployjob.dev/v1alpha1/namespaces/deploy/capdeployjobs/a%2F..%2Fb',
    ]);
  });

  it.each(['', '.', '..'])('refuses the name "%s", which would address the collection', async (name) => {
    const { server, client } = await start((response) => json(response, {}));
    await expect(async () => client.delete(JOBS, 'deploy', name, preconditions)).rejects.toThrow(TypeError);
    expect(server.received).toEqual([]);
  });

  it('keeps the path of a server URL that has one', async () => {
    const { server, client: other } = await start((response) => json(response, pod('a', '1')));
    const client = new HttpKubeClient({ config: anonymous(`${server.url}/k8s/clusters/c-1/`) });
    open.push(other, client);
    await client.get(PODS, 'deploy', 'a');
    expect(server.received[0]?.path).toBe('/k8s/clusters/c-1/api/v1/namespaces/deploy/pods/a');
  });

  it('lists all namespaces or one, passes selectors and paging on, and names the items of a built-in list', async () => {
    const list = { metadata: { resourceVersion: '9', continue: 'next' }, items: [{ metadata: { name: 'a' } }] };
    const { server, client } = await start((response) => json(response, list));
    await client.list(PODS);
    const answer = await client.list(JOBS, { namespace: 'deploy', labelSelector: 'a=b,c', limit: 5, continue: 'x&y' });
    expect(server.received.map(({ path }) => path)).toEqual(['/api/v1/pods', '/apis/batch/v1/namespaces/deploy/jobs']);
    expect(server.received[1]?.query).toEqual({ labelSelector: 'a=b,c', limit: '5', continue: 'x&y' });
    expect(answer.items[0]).toMatchObject({ apiVersion: 'batch/v1', kind: 'Job' });
    expect(answer.metadata).toEqual({ resourceVersion: '9', continue: 'next' });
  });

  it('takes an absent items field (Go writes null for an empty slice) as an empty list', async () => {
    const { client } = await start((response) => json(response, { metadata: { resourceVersion: '1' }, items: null }));
    expect((await client.list(PODS)).items).toEqual([]);
  });

  it('creates Jobs with strict field validation, and as a dry run when asked, and leaves unknown fields alone', async () => {
    const { server, client } = await start((response, request) => json(response, request.body, 201));
    const object = { ...job(), spec: { template: { futureField: { a: 1 } } } };
    expect(await client.create(JOBS, object)).toEqual(object);
    await client.create(JOBS, job(), { dryRun: true });
    expect(server.received[0]).toMatchObject({
      method: 'POST',
      path: '/apis/batch/v1/namespaces/deploy/jobs',
      query: { fieldValidation: 'Strict' },
    });
    expect(server.received[1]?.query).toEqual({ fieldValidation: 'Strict', dryRun: 'All' });
  });

  it('puts the status sub-resource, and refuses to do so without a resourceVersion', async () => {
    const { server, client } = await start((response, request) => json(response, request.body));
    await client.replaceStatus(JOBS, job({ resourceVersion: '7' }));
    expect(server.received[0]).toMatchObject({
      method: 'PUT',
      path: '/apis/batch/v1/namespaces/deploy/jobs/web/status',
      body: { metadata: { resourceVersion: '7' } },
    });
    await expect(async () => client.replaceStatus(JOBS, job())).rejects.toThrow('resourceVersion');
  });

  it('patches by JSON merge patch with uid and resourceVersion in it', async () => {
    const { server, client } = await start((response) => json(response, job()));
    await client.patch(JOBS, 'deploy', 'web', preconditions, {
      metadata: { annotations: { a: 'b' } },
      spec: { suspend: false },
    });
    expect(server.received[0]).toMatchObject({
      method: 'PATCH',
      body: { metadata: { annotations: { a: 'b' }, uid: 'u-1', resourceVersion: '42' }, spec: { suspend: false } },
    });
    expect(server.received[0]?.headers['content-type']).toBe('application/merge-patch+json');
    expect(server.received[0]?.query).toEqual({});
  });

  it('patches any version of an object by its uid alone', async () => {
    const { server, client } = await start((response) => json(response, job()));
    await client.patch(JOBS, 'deploy', 'web', { uid: 'u-1', anyVersion: true }, { metadata: { labels: { a: 'b' } } });
    expect(server.received[0]?.body).toEqual({ metadata: { labels: { a: 'b' }, uid: 'u-1' } });
  });

  it('patches as a dry run when asked', async () => {
    const { server, client } = await start((response) => json(response, job()));
    await client.patch(JOBS, 'deploy', 'web', preconditions, {}, { dryRun: true });
    expect(server.received[0]).toMatchObject({ method: 'PATCH', query: { dryRun: 'All' } });
  });

  it('asks for the metadata alone when told to, with no whole object as an alternative', async () => {
    const { server, client } = await start((response) => json(response, job()));
    await client.patch(JOBS, 'deploy', 'web', preconditions, {}, { metadataOnly: true });
    await client.patch(JOBS, 'deploy', 'web', preconditions, {});
    expect(server.received.map(({ headers }) => headers.accept)).toEqual([
      'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
      'application/json',
    ]);
  });

  it('deletes in the background under both preconditions', async () => {
    const { server, client } = await start((response) => json(response, status(200, '', '')));
    await client.delete(JOBS, 'deploy', 'web', preconditions);
    expect(server.received[0]).toMatchObject({
      method: 'DELETE',
      body: { kind: 'DeleteOptions', propagationPolicy: 'Background', preconditions },
    });
  });

  it('deletes as a dry run when asked, by the body: the query is passed over beside one', async () => {
    const { server, client } = await start((response) => json(response, status(200, '', '')));
    await client.delete(JOBS, 'deploy', 'web', preconditions, { dryRun: true });
    await client.delete(JOBS, 'deploy', 'web', preconditions);
    expect(server.received[0]?.body).toMatchObject({ preconditions, dryRun: ['All'] });
    expect(server.received[1]?.body).not.toHaveProperty('dryRun');
  });

  it('names itself and its version', async () => {
    const { server, client } = await start((response) => json(response, pod('a', '1')), { version: '1.2.3' });
    await client.get(PODS, 'deploy', 'a');
    expect(server.received[0]?.headers['user-agent']).toBe('capdeploy/1.2.3');
  });

  it('keeps its connections for requests that follow one another', async () => {
    const { server, client } = await start((response) => json(response, pod('a', '1')));
    for (let n = 0; n < 20; n += 1) await client.get(PODS, 'deploy', 'a');
    // Two, where one is not quite free again when the next request comes.
    expect(server.connections.size).toBeLessThanOrEqual(2);
  });

  it('reads the API server version', async () => {
    const { client } = await start((response) => json(response, { major: '1', minor: '36+' }));
    expect(await client.serverVersion()).toEqual([1, 36]);
  });

  it('measures how far the clock of the API server is ahead', async () => {
    const { client } = await start((response) =>
      json(response, pod('a', '1'), 200, { date: new Date(Date.now() + 90_000).toUTCString() }),
    );
    expect(client.clockSkewMs()).toBeUndefined();
    await client.get(PODS, 'deploy', 'a');
    expect(client.clockSkewMs()).toBeGreaterThan(88_000);
    expect(client.clockSkewMs()).toBeLessThan(92_000);
  });

  it('measures nothing by a Date header that is no HTTP-date', async () => {
    const { client } = await start((response) => json(response, pod('a', '1'), 200, { date: '1' }));
    await client.get(PODS, 'deploy', 'a');
    expect(client.clockSkewMs()).toBeUndefined();
  });
});

describe('refusals', () => {
  const table: [code: number, reason: string, kind: KubeErrorKind][] = [
    [400, 'BadRequest', 'invalid'],
    [401, 'Unauthorized', 'forbidden'],
    [403, 'Forbidden', 'forbidden'],
    [404, 'NotFound', 'gone'],
    [409, 'AlreadyExists', 'exists'],
    [409, 'Conflict', 'conflict'],
    [410, 'Expired', 'gone'],
    [422, 'Invalid', 'invalid'],
    [429, 'TooManyRequests', 'retryable'],
    [500, 'InternalError', 'retryable'],
    [503, 'ServiceUnavailable', 'retryable'],
  ];
  it.each(table)('a Status %i %s is an error of kind %s with the words of the server', async (code, reason, kind) => {
    const { client } = await start((response) => json(response, status(code, reason, 'the words'), code));
    const error = await failure(client.create(JOBS, job()));
    expect(error).toMatchObject({ kind, status: code, reason, message: `${reason}: the words` });
  });

  it('the words of the server are without secrets, which are taken out before they are cut', async () => {
    const words = `${'x'.repeat(4050)} Get "https://bob:sesame-${'y'.repeat(40)}@host": denied`;
    const { client } = await start((response) => json(response, status(403, 'Forbidden', words), 403));
    const { message } = await failure(client.create(JOBS, job()));
    expect(message).toContain('xxx Get');
    expect(message).not.toContain('sesame');
  });

  it('a delete of what is not there says gone', async () => {
    const { client } = await start((response) => json(response, status(404, 'NotFound', 'jobs "web" not found'), 404));
    expect((await failure(client.delete(JOBS, 'deploy', 'web', preconditions))).kind).toBe('gone');
  });

  it.each<[string, Record<string, string>, object | undefined, number | undefined]>([
    ['the header in seconds', { 'retry-after': '7' }, undefined, 7],
    ['the details of the Status', {}, { retryAfterSeconds: 3 }, 3],
    ['neither', {}, undefined, undefined],
    ['a header that is not a number', { 'retry-after': 'soon' }, undefined, undefined],
    ['a header that only Date.parse takes for a date', { 'retry-after': '2099-01-01' }, undefined, undefined],
  ])('Retry-After is read from %s', async (_, headers, details, seconds) => {
    const body = status(429, 'TooManyRequests', 'slow down', details);
    const { client } = await start((response) => json(response, body, 429, headers));
    expect((await failure(client.list(PODS))).retryAfterSeconds).toBe(seconds);
  });

  it('Retry-After as a date gives the seconds until then', async () => {
    const at = new Date(Date.now() + 60_000).toUTCString();
    const { client } = await start((response) => json(response, status(503, '', ''), 503, { 'retry-after': at }));
    const seconds = (await failure(client.list(PODS))).retryAfterSeconds;
    expect(seconds).toBeGreaterThan(55);
    expect(seconds).toBeLessThanOrEqual(60);
  });

  it.each([
    ['an HTML page', '<html><body>Authorization: Bearer sesame</body></html>'],
    ['truncated JSON', '{"kind":"Status","message":"sesame'],
    ['JSON that is no Status', '{"kind":"Secret","message":"sesame"}'],
    ['nothing', ''],
  ])('a 500 with %s is retryable and quotes nothing of it', async (_, body) => {
    const { client } = await start((response) => response.writeHead(500).end(body) && undefined);
    const error = await failure(client.get(PODS, 'deploy', 'a'));
    expect(error).toMatchObject({ kind: 'retryable', status: 500, reason: 'InternalError' });
    expect(error.message).toBe('InternalError: HTTP 500 for GET /api/v1/namespaces/deploy/pods/a');
  });

  it('an endless error body is read only in part', async () => {
    const { client } = await start(async (response) => {
      response.writeHead(502);
      while (!response.destroyed) {
        if (!response.write('x'.repeat(65_536))) await new Promise((resolve) => setImmediate(resolve));
      }
    });
    expect(await failure(client.list(PODS))).toMatchObject({ status: 502, reason: 'HTTP502', kind: 'retryable' });
  });

  it('tells the observer the verb and the error', async () => {
    const seen: [Verb, string][] = [];
    const onError = (verb: Verb, error: KubeError): void => void seen.push([verb, error.reason]);
    const { client } = await start((response) => json(response, status(403, 'Forbidden', 'no'), 403), { onError });
    await failure(client.list(PODS));
    await failure(client.patch(JOBS, 'deploy', 'web', preconditions, {}));
    await failure(collect(client.watch(PODS, { resourceVersion: '1' })));
    expect(seen).toEqual([
      ['list', 'Forbidden'],
      ['patch', 'Forbidden'],
      ['watch', 'Forbidden'],
    ]);
  });
});

describe('no answer', () => {
  it.each<[string, Answer]>([
    ['says nothing', () => {}],
    [
      'sends headers and nothing after them',
      (response) => void response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders(),
    ],
    [
      'trickles for ever',
      async (response) => {
        while (!response.destroyed) {
          response.write(' ');
          await delay(10);
        }
      },
    ],
    [
      'sends an error and hangs in its body',
      (response) => void response.writeHead(500, { 'content-length': '100' }).write('{'),
    ],
  ])('a server that %s runs into the time-out', async (_, answer) => {
    const { client } = await start(answer, { requestTimeoutMs: 150 });
    const error = await failure(client.get(PODS, 'deploy', 'a'));
    expect(error).toMatchObject({ kind: 'retryable', status: 0, reason: 'Timeout' });
    expect(error.message).toContain('within 0.15 s');
  });

  it.each<[string, Answer]>([
    ['resets the connection before the answer', (response) => void response.socket?.resetAndDestroy()],
    [
      'resets the connection in mid-body',
      (response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"metadata":', () => response.socket?.resetAndDestroy());
      },
    ],
  ])('a server that %s gives a retryable error without a status', async (_, answer) => {
    const { client } = await start(answer);
    expect(await failure(client.get(PODS, 'deploy', 'a'))).toMatchObject({ kind: 'retryable', status: 0 });
  });

  it('truncated JSON under status 200 is retryable and not quoted', async () => {
    const { client } = await start((response) => void response.end('{"data":"sesame'));
    const error = await failure(client.get(PODS, 'deploy', 'a'));
    expect(error).toMatchObject({ kind: 'retryable', status: 0, reason: 'InvalidAnswer' });
    expect(error.message).not.toContain('sesame');
  });

  it('a server that is not there gives a retryable error with the code of the transport', async () => {
    const { server, client } = await start(() => {});
    await server.close();
    open.splice(open.indexOf(server), 1);
    expect(await failure(client.list(PODS))).toMatchObject({ kind: 'retryable', status: 0, reason: 'ECONNREFUSED' });
  });

  it('an abort by the caller is thrown as its reason, before and during the request', async () => {
    const onError = vi.fn();
    const { server, client } = await start(() => {}, { onError });
    const early = AbortSignal.abort(new Error('never mind'));
    await expect(client.get(PODS, 'deploy', 'a', { signal: early })).rejects.toThrow('never mind');
    expect(server.received).toEqual([]);

    const controller = new AbortController();
    const running = client.get(PODS, 'deploy', 'a', { signal: controller.signal });
    await until(() => expect(server.received).toHaveLength(1));
    controller.abort();
    await expect(running).rejects.toHaveProperty('name', 'AbortError');
    await until(() => expect(server.cutOff).toBe(1));
    expect(onError).not.toHaveBeenCalled();
  });

  it('a closed client throws a KubeError', async () => {
    const { client } = await start((response) => json(response, pod('a', '1')));
    await client.get(PODS, 'deploy', 'a');
    await client.close();
    expect((await failure(client.get(PODS, 'deploy', 'a'))).kind).toBe('retryable');
  });
});

describe('watches', () => {
  it('asks for bookmarks from the resourceVersion on, and hands on what comes until the server ends it', async () => {
    const { server, client } = await start((response) => {
      response.write(event('ADDED', pod('a', '2')) + event('MODIFIED', pod('a', '3')) + bookmark('9'));
      response.end(event('DELETED', pod('a', '10')));
    });
    const options = { namespace: 'deploy', resourceVersion: '1', timeoutSeconds: 300, labelSelector: 'x' };
    const events = await collect(client.watch(PODS, options));
    expect(events.map(({ type, object }) => `${type} ${object.metadata.resourceVersion}`)).toEqual([
      'ADDED 2',
      'MODIFIED 3',
      'BOOKMARK 9',
      'DELETED 10',
    ]);
    expect(server.received[0]).toMatchObject({
      path: '/api/v1/namespaces/deploy/pods',
      query: {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: '1',
        timeoutSeconds: '300',
        labelSelector: 'x',
      },
    });
  });

  it('puts lines and characters together that chunks cut apart anywhere', async () => {
    const object = pod('a', '2', { annotations: { who: 'Zoë 日本 🚀' } });
    const bytes = Buffer.from(event('ADDED', object) + event('MODIFIED', { ...object }));
    const { client } = await start(async (response) => {
      for (const byte of bytes) {
        response.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    const events = await collect(client.watch(PODS, { resourceVersion: '1' }));
    expect(events).toEqual([
      { type: 'ADDED', object },
      { type: 'MODIFIED', object },
    ]);
  });

  it('throws a 410 that stands in the stream, after the events before it', async () => {
    const { client } = await start((response) => {
      response.write(event('ADDED', pod('a', '2')));
      response.end(event('ERROR', status(410, 'Expired', 'too old resource version')));
    });
    const seen: string[] = [];
    const error = await failure(
      (async () => {
        for await (const each of client.watch(PODS, { resourceVersion: '1' })) seen.push(each.type);
      })(),
    );
    expect(seen).toEqual(['ADDED']);
    expect(error).toMatchObject({ kind: 'gone', status: 410, reason: 'Expired' });
  });

  it.each<[string, Answer, object]>([
    [
      'a 410 as the answer',
      (response) => json(response, status(410, 'Gone', 'old'), 410),
      { kind: 'gone', status: 410 },
    ],
    [
      'a 429',
      (response) => json(response, {}, 429, { 'retry-after': '2' }),
      { kind: 'retryable', retryAfterSeconds: 2 },
    ],
    ['a reset', (response) => void response.socket?.resetAndDestroy(), { kind: 'retryable', status: 0 }],
    [
      'a reset in mid-stream',
      (response) => void response.write('{"type":"ADD', () => response.socket?.resetAndDestroy()),
      { kind: 'retryable', status: 0 },
    ],
    [
      'an end within a line',
      (response) => void response.end('{"type":"ADDED","object":'),
      { kind: 'retryable', reason: 'InvalidAnswer' },
    ],
    ['no answer at all', () => {}, { kind: 'retryable', reason: 'Timeout' }],
    [
      'an error whose body never ends',
      (response) => void response.writeHead(500).write('{'),
      { kind: 'retryable', reason: 'Timeout' },
    ],
  ])('%s is thrown as a KubeError', async (_, answer, expected) => {
    const { client } = await start(answer, { requestTimeoutMs: 200 });
    expect(await failure(collect(client.watch(PODS, { resourceVersion: '1' })))).toMatchObject(expected);
  });

  it('outlives the time-out of requests, silent or trickling', async () => {
    const { client } = await start(
      async (response) => {
        response.write(event('ADDED', pod('a', '2')));
        await delay(250);
        response.end(event('MODIFIED', pod('a', '3')));
      },
      { requestTimeoutMs: 100 },
    );
    expect(await collect(client.watch(PODS, { resourceVersion: '1' }))).toHaveLength(2);
  });

  it('closes the connection when the consumer leaves the loop', async () => {
    const { server, client } = await start((response) => void response.write(event('ADDED', pod('a', '2'))));
    for await (const each of client.watch(PODS, { resourceVersion: '1' })) {
      expect(each.type).toBe('ADDED');
      break;
    }
    await until(() => expect(server.cutOff).toBe(1));
  });

  it('return() ends a next() that waits, and closes the connection', async () => {
    const { server, client } = await start((response) => void response.writeHead(200).flushHeaders());
    const iterator = client.watch(PODS, { resourceVersion: '1' })[Symbol.asyncIterator]();
    const waiting = iterator.next();
    await until(() => expect(server.received).toHaveLength(1));
    await iterator.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await until(() => expect(server.cutOff).toBe(1));
  });

  it('throws the reason of an abort by the caller', async () => {
    const { server, client } = await start((response) => void response.writeHead(200).flushHeaders());
    const controller = new AbortController();
    const running = collect(client.watch(PODS, { resourceVersion: '1', signal: controller.signal }));
    await until(() => expect(server.received).toHaveLength(1));
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await until(() => expect(server.cutOff).toBe(1));
  });

  it('does not starve other requests, however many watches are open', async () => {
    const { server, client } = await start(
      (response, { query }) => {
        if (query.watch) response.writeHead(200).flushHeaders();
        else json(response, pod('a', '1'));
      },
      { maxConnections: 1 },
    );
    const controller = new AbortController();
    const watches = Array.from({ length: 20 }, () =>
      collect(client.watch(PODS, { resourceVersion: '1', signal: controller.signal })),
    );
    const ended = Promise.allSettled(watches);
    await until(() => expect(server.received).toHaveLength(20));
    expect((await client.get(PODS, 'deploy', 'a')).metadata.name).toBe('a');
    controller.abort();
    await ended;
  });
});
