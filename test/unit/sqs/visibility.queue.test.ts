import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SqsError } from '../../../src/sqs/errors.ts';
import { cannot } from './differences.ts';
import { AT_ONCE_MS, NOW, nothing, one, taken } from './receiving.ts';
import { SqsServer } from './sqs-server.ts';

let server: SqsServer;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterAll(() => server.stop());

async function aQueueWithOneMessage() {
  const queue = server.open(await server.createQueue());
  await queue.send('x');
  return queue;
}

describe.concurrent('a message that was received', () => {
  it('is hidden from the next receive', async () => {
    const queue = await aQueueWithOneMessage();
    await one(queue);
    expect(await nothing(queue)).toBe(true);
  });

  it('is visible again when its time ends, and its receives are counted', async () => {
    const queue = await aQueueWithOneMessage();
    const first = await one(queue, 1);
    const ms = await taken(async () => {
      const second = await one(queue, 1);
      expect(second).toMatchObject({ messageId: first.messageId, body: 'x', receiveCount: 2 });
    });
    expect(ms).toBeGreaterThan(500);
    expect((await one(queue)).receiveCount).toBe(3);
  });

  it('stays hidden for longer if its time is extended, and can be deleted then', async () => {
    const queue = await aQueueWithOneMessage();
    const { receiptHandle } = await one(queue, 1);
    expect(await queue.changeVisibility([{ receiptHandle, seconds: 30 }])).toEqual([undefined]);
    expect(await nothing(queue, 3)).toBe(true);
    expect(await queue.delete([receiptHandle])).toEqual([undefined]);
  });

  it('comes back sooner if its time is cut', async () => {
    const queue = await aQueueWithOneMessage();
    const { receiptHandle } = await one(queue, 3600);
    await queue.changeVisibility([{ receiptHandle, seconds: 1 }]);
    expect((await one(queue)).receiveCount).toBe(2);
  });

  it('is visible again at once if its time is set to zero', async () => {
    const queue = await aQueueWithOneMessage();
    const { receiptHandle } = await one(queue);
    expect(await queue.changeVisibility([{ receiptHandle, seconds: 0 }])).toEqual([undefined]);
    expect(await taken(async () => expect((await one(queue)).receiveCount).toBe(2))).toBeLessThan(AT_ONCE_MS);
  });

  it('with a time of zero stays visible', async () => {
    const queue = await aQueueWithOneMessage();
    expect((await one(queue, 0)).receiveCount).toBe(1);
    expect((await one(queue, 0)).receiveCount).toBe(2);
  });

  it('can be hidden for 12 hours', async () => {
    const queue = await aQueueWithOneMessage();
    const { receiptHandle } = await one(queue, 1);
    expect(await queue.changeVisibility([{ receiptHandle, seconds: 43_200 }])).toEqual([undefined]);
    expect(await nothing(queue, 2)).toBe(true);
  });

  it.skipIf(cannot('refuseVisibilityBeyondTwelveHours'))('cannot be hidden beyond 12 hours', async () => {
    const queue = await aQueueWithOneMessage();
    const { receiptHandle } = await one(queue);
    const change = queue.changeVisibility([{ receiptHandle, seconds: 43_201 }]);
    const outcome = await change.then(
      ([refused]) => refused,
      (error: unknown) => error,
    );
    expect(outcome).toBeInstanceOf(SqsError);
    expect(outcome).toMatchObject({ kind: 'other' });
  });

  it('can be deleted although its time has ended, as long as it was not received again', async () => {
    const queue = await aQueueWithOneMessage();
    const { receiptHandle } = await one(queue, 0);
    expect(await queue.delete([receiptHandle])).toEqual([undefined]);
    expect(await nothing(queue)).toBe(true);
  });

  it('is not deleted by a handle that a later receive has made old', async () => {
    const queue = await aQueueWithOneMessage();
    const { receiptHandle: old } = await one(queue, 0);
    const { receiptHandle } = await one(queue);
    await queue.delete([old]);
    await queue.changeVisibility([{ receiptHandle, seconds: 0 }]);
    expect((await one(queue)).body).toBe('x');
  });

  it('is gone once it is deleted, and a second delete or a change is no more than an error of that entry', async () => {
    const queue = await aQueueWithOneMessage();
    const { receiptHandle } = await one(queue, 1);
    expect(await queue.delete([receiptHandle])).toEqual([undefined]);
    expect(await queue.delete([receiptHandle])).toHaveLength(1);
    expect(await queue.changeVisibility([{ receiptHandle, seconds: 0 }])).toHaveLength(1);
    expect(await nothing(queue, 2)).toBe(true);
    expect(await queue.receive(NOW)).toEqual([]);
  });
});
