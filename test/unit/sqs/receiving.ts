import type { Queue, QueueMessage } from '../../../src/sqs/queue.ts';

/** Of a machine under load: well below the ten seconds that a poll waits which nobody wakes. */
export const AT_ONCE_MS = 5_000;

/** What is there now. */
export const NOW = { max: 10, waitSeconds: 0, visibilitySeconds: 60 };

/** The next message, within ten seconds. @throws Error where none comes. */
export async function one(queue: Queue, visibilitySeconds = 60): Promise<QueueMessage> {
  const [message] = await queue.receive({ max: 1, waitSeconds: 10, visibilitySeconds });
  if (!message) throw new Error('nothing received');
  return message;
}

/** Says that nothing comes within so many seconds. */
export function nothing(queue: Queue, waitSeconds = 1): Promise<boolean> {
  return queue.receive({ max: 10, waitSeconds, visibilitySeconds: 60 }).then((messages) => messages.length === 0);
}

/**
 * Starts a long poll of ten seconds, and resolves once it waits at the server: another request has been there and back
 * since.
 */
export async function poll(queue: Queue, visibilitySeconds = 60): Promise<{ answer: Promise<QueueMessage> }> {
  const answer = one(queue, visibilitySeconds);
  answer.catch(() => {});
  await queue.attributes();
  return { answer };
}

/** Milliseconds that something takes. */
export async function taken(action: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await action();
  return performance.now() - from;
}
