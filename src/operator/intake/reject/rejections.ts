import { BoundedMap } from '../../../base/bounded-map.ts';
import { RateLimiter } from '../../../base/rate-limiter.ts';
import { Wakeup } from '../../../base/wakeup.ts';
import type { Rejection } from '../../../requests/parse-message.ts';
import type { QueueMessage } from '../../../sqs/queue.ts';
import { makeVisible, RedrivePolicy } from '../acknowledge/settle-message.ts';
import type { QueueContext } from '../context.ts';
import { HandedOver } from '../ports.ts';
import { VisibilityHeartbeat } from '../visibility-heartbeat.ts';
import { SettleRejected } from './settle-rejected.ts';

/** Rejected messages in flight of a resource. At this limit receives wait for the write that records them. */
export const MOST_IN_FLIGHT = 200;
/**
 * The cost of a rejected message in milliseconds until the next receive: a hundred messages a second, and a million
 * characters a second (to refuse a megabyte of brackets takes 50 ms). A flooded queue gets no more of this process than
 * that, and evenly: the messages of other resources come in between.
 */
const COST_MS = 10;
const CHARACTERS_PER_MS = 1_000;
/** Each change notifies; this is for one that was missed. Milliseconds. */
const CHECK_MS = 1_000;
/** Remembered MessageIds: a message is received several times on its way to the dead-letter queue. */
const REMEMBERED = 5_000;

export interface Rejected {
  readonly message: QueueMessage;
  readonly rejection: Rejection;
}

export interface Receipt {
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly visibilitySeconds: number;
}

/**
 * The messages of one resource that can never become a deploy, until they are deleted or left to the dead-letter queue.
 * They are handled beside its batches. A flood of them delays its good messages only by `waitForCapacity`.
 *
 * Invariant 2: a message is settled only after its rejection stands in the status. If this process ends in between, the
 * message comes again and the record is found.
 */
export class Rejections {
  readonly #context: QueueContext;
  readonly #redrive: RedrivePolicy;
  readonly #recorded = new BoundedMap<string, true>(REMEMBERED);
  /** Without their bodies: they can wait long for a record. */
  readonly #inFlight = new Map<QueueMessage, VisibilityHeartbeat>();
  /** By visibility in seconds, which an edit of the spec changes for later receives. */
  readonly #heartbeats = new Map<number, VisibilityHeartbeat>();
  readonly #wakeup = new Wakeup();
  #work: { readonly controller: AbortController; readonly settle: SettleRejected };
  readonly #rateLimiter: RateLimiter;

  constructor(context: QueueContext) {
    this.#context = context;
    this.#redrive = new RedrivePolicy(context.queue, context.clock);
    this.#rateLimiter = new RateLimiter(context.clock, 0);
    this.#work = this.#begin();
  }

  /** Returns at once. From now on the messages are kept hidden, recorded and settled here. */
  take(rejected: readonly Rejected[], receipt: Receipt): void {
    for (const { message, rejection } of rejected) {
      this.#rateLimiter.spend(Math.max(COST_MS, message.body.length / CHARACTERS_PER_MS));
      const kept = { ...message, body: '' };
      const heartbeat = this.#heartbeatOf(receipt.visibilitySeconds);
      heartbeat.add([kept], receipt.receivedAt);
      this.#inFlight.set(kept, heartbeat);
      void this.#record(kept, rejection);
    }
  }

  /** Resolves when another receive may begin, or the signal aborts. */
  async waitForCapacity(signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    while (!signal.aborted) {
      const { waitMs } = this.#rateLimiter;
      if (waitMs <= 0 && this.#inFlight.size < MOST_IN_FLIGHT) return;
      await this.#wakeup.wait(clock, waitMs > 0 ? waitMs : CHECK_MS, signal);
    }
  }

  /**
   * Resolves when nothing is in flight any more. When `drain` aborts, the rest is made visible again. When `abort`
   * does, it comes again when its visibility ends. Afterwards messages may be taken as before.
   */
  async end(drain: AbortSignal, abort: AbortSignal): Promise<void> {
    while (this.#inFlight.size > 0 && !drain.aborted) await this.#wakeup.wait(this.#context.clock, CHECK_MS, drain);
    const left = [...this.#inFlight.keys()];
    this.#inFlight.clear();
    this.#renew();
    if (!abort.aborted) await makeVisible(this.#context.queue, left, abort);
  }

  /** Ends all work and all heartbeats: if nothing is in flight, nothing runs. */
  #renew(): void {
    this.#work.controller.abort();
    this.#heartbeats.clear();
    this.#work = this.#begin();
  }

  #begin(): { controller: AbortController; settle: SettleRejected } {
    const controller = new AbortController();
    const settle = new SettleRejected(this.#context, this.#redrive, controller.signal, (message) =>
      this.#release(message),
    );
    return { controller, settle };
  }

  #heartbeatOf(visibilitySeconds: number): VisibilityHeartbeat {
    let heartbeat = this.#heartbeats.get(visibilitySeconds);
    if (heartbeat === undefined) {
      heartbeat = new VisibilityHeartbeat(this.#context, visibilitySeconds);
      this.#heartbeats.set(visibilitySeconds, heartbeat);
      // More often than for a batch: a message from there can have half of its time behind it when it gets here.
      void heartbeat.run(this.#work.controller.signal, () => this.#dropLost(), 3);
    }
    return heartbeat;
  }

  async #record(message: QueueMessage, rejection: Rejection): Promise<void> {
    const { queue, reports, key, uid, metrics, clock, log } = this.#context;
    const { controller, settle } = this.#work;
    const { messageId } = message;
    if (!this.#recorded.has(messageId)) {
      try {
        // Invariant 2: the message stays until this has resolved.
        const at = new Date(clock.now()).toISOString();
        await reports.rejected(key, { ...rejection, at }, controller.signal, uid);
      } catch (err) {
        if (controller.signal.aborted) return;
        // At once, and not when its visibility ends: the new leader records it.
        if (err instanceof HandedOver) await makeVisible(queue, [message], controller.signal);
        else log.warn({ err, messageId }, 'a rejection was not recorded; its message stays');
        return this.#release(message);
      }
      if (!this.#recorded.has(messageId)) {
        this.#recorded.set(messageId, true);
        metrics.rejected(key, rejection.reason);
        log.warn({ messageId, reason: rejection.reason, field: rejection.field }, 'rejected a message');
      }
    }
    settle.add(message);
  }

  /** After SQS's 12 hours: the next receiver rejects the message. */
  #dropLost(): void {
    for (const [message, heartbeat] of this.#inFlight) if (!heartbeat.has(message)) this.#release(message);
  }

  #release(message: QueueMessage): void {
    this.#inFlight.get(message)?.release(message);
    this.#inFlight.delete(message);
    if (this.#inFlight.size === 0) this.#renew();
    this.#wakeup.notify();
  }
}
