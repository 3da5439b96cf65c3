import { linkedController } from '../../base/abort.ts';
import { Wakeup } from '../../base/wakeup.ts';
import type { QueueMessage } from '../../sqs/queue.ts';
import { Deleter } from './acknowledge/delete-listed.ts';
import { makeVisible } from './acknowledge/settle-message.ts';
import { StatusConfirmation } from './acknowledge/status-confirmation.ts';
import type { Item, Phase } from './batch-item.ts';
import { CreateInOrder, knownIdRejection, type RejectedItem } from './create/create-in-order.ts';
import type { ResourceContext } from './resource-context.ts';
import { VisibilityHeartbeat } from './visibility-heartbeat.ts';

interface BatchSignals {
  /** Ends the work: what is left is made visible again. Aborts when `abort` does. */
  readonly drain: AbortSignal;
  /** Ends everything at once. */
  readonly abort: AbortSignal;
}

/** `gone`: the resource is deleted, being deleted, or replaced by another one of its name. */
type BatchResult = 'done' | 'interrupted' | 'gone';

/**
 * The messages of one receive, from receipt to delete. Nothing more is received meanwhile, so a resource has at most
 * one batch, and while Jobs cannot be created there are no receives, which count towards the dead-letter queue. What is
 * no request goes to `Rejections` and delays nothing.
 *
 * If this process ends at any point, the messages come again when their visibility ends: a stored Job is found by its
 * name, a recorded request in the status.
 */
export class Batch {
  readonly #context: ResourceContext;
  readonly #signals: BatchSignals;
  readonly #visibilitySeconds: number;
  readonly #items: readonly Item[];
  readonly #heartbeat: VisibilityHeartbeat;
  readonly #creation: CreateInOrder;
  readonly #confirmation: StatusConfirmation;
  readonly #deleter: Deleter;
  readonly #wakeup = new Wakeup();
  readonly #startedAt: number;
  #gone = false;

  constructor(
    context: ResourceContext,
    messages: readonly QueueMessage[],
    visibilitySeconds: number,
    signals: BatchSignals,
  ) {
    this.#context = context;
    this.#signals = signals;
    this.#visibilitySeconds = visibilitySeconds;
    this.#startedAt = context.clock.now();
    this.#items = messages.map((message, index) => ({
      ...{ message, index, group: message.messageGroupId },
      ...{ phase: 'pending', request: undefined, parsedBy: undefined },
    }));
    this.#heartbeat = new VisibilityHeartbeat(context, visibilitySeconds);
    this.#heartbeat.add(messages, this.#startedAt);
    this.#creation = new CreateInOrder(context, this.#startedAt, {
      stored: (item) => {
        item.phase = 'stored';
        this.#confirmation.expect();
      },
      reject: (rejected) => this.#reject(rejected),
    });
    this.#confirmation = new StatusConfirmation(context);
    this.#deleter = new Deleter(context);
  }

  /** Never rejects. */
  async run(): Promise<BatchResult> {
    const { resources, key, clock } = this.#context;
    const stopListening = resources.onChange((changed) => changed === key && this.#wakeup.notify());
    const work = linkedController(this.#signals.drain);
    const heartbeat = this.#heartbeat.run(work.signal, () => this.#wakeup.notify());
    try {
      while (!work.signal.aborted) {
        this.#context.progress();
        this.#dropLost();
        if ((await this.#creation.run(this.#in('pending'), work.signal)) === 'gone') this.#gone = true;
        await this.#confirmStored(work.signal);
        await this.#deleteListed(work.signal);
        if (this.#gone || this.#in('pending', 'stored', 'listed').length === 0) break;
        await this.#wakeup.wait(clock, Math.max(0, this.#nextAt() - clock.now()), work.signal);
      }
    } finally {
      stopListening();
      work.abort();
      await heartbeat;
    }
    return this.#releaseRest();
  }

  #in(...phases: Phase[]): Item[] {
    return this.#items.filter(({ phase }) => phases.includes(phase));
  }

  #nextAt(): number {
    return Math.min(
      this.#in('pending').length > 0 ? this.#creation.at : Number.POSITIVE_INFINITY,
      this.#in('stored').length > 0 ? this.#confirmation.at : Number.POSITIVE_INFINITY,
      this.#in('listed').length > 0 ? this.#deleter.at : Number.POSITIVE_INFINITY,
    );
  }

  /** After SQS's 12 hours a message belongs to its next receiver. */
  #dropLost(): void {
    for (const item of this.#in('pending', 'stored', 'listed')) {
      if (!this.#heartbeat.has(item.message)) item.phase = 'ended';
    }
  }

  async #confirmStored(signal: AbortSignal): Promise<void> {
    const stored = this.#in('stored').flatMap((item) => (item.request ? [{ item, request: item.request }] : []));
    if (stored.length === 0 || signal.aborted || this.#gone) return;
    const confirmations = await this.#confirmation.confirm(
      stored.map(({ request }) => request),
      signal,
    );
    if (confirmations === 'gone') this.#gone = true;
    if (confirmations === 'gone' || confirmations === undefined) return;
    for (const [index, { item, request }] of stored.entries()) {
      const confirmation = confirmations[index];
      if (confirmation === 'listed') item.phase = 'listed';
      if (confirmation === 'conflict') this.#reject([{ item, rejection: knownIdRejection(item, request) }]);
      if (confirmation === 'vanished') {
        // Its Job was deleted before it was listed, so no record of the request is left. It is created again.
        item.phase = 'pending';
        this.#creation.at = 0;
      }
    }
  }

  /** Invariant 2: only what stands in the live status of this very resource is `listed`. */
  async #deleteListed(signal: AbortSignal): Promise<void> {
    const listed = this.#in('listed');
    if (listed.length === 0 || signal.aborted || this.#gone || this.#context.clock.now() < this.#deleter.at) return;
    const messages = listed.map(({ message }) => message);
    const ended = await this.#deleter.delete(messages, signal);
    for (const item of listed) if (ended.has(item.message)) this.#end(item);
  }

  #reject(rejected: readonly RejectedItem[]): void {
    this.#context.rejections.take(
      rejected.map(({ item, rejection }) => ({ message: item.message, rejection })),
      { receivedAt: this.#startedAt, visibilitySeconds: this.#visibilitySeconds },
    );
    for (const { item } of rejected) this.#end(item);
  }

  #end(item: Item): void {
    item.phase = 'ended';
    this.#heartbeat.release(item.message);
  }

  /** If the work ends early, the next receiver gets the rest at once, and not only when its visibility ends. */
  async #releaseRest(): Promise<BatchResult> {
    const { queue } = this.#context;
    const interrupted = this.#signals.drain.aborted;
    this.#creation.end();
    if ((interrupted || this.#gone) && !this.#signals.abort.aborted) {
      const left = this.#in('pending', 'stored', 'listed').map(({ message }) => message);
      await makeVisible(queue, left, this.#signals.abort);
    }
    if (this.#gone) return 'gone';
    return interrupted ? 'interrupted' : 'done';
  }
}
