import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Log } from '../../../src/base/log.ts';
import { type KubeObject, PODS } from '../../../src/kube/client.ts';
import { Cache, type CacheOptions } from '../../../src/kube/informer/cache.ts';
import { ApiServer, bookmark, clientFor, event, json, pod, type Received, status } from '../../kit/api-server.ts';
import { settle, VirtualClock } from '../../kit/clocks.ts';
import { until } from '../../kit/eventually.ts';

const open: { stop?(): Promise<void>; close?(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await (each.stop?.() ?? each.close?.());
});

/** A cluster of Pods whose lists and watches a test answers one by one. */
class Cluster {
  pods: KubeObject[] = [];
  resourceVersion = '100';
  readonly lists: Received[] = [];
  readonly watches: { request: Received; response: ServerResponse }[] = [];
  /** The next lists, or watches, are answered by these instead. */
  readonly brokenLists: ((response: ServerResponse) => void)[] = [];
  readonly brokenWatches: ((response: ServerResponse) => void)[] = [];
  server!: ApiServer;

  async start(): Promise<this> {
    this.server = await new ApiServer((response, request) => {
      if (request.query.watch) {
        this.watches.push({ request, response });
        const broken = this.brokenWatches.shift();
        if (broken) return broken(response);
        response.writeHead(200).flushHeaders();
        return;
      }
      this.lists.push(request);
      const broken = this.brokenLists.shift();
      if (broken) return broken(response);
      const namespace = /namespaces\/([^/]+)/.exec(request.path)?.[1];
      const items = this.pods.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
      json(response, { metadata: { resourceVersion: this.resourceVersion }, items });
    }).listen();
    return this;
  }

  /** The response of the nth watch (from 1), once it was asked for. */
  async watch(n: number): Promise<ServerResponse> {
    await until(() => expect(this.watches.length).toBeGreaterThanOrEqual(n));
    return this.watches[n - 1]!.response;
  }

  asked(n: number): Record<string, string> {
    return this.watches[n - 1]!.request.query;
  }
}

const quick = { backoffBaseMs: 1, backoffCapMs: 10, shortestWatchMs: 0 };

async function follow(cluster: Cluster, options: Partial<CacheOptions<KubeObject>> = {}) {
  await cluster.start();
  const client = clientFor(cluster.server);
  const cache = new Cache<KubeObject>({ client, type: PODS, freeze: true, timings: quick, ...options });
  const events: string[] = [];
  cache.onEvent(({ type, object }) => {
    events.push(`${type} ${object.metadata.name}@${object.metadata.resourceVersion}`);
  });
  open.push(cluster.server, client, cache);
  cache.start();
  return { cache, events };
}

const refusal =
  (code: number, reason: string, headers = {}) =>
  (response: ServerResponse) =>
    json(response, status(code, reason, 'no'), code, headers);
const reset = (response: ServerResponse) => void response.socket?.resetAndDestroy();

