import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cannot, SENDER_ID } from './differences.ts';
import { one } from './receiving.ts';
import { SqsServer } from './sqs-server.ts';

let server: SqsServer;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterAll(() => server.stop());

const MIB = 1024 * 1024;

describe.concurrent('a message', () => {
  it('comes with everything that the operator looks at, and nothing else', async () => {
    const queue = server.open(await server.createQueue());
    const before = Date.now();
    const { messageId } = await queue.send('{"a": "ünï"}');
    const message = await one(queue);
    expect(message).toEqual({
      messageId,
      receiptHandle: expect.stringMatching(/./),
      body: '{"a": "ünï"}',
      senderId: SENDER_ID,
      sentTimestamp: expect.any(Number),
      receiveCount: 1,
      messageGroupId: undefined,
    });
    expect(message.sentTimestamp).toBeGreaterThanOrEqual(before - 1);
    expect(message.sentTimestamp).toBeLessThanOrEqual(Date.now() + 1);
  });

  it('keeps id, body, sender and time of sending when it is delivered again', async () => {
    const queue = server.open(await server.createQueue());
    await queue.send('x');
    const { receiptHandle: _, ...first } = await one(queue, 1);
    const { receiptHandle: __, ...second } = await one(queue);
    expect(second).toEqual({ ...first, receiveCount: 2 });
  });

  it('may carry attributes of its producer and a trace, which change nothing', async () => {
    const url = await server.createQueue();
    const queue = server.open(url);
    const { MessageId } = await server.admin.send(
      new SendMessageCommand({
        QueueUrl: url,
        MessageBody: 'x',
        MessageAttributes: {
          SenderId: { DataType: 'String', StringValue: 'somebody else' },
          ApproximateReceiveCount: { DataType: 'Number', StringValue: '99' },
          blob: { DataType: 'Binary', BinaryValue: Buffer.from([0, 255]) },
        },
        MessageSystemAttributes: {
          AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-5759e988-bd862e3fe1be46a994272793' },
        },
      }),
    );
    const message = await one(queue);
    expect(message).toMatchObject({ messageId: MessageId, body: 'x', senderId: SENDER_ID, receiveCount: 1 });
  });

  it('may be as long as SQS allows, 1 MiB', async () => {
    const queue = server.open(await server.createQueue());
    const body = `${'é'.repeat(MIB / 2 - 1)}..`;
    expect(Buffer.byteLength(body)).toBe(MIB);
    await queue.send(body);
    expect((await one(queue)).body === body).toBe(true);
  });

  it('cannot be longer', async () => {
    const queue = server.open(await server.createQueue());
    await expect(queue.send('x'.repeat(MIB + 1))).rejects.toMatchObject({ name: 'SqsError', kind: 'other' });
  });

  it.each([
    ['tab, line feed and carriage return', 'a\tb\nc\rd\r\n'],
    ['DEL and the controls of Latin-1', 'a\u007f\u0080\u0085\u009f'],
    ['marks of direction, a zero-width space, line separators', '\u202e\u2066\u200b\u2028\u2029\ufeff'],
    ['the last characters of 16 bits that SQS takes', '\ud7ff\ue000\ufffd'],
    ['what XML and JSON escape', `<&>"'\\ \\u0000 &#0; ]]> %00`],
    ['spaces at both ends', '  x  '],
  ])('with %s arrives as it was sent', async (_, body) => {
    const queue = server.open(await server.createQueue());
    await queue.send(body);
    expect((await one(queue)).body).toBe(body);
  });

  it.skipIf(cannot('takeCharactersBeyond16Bits'))('with characters beyond 16 bits arrives as it was sent', async () => {
    const queue = server.open(await server.createQueue());
    await queue.send('😀\u{10000}\u{10ffff}');
    expect((await one(queue)).body).toBe('😀\u{10000}\u{10ffff}');
  });

  it.each([0x00, 0x07, 0x1b, 0xfffe])('with the character %i, which SQS does not take, is refused', async (code) => {
    const queue = server.open(await server.createQueue());
    await expect(queue.send(`a${String.fromCharCode(code)}b`)).rejects.toMatchObject({ kind: 'other' });
  });
});
