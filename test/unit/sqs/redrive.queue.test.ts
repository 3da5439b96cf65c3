import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nothing, one } from './receiving.ts';
import { arnOf, SqsServer } from './sqs-server.ts';

let server: SqsServer;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterAll(() => server.stop());

async function withDeadLetterQueue(maxReceiveCount: number) {
  const dead = await server.createQueue();
  const queue = server.open(await server.createQueue({ redriveTo: dead, maxReceiveCount }));
  return { queue, dead: server.open(dead), dlqArn: arnOf(dead) };
}

describe.concurrent('a queue with a redrive policy', () => {
  it('tells it', async () => {
    const { queue, dlqArn } = await withDeadLetterQueue(7);
    expect(await queue.attributes()).toEqual({ fifo: false, redrive: { maxReceiveCount: 7, dlqArn } });
  });

  it('tells it too if the count was written as a string, as some tools do', async () => {
    const dlqArn = arnOf(await server.createQueue());
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dlqArn, maxReceiveCount: '7' });
    const queue = server.open(await server.createQueue({ attributes: { RedrivePolicy } }));
    expect((await queue.attributes()).redrive).toEqual({ maxReceiveCount: 7, dlqArn });
  });

  it('counts the receives of a message and moves it at the one after maxReceiveCount', async () => {
    const { queue, dead } = await withDeadLetterQueue(2);
    const { messageId } = await queue.send('poison');
    for (const receiveCount of [1, 2]) {
      const message = await one(queue);
      expect(message).toMatchObject({ messageId, receiveCount });
      await queue.changeVisibility([{ receiptHandle: message.receiptHandle, seconds: 0 }]);
    }
    expect(await nothing(queue)).toBe(true);
    expect(await one(dead)).toMatchObject({ messageId, body: 'poison' });
    expect(await nothing(queue)).toBe(true);
  });

  it('moves a message whose visibility ended too often', async () => {
    const { queue, dead } = await withDeadLetterQueue(1);
    await queue.send('poison');
    await one(queue, 1);
    expect(await nothing(queue, 3)).toBe(true);
    expect((await one(dead)).body).toBe('poison');
  });

  it('keeps the time at which the message was sent', async () => {
    const { queue, dead } = await withDeadLetterQueue(1);
    await queue.send('poison');
    const { sentTimestamp } = await one(queue, 1);
    expect(await nothing(queue, 3)).toBe(true);
    expect((await one(dead)).sentTimestamp).toBe(sentTimestamp);
  });

  it('does not move what was deleted in time', async () => {
    const { queue, dead } = await withDeadLetterQueue(1);
    await queue.send('x');
    await queue.delete([(await one(queue, 1)).receiptHandle]);
    expect(await nothing(queue, 2)).toBe(true);
    expect(await nothing(dead)).toBe(true);
  });
});

it('a queue without one says that there is none', async () => {
  expect(await server.open(await server.createQueue()).attributes()).toEqual({ fifo: false, redrive: undefined });
});