describe('list and watch', () => {
  it('lists live, then watches from the resourceVersion of the list, and hands on what comes', async () => {
    const cluster = new Cluster();
    cluster.pods = [pod('a', '7')];
    const { cache, events } = await follow(cluster);
    expect(cache.hasSynced()).toBe(false);
    await cache.synced();
    expect(cache.hasSynced()).toBe(true);
    expect(cache.get('deploy', 'a')?.metadata.resourceVersion).toBe('7');
    expect(cluster.lists[0]?.query).toEqual({ limit: '500' });

    const watch = await cluster.watch(1);
    expect(cluster.asked(1)).toMatchObject({ resourceVersion: '100', allowWatchBookmarks: 'true' });
    watch.write(
      event('ADDED', pod('b', '101')) + event('MODIFIED', pod('a', '102')) + event('DELETED', pod('b', '103')),
    );
    await until(() => expect(events).toEqual(['ADDED a@7', 'ADDED b@101', 'MODIFIED a@102', 'DELETED b@103']));
    expect(cache.list().map(({ metadata }) => metadata.name)).toEqual(['a']);
    expect(cache.staleMs()).toBe(0);
  });

  it('asks for the watch to end after 5 to 10 minutes', async () => {
    const cluster = new Cluster();
    await follow(cluster);
    await cluster.watch(1);
    expect(Number(cluster.asked(1).timeoutSeconds)).toBeGreaterThanOrEqual(300);
    expect(Number(cluster.asked(1).timeoutSeconds)).toBeLessThanOrEqual(600);
  });

  it('reads a long list page by page and shows nothing of it before its end', async () => {
    const cluster = new Cluster();
    const page = (items: KubeObject[], next?: string) => (response: ServerResponse) =>
      json(response, { metadata: { resourceVersion: '100', continue: next }, items });
    cluster.brokenLists.push(page([pod('a', '1')], 'two'), page([pod('b', '2')], 'three'), page([pod('c', '3')]));
    const { cache } = await follow(cluster);
    await cache.synced();
    expect(cache.list()).toHaveLength(3);
    expect(cluster.lists.map(({ query }) => query.continue)).toEqual([undefined, 'two', 'three']);
  });

  it('lists in one piece when the position of a page has expired', async () => {
    const cluster = new Cluster();
    cluster.pods = [pod('a', '1'), pod('b', '2')];
    cluster.brokenLists.push(
      (response) => json(response, { metadata: { resourceVersion: '90', continue: 'two' }, items: [pod('x', '1')] }),
      refusal(410, 'Expired'),
    );
    const { cache, events } = await follow(cluster);
    await cache.synced();
    expect(events).toEqual(['ADDED a@1', 'ADDED b@2']);
    expect(cluster.lists[2]?.query).toEqual({});
  });

  it('goes on from the last bookmark without a list when the server ends the watch', async () => {
    const cluster = new Cluster();
    await follow(cluster);
    (await cluster.watch(1)).end(bookmark('150'));
    await cluster.watch(2);
    expect(cluster.asked(2).resourceVersion).toBe('150');
    expect(cluster.lists).toHaveLength(1);
  });

  it('goes on from the last event without a list when the connection breaks', async () => {
    const cluster = new Cluster();
    const { events } = await follow(cluster);
    const watch = await cluster.watch(1);
    watch.write(event('ADDED', pod('b', '120')));
    await until(() => expect(events).toHaveLength(1));
    reset(watch);
    await cluster.watch(2);
    expect(cluster.asked(2).resourceVersion).toBe('120');
    expect(cluster.lists).toHaveLength(1);
  });

  it.each([
    ['in the stream', (response: ServerResponse) => void response.end(event('ERROR', status(410, 'Expired', 'old')))],
    ['as the answer', refusal(410, 'Expired')],
  ])('lists anew after a 410 %s, and reports what vanished meanwhile as deleted', async (_, expired) => {
    const cluster = new Cluster();
    cluster.pods = [pod('a', '1'), pod('b', '2')];
    cluster.brokenWatches.push((response) => {
      cluster.pods = [pod('b', '5'), pod('c', '6')];
      cluster.resourceVersion = '200';
      expired(response);
    });
    const { events } = await follow(cluster);
    await cluster.watch(2);
    expect(cluster.asked(2).resourceVersion).toBe('200');
    expect(events).toEqual(['ADDED a@1', 'ADDED b@2', 'DELETED a@1', 'MODIFIED b@5', 'ADDED c@6']);
  });

  it('survives an API server that refuses, breaks off and talks nonsense for a while', async () => {
    const cluster = new Cluster();
    cluster.pods = [pod('a', '1')];
    cluster.brokenLists.push(
      refusal(403, 'Forbidden'),
      reset,
      (response) => void response.writeHead(500).end('<html>'),
      (response) => void response.end('{"items":['),
      refusal(404, 'NotFound'),
    );
    cluster.brokenWatches.push(
      reset,
      refusal(429, 'TooManyRequests'),
      (response) => void response.end('nonsense\n'),
      (response) => void response.end('{"type":"ADDED","object":{"metadata":'),
      refusal(403, 'Forbidden'),
    );
    const failures: string[] = [];
    const { cache } = await follow(cluster, { onFailure: (_, step) => failures.push(step) });
    await cache.synced();
    const watch = await cluster.watch(6);
    watch.write(event('ADDED', pod('b', '300')));
    await until(() => expect(cache.get('deploy', 'b')).toBeDefined());
    expect(failures).toEqual([...Array(5).fill('list'), ...Array(5).fill('watch')]);
    // The last refusal (403) is not cured by a second watch: one more list.
    expect(cluster.lists).toHaveLength(7);
  });

  it('follows several namespaces, each by itself, behind one set of lookups', async () => {
    const cluster = new Cluster();
    cluster.pods = [
      pod('a', '1', { namespace: 'one', labels: { owner: 'x' } }),
      pod('b', '2', { namespace: 'two', labels: { owner: 'x' } }),
      pod('c', '3', { namespace: 'three', labels: { owner: 'x' } }),
    ];
    const { cache } = await follow(cluster, {
      namespaces: ['one', 'two', 'one'],
      indexes: { owner: ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.owner}`] },
    });
    await cache.synced();
    expect(cluster.lists.map(({ path }) => path).sort()).toEqual([
      '/api/v1/namespaces/one/pods',
      '/api/v1/namespaces/two/pods',
    ]);
    expect(cache.list()).toHaveLength(2);
    expect(cache.list('two').map(({ metadata }) => metadata.name)).toEqual(['b']);
    expect(cache.byIndex('owner', 'one/x').map(({ metadata }) => metadata.name)).toEqual(['a']);
  });

  it('is complete only when every namespace is', async () => {
    const cluster = new Cluster();
    const held: ServerResponse[] = [];
    cluster.brokenLists.push((response) => void held.push(response));
    const { cache } = await follow(cluster, { namespaces: ['one', 'two'] });
    await cluster.watch(1);
    expect(cache.hasSynced()).toBe(false);
    json(held[0]!, { metadata: { resourceVersion: '1' }, items: [] });
    await cache.synced();
    expect(cache.hasSynced()).toBe(true);
  });
});

describe('handlers', () => {
  it('that throw or reject are logged and harm neither the loop nor each other', async () => {
    const cluster = new Cluster();
    cluster.pods = [pod('a', '1'), pod('b', '2')];
    const error = vi.fn();
    const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error };
    const { cache, events } = await follow(cluster, { log });
    cache.onEvent(() => {
      throw new Error('thrown');
    });
    cache.onEvent(async () => {
      throw new Error('rejected');
    });
    const late: string[] = [];
    const remove = cache.onEvent(({ object }) => {
      late.push(object.metadata.name);
    });
    await cache.synced();
    await until(() => expect(error).toHaveBeenCalledTimes(4));
    expect(events).toHaveLength(2);
    expect(late).toEqual(['a', 'b']);
    remove();
    (await cluster.watch(1)).write(event('ADDED', pod('c', '3')));
    await until(() => expect(events).toHaveLength(3));
    expect(late).toHaveLength(2);
  });

  it('find the change already in the lookups', async () => {
    const cluster = new Cluster();
    cluster.pods = [pod('a', '1')];
    const { cache } = await follow(cluster);
    const seen: boolean[] = [];
    cache.onEvent(({ object }) => void seen.push(cache.get('deploy', object.metadata.name) !== undefined));
    await cache.synced();
    expect(seen).toEqual([true]);
  });
});

describe('time', () => {
  /** Goes on in time, in steps, until the condition holds; the server answers in real time. */
  async function advanceUntil(clock: VirtualClock, stepMs: number, condition: () => void): Promise<void> {
    await until(async () => {
      await clock.advance(stepMs);
      condition();
    });
  }

  it('cuts a watch that the server neither ends nor feeds, and goes on from the same place', async () => {
    const clock = new VirtualClock();
    const cluster = new Cluster();
    const { cache } = await follow(cluster, { clock, timings: {} });
    await cluster.watch(1);
    await settle();
    // random = 0.5: the server was asked to end it after 7.5 min, grace is half a minute.
    await clock.advance(7.9 * 60_000);
    expect(cluster.server.cutOff).toBe(0);
    await clock.advance(0.2 * 60_000);
    await cluster.watch(2);
    expect(cluster.asked(2).resourceVersion).toBe('100');
    expect(cluster.lists).toHaveLength(1);
    expect(cache.staleMs()).toBe(0);
  });

  it('cuts a watch that has sent bookmarks and falls silent for 3 minutes', async () => {
    const clock = new VirtualClock();
    const cluster = new Cluster();
    const { cache, events } = await follow(cluster, { clock, timings: {} });
    const watch = await cluster.watch(1);
    watch.write(bookmark('110') + event('ADDED', pod('a', '111')));
    await until(() => expect(events).toHaveLength(1));
    await clock.advance(2 * 60_000);
    watch.write(event('ADDED', pod('b', '112')));
    await until(() => expect(cache.get('deploy', 'b')).toBeDefined());
    await clock.advance(2 * 60_000);
    expect(cluster.watches).toHaveLength(1);
    await clock.advance(61_000);
    await cluster.watch(2);
    expect(cluster.asked(2).resourceVersion).toBe('112');
  });

  it('waits longer after each failure in a row, up to a bound, and counts anew once it works', async () => {
    const clock = new VirtualClock();
    const cluster = new Cluster();
    cluster.brokenLists.push(...Array(8).fill(refusal(503, 'ServiceUnavailable')));
    const { cache } = await follow(cluster, { clock, timings: { backoffBaseMs: 800, backoffCapMs: 30_000 } });
    const delays = () => clock.asked.filter((ms) => ms < 60_000);
    await advanceUntil(clock, 1000, () => expect(cluster.lists).toHaveLength(9));
    await cache.synced();
    // random = 0.5 of 800·2^n, at most 30 s.
    expect(delays()).toEqual([400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000]);
    const watch = await cluster.watch(1);
    watch.write(bookmark('110'));
    await until(() => expect(clock.pending).toBe(1));
    await settle();
    reset(watch);
    await advanceUntil(clock, 100, () => expect(cluster.watches).toHaveLength(2));
    expect(delays().at(-1)).toBe(400);
  });

  it('waits as long as Retry-After says', async () => {
    const clock = new VirtualClock();
    const cluster = new Cluster();
    cluster.brokenLists.push(refusal(429, 'TooManyRequests', { 'retry-after': '17' }));
    await follow(cluster, { clock, timings: {} });
    await until(() => expect(clock.asked).toContain(17_000));
  });

  it('takes a watch that ends at once and empty for a failure, so that it never spins', async () => {
    const clock = new VirtualClock();
    const cluster = new Cluster();
    cluster.brokenWatches.push(...Array(4).fill((response: ServerResponse) => response.end()));
    await follow(cluster, { clock, timings: {} });
    await advanceUntil(clock, 100, () => expect(cluster.watches).toHaveLength(5));
    expect(clock.asked.filter((ms) => ms < 60_000)).toEqual([400, 800, 1600, 3200]);
    expect(cluster.lists).toHaveLength(1);
  });

  it('says how long it has been out of touch', async () => {
    const clock = new VirtualClock();
    const cluster = new Cluster();
    const { cache } = await follow(cluster, { clock, timings: { backoffBaseMs: 600_000, backoffCapMs: 600_000 } });
    expect(cache.staleMs()).toBe(Number.POSITIVE_INFINITY);
    await cache.synced();
    reset(await cluster.watch(1));
    await until(() => expect(clock.asked.at(-1)).toBe(300_000));
    await clock.advance(60_000);
    expect(cache.staleMs()).toBe(60_000);
    await clock.advance(240_000);
    (await cluster.watch(2)).write(bookmark('110'));
    await until(() => expect(cache.staleMs()).toBe(0));
  });
});

describe('stop', () => {
  it('ends the watch and every timer, and no handler is called afterwards', async () => {
    const clock = new VirtualClock();
    const cluster = new Cluster();
    const { cache, events } = await follow(cluster, { clock });
    await cache.synced();
    const watch = await cluster.watch(1);
    await cache.stop();
    expect(clock.pending).toBe(0);
    await until(() => expect(cluster.server.cutOff).toBe(1));
    watch.write(event('ADDED', pod('a', '101')));
    expect(events).toEqual([]);
    expect(cluster.watches).toHaveLength(1);
  });

  it('before the first list rejects who waits for it', async () => {
    const cluster = new Cluster();
    cluster.brokenLists.push(() => {});
    const { cache } = await follow(cluster);
    const synced = cache.synced();
    await cache.stop();
    await expect(synced).rejects.toThrow('was stopped before it was complete');
  });

  it('during backoff returns at once', async () => {
    const cluster = new Cluster();
    cluster.brokenLists.push(refusal(403, 'Forbidden'));
    const failed = vi.fn();
    const timings = { backoffBaseMs: 600_000, backoffCapMs: 600_000 };
    const { cache } = await follow(cluster, { onFailure: failed, timings });
    await until(() => expect(failed).toHaveBeenCalled());
    await cache.stop();
    expect(cluster.lists).toHaveLength(1);
  });
});
