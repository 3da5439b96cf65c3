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
 * Settles messages whose rejection is recorded: deletes them, or leaves them to the queue's redrive policy. It sends
 * one request at a time: all resources of a region share the sockets, and an endpoint that hangs must not take them
 * all.
 */
export class SettleRejected {
  readonly #context: QueueContext;
  readonly #redrive: RedrivePolicy;
  readonly #signal: AbortSignal;
  readonly #onEnd: (message: QueueMessage) => void;
  readonly #waiting: QueueMessage[] = [];
  readonly #failures = new Map<QueueMessage, number>();
  readonly #backoff: Backoff;
  #isRunning = false;

  /**
   * @param signal ends the work: what waits then is not settled.
   * @param onEnd called for each message that is settled, or that could not be and will come again.
   */
  constructor(
    context: QueueContext,
    redrive: RedrivePolicy,
    signal: AbortSignal,
    onEnd: (message: QueueMessage) => void,
  ) {
    this.#context = context;
    this.#redrive = redrive;
    this.#signal = signal;
    this.#onEnd = onEnd;
    this.#backoff = new Backoff(context.clock, 500, 8_000);
  }

  /** Only for a message whose rejection is recorded (invariant 2). */
  add(message: QueueMessage): void {
    this.#waiting.push(message);
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    const { clock } = this.#context;
    this.#isRunning = true;
    // The messages of one status write are added one after the other in this turn, and are settled together.
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
    const { queue } = this.#context;
    const redrive = await this.#redrive.get(this.#signal);
    const hides = batch.flatMap(({ receiptHandle, receiveCount }) => {
      const settled = settlement(redrive, receiveCount);
      return settled.kind === 'hide' ? [{ receiptHandle, seconds: settled.seconds }] : [];
    });
    try {
      // The queue has one policy: all of them are hidden, or all are deleted.
      if (hides.length > 0) return await queue.changeVisibility(hides, this.#signal);
      return await queue.delete(
        batch.map(({ receiptHandle }) => receiptHandle),
        this.#signal,
      );
    } catch (error) {
      return batch.map(() => error as SqsError);
    }
  }

  /** @returns true if the message is to be tried again. */
  #hasFailed(message: QueueMessage, error: SqsError | undefined): boolean {
    if (error === undefined) return this.#end(message);
    const { metrics, key, log } = this.#context;
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
