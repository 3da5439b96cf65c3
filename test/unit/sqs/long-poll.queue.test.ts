import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SqsClients } from '../../../src/sqs/clients.ts';
import { cannot } from './differences.ts';
import { AT_ONCE_MS, NOW, one, poll, taken } from './receiving.ts';
import { SqsServer } from './sqs-server.ts';

let server: SqsServer;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterAll(() => server.stop());

describe.concurrent('a long poll', () => {
  it('wakes at once when a message comes', async () => {
    const queue = server.open(await server.createQueue());
    const { answer } = await poll(queue);
    await queue.send('x');
    expect(await taken(() => answer)).toBeLessThan(AT_ONCE_MS);
    expect((await answer).body).toBe('x');
  });

  it('waits as long as it was told and gives an empty list if nothing came', async () => {
    const queue = server.open(await server.createQueue());
    let messages: unknown;
    const ms = await taken(async () => {
      messages = await queue.receive({ ...NOW, waitSeconds: 2 });
    });
    expect(messages).toEqual([]);
    expect(ms).toBeGreaterThan(1_900);
    expect(ms).toBeLessThan(2_000 + AT_ONCE_MS);
  });

  it('of no seconds gives an empty list at once', async () => {
    // A queue that would wait by itself.
    const queue = server.open(await server.createQueue({ attributes: { ReceiveMessageWaitTimeSeconds: '20' } }));
    expect(await taken(() => queue.receive(NOW))).toBeLessThan(AT_ONCE_MS);
    expect(await queue.receive(NOW)).toEqual([]);
  });

  it.skipIf(cannot('waitTwentySeconds'))(
    'of the 20 seconds that SQS allows is not cut short by a time-out of ours',
    async () => {
      const queue = server.open(await server.createQueue());
      const ms = await taken(() => queue.receive({ ...NOW, waitSeconds: 20 }));
      expect(ms).toBeGreaterThan(19_500);
      expect(ms).toBeLessThan(20_000 + AT_ONCE_MS);
    },
    40_000,
  );

  it('wakes when the visibility of a message ends', async () => {
    const queue = server.open(await server.createQueue());
    await queue.send('x');
    await one(queue, 1);
    const ms = await taken(async () => expect((await one(queue)).receiveCount).toBe(2));
    expect(ms).toBeLessThan(1_000 + AT_ONCE_MS);
  });

  it('of two gets the message once: the other one comes back empty', async () => {
    const queue = server.open(await server.createQueue());
    const polls = [1, 2].map(() => queue.receive({ ...NOW, waitSeconds: 2 }));
    await queue.attributes();
    await queue.send('x');
    expect((await Promise.all(polls)).flat().map(({ body }) => body)).toEqual(['x']);
  });

  it('brings no more messages than asked for, ten at most, and none twice', async () => {
    const url = await server.createQueue();
    const queue = server.open(url);
    const bodies = Array.from({ length: 13 }, (_, i) => `message ${i}`);
    await server.sendTogether(url, bodies.slice(0, 10));
    await server.sendTogether(url, bodies.slice(10));
    const seen: string[] = [];
    for (const max of [2, 10, 10, 10, 10]) {
      const messages = await queue.receive({ ...NOW, max });
      expect(messages.length).toBeLessThanOrEqual(max);
      seen.push(...messages.map(({ body }) => body));
    }
    expect(seen.toSorted()).toEqual(bodies.toSorted());
  });

  it('is ended by the signal, and says so', async () => {
    const queue = server.open(await server.createQueue());
    const controller = new AbortController();
    const ended = queue.receive({ ...NOW, waitSeconds: 20, signal: controller.signal });
    ended.catch(() => {});
    await queue.attributes();
    controller.abort();
    await expect(ended).rejects.toMatchObject({ name: 'SqsError', kind: 'aborted' });
  });

  it('of one user of a queue goes on when another one closes it', async () => {
    const clients = new SqsClients();
    const url = await server.createQueue();
    const settings = { region: 'us-east-1', roleArn: undefined, externalId: 'deploy/web', url };
    const first = clients.open(settings);
    const second = clients.open(settings);
    const { answer } = await poll(second);
    first.close();
    first.close();
    await server.open(url).send('x');
    expect((await answer).body).toBe('x');
    second.close();
    clients.close();
  });
});
