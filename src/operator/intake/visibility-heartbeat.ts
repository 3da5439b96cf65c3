import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Queue, QueueMessage } from '../../sqs/queue.ts';

/** SQS ends the visibility of a message 12 hours after its receive, however often it was extended. */
const MAX_VISIBILITY_MS = 43_200_000;
/** Between two heartbeats: after a failure the next one comes sooner. Milliseconds. */
const MIN_INTERVAL_MS = 1_000;

/**
 * Keeps messages hidden from other receivers while they are worked on: it extends their visibility twice in each
 * visibility timeout. Receives count towards the dead-letter queue, so a message that waits for the API server must not
 * be received again meanwhile.
 */
export class VisibilityHeartbeat {
  readonly #queue: Queue;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #visibilityMs: number;
  /** With the times of their receives (epoch milliseconds). */
  readonly #messages = new Map<QueueMessage, number>();

  constructor({ queue, clock, log }: { queue: Queue; clock: Clock; log: Log }, visibilitySeconds: number) {
    this.#queue = queue;
    this.#clock = clock;
    this.#log = log;
    this.#visibilityMs = visibilitySeconds * 1000;
  }

  /** @param receivedAt epoch milliseconds. */
  add(messages: readonly QueueMessage[], receivedAt: number): void {
    for (const message of messages) this.#messages.set(message, receivedAt);
  }

  release(message: QueueMessage): void {
    this.#messages.delete(message);
  }

  /** False after its release, and after SQS's 12 hours: then it belongs to its next receiver. */
  has(message: QueueMessage): boolean {
    return this.#messages.has(message);
  }

  /**
   * Runs until the signal aborts. Never rejects.
   * @param onLost called when messages have reached SQS's 12 hours.
   * @param beats heartbeats in each visibility timeout.
   */
  async run(signal: AbortSignal, onLost: () => void, beats = 2): Promise<void> {
    let failed = false;
    for (;;) {
      await sleep(this.#clock, Math.max(MIN_INTERVAL_MS, this.#visibilityMs / (failed ? 8 : beats)), signal);
      if (signal.aborted) return;
      if (this.#releaseExpired()) onLost();
      failed = !(await this.#extend(signal));
    }
  }

  #releaseExpired(): boolean {
    const expired = [...this.#messages].filter(([, receivedAt]) => this.#leftMs(receivedAt) < 1000).map(([m]) => m);
    for (const message of expired) {
      this.#log.warn(
        { messageId: message.messageId },
        'a message was in flight for 12 hours, the most that SQS allows: it will be received again',
      );
      this.#messages.delete(message);
    }
    return expired.length > 0;
  }

  async #extend(signal: AbortSignal): Promise<boolean> {
    const changes = [...this.#messages].map(([{ receiptHandle }, receivedAt]) => ({
      receiptHandle,
      seconds: Math.floor(Math.min(this.#visibilityMs, this.#leftMs(receivedAt)) / 1000),
    }));
    if (changes.length === 0) return true;
    try {
      // An entry that fails was settled just now, or has expired. If it is still here, the next heartbeat tries again.
      await this.#queue.changeVisibility(changes, signal);
      return true;
    } catch (error) {
      if (!signal.aborted) this.#log.warn({ err: error }, 'could not extend the visibility of the messages in flight');
      return false;
    }
  }

  #leftMs(receivedAt: number): number {
    return receivedAt + MAX_VISIBILITY_MS - this.#clock.now();
  }
}
