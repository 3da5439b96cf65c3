import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nothing, one } from './receiving.ts';
import { SqsServer } from './sqs-server.ts';

let server: SqsServer;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterAll(() => server.stop());

describe.concurrent('a queue that is open for sending', () => {
  it('takes a message', async () => {
    const url = await server.createQueue();
    const { messageId } = await server.openForSending(url).send('{"a": "ünï"}');
    expect(await one(server.open(url))).toMatchObject({ messageId, body: '{"a": "ünï"}' });
  });

  it('takes one message of two with one deduplication id, in its group', async () => {
    const url = await server.createQueue({ fifo: true });
    const sending = server.openForSending(url);
    for (const body of ['first', 'again']) await sending.send(body, { groupId: 'g', deduplicationId: 'd' });
    const reading = server.open(url);
    const message = await one(reading);
    expect(message).toMatchObject({ body: 'first', messageGroupId: 'g' });
    await reading.delete([message.receiptHandle]);
    expect(await nothing(reading)).toBe(true);
  });

  it('stays open for others that share its client, until the last is closed', async () => {
    const url = await server.createQueue();
    const [first, second] = [server.openForSending(url), server.openForSending(url)];
    first.close();
    first.close();
    await expect(second.send('x')).resolves.toMatchObject({ messageId: expect.stringMatching(/./) });
    second.close();
  });

  it('that does not exist is told so', async () => {
    const sending = server.openForSending(server.missingQueue()).send('x');
    await expect(sending).rejects.toMatchObject({ name: 'SqsError', kind: 'missing-queue' });
  });
});
