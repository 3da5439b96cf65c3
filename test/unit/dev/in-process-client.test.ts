import { RequestLog } from 'in-memory-kubernetes/http/requests.ts';
import type { Store } from 'in-memory-kubernetes/store/store.ts';
import { describe, expect, test } from 'vitest';
import { createLocalClient } from '../../../dev/in-process-client.ts';
import {
  CAPDEPLOYJOBS,
  CONFIG_MAPS,
  capDeployJob,
  configMap,
  DEFINITIONS,
  definition,
  JOBS,
  job,
  merged,
  newStore,
} from '../../../packages/in-memory-kubernetes/test/builders.ts';
import type { KubeClient, KubeObject, WatchEvent } from '../../../src/kube/client.ts';
import type { KubeErrorKind } from '../../../src/kube/errors.ts';
import { isKubeError, KubeError } from '../../../src/kube/errors.ts';

function world() {
  const { store, clock } = newStore();
  store.create(DEFINITIONS, definition());
  const requests = new RequestLog();
  return { store, clock, requests, client: createLocalClient(store, { requests }) };
}

const object = (body: unknown): KubeObject => body as KubeObject;
const preconditions = ({ metadata: { uid = '', resourceVersion = '' } }: KubeObject) => ({ uid, resourceVersion });

async function kindOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'done';
  } catch (error) {
    if (!isKubeError(error)) throw error;
    return `${error.kind} ${error.status} ${error.reason}`;
  }
}

describe('the client in process', () => {
  test('creates, reads, lists, patches, writes status and deletes', async () => {
    const { client } = world();
    const created = await client.create(CAPDEPLOYJOBS, capDeployJob('web'));
    const patched = await client.patch(CAPDEPLOYJOBS, 'default', 'web', preconditions(created), { spec: { wait: 3 } });
    const stored = await client.replaceStatus(CAPDEPLOYJOBS, { ...patched, status: { waiting: 1 } });
    expect(await client.get(CAPDEPLOYJOBS, 'default', 'web')).toEqual(stored);
    expect((await client.list(CAPDEPLOYJOBS, { namespace: 'default' })).items).toEqual([stored]);
    await client.delete(CAPDEPLOYJOBS, 'default', 'web', preconditions(stored));
    expect((await client.list(CAPDEPLOYJOBS)).items).toEqual([]);
  });

  test.each<
    [
      what: string,
      call: (client: KubeClient, stored: KubeObject, store: Store) => Promise<unknown>,
      kind: `${KubeErrorKind} ${string}`,
    ]
  >([
    ['a name that is not there is gone', (client) => client.get(JOBS, 'default', 'none'), 'gone 404 NotFound'],
    ['a type that is not served is gone', (client) => client.list({ ...JOBS, version: 'v2' }), 'gone 404 NotFound'],
    ['a name that is taken exists', (client) => client.create(JOBS, object(job('a'))), 'exists 409 AlreadyExists'],
    [
      'an old resourceVersion on status is a conflict',
      (client, stored) =>
        client.replaceStatus(JOBS, merged(stored, { metadata: { resourceVersion: '1' }, status: { active: 1 } })),
      'conflict 409 Conflict',
    ],
    [
      'an old resourceVersion on a patch is a conflict',
      (client, stored) => client.patch(JOBS, 'default', 'a', { ...preconditions(stored), resourceVersion: '1' }, {}),
      'conflict 409 Conflict',
    ],
    [
      'another uid with the resourceVersion of now, which no object can have, is judged as a field',
      (client, stored) => client.patch(JOBS, 'default', 'a', { ...preconditions(stored), uid: 'x' }, {}),
      'invalid 422 Invalid',
    ],
    [
      'the uid and resourceVersion of another object on a patch are a conflict',
      (client) => client.patch(JOBS, 'default', 'a', { uid: 'x', resourceVersion: '1' }, {}),
      'conflict 409 Conflict',
    ],
    [
      'another uid on a deletion is a conflict',
      (client, stored) => client.delete(JOBS, 'default', 'a', { ...preconditions(stored), uid: 'x' }),
      'conflict 409 Conflict',
    ],
    ['an invalid Job is invalid', (client) => client.create(JOBS, object(job('B'))), 'invalid 422 Invalid'],
    [
      'an unknown field of a Job is invalid, for Jobs are created strictly',
      (client) => client.create(JOBS, object(job('b', { futur: 1 }))),
      'invalid 400 BadRequest',
    ],
    [
      'a request that was aborted before is retryable',
      (client) => client.get(JOBS, 'default', 'a', { signal: AbortSignal.abort() }),
      'retryable 0 AbortError',
    ],
  ])('%s', async (_what, call, kind) => {
    const { client, store } = world();
    const stored = await client.create(JOBS, object(job('a', { suspend: true })));
    expect(await kindOf(call(client, stored, store))).toBe(kind);
  });

  test('in a dry run is told what is wrong, and stores nothing', async () => {
    const { client } = world();
    await client.create(JOBS, object(job('a')), { dryRun: true });
    expect(await kindOf(client.create(JOBS, object(job('A')), { dryRun: true }))).toBe('invalid 422 Invalid');
    expect((await client.list(JOBS)).items).toEqual([]);
  });

  test('a patch in a dry run answers the object as it would be, and stores nothing', async () => {
    const { client } = world();
    const stored = await client.create(JOBS, object(job('a', { suspend: true })));
    const patch = { spec: { suspend: false } };
    const shown = await client.patch(JOBS, 'default', 'a', preconditions(stored), patch, { dryRun: true });
    expect(shown).toMatchObject(patch);
    expect(await client.get(JOBS, 'default', 'a')).toEqual(stored);
  });

  test('gets copies: what a caller does to them is not done to the store', async () => {
    const { client } = world();
    const created = await client.create(CONFIG_MAPS, object(configMap('a', { x: '1' })));
    created.metadata.name = 'changed';
    const [listed] = (await client.list(CONFIG_MAPS)).items;
    expect(listed?.metadata.name).toBe('a');
  });

  test('lists in pages and by selectors', async () => {
    const { client } = world();
    for (const name of ['a', 'b', 'c'])
      await client.create(CONFIG_MAPS, object(configMap(name, {}, { labels: { app: name } })));
    const first = await client.list(CONFIG_MAPS, { limit: 2 });
    const rest = await client.list(CONFIG_MAPS, { limit: 2, continue: first.metadata.continue ?? '' });
    expect([...first.items, ...rest.items].map((each) => each.metadata.name)).toEqual(['a', 'b', 'c']);
    expect((await client.list(CONFIG_MAPS, { labelSelector: 'app in (a,c)' })).items).toHaveLength(2);
  });

  test('is counted', async () => {
    const { client, requests } = world();
    await client.list(JOBS);
    await client.create(JOBS, object(job('a')));
    expect(requests.counts()).toEqual({ 'create jobs': 1, 'list jobs': 1 });
  });
});

