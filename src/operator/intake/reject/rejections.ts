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

/** So many rejected messages of a resource are in flight at most; beyond that its receives wait for the status write that records them. */
export const MOST_IN_FLIGHT = 200;
/**
 * What a rejected message costs, in milliseconds until the next receive, however fast it is recorded: by its number, a hundred a second,
 * and by its length, a million characters a second (to refuse a megabyte of brackets takes 50 ms). Who floods a queue gets no more of
 * this process than that, and evenly: the other resources' messages come in between.
 */
const COST_MS = 10;
const CHARACTERS_PER_MS = 1_000;
/** Each change notifies; this is for one that was missed. Milliseconds. */
const LOOK_MS = 1_000;
/** MessageIds that are remembered: a message on its way to the dead-letter queue is seen several times. For others the status is asked again. */
const REMEMBERED = 5_000;

export interface Rejected {
  readonly message: QueueMessage;
  readonly rejection: Rejection;
}

/** How messages were received. */
export interface Receipt {
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly visibilitySeconds: number;
}

/**
 * The messages of one resource that can never become a deploy, from the verdict to the delete (or the dead-letter queue). They go on beside
 * its batches: a flood of them holds up its good messages, and the receives that bring them, as little as `room` allows.
 *
 * Invariant 2: a message is settled only once its rejection stands in the status. If this process ends between record and settlement, the
 * message comes again and the record is found.
 */
export class Rejections {
  readonly #parts: QueueContext;
  readonly #redrive: RedrivePolicy;
  readonly #recorded = new BoundedMap<string, true>(REMEMBERED);
  /** Without their bodies: where nothing can be recorded, they wait here. */
  readonly #inFlight = new Map<QueueMessage, VisibilityHeartbeat>();
  /** By the seconds of visibility that messages were received with, which an edit of the spec changes for later ones. */
  readonly #heartbeats = new Map<number, VisibilityHeartbeat>();
  readonly #wakeup = new Wakeup();
  #work: { readonly controller: AbortController; readonly settle: SettleRejected };
  readonly #rateLimiter: RateLimiter;

  constructor(parts: QueueContext) {
    this.#parts = parts;
    this.#redrive = new RedrivePolicy(parts.queue, parts.clock);
    this.#rateLimiter = new RateLimiter(parts.clock, 0);
    this.#work = this.#begin();
  }

  /** Takes messages over and returns at once: from now on they are kept hidden, recorded and settled here. */
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

  /** Resolves when there is room for what a receive may bring, or the signal aborts. */
  async waitForCapacity(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      const { waitMs } = this.#rateLimiter;
      if (waitMs <= 0 && this.#inFlight.size < MOST_IN_FLIGHT) return;
      await this.#wakeup.wait(clock, waitMs > 0 ? waitMs : LOOK_MS, signal);
    }
  }

  /**
   * Resolves when nothing is in flight any more. What is left when `drain` aborts is made visible again, at once; where `abort` did too, it
   * comes again when its visibility ends. Afterwards messages may be taken as before.
   */
  async end(drain: AbortSignal, abort: AbortSignal): Promise<void> {
    while (this.#inFlight.size > 0 && !drain.aborted) await this.#wakeup.wait(this.#parts.clock, LOOK_MS, drain);
    const left = [...this.#inFlight.keys()];
    this.#inFlight.clear();
    this.#renew();
    if (!abort.aborted) await makeVisible(this.#parts.queue, left, abort);
  }

  /** Ends all that is under way, the heartbeats too: if nothing is in flight, nothing runs. */
  #renew(): void {
    this.#work.controller.abort();
    this.#heartbeats.clear();
    this.#work = this.#begin();
  }

  #begin(): { controller: AbortController; settle: SettleRejected } {
    const controller = new AbortController();
    const settle = new SettleRejected(this.#parts, this.#redrive, controller.signal, (message) => this.#letGo(message));
    return { controller, settle };
  }

  #heartbeatOf(visibilitySeconds: number): VisibilityHeartbeat {
    let heartbeat = this.#heartbeats.get(visibilitySeconds);
    if (heartbeat === undefined) {
      heartbeat = new VisibilityHeartbeat(this.#parts, visibilitySeconds);
      this.#heartbeats.set(visibilitySeconds, heartbeat);
      // More often than a batch does: what it hands over may have half of its time behind it, and then waits for the next beat here.
      void heartbeat.run(this.#work.controller.signal, () => this.#dropLost(), 3);
    }
    return heartbeat;
  }

  async #record(message: QueueMessage, rejection: Rejection): Promise<void> {
    const { queue, reports, key, uid, metrics, clock, log } = this.#parts;
    const { controller, settle } = this.#work;
    const { messageId } = message;
    if (!this.#recorded.has(messageId)) {
      try {
        // Invariant 2: the message stays until this has resolved.
        const at = new Date(clock.now()).toISOString();
        await reports.rejected(key, { ...rejection, at }, controller.signal, uid);
      } catch (err) {
        if (controller.signal.aborted) return;
        // At once rather than when its visibility ends: who leads now records it.
        if (err instanceof HandedOver) await makeVisible(queue, [message], controller.signal);
        else log.warn({ err, messageId }, 'a rejection was not recorded; its message stays');
        return this.#letGo(message);
      }
      if (!this.#recorded.has(messageId)) {
        this.#recorded.set(messageId, true);
        metrics.rejected(key, rejection.reason);
        log.warn({ messageId, reason: rejection.reason, field: rejection.field }, 'rejected a message');
      }
    }
    settle.add(message);
  }

  /** SQS's 12 hours are over: whoever receives the message next rejects it. */
  #dropLost(): void {
    for (const [message, heartbeat] of this.#inFlight) if (!heartbeat.has(message)) this.#letGo(message);
  }

  #letGo(message: QueueMessage): void {
    this.#inFlight.get(message)?.release(message);
    this.#inFlight.delete(message);
    if (this.#inFlight.size === 0) this.#renew();
    this.#wakeup.notify();
  }
}
