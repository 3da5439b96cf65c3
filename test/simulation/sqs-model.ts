import type { QueueMessage } from '../../src/sqs/queue.ts';
import type { World } from './world.ts';

/** A message as SQS holds it. */
export interface StoredMessage {
  readonly messageId: string;
  readonly body: string;
  readonly senderId: string;
  readonly sentTimestamp: number;
  readonly groupId: string | undefined;
  /** World time from which on a receive can bring it. */
  visibleAt: number;
  receiveCount: number;
  /** `deleted` may still come again: a standard queue keeps copies on many hosts. */
  state: 'queued' | 'deleted' | 'dead-letter';
  /** How often it was brought back by the model: copies, late deliveries after the delete. */
  copies: number;
}

interface Poll {
  readonly max: number;
  readonly visibilitySeconds: number;
  readonly answer: (messages: QueueMessage[]) => void;
}

/**
 * A standard SQS queue: at least once, in no order, sometimes again after the delete, to the dead-letter queue after
 * too many receives. What makes it unkind is decided outside (`people.ts`); it keeps the rules.
 */
export class QueueModel {
  readonly name: string;
  readonly maxReceiveCount: number | undefined;
  readonly messages: StoredMessage[] = [];
  readonly #world: World;
  readonly #polls = new Set<Poll>();

  constructor(world: World, name: string, maxReceiveCount: number | undefined) {
    this.#world = world;
    this.name = name;
    this.maxReceiveCount = maxReceiveCount;
  }

  /** @param delayMs late delivery: it was sent now, and no receive brings it before that. */
  send(body: string, delayMs = 0, groupId?: string): StoredMessage {
    const now = this.#world.clock.now();
    const message: StoredMessage = {
      messageId: `${this.name}-m${this.messages.length + 1}`,
      body,
      senderId: 'AIDASIMULATION',
      sentTimestamp: now,
      groupId,
      visibleAt: now + delayMs,
      receiveCount: 0,
      state: 'queued',
      copies: 0,
    };
    this.messages.push(message);
    this.#wakeAt(message);
    return message;
  }

  /** Brings a message back that is hidden or deleted: a copy that another host still had. */
  deliverAgain(message: StoredMessage): void {
    message.state = 'queued';
    message.copies += 1;
    message.visibleAt = this.#world.clock.now();
    this.#wakeAt(message);
  }

  /**
   * @returns messages, or undefined where the poll waits for some; `answer` then gets them, or an empty list when its
   * time is over.
   */
  receive(poll: Poll, waitSeconds: number): QueueMessage[] | undefined {
    const found = this.#take(poll);
    if (found.length > 0 || waitSeconds <= 0) return found;
    this.#polls.add(poll);
    this.#world.clock.setTimeout(() => {
      if (this.#polls.delete(poll)) poll.answer([]);
    }, waitSeconds * 1000);
    return undefined;
  }

  forget(poll: Poll): void {
    this.#polls.delete(poll);
  }

  /** A handle of an earlier receive may still delete the message, or be too old: then SQS says so, or says nothing. */
  delete(receiptHandle: string): 'deleted' | 'stale' | 'refused' {
    const [messageId, count] = splitHandle(receiptHandle);
    const message = this.messages.find((each) => each.messageId === messageId);
    if (message === undefined) return 'refused';
    if (Number(count) !== message.receiveCount && this.#world.chance(0.5)) return 'stale';
    if (message.state === 'queued') message.state = 'deleted';
    return 'deleted';
  }

  hide(receiptHandle: string, seconds: number): boolean {
    const [messageId, count] = splitHandle(receiptHandle);
    const message = this.messages.find((each) => each.messageId === messageId);
    const now = this.#world.clock.now();
    if (message?.state !== 'queued' || Number(count) !== message.receiveCount || message.visibleAt <= now) return false;
    message.visibleAt = now + seconds * 1000;
    this.#wakeAt(message);
    return true;
  }

  /** Those that a reader could still get. */
  get left(): StoredMessage[] {
    return this.messages.filter(({ state }) => state === 'queued');
  }

  #wakeAt(message: StoredMessage): void {
    this.#world.clock.setTimeout(() => this.#serve(), Math.max(0, message.visibleAt - this.#world.clock.now()));
  }

  #serve(): void {
    for (const poll of [...this.#polls]) {
      const found = this.#take(poll);
      if (found.length === 0) return;
      this.#polls.delete(poll);
      poll.answer(found);
    }
  }

  #take({ max, visibilitySeconds }: Poll): QueueMessage[] {
    const now = this.#world.clock.now();
    const visible = this.messages.filter((each) => each.state === 'queued' && each.visibleAt <= now);
    if (visible.length === 0) return [];
    const random = this.#world.random('receive', this.#world.nextNumber());
    // A receive asks some of the hosts: it may bring few of many, in any order.
    const some = random.shuffle(visible).slice(0, random.chance(0.5) ? max : 1 + random.int(max));
    return some.flatMap((message) => {
      if (this.maxReceiveCount !== undefined && message.receiveCount >= this.maxReceiveCount) {
        message.state = 'dead-letter';
        this.#world.trace.note('dead-letter', () => `SQS moves ${message.messageId} to the dead-letter queue`);
        return [];
      }
      message.receiveCount += 1;
      message.visibleAt = now + visibilitySeconds * 1000;
      this.#wakeAt(message);
      return [
        {
          messageId: message.messageId,
          receiptHandle: `${message.messageId}#${message.receiveCount}`,
          body: message.body,
          senderId: message.senderId,
          sentTimestamp: message.sentTimestamp,
          receiveCount: message.receiveCount,
          messageGroupId: message.groupId,
        },
      ];
    });
  }
}

function splitHandle(handle: string): [messageId: string, count: string] {
  const hash = handle.lastIndexOf('#');
  return [handle.slice(0, hash), handle.slice(hash + 1)];
}
