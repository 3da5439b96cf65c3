import { SqsError } from '../../src/sqs/errors.ts';
import type {
  BatchOutcome,
  Queue,
  QueueAttributes,
  QueueMessage,
  ReceiveOptions,
  VisibilityChange,
} from '../../src/sqs/queue.ts';
import { Call, PENDING } from './call.ts';
import type { Incarnation } from './replica.ts';
import type { QueueModel } from './sqs-model.ts';
import type { World } from './world.ts';

/** What the SDK allows a request beyond the time that it waits (milliseconds). */
const TIMEOUT_MS = 10_000;

export const lostSqsRequest = (code: string): SqsError =>
  new SqsError(code === 'AbortError' ? 'aborted' : 'unreachable', code, `${code}: no answer from SQS`);

/** A queue as one replica has it: each request waits for the scheduler, there and back. */
export class SqsPort implements Queue {
  readonly #world: World;
  readonly #incarnation: Incarnation;
  readonly #queue: QueueModel;

  constructor(world: World, incarnation: Incarnation, queue: QueueModel) {
    this.#world = world;
    this.#incarnation = incarnation;
    this.#queue = queue;
  }

  receive({ max, waitSeconds, visibilitySeconds, signal }: ReceiveOptions): Promise<QueueMessage[]> {
    const perform = (call: Call) => {
      const answer = (messages: QueueMessage[]) => {
        call.answerWith({ value: messages });
        this.#note(messages);
      };
      const poll = { max, visibilitySeconds, answer };
      // Nobody waits for the answer any more: what is there is swallowed, what comes later is not.
      const found = this.#queue.receive(poll, call.isGhost ? 0 : waitSeconds);
      if (found === undefined) {
        this.#incarnation.onDeath(() => this.#queue.forget(poll));
        signal?.addEventListener('abort', () => this.#queue.forget(poll), { once: true });
        return PENDING;
      }
      this.#note(found);
      return found;
    };
    return this.#call('receive', this.#queue.name, perform, signal, waitSeconds * 1000);
  }

  delete(receiptHandles: readonly string[], signal?: AbortSignal): Promise<BatchOutcome[]> {
    const perform = () =>
      receiptHandles.map((handle): BatchOutcome => {
        if (this.#world.sqsRefusesEntry()) return new SqsError('other', 'InternalError', 'SQS refused one entry');
        const outcome = this.#queue.delete(handle);
        if (outcome === 'deleted') this.#world.oracle.messageDeleted(this.#queue, handle, this.#incarnation);
        return outcome === 'refused' ? new SqsError('other', 'ReceiptHandleIsInvalid', 'unknown handle') : undefined;
      });
    return this.#call('delete', receiptHandles.join(' '), perform, signal);
  }

  changeVisibility(changes: readonly VisibilityChange[], signal?: AbortSignal): Promise<BatchOutcome[]> {
    const perform = () =>
      changes.map(({ receiptHandle, seconds }): BatchOutcome => {
        if (this.#queue.hide(receiptHandle, seconds)) return undefined;
        return new SqsError('other', 'MessageNotInflight', 'the message is not in flight');
      });
    const what = changes.map(({ receiptHandle, seconds }) => `${receiptHandle} ${seconds} s`).join(', ');
    return this.#call('changeVisibility', what, perform, signal);
  }

  attributes(signal?: AbortSignal): Promise<QueueAttributes> {
    const { maxReceiveCount } = this.#queue;
    const perform = (): QueueAttributes => ({
      fifo: false,
      redrive: maxReceiveCount === undefined ? undefined : { maxReceiveCount, dlqArn: 'arn:aws:sqs:::dead' },
    });
    return this.#call('attributes', this.#queue.name, perform, signal);
  }

  send(): Promise<{ messageId: string }> {
    throw new Error('the operator sends nothing');
  }

  close(): void {}

  #note(messages: QueueMessage[]): void {
    for (const { messageId, receiveCount } of messages) {
      this.#world.trace.note(`received ${messageId}`, () => {
        return `${this.#incarnation.name} receives ${messageId} (receive ${receiveCount})`;
      });
      this.#world.oracle.messageReceived(messageId, this.#incarnation);
    }
  }

  #call<T>(
    verb: string,
    what: string,
    perform: (call: Call) => unknown,
    signal: AbortSignal | undefined,
    waitMs = 0,
  ): Promise<T> {
    const timeoutMs = TIMEOUT_MS + waitMs;
    const shared = { port: 'sqs', verb, what, perform, signal, lost: lostSqsRequest, timeoutMs } as const;
    return new Call(this.#world, this.#incarnation, shared).promise as Promise<T>;
  }
}
