import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AT_ONCE_MS, NOW, one, taken } from './receiving.ts';
import { SqsServer } from './sqs-server.ts';

let server: SqsServer;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterAll(() => server.stop());

/** Whole seconds: a delay may end up to one earlier or later than the clock of the test says. */
const AT_LEAST_MS = 900;
const AT_MOST_MS = 3_000 + AT_ONCE_MS;

describe.concurrent('a delayed message', () => {
  it('is hidden until the delay of its queue has passed, and wakes a long poll then', async () => {
    const queue = server.open(await server.createQueue({ delaySeconds: 3 }));
    await queue.send('x');
    expect(await queue.receive(NOW)).toEqual([]);
    const ms = await taken(async () => expect(await one(queue)).toMatchObject({ body: 'x', receiveCount: 1 }));
    expect(ms).toBeGreaterThan(AT_LEAST_MS);
    expect(ms).toBeLessThan(AT_MOST_MS);
  });

  it('is hidden until its own delay has passed, while one sent later is received', async () => {
    const queue = server.open(await server.createQueue());
    await queue.send('later', { delaySeconds: 3 });
    await queue.send('now');
    expect((await queue.receive(NOW)).map(({ body }) => body)).toEqual(['now']);
    const ms = await taken(async () => expect((await one(queue)).body).toBe('later'));
    expect(ms).toBeGreaterThan(AT_LEAST_MS);
    expect(ms).toBeLessThan(AT_MOST_MS);
  });

  it('may have no delay of its own in a queue that has one', async () => {
    const queue = server.open(await server.createQueue({ delaySeconds: 900 }));
    await queue.send('now', { delaySeconds: 0 });
    expect(await taken(async () => expect((await one(queue)).body).toBe('now'))).toBeLessThan(AT_ONCE_MS);
  });

  it('was sent when it was sent, not when it became visible', async () => {
    const queue = server.open(await server.createQueue());
    await queue.send('x', { delaySeconds: 3 });
    const sent = Date.now();
    const { sentTimestamp = Number.NaN } = await one(queue);
    expect(sentTimestamp).toBeLessThanOrEqual(sent);
    expect(sentTimestamp).toBeGreaterThan(sent - 2_000);
  });

  it('delays no other message in a FIFO queue either: the delay there is that of the queue, and the order stays', async () => {
    const queue = server.open(await server.createQueue({ fifo: true, delaySeconds: 1 }));
    for (const body of ['A1', 'A2']) await queue.send(body, { groupId: 'A', deduplicationId: body });
    const first = await one(queue);
    await queue.delete([first.receiptHandle]);
    expect([first.body, (await one(queue)).body]).toEqual(['A1', 'A2']);
  });
});
