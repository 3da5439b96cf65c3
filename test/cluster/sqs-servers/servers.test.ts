import { randomUUID } from 'node:crypto';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../../../dev/local-sqs.ts';
import { SqsClients } from '../../../src/sqs/clients.ts';
import { until } from '../../kit/eventually.ts';
import { nothing, one } from '../../unit/sqs/receiving.ts';
import { letGo } from '../processes.ts';
import { type SqsServerProcess, startElasticMq, startMiniStack } from './index.ts';

const TIMEOUT_MS = 180_000;
vi.setConfig({ testTimeout: TIMEOUT_MS, hookTimeout: TIMEOUT_MS });
afterAll(() => letGo());

/** A new queue, with a client of the operator's. */
async function aQueue(at: SqsServerProcess) {
  const name = randomUUID();
  const admin = new SQSClient({ region: LOCAL_REGION, endpoint: at.endpoint, credentials: LOCAL_CREDENTIALS });
  await admin.send(new CreateQueueCommand({ QueueName: name }));
  const clients = new SqsClients();
  const url = `${at.endpoint}/000000000000/${name}`;
  const queue = clients.open({ url, region: LOCAL_REGION, roleArn: undefined, externalId: 'deploy/web' });
  admin.destroy();
  return { queue, close: () => clients.close() };
}

describe.each([
  ['MiniStack', startMiniStack],
  ['ElasticMQ', startElasticMq],
])('%s', (name, start) => {
  let server: SqsServerProcess;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(async () => {
    const { pid, endpoint } = server;
    await server.stop();
    expect(() => process.kill(pid as number, 0)).toThrow('ESRCH');
    await expect(fetch(endpoint)).rejects.toThrow();
  });

  it('keeps queues and messages over a restart, at the same address, and the operator goes on with it', async () => {
    const { queue, close } = await aQueue(server);
    const { messageId } = await queue.send('x');
    const before = server.pid;
    await server.restart();
    expect(server.pid).not.toBe(before);
    expect(await one(queue)).toMatchObject({ messageId, body: 'x' });
    close();
  });

  it('that is killed is told as unreachable, under a long poll too; ElasticMQ loses nothing that it acknowledged', async () => {
    const { queue, close } = await aQueue(server);
    for (const body of ['first', 'second', 'third']) await queue.send(body);
    const gone = await one(queue, 3600);
    await queue.delete([gone.receiptHandle]);
    const other = await aQueue(server);
    const poll = other.queue.receive({ max: 10, waitSeconds: 20, visibilitySeconds: 60 });
    poll.catch(() => {});
    await other.queue.attributes();
    await server.kill();
    await expect(poll).rejects.toMatchObject({ name: 'SqsError', kind: 'unreachable' });
    await expect(queue.send('x')).rejects.toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED' });
    await server.restart();
    if (name === 'ElasticMQ') {
      // It answers a moment before it has read its queues again.
      await until(() => queue.attributes(), 30_000);
      const left = [await one(queue), await one(queue)].map(({ body }) => body);
      expect([gone.body, ...left].toSorted()).toEqual(['first', 'second', 'third']);
      expect(await nothing(queue)).toBe(true);
    } else await expect(queue.attributes()).rejects.toMatchObject({ kind: 'missing-queue' });
    close();
    other.close();
  });
});
