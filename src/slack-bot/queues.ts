import type { Queue, QueueSettings } from '../sqs/queue.ts';

type SendingQueue = Pick<Queue, 'send' | 'close'>;

/**
 * The queues that were sent to, one for each target, kept open: a role is assumed once, and a line is answered within
 * half a second.
 */
export class OpenQueues {
  readonly #open: (settings: QueueSettings) => SendingQueue;
  /** By the name of the target. */
  readonly #queues = new Map<string, { key: string; queue: SendingQueue }>();

  constructor(open: (settings: QueueSettings) => SendingQueue) {
    this.#open = open;
  }

  /**
   * Closes the queue that the target had before, if it has another one now.
   * @param settings with the name of the target as `externalId`
   */
  get(settings: QueueSettings): SendingQueue {
    const { externalId: target, url, region, roleArn } = settings;
    const key = JSON.stringify([url, region, roleArn]);
    const open = this.#queues.get(target);
    if (open?.key === key) return open.queue;
    open?.queue.close();
    const queue = new LastingQueue(this.#open(settings));
    this.#queues.set(target, { key, queue });
    return queue;
  }

  /** Closes the queues of all other targets. @param targets names of those that there are */
  keep(targets: ReadonlySet<string>): void {
    for (const [target, { queue }] of this.#queues) {
      if (targets.has(target)) continue;
      this.#queues.delete(target);
      queue.close();
    }
  }

  close(): void {
    this.keep(new Set());
  }
}

/** A queue that ends only after what is being sent. */
class LastingQueue implements SendingQueue {
  readonly #queue: SendingQueue;
  #sending = 0;
  #isClosed = false;

  constructor(queue: SendingQueue) {
    this.#queue = queue;
  }

  async send(...message: Parameters<SendingQueue['send']>): Promise<{ messageId: string }> {
    this.#sending += 1;
    try {
      return await this.#queue.send(...message);
    } finally {
      this.#sending -= 1;
      if (this.#isClosed && this.#sending === 0) this.#queue.close();
    }
  }

  close(): void {
    this.#isClosed = true;
    if (this.#sending === 0) this.#queue.close();
  }
}
