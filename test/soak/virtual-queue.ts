import type { Clock } from '../../src/base/clock.ts';
import { SqsError } from '../../src/sqs/errors.ts';
import type { Queue, QueueAttributes, QueueMessage, ReceiveOptions, VisibilityChange } from '../../src/sqs/queue.ts';

interface Stored {
  readonly messageId: string;
  readonly body: string;
  readonly sentAt: number;
  visibleAt: number;
  receives: number;
}

/** SQS on a clock that somebody moves: visibility, redelivery, redrive, long polls, and a queue that can be gone. */
export class VirtualQueue {
  readonly #clock: Clock;
  readonly #redrive: QueueAttributes['redrive'];
  readonly #messages = new Map<string, Stored>();
  readonly #polls = new Set<() => void>();
  exists = true;
  #sent = 0;

  constructor(clock: Clock, redrive: QueueAttributes['redrive']) {
    this.#clock = clock;
    this.#redrive = redrive;
  }

  send(body: string): void {
    const messageId = `m-${++this.#sent}-${Math.floor(this.#clock.random() * 1e9)}`;
    const now = this.#clock.now();
    this.#messages.set(messageId, { messageId, body, sentAt: now, visibleAt: now, receives: 0 });
    this.#wake();
  }

  get depth(): number {
    return this.#messages.size;
  }

  /** One more connection to it. */
  open(): Queue {
    return {
      receive: (options) => this.#receive(options),
      delete: async (handles) => this.#change(handles.map((receiptHandle) => ({ receiptHandle, seconds: undefined }))),
      changeVisibility: async (changes) => this.#change(changes),
      attributes: async () => {
        this.#mustExist();
        return { fifo: false, redrive: this.#redrive };
      },
      send: async () => ({ messageId: '' }),
      close: () => {},
    };
  }

  #mustExist(): void {
    if (!this.exists) throw new SqsError('missing-queue', 'QueueDoesNotExist', 'the queue does not exist');
  }

  async #receive({ max, waitSeconds, visibilitySeconds, signal }: ReceiveOptions): Promise<QueueMessage[]> {
    const until = this.#clock.now() + waitSeconds * 1000;
    for (;;) {
      this.#mustExist();
      if (signal?.aborted) throw new SqsError('aborted', 'AbortError', 'aborted');
      const messages = this.#take(max, visibilitySeconds);
      if (messages.length > 0 || this.#clock.now() >= until) return messages;
      await this.#pause(until - this.#clock.now(), signal);
    }
  }

  #take(max: number, visibilitySeconds: number): QueueMessage[] {
    const now = this.#clock.now();
    const visible = [...this.#messages.values()].filter(({ visibleAt }) => visibleAt <= now).slice(0, max);
    return visible.flatMap((stored) => {
      stored.receives += 1;
      if (this.#redrive && stored.receives > this.#redrive.maxReceiveCount) {
        this.#messages.delete(stored.messageId);
        return [];
      }
      stored.visibleAt = now + visibilitySeconds * 1000;
      const { messageId, body, sentAt, receives } = stored;
      const receiptHandle = `${messageId}/${receives}`;
      const whose = { senderId: 'AIDA', sentTimestamp: sentAt, receiveCount: receives, messageGroupId: undefined };
      return [{ messageId, receiptHandle, body, ...whose }];
    });
  }

  #change(changes: readonly (VisibilityChange | { receiptHandle: string; seconds: undefined })[]): undefined[] {
    this.#mustExist();
    return changes.map(({ receiptHandle, seconds }) => {
      const [messageId = ''] = receiptHandle.split('/');
      const stored = this.#messages.get(messageId);
      if (stored && seconds === undefined) this.#messages.delete(messageId);
      else if (stored && seconds !== undefined) stored.visibleAt = this.#clock.now() + seconds * 1000;
      return undefined;
    });
  }

  /** Until something is sent, a visibility ends or the time is up. */
  #pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const now = this.#clock.now();
    const next = Math.min(...[...this.#messages.values()].map(({ visibleAt }) => visibleAt - now), ms);
    return new Promise((resolve) => {
      const done = () => {
        this.#clock.clearTimeout(timer);
        this.#polls.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.#clock.setTimeout(done, Math.max(1, next));
      this.#polls.add(done);
      signal?.addEventListener('abort', done);
    });
  }

  #wake(): void {
    for (const wake of [...this.#polls]) wake();
  }
}
