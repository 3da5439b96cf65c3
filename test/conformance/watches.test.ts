import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import type { WatchStream } from './api.ts';
import { WORLD } from './api.ts';
import { capDeployJob, configMap } from './objects.ts';
import { events, said, shown, suite } from './suite.ts';

const it = suite();
const streams: WatchStream[] = [];

afterEach(() => {
  for (const stream of streams.splice(0)) stream.stop();
});

async function watch(collection: string, query: Record<string, string>, headers?: Record<string, string>) {
  const stream = await it.api.watch(`${collection}?${new URLSearchParams(query)}`, headers);
  streams.push(stream);
  return stream;
}

const version = async (collection = it.maps): Promise<string> =>
  (await it.api.get(collection)).body.metadata.resourceVersion;
const label = (name: string, w: string) => it.api.patch(`${it.maps}/${name}`, { metadata: { labels: { w } } });

describe('a watch', () => {
  test.each([['a selector sees objects enter and leave it as additions and deletions', { labelSelector: 'w=select' }]])(
    'with %s, with the resourceVersion of the change',
    async (_what, query) => {
      await it.api.post(it.maps, configMap('before', {}, { labels: { w: 'select' } }));
      const stream = await watch(it.maps, { ...query, resourceVersion: await version() });
      await it.api.post(it.maps, configMap('select', {}, { labels: { w: 'select' } }));
      await it.api.patch(`${it.maps}/select`, { data: { y: '2' } });
      await label('select', 'other');
      await it.api.patch(`${it.maps}/select`, { data: { y: '3' } });
      await label('select', 'select');
      await it.api.delete(`${it.maps}/select`);
      expect(await events(stream, 5)).toEqual([
        'ADDED select',
        'MODIFIED select',
        'DELETED select',
        'ADDED select',
        'DELETED select',
      ]);
      // What leaves the selection is shown as it was seen last.
      expect(stream.events[2]?.object).toMatchObject({ metadata: { labels: { w: 'select' } }, data: { y: '2' } });
      const versions = stream.events.map(({ object }) => Number(object.metadata.resourceVersion));
      expect(versions).toEqual([...new Set(versions)].sort((left, right) => left - right));
      expect(stream.events[0]?.object).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' });
    },
  );

  test.each([[{}], [{ resourceVersion: '' }], [{ resourceVersion: '0' }]])(
    'from %j begins with what is there',
    async (query) => {
      await it.api.post(it.maps, configMap('there', {}, { labels: { w: 'there' } }));
      const stream = await watch(it.maps, { labelSelector: 'w=there', ...query });
      expect((await events(stream, 1))[0]).toBe('ADDED there');
    },
  );

  test('of one name hears of no other', async () => {
    const stream = await watch(it.maps, { fieldSelector: 'metadata.name=named', resourceVersion: await version() });
    await it.api.post(it.maps, configMap('not-named'));
    await it.api.post(it.maps, configMap('named'));
    await label('named', 'x');
    expect(await events(stream, 2)).toEqual(['ADDED named', 'MODIFIED named']);
  });

  test('hears of no change if nothing changed', async () => {
    await it.api.post(it.cdj, capDeployJob('quiet'));
    const stream = await watch(it.cdj, { resourceVersion: await version(it.cdj) });
    await it.api.patch(`${it.cdj}/quiet`, { spec: { suspend: true } });
    await it.api.patch(`${it.cdj}/quiet/status`, { status: { waiting: 1 } });
    expect(await events(stream, 1)).toEqual(['MODIFIED quiet']);
  });

  test('of one object by its path is no watch: the object is answered', async () => {
    await it.api.post(it.maps, configMap('single'));
    const answer = await it.api.get(`${it.maps}/single?watch=true`);
    expect(answer).toMatchObject({ status: 200, body: { kind: 'ConfigMap', metadata: { name: 'single' } } });
  });

  test('ends after timeoutSeconds', async () => {
    const begun = Date.now();
    const stream = await watch(it.maps, {
      labelSelector: 'no=such',
      resourceVersion: await version(),
      timeoutSeconds: '1',
    });
    await eventually('the end of the watch', async () => stream.ended);
    expect(Date.now() - begun).toBeGreaterThan(900);
    expect(shown(stream)).toEqual([]);
  });

  test('from too long ago begins, and its one event is ERROR 410 Expired', async () => {
    // Of a type that came later: what the API server knows of a built-in one may begin with its very first version.
    await it.api.post(it.cdj, capDeployJob('old'));
    if (WORLD === 'local') it.api.compact();
    const stream = await watch(it.cdj, { resourceVersion: '1' });
    await eventually('the end of the watch', async () => stream.ended);
    expect(stream.status).toBe(200);
    expect(stream.events).toMatchObject([
      {
        type: 'ERROR',
        object: {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: expect.stringMatching(/^too old resource version: 1 \(\d+\)$/),
          reason: 'Expired',
          code: 410,
        },
      },
    ]);
  });

  test('that asks for initial events gets them, and a bookmark that says that they are all', async () => {
    await it.api.post(it.maps, configMap('init', {}, { labels: { w: 'init' } }));
    const stream = await watch(it.maps, {
      labelSelector: 'w=init',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '20',
    });
    expect(await events(stream, 2)).toEqual(['ADDED init', 'BOOKMARK']);
    expect(stream.events[1]).toEqual({
      type: 'BOOKMARK',
      object: {
        kind: 'ConfigMap',
        apiVersion: 'v1',
        metadata: {
          resourceVersion: expect.stringMatching(/^\d+$/),
          annotations: { 'k8s.io/initial-events-end': 'true' },
        },
      },
    });
  });

  test('that allows bookmarks gets them, of the kind that it watches and without a name', async () => {
    // Best effort: the real server sends one shortly before a watch ends, if it can.
    const bookmark = await eventually('a bookmark', async () => {
      const query = { resourceVersion: await version(it.cdj), allowWatchBookmarks: 'true', timeoutSeconds: '6' };
      const stream = await watch(it.cdj, query);
      const find = () => stream.events.find(({ type }) => type === 'BOOKMARK');
      await eventually('a bookmark or the end of the watch', async () => stream.ended || find() !== undefined);
      return find();
    });
    expect(bookmark.object).toMatchObject({ kind: 'CapDeployJob', apiVersion: 'capdeployjob.dev/v1alpha1' });
    expect(bookmark.object.metadata).toEqual({ resourceVersion: expect.stringMatching(/^\d+$/) });
  }, 60_000);

  const unparsable = 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax';
  const forbidden = (words: string) =>
    `422 Invalid: ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: ${words}`;
  test.each<[query: string, words: string]>([
    ['resourceVersion=x', `500 -: ${unparsable}`],
    ['labelSelector=a%3Db%3Dc', "400 BadRequest: found '=', expected: ',' or 'end of string'"],
    [
      'fieldSelector=x%3D1',
      '400 BadRequest: "x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
    ['sendInitialEvents=true', forbidden('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')],
    [
      'resourceVersionMatch=NotOlderThan',
      forbidden('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
    ],
  ])('with %s is refused before it begins', async (query, words) => {
    expect(said(await it.api.get(`${it.maps}?watch=true&${query}`))).toBe(words);
  });
});

describe('a watch in another form', () => {
  test('as a table sends rows, with the columns in the first one', async () => {
    await it.api.post(it.maps, configMap('rows', {}, { labels: { w: 'rows' } }));
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const stream = await watch(it.maps, { labelSelector: 'w=rows', resourceVersion: await version() }, { accept });
    await it.api.patch(`${it.maps}/rows`, { data: { y: '1' } });
    await it.api.patch(`${it.maps}/rows`, { data: { z: '1' } });
    await eventually('two rows', async () => stream.events.length >= 2);
    expect(stream.events).toMatchObject([
      { type: 'MODIFIED', object: { kind: 'Table', rows: [{ cells: ['rows', 1, expect.any(String)] }] } },
      {
        type: 'MODIFIED',
        object: { kind: 'Table', columnDefinitions: null, rows: [{ cells: ['rows', 2, expect.any(String)] }] },
      },
    ]);
    expect(stream.events[0]?.object.columnDefinitions).toHaveLength(3);
  });

  test('as metadata sends nothing else', async () => {
    await it.api.post(it.maps, configMap('meta', {}, { labels: { w: 'meta' } }));
    const accept = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json';
    const stream = await watch(it.maps, { labelSelector: 'w=meta' }, { accept });
    await eventually('an event', async () => stream.events.length >= 1);
    const { object } = stream.events[0] ?? {};
    expect(object).toMatchObject({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'meta' },
    });
    expect(object).not.toHaveProperty('data');
  });
});
