import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Queue, QueueMessage } from '../../sqs/queue.ts';

/** SQS lets go of a message 12 hours after it was received, however often its visibility was extended. */
const MAX_HOLD_MS = 43_200_000;
/** The shortest time between two heartbeats: after one that failed, the next one comes sooner. Milliseconds. */
const MIN_INTERVAL_MS = 1_000;

/**
 * Keeps the messages that are worked on hidden from other readers: it extends their visibility each half of the visibility timeout. Receives count
 * towards the dead-letter queue, so a message that waits for the API server must not come back meanwhile.
 */
export class VisibilityHeartbeat {
  readonly #queue: Queue;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #visibilityMs: number;
  readonly #held = new Map<QueueMessage, { readonly receivedAt: number }>();

  constructor(parts: { queue: Queue; clock: Clock; log: Log }, visibilitySeconds: number) {
    this.#queue = parts.queue;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#visibilityMs = visibilitySeconds * 1000;
  }

  /** @param receivedAt epoch milliseconds. */
  add(messages: readonly QueueMessage[], receivedAt: number): void {
    for (const message of messages) this.#held.set(message, { receivedAt });
  }

  release(message: QueueMessage): void {
    this.#held.delete(message);
  }

  /** False once the message was released, or SQS's 12 hours are over: then it belongs to whoever receives it next. */
  has(message: QueueMessage): boolean {
    return this.#held.has(message);
  }

  /**
   * Runs until the signal aborts. Never rejects.
   * @param onLost is called when messages had to be let go of.
   * @param beats heartbeats in each visibility timeout.
   */
  async run(signal: AbortSignal, onLost: () => void, beats = 2): Promise<void> {
    let failed = false;
    for (;;) {
      await sleep(this.#clock, Math.max(MIN_INTERVAL_MS, this.#visibilityMs / (failed ? 8 : beats)), signal);
      if (signal.aborted) return;
      if (this.#letGoOfExpired()) onLost();
      failed = !(await this.#extend(signal));
    }
  }

  #letGoOfExpired(): boolean {
    const expired = [...this.#held].filter(([, { receivedAt }]) => this.#leftMs(receivedAt) < 1000).map(([m]) => m);
    for (const message of expired) {
      this.#log.warn(
        { messageId: message.messageId },
        'held a message for 12 hours, the most that SQS allows: letting go',
      );
      this.#held.delete(message);
    }
    return expired.length > 0;
  }

  async #extend(signal: AbortSignal): Promise<boolean> {
    const changes = [...this.#held].map(([{ receiptHandle }, { receivedAt }]) => ({
      receiptHandle,
      seconds: Math.floor(Math.min(this.#visibilityMs, this.#leftMs(receivedAt)) / 1000),
    }));
    if (changes.length === 0) return true;
    try {
      // A single entry that fails was deleted or settled just now, or has expired: the next beat tries it once more if it is still held.
      await this.#queue.changeVisibility(changes, signal);
      return true;
    } catch (error) {
      if (!signal.aborted) this.#log.warn({ err: error }, 'could not extend the visibility of the messages in flight');
      return false;
    }
  }

  #leftMs(receivedAt: number): number {
    return receivedAt + MAX_HOLD_MS - this.#clock.now();
  }
}
