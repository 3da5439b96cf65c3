import type { Clock } from '../../../base/clock.ts';
import type { SqsError } from '../../../sqs/errors.ts';
import type { Queue, QueueAttributes, QueueMessage } from '../../../sqs/queue.ts';

/** How a message is settled after its rejection is recorded. */
export type Settlement =
  /** Without a redrive policy it would stay on the queue for ever. */
  | { kind: 'delete' }
  /** Seconds until it is visible again. With 0 the next receive can move it to the dead-letter queue at once. */
  | { kind: 'hide'; seconds: number };

const FIRST_HIDE_SECONDS = 30;
const MAX_HIDE_SECONDS = 43_200;
const ATTRIBUTES_FRESH_MS = 300_000;

/**
 * With a redrive policy the message is made visible at once until SQS has counted maxReceiveCount receives: the next
 * receive moves it. If it was received more often, it is not moved: the dead-letter queue is missing, or the count was
 * raised. Then each time it stays hidden longer, so that it does not come in a loop. The same if the policy is unknown:
 * a delete could lose the message.
 */
export function settlement(
  redrive: QueueAttributes['redrive'] | 'unknown' | 'unheard',
  receiveCount: number,
): Settlement {
  if (redrive === undefined) return { kind: 'delete' };
  // One lost response must not hide a message for hours, which it would after many receives.
  if (redrive === 'unheard') return { kind: 'hide', seconds: FIRST_HIDE_SECONDS };
  const excess = redrive === 'unknown' ? receiveCount : receiveCount - redrive.maxReceiveCount;
  if (excess <= 0) return { kind: 'hide', seconds: 0 };
  return { kind: 'hide', seconds: Math.min(MAX_HIDE_SECONDS, FIRST_HIDE_SECONDS * 2 ** Math.min(excess - 1, 20)) };
}

/** The queue's redrive policy, read when a message is rejected, and at most every five minutes. */
export class RedrivePolicy {
  readonly #queue: Queue;
  readonly #clock: Clock;
  #known: { redrive: QueueAttributes['redrive']; at: number } | undefined;

  constructor(queue: Queue, clock: Clock) {
    this.#queue = queue;
    this.#clock = clock;
  }

  /** `unknown`: the queue does not tell, as without sqs:GetQueueAttributes. `unheard`: no answer just now. */
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

/** Makes messages visible again. Best effort: if it fails, they come again when their visibility ends. */
export async function makeVisible(
  queue: Queue,
  messages: readonly QueueMessage[],
  signal?: AbortSignal,
): Promise<void> {
  if (messages.length === 0) return;
  // The last one first: this restores the order on a server that puts each at the head of its FIFO group.
  const changes = messages.toReversed().map(({ receiptHandle }) => ({ receiptHandle, seconds: 0 }));
  await queue.changeVisibility(changes, signal).catch(() => {});
}
