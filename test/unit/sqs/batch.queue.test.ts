import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SqsError } from '../../../src/sqs/errors.ts';
import type { Queue } from '../../../src/sqs/queue.ts';
import { cannot } from './differences.ts';
import { nothing, one } from './receiving.ts';
import { SqsServer } from './sqs-server.ts';

let server: SqsServer;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterAll(() => server.stop());

const LENIENT = cannot('refuseDeleteOfUnknownHandle');
const GARBAGE = 'no such handle';

/** Handles of so many messages, received and hidden for a minute. */
async function inFlight(count: number): Promise<{ queue: Queue; handles: string[] }> {
  const url = await server.createQueue();
  const queue = server.open(url);
  for (let sent = 0; sent < count; sent += 10) {
    await server.sendTogether(
      url,
      Array.from({ length: Math.min(10, count - sent) }, (_, i) => `message ${sent + i}`),
    );
  }
  const handles: string[] = [];
  while (handles.length < count) handles.push((await one(queue)).receiptHandle);
  return { queue, handles };
}

/** Makes visible what is still there. */
const show = (queue: Queue, handles: readonly string[]) =>
  queue.changeVisibility(handles.map((receiptHandle) => ({ receiptHandle, seconds: 0 })));

const failed = (outcomes: readonly unknown[]) =>
  outcomes.flatMap((outcome, index) => (outcome === undefined ? [] : [index]));

describe.concurrent('a batch', () => {
  it('of deletes, more than ten of them, leaves nothing of what is in it and all of what is not', async () => {
    const { queue, handles } = await inFlight(12);
    expect(failed(await queue.delete(handles.slice(1)))).toEqual([]);
    await show(queue, handles);
    const left = await one(queue);
    expect(left).toMatchObject({ receiveCount: 2 });
    expect(await nothing(queue)).toBe(true);
  });

  it.skipIf(LENIENT)('of deletes tells which one failed, and the others are gone for good', async () => {
    const { queue, handles } = await inFlight(2);
    const [a, b] = handles as [string, string];
    const outcomes = await queue.delete([a, GARBAGE, b]);
    expect(failed(outcomes)).toEqual([1]);
    expect(outcomes[1]).toBeInstanceOf(SqsError);
    expect(outcomes[1]).toMatchObject({ kind: 'other', message: expect.not.stringContaining(GARBAGE) });
    await show(queue, handles);
    expect(await nothing(queue)).toBe(true);
  });

  it.skipIf(LENIENT)('of more than ten deletes has each failure at its place', async () => {
    const { queue, handles } = await inFlight(12);
    const mixed = [GARBAGE, ...handles.slice(0, 10), GARBAGE, ...handles.slice(10)];
    expect(failed(await queue.delete(mixed))).toEqual([0, 11]);
    await show(queue, handles);
    expect(await nothing(queue)).toBe(true);
  });

  it('of changes of visibility tells which one failed, in batches of more than ten too', async () => {
    const { queue, handles } = await inFlight(1);
    const changes = [...Array(11).fill(GARBAGE), handles[0]].map((receiptHandle) => ({ receiptHandle, seconds: 0 }));
    const outcomes = await queue.changeVisibility(changes);
    expect(outcomes).toHaveLength(12);
    expect(failed(outcomes)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect((await one(queue)).receiveCount).toBe(2);
  });

  it('of changes gives each message its own time', async () => {
    const { queue, handles } = await inFlight(2);
    const [a, b] = handles as [string, string];
    const changes = [
      { receiptHandle: a, seconds: 30 },
      { receiptHandle: b, seconds: 0 },
    ];
    expect(await queue.changeVisibility(changes)).toEqual([undefined, undefined]);
    await one(queue);
    expect(await nothing(queue)).toBe(true);
  });

  it('without messages sends no request', async () => {
    const queue = server.open(server.missingQueue());
    expect(await queue.delete([])).toEqual([]);
    expect(await queue.changeVisibility([])).toEqual([]);
  });
});