describe('a watch in process', () => {
  async function collect(watch: AsyncIterable<WatchEvent>, count: number): Promise<string[]> {
    const seen: string[] = [];
    for await (const { type, object: each } of watch) {
      seen.push(type === 'BOOKMARK' ? type : `${type} ${each.metadata.name}`);
      if (seen.length === count) break;
    }
    return seen;
  }

  test('tells what happens after a list', async () => {
    const { client } = world();
    const { resourceVersion } = (await client.list(CONFIG_MAPS)).metadata;
    await client.create(CONFIG_MAPS, object(configMap('a')));
    const seen = collect(client.watch(CONFIG_MAPS, { resourceVersion }), 2);
    await client.create(CONFIG_MAPS, object(configMap('b')));
    expect(await seen).toEqual(['ADDED a', 'ADDED b']);
  });

  test('ends normally when its time is over, and sends bookmarks until then', async () => {
    const { client, clock } = world();
    const seen = collect(client.watch(CONFIG_MAPS, { resourceVersion: '', timeoutSeconds: 130 }), 99);
    await Promise.resolve();
    clock.advance(130_000);
    expect(await seen).toEqual(['BOOKMARK', 'BOOKMARK']);
  });

  test('from before the history that is kept throws gone, Expired', async () => {
    const { client, store } = world();
    await client.create(CONFIG_MAPS, object(configMap('a')));
    store.forgetHistory();
    expect(await kindOf(collect(client.watch(CONFIG_MAPS, { resourceVersion: '1' }), 1))).toBe('gone 410 Expired');
  });

  test('that is aborted throws a KubeError, and leaves no timer behind', async () => {
    const { client, clock } = world();
    const controller = new AbortController();
    const seen = collect(client.watch(CONFIG_MAPS, { resourceVersion: '', signal: controller.signal }), 1);
    await Promise.resolve();
    controller.abort();
    await expect(seen).rejects.toThrow(KubeError);
    expect(clock.nextDue()).toBeUndefined();
  });

  test('ends when the server ends it', async () => {
    const { client, store } = world();
    const seen = collect(client.watch(CONFIG_MAPS, { resourceVersion: '' }), 1);
    await Promise.resolve();
    store.endWatches();
    expect(await seen).toEqual([]);
  });
});
