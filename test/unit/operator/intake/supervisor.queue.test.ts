import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Supervisor } from '../../../../src/operator/intake/supervisor.ts';
import type { Queue, QueueSettings, ReceiveOptions } from '../../../../src/sqs/queue.ts';
import { aCheckedResource, GOOD } from '../../../kit/builders.ts';
import { until } from '../../../kit/eventually.ts';
import { SqsServer } from '../../sqs/sqs-server.ts';
import { Cluster } from './cluster.ts';
import { partsOf, peek } from './rig.ts';

let server: SqsServer;
let cluster: Cluster;
let supervisor: Supervisor;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterEach(() => supervisor.abort());
afterAll(() => server.stop());

function start(openQueue = (settings: QueueSettings): Queue => server.clients.open(settings)) {
  supervisor = new Supervisor({
    ...partsOf(cluster),
    selection: { allowedOrigins: new Set([server.endpoint]), allowRules: [], defaultRegion: 'us-east-1' },
    openQueue,
  });
}

async function aReader(name: string, spec: Record<string, unknown> = {}, waitTimeSeconds = 1): Promise<Queue> {
  const url = await server.createQueue();
  put(name, url, { queue: { url, waitTimeSeconds, visibilityTimeoutSeconds: 10 }, ...spec });
  return server.open(url);
}

function put(name: string, url: string, spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}) {
  const queue = { url, waitTimeSeconds: 1, visibilityTimeoutSeconds: 10 };
  cluster.put(aCheckedResource({ spec: { queue, ...spec }, metadata: { name, uid: `uid-of-${name}`, ...metadata } }));
}

const created = () => [...cluster.jobs.values()].map((job) => job.metadata.ownerReferences?.[0]?.name);
const stateOf = (name: string) => cluster.queueStates.findLast(({ key }) => key === `deploy/${name}`);

describe('the supervisor', () => {
  it('reads the queue of a resource that comes, and stops with the resource', async () => {
    cluster = new Cluster();
    start();
    const queue = await aReader('web');
    await queue.send(JSON.stringify(GOOD));
    await until(() => expect(created()).toEqual(['web']));
    await until(() => expect(stateOf('web')).toMatchObject({ kind: 'reading' }));
    cluster.remove('deploy/web');
    await supervisor.stop();
    await queue.send(JSON.stringify({ ...GOOD, id: 'late' }));
    expect(await peek(queue, 1)).toHaveLength(1);
  });

  it('tells once why a resource is not read, and reads it when that is over', async () => {
    cluster = new Cluster();
    const queue = await aReader('web', { suspend: true });
    start();
    await until(() => expect(stateOf('web')).toMatchObject({ kind: 'off', reason: 'Suspended' }));
    const resource = cluster.get('deploy/web') as ReturnType<typeof aCheckedResource>;
    cluster.put({ ...resource, metadata: { ...resource.metadata, resourceVersion: '2' } });
    await queue.send(JSON.stringify(GOOD));
    cluster.put({ ...resource, spec: { ...(resource.spec as object), suspend: false } });
    await until(() => expect(created()).toEqual(['web']));
    expect(cluster.queueStates.filter(({ kind }) => kind === 'off')).toHaveLength(1);
  });

  it('drains the old poller before the new one starts, when the queue of a resource changes', async () => {
    cluster = new Cluster();
    const open: string[] = [];
    await aReader('web');
    start((settings) => {
      const queue = server.clients.open(settings);
      open.push(`open ${settings.url}`);
      return Object.assign(queue, { close: () => open.push(`close ${settings.url}`) });
    });
    await until(() => expect(stateOf('web')).toMatchObject({ kind: 'reading', lastReadAt: expect.any(Number) }));
    const [, first] = (open[0] as string).split(' ');
    const second = await server.createQueue();
    put('web', second);
    const queue = server.open(second);
    await queue.send(JSON.stringify(GOOD));
    await until(() => expect(created()).toEqual(['web']));
    expect(open).toEqual([`open ${first}`, `close ${first}`, `open ${second}`]);
  });

  it('does not restart a poller for an edit that polling does not care about', async () => {
    cluster = new Cluster();
    let opened = 0;
    const queue = await aReader('web');
    start((settings) => {
      opened++;
      return server.clients.open(settings);
    });
    await until(() => expect(stateOf('web')).toMatchObject({ kind: 'reading' }));
    const { spec } = cluster.get('deploy/web') as { spec: Record<string, unknown> };
    cluster.put(
      aCheckedResource({
        spec: { ...spec, maxWaiting: 5 },
        metadata: { uid: 'uid-of-web', generation: 2, resourceVersion: '2' },
      }),
    );
    await queue.send(JSON.stringify(GOOD));
    await until(() => expect(created()).toEqual(['web']));
    expect(opened).toBe(1);
  });

  it('Invariant 9: sixty long polls starve no delete, and neither a queue that fails nor one that cannot be opened harms the others', async () => {
    cluster = new Cluster();
    const queues: Queue[] = [];
    for (let i = 0; i < 60; i++) queues.push(await aReader(`web-${i}`, {}, 20));
    put('missing', server.missingQueue());
    put('broken', `${server.endpoint}/000000000000/broken`);
    // With an id of its own: a send that the SDK repeats, because an answer was late, makes two messages.
    const request = (i: number) => JSON.stringify({ ...GOOD, id: `request-${i}` });
    let deletes = 0;
    let unanswered = 0;
    start((settings) => {
      if (settings.url.endsWith('broken')) throw new Error('cannot be opened');
      const queue = server.clients.open(settings);
      const remove = queue.delete.bind(queue);
      const receive = queue.receive.bind(queue);
      return Object.assign(queue, {
        receive: async (options: ReceiveOptions) => {
          const messages = await receive(options);
          if (messages.length === 0) unanswered++;
          return messages;
        },
        delete: async (handles: string[], signal: AbortSignal) => {
          const outcome = await remove(handles, signal);
          deletes++;
          return outcome;
        },
      });
    });
    await until(() => {
      for (let i = 0; i < 60; i++) expect(stateOf(`web-${i}`)).toMatchObject({ kind: 'reading' });
      expect(stateOf('missing')).toMatchObject({ kind: 'failing', reason: 'QueueDoesNotExist' });
    });
    // The last ones to poll: of the SDK's own 50 sockets there would be none left for them for 20 seconds.
    await queues.at(-1)?.send(request(59));
    await until(() => expect(created()).toEqual(['web-59']));
    await Promise.all(queues.slice(0, -1).map((queue, i) => queue.send(request(i))));
    await until(() => expect(deletes).toBeGreaterThanOrEqual(60));
    expect(created()).toHaveLength(60);
    // Whatever waits behind the polls waits until one has waited its time out.
    expect(unanswered).toBe(0);
  }, 60_000);
});
