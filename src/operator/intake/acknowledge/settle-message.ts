import type { Clock } from '../../../base/clock.ts';
import type { SqsError } from '../../../sqs/errors.ts';
import type { Queue, QueueAttributes, QueueMessage } from '../../../sqs/queue.ts';

/** What becomes of a message that will never be a request, once its rejection is recorded. */
export type Settlement =
  /** Without a redrive policy nobody else would ever take it off the queue. */
  | { kind: 'delete' }
  /** Seconds until it is visible again; 0 sends it on its way to the dead-letter queue at once. */
  | { kind: 'hide'; seconds: number };

const FIRST_HIDE_SECONDS = 30;
const MAX_HIDE_SECONDS = 43_200;
const ATTRIBUTES_FRESH_MS = 300_000;

/**
 * With a redrive policy the message is made visible at once until SQS has counted maxReceiveCount receives: the next receive moves it.
 * One that was received more often than that is not being moved (the dead-letter queue is missing, or the count was raised): it comes
 * back ever later, so that it does not turn in circles. The same where nobody knows whether there is a policy: deleting could lose it.
 */
export function settlement(
  redrive: QueueAttributes['redrive'] | 'unknown' | 'unheard',
  receiveCount: number,
): Settlement {
  if (redrive === undefined) return { kind: 'delete' };
  // After many receives "ever later" would be hours, for one answer that got lost.
  if (redrive === 'unheard') return { kind: 'hide', seconds: FIRST_HIDE_SECONDS };
  const excess = redrive === 'unknown' ? receiveCount : receiveCount - redrive.maxReceiveCount;
  if (excess <= 0) return { kind: 'hide', seconds: 0 };
  return { kind: 'hide', seconds: Math.min(MAX_HIDE_SECONDS, FIRST_HIDE_SECONDS * 2 ** Math.min(excess - 1, 20)) };
}

/** Knows the queue's redrive policy: asked for when a message is rejected, and not more often than every five minutes. */
export class RedrivePolicy {
  readonly #queue: Queue;
  readonly #clock: Clock;
  #known: { redrive: QueueAttributes['redrive']; at: number } | undefined;

  constructor(queue: Queue, clock: Clock) {
    this.#queue = queue;
    this.#clock = clock;
  }

  /** `unknown` where the queue does not tell (sqs:GetQueueAttributes is missing, say), `unheard` where it could not be asked just now. */
  async get(signal: AbortSignal): Promise<QueueAttributes['redrive'] | 'unknown' | 'unheard'> {
    if (this.#known === undefined || this.#clock.now() - this.#known.at > ATTRIBUTES_FRESH_MS) {
      try {
        const { redrive } = await this.#queue.attributes(signal);
        this.#known = { redrive, at: this.#clock.now() };
      } catch (error) {
        return ['unreachable', 'throttled', 'aborted'].includes((error as SqsError).kind) ? 'unheard' : 'unknown';
      }
    }
    return this.#known.redrive;
  }
}

/** Makes messages visible again. Best effort: where it fails they come back when their visibility ends. */
export async function makeVisible(
  queue: Queue,
  messages: readonly QueueMessage[],
  signal?: AbortSignal,
): Promise<void> {
  if (messages.length === 0) return;
  // The last one first: a server that puts each at the head of its FIFO group then restores the order.
  const changes = messages.toReversed().map(({ receiptHandle }) => ({ receiptHandle, seconds: 0 }));
  await queue.changeVisibility(changes, signal).catch(() => {});
}
