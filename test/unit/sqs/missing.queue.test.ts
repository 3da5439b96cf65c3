import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SqsError } from '../../../src/sqs/errors.ts';
import type { Queue } from '../../../src/sqs/queue.ts';
import { NOW, taken } from './receiving.ts';
import { SqsServer } from './sqs-server.ts';

let server: SqsServer;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterAll(() => server.stop());

const MISSING = {
  name: 'SqsError',
  kind: 'missing-queue',
  code: expect.stringMatching(/^(QueueDoesNotExist|NonExistentQueue)$/),
  message: expect.stringContaining('spec.queue.url'),
};

describe.concurrent('a queue that does not exist', () => {
  const calls: [string, (queue: Queue) => Promise<unknown>][] = [
    ['receive', (queue) => queue.receive(NOW)],
    ['long poll', (queue) => queue.receive({ ...NOW, waitSeconds: 20 })],
    ['delete', (queue) => queue.delete(['handle'])],
    ['change of visibility', (queue) => queue.changeVisibility([{ receiptHandle: 'handle', seconds: 0 }])],
    ['look at its attributes', (queue) => queue.attributes()],
    ['send', (queue) => queue.send('x')],
  ];
  it.each(calls)('is told so, with what to do, by a %s', async (_, call) => {
    await expect(call(server.open(server.missingQueue()))).rejects.toMatchObject(MISSING);
  });
});

describe.concurrent('a queue that is deleted', () => {
  it('is missing at the next receive, what it held included', async () => {
    const url = await server.createQueue();
    const queue = server.open(url);
    await queue.send('x');
    await server.deleteQueue(url);
    await expect(queue.receive(NOW)).rejects.toMatchObject(MISSING);
  });

  it('under a long poll ends that poll by itself, soon after its time at the latest, and is missing from then on', async () => {
    const url = await server.createQueue();
    const queue = server.open(url);
    const ended = queue.receive({ ...NOW, waitSeconds: 2 }).catch((error: unknown) => error);
    await queue.attributes();
    await server.deleteQueue(url);
    const ms = await taken(async () => {
      const outcome = await ended;
      // AWS does not say what such a poll gets; a server may leave it hanging until our own time-out.
      if (outcome instanceof SqsError) expect(outcome.kind).toMatch(/^(missing-queue|unreachable)$/);
      else expect(outcome).toEqual([]);
    });
    expect(ms).toBeLessThan(15_000);
    await expect(queue.receive({ ...NOW, waitSeconds: 20 })).rejects.toMatchObject(MISSING);
  }, 30_000);
});
