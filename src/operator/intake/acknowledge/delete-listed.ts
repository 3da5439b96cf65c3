import { Backoff } from '../../../base/backoff.ts';
import type { SqsError } from '../../../sqs/errors.ts';
import type { QueueMessage } from '../../../sqs/queue.ts';
import type { ResourceContext } from '../resource-context.ts';

/** A delete that SQS refuses so often will not succeed. */
const MAX_REFUSALS = 5;

/**
 * Deletes messages whose requests stand in the live status, and tries again what failed. Nothing else may be passed to
 * it (invariant 2). A second delete of a message does no harm. A message that is never deleted comes again and is
 * recognised.
 */
export class Deleter {
  readonly #context: ResourceContext;
  readonly #backoff: Backoff;
  readonly #refusals = new Map<QueueMessage, number>();
  /** Epoch milliseconds of the next try. */
  at = 0;

  constructor(context: ResourceContext) {
    this.#context = context;
    this.#backoff = new Backoff(context.clock, 500, 30_000);
  }

  /** @returns the messages that need no further delete: deleted, or given up. */
  async delete(messages: readonly QueueMessage[], signal: AbortSignal): Promise<Set<QueueMessage>> {
    const { queue, clock } = this.#context;
    let outcomes: readonly (SqsError | undefined)[];
    try {
      outcomes = await queue.delete(
        messages.map(({ receiptHandle }) => receiptHandle),
        signal,
      );
    } catch (error) {
      if (signal.aborted) return new Set();
      outcomes = messages.map(() => error as SqsError);
    }
    const ended = messages.filter((message, index) => this.#hasEnded(message, outcomes[index]));
    if (ended.length === messages.length) {
      this.#backoff.reset();
      this.at = 0;
    } else this.at = clock.now() + this.#backoff.next();
    return new Set(ended);
  }

  #hasEnded(message: QueueMessage, error: SqsError | undefined): boolean {
    if (error === undefined) return true;
    const { metrics, key, log } = this.#context;
    metrics.sqsError(key, error.code);
    if (error.kind === 'unreachable' || error.kind === 'throttled') return false;
    const refusals = (this.#refusals.get(message) ?? 0) + 1;
    this.#refusals.set(message, refusals);
    if (refusals < MAX_REFUSALS) return false;
    log.warn(
      { err: error, messageId: message.messageId },
      'could not delete a message; it will be recognised when it comes again',
    );
    return true;
  }
}
