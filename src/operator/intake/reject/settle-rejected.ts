import { Backoff } from '../../../base/backoff.ts';
import { sleep } from '../../../base/clock.ts';
import type { SqsError } from '../../../sqs/errors.ts';
import type { QueueMessage } from '../../../sqs/queue.ts';
import { type RedrivePolicy, settlement } from '../acknowledge/settle-message.ts';
import type { QueueContext } from '../context.ts';

/** SQS's bound for a batch. */
const BATCH = 10;
const ATTEMPTS = 4;

/**
 * Settles messages whose rejection is recorded: deletes them, or leaves them to the queue's redrive policy. One request at a time, whatever
 * there is to settle: all resources of a region share the sockets, and an endpoint that hangs must not take them all.
 */
export class SettleRejected {
  readonly #parts: QueueContext;
  readonly #redrive: RedrivePolicy;
  readonly #signal: AbortSignal;
  readonly #onEnd: (message: QueueMessage) => void;
  readonly #waiting: QueueMessage[] = [];
  readonly #failures = new Map<QueueMessage, number>();
  readonly #backoff: Backoff;
  #isRunning = false;

  /**
   * @param signal ends the work; what then waits stays as it is.
   * @param onEnd told of each message that is settled, or that could not be and is left to come again.
   */
  constructor(
    parts: QueueContext,
    redrive: RedrivePolicy,
    signal: AbortSignal,
    onEnd: (message: QueueMessage) => void,
  ) {
    this.#parts = parts;
    this.#redrive = redrive;
    this.#signal = signal;
    this.#onEnd = onEnd;
    this.#backoff = new Backoff(parts.clock, 500, 8_000);
  }

  /** To be called once its rejection is recorded (invariant 2). */
  add(message: QueueMessage): void {
    this.#waiting.push(message);
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts;
    this.#isRunning = true;
    // Those that one write has recorded come one after the other within this turn, and are settled together.
    await null;
    while (this.#waiting.length > 0 && !this.#signal.aborted) {
      const batch = this.#waiting.splice(0, BATCH);
      const outcomes = await this.#settle(batch);
      if (this.#signal.aborted) return;
      const failed = batch.filter((message, index) => this.#hasFailed(message, outcomes[index]));
      this.#waiting.push(...failed);
      if (failed.length > 0) await sleep(clock, this.#backoff.next(), this.#signal);
      else this.#backoff.reset();
    }
    this.#isRunning = false;
  }

  async #settle(batch: readonly QueueMessage[]): Promise<readonly (SqsError | undefined)[]> {
    const { queue } = this.#parts;
    const redrive = await this.#redrive.get(this.#signal);
    const hides = batch.flatMap(({ receiptHandle, receiveCount }) => {
      const what = settlement(redrive, receiveCount);
      return what.kind === 'hide' ? [{ receiptHandle, seconds: what.seconds }] : [];
    });
    try {
      // The policy is the queue's: all of them are hidden, or all are deleted.
      if (hides.length > 0) return await queue.changeVisibility(hides, this.#signal);
      return await queue.delete(
        batch.map(({ receiptHandle }) => receiptHandle),
        this.#signal,
      );
    } catch (error) {
      return batch.map(() => error as SqsError);
    }
  }

  /** @returns true where the message is to be tried again. */
  #hasFailed(message: QueueMessage, error: SqsError | undefined): boolean {
    if (error === undefined) return this.#end(message);
    const { metrics, key, log } = this.#parts;
    metrics.sqsError(key, error.code);
    const failures = (this.#failures.get(message) ?? 0) + 1;
    this.#failures.set(message, failures);
    if (failures < ATTEMPTS) return true;
    const { messageId } = message;
    log.warn({ err: error, messageId }, 'could not settle a rejected message; it will come again');
    return this.#end(message);
  }

  #end(message: QueueMessage): false {
    this.#failures.delete(message);
    this.#onEnd(message);
    return false;
  }
}
