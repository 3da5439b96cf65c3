import type { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Queue } from '../../../src/sqs/queue.ts';
import { SqsQueue } from '../../../src/sqs/sqs-queue.ts';
import { cannot } from './differences.ts';
import { AT_ONCE_MS, NOW, nothing, one, poll, taken } from './receiving.ts';
import { type NewQueue, SqsServer } from './sqs-server.ts';

let server: SqsServer;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterAll(() => server.stop());

const aFifoQueue = async (options: NewQueue = {}) => server.open(await server.createQueue({ ...options, fifo: true }));

/** Sends messages one after the other; the group of each is its letter. */
async function send(queue: Queue, ...bodies: string[]): Promise<void> {
  for (const body of bodies) await queue.send(body, { groupId: body.slice(0, 1), deduplicationId: body });
}

describe.concurrent('a FIFO queue', () => {
  it('says that it is one, and of a message its group', async () => {
    const queue = await aFifoQueue();
    expect(await queue.attributes()).toEqual({ fifo: true, redrive: undefined });
    await send(queue, 'A1');
    expect(await one(queue)).toMatchObject({ body: 'A1', messageGroupId: 'A', receiveCount: 1 });
  });

  it('keeps the order of a group, and blocks it while one of it is in flight; another group goes on', async () => {
    const queue = await aFifoQueue();
    await send(queue, 'A1', 'A2', 'A3', 'B1');
    const first = await one(queue);
    expect(first.body).toBe('A1');
    expect((await one(queue)).body).toBe('B1');
    expect(await nothing(queue)).toBe(true);
    await queue.delete([first.receiptHandle]);
    const second = await one(queue);
    expect(second.body).toBe('A2');
    await queue.delete([second.receiptHandle]);
    expect((await one(queue)).body).toBe('A3');
  });

  it('wakes a long poll when the group is free', async () => {
    const queue = await aFifoQueue();
    await send(queue, 'A1', 'A2');
    const { receiptHandle } = await one(queue);
    const { answer } = await poll(queue);
    await queue.delete([receiptHandle]);
    expect(await taken(() => answer)).toBeLessThan(AT_ONCE_MS);
    expect((await answer).body).toBe('A2');
  });

  it('brings the same message first again if it is given back', async () => {
    const queue = await aFifoQueue();
    await send(queue, 'A1', 'A2');
    const { receiptHandle } = await one(queue);
    await queue.changeVisibility([{ receiptHandle, seconds: 0 }]);
    expect(await one(queue)).toMatchObject({ body: 'A1', receiveCount: 2 });
    expect(await nothing(queue)).toBe(true);
  });

  it('brings the same message first again if its visibility ended', async () => {
    const queue = await aFifoQueue();
    await send(queue, 'A1', 'A2');
    await one(queue, 1);
    expect(await one(queue)).toMatchObject({ body: 'A1', receiveCount: 2 });
  });

  it.skipIf(cannot('severalOfOneGroupAtOnce'))('brings several of a group at once, in their order', async () => {
    const queue = await aFifoQueue();
    await send(queue, 'A1', 'A2', 'B1', 'A3');
    const bodies = (await queue.receive(NOW)).map(({ body }) => body);
    expect(bodies.filter((body) => body.startsWith('A'))).toEqual(['A1', 'A2', 'A3']);
    expect(bodies).toContain('B1');
  });

  it('drops a message whose deduplication id it has seen, also after the delete, and answers with the first ones id', async () => {
    const queue = await aFifoQueue();
    const options = { groupId: 'A', deduplicationId: 'same' };
    const { messageId } = await queue.send('x', options);
    expect(await queue.send('x', options)).toEqual({ messageId });
    const message = await one(queue);
    expect(message.messageId).toBe(messageId);
    await queue.delete([message.receiptHandle]);
    await queue.send('x', options);
    expect(await nothing(queue)).toBe(true);
  });

  it('drops a message of the same content if it is told to', async () => {
    const queue = await aFifoQueue({ attributes: { ContentBasedDeduplication: 'true' } });
    for (const body of ['x', 'x', 'y']) await queue.send(body, { groupId: 'A' });
    const first = await one(queue);
    await queue.delete([first.receiptHandle]);
    expect([first.body, (await one(queue)).body]).toEqual(['x', 'y']);
    expect(await nothing(queue)).toBe(true);
  });

  it('moves the first of a group to its dead-letter queue after too many receives, and the group goes on', async () => {
    const dead = await server.createQueue({ fifo: true });
    const queue = await aFifoQueue({ redriveTo: dead, maxReceiveCount: 1 });
    await send(queue, 'A1', 'A2');
    const { receiptHandle } = await one(queue);
    await queue.changeVisibility([{ receiptHandle, seconds: 0 }]);
    expect((await one(queue)).body).toBe('A2');
    expect(await one(server.open(dead))).toMatchObject({ body: 'A1', messageGroupId: 'A' });
  });

  it('alone has groups: one that a standard queue hands over ("fair queues") says nothing of the order', async () => {
    const queue = server.open(await server.createQueue());
    await queue.send('A1', { groupId: 'A' });
    expect(await one(queue)).toMatchObject({ body: 'A1', messageGroupId: undefined });
    // As AWS answers; the server in process leaves the group out.
    const answer = {
      Messages: [{ MessageId: 'm', ReceiptHandle: 'h', Body: 'A1', Attributes: { MessageGroupId: 'A' } }],
    };
    const client = { send: async () => answer } as unknown as SQSClient;
    const groupsOf = async (name: string) => {
      const url = `https://sqs.us-east-1.amazonaws.com/123456789012/${name}`;
      const messages = await new SqsQueue(url, { receives: client, acks: client }, () => {}).receive(NOW);
      return messages.map(({ messageGroupId }) => messageGroupId);
    };
    expect([await groupsOf('web'), await groupsOf('web.fifo')]).toEqual([[undefined], ['A']]);
  });

  it('refuses a message without a group', async () => {
    const queue = await aFifoQueue();
    await expect(queue.send('x')).rejects.toMatchObject({ name: 'SqsError', kind: 'other' });
  });
});
