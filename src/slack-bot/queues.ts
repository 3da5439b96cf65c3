import type { Queue, QueueSettings } from '../sqs/queue.ts';

type SendingQueue = Pick<Queue, 'send' | 'close'>;

/** The queues that were sent to, kept open: a role is assumed once, and a line is answered within half a second. */
export class OpenQueues {
  readonly #open: (settings: QueueSettings) => SendingQueue;
  readonly #queues = new Map<string, SendingQueue>();

  constructor(open: (settings: QueueSettings) => SendingQueue) {
    this.#open = open;
  }

  get(settings: QueueSettings): SendingQueue {
    const key = JSON.stringify([settings.url, settings.region, settings.roleArn, settings.externalId]);
    const queue = this.#queues.get(key) ?? this.#open(settings);
    this.#queues.set(key, queue);
    return queue;
  }

  close(): void {
    for (const queue of this.#queues.values()) queue.close();
    this.#queues.clear();
  }
}
