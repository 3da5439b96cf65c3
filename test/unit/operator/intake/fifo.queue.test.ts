import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GOOD } from '../../../kit/builders.ts';
import { until } from '../../../kit/eventually.ts';
import { SqsServer } from '../../sqs/sqs-server.ts';
import { apiError } from './cluster.ts';
import { aRig, peek, type Rig, stopAll } from './rig.ts';

let server: SqsServer;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterAll(async () => {
  await stopAll();
  await server.stop();
});

const idOf = (job: { metadata: { annotations?: Record<string, string> } }) =>
  job.metadata.annotations?.['capdeployjob.dev/id'] ?? '';
const ids = (rig: Rig) => [...rig.cluster.jobs.values()].map(idOf);

/** A request whose group is the letter of its id. */
const request = (id: string, changes: Record<string, unknown> = {}) => JSON.stringify({ ...GOOD, id, ...changes });
const groupOf = (body: string) => (JSON.parse(body) as { id: string }).id.slice(0, 1);

describe.concurrent('a FIFO queue', () => {
  it('gives its Jobs the order of each group, across lanes and whatever the messages claim of their age', async () => {
    const rig = await aRig(server, { queue: { fifo: true }, started: false });
    const bodies = [
      request('A1', { sentAt: '2026-03-03T00:00:00Z' }),
      request('A2', { sentAt: '2026-01-01T00:00:00Z', environment: 'staging' }),
      request('B1', { sentAt: '2026-02-02T00:00:00Z' }),
      request('A3', { sentAt: '2026-02-02T00:00:00Z' }),
      request('B2', { sentAt: '2026-01-01T00:00:00Z' }),
    ];
    await server.sendTogether(rig.url, bodies, groupOf);
    rig.poller = rig.start();
    await until(() => expect(ids(rig)).toHaveLength(5));
    for (const group of ['A', 'B']) {
      const inOrder = ids(rig).filter((id) => id.startsWith(group));
      expect(inOrder).toEqual(inOrder.toSorted());
    }
    await rig.poller.stop();
    expect(await peek(rig.producer, 1)).toEqual([]);
  });

  it('lets no later one of a group pass the first that cannot be created yet', async () => {
    let failures = 3;
    const rig = await aRig(server, { queue: { fifo: true }, started: false });
    rig.cluster.failCreate = (job) =>
      idOf(job) === 'A1' && failures-- > 0 ? apiError('retryable', 503, 'ServiceUnavailable') : undefined;
    await server.sendTogether(rig.url, [request('A1'), request('A2', { environment: 'staging' })], groupOf);
    rig.poller = rig.start();
    await until(() => expect(ids(rig)).toEqual(['A1', 'A2']));
    expect(failures).toBeLessThan(0);
  });

  it('goes on with a group after one of it was rejected and moved to the dead-letter queue', async () => {
    const dead = await server.createQueue({ fifo: true });
    const rig = await aRig(server, { queue: { fifo: true, redriveTo: dead, maxReceiveCount: 2 }, started: false });
    await server.sendTogether(rig.url, [request('A1', { environment: 'qa' }), request('A2')], groupOf);
    rig.poller = rig.start();
    await until(() => expect(ids(rig)).toEqual(['A2']));
    // Asked anew each second: a poll that waits already is not woken by a move on every server.
    const buried = server.open(dead);
    const body = request('A1', { environment: 'qa' });
    await until(async () => expect(await peek(buried, 1)).toMatchObject([{ body }]));
    expect(rig.cluster.rejections).toMatchObject([{ reason: 'UnknownEnvironment' }]);
  });
});
