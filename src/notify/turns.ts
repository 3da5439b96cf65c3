import { type Clock, LONGEST_TIMER_MS, monotonicNow, type TimerHandle } from '../base/clock.ts';
import { RateLimiter } from '../base/rate-limiter.ts';
import type { Gate } from './sink.ts';

interface Queue {
  readonly gate: Gate;
  readonly limiter: RateLimiter;
  /** A service asked for patience: until then, on the monotonic clock. */
  heldUntil: number;
  /** Who waits, in the order in which they came. */
  readonly keys: Set<string>;
  timer?: TimerHandle;
}

export interface TurnsOptions {
  /** It is the turn of this key at this gate. @returns whether it makes a call */
  readonly onTurn: (key: string, gate: Gate) => boolean;
  /** Whether one more call may begin now. */
  readonly hasRoom: () => boolean;
  /** Low numbers go first. */
  readonly urgencyOf: (key: string) => number;
  readonly clock: Clock;
}

/**
 * Who may call which service now. Each gate has a rate of its own, and a service that asks for patience holds one gate
 * only: the client of Slack would stop all calls.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #queues = new Map<string, Queue>();
  /** Where each key waits. */
  readonly #places = new Map<string, Queue>();
  #isStopped = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Takes a place in the queue of one gate, and gives up the one it had. */
  wait(key: string, gate: Gate): void {
    this.leave(key);
    const queue = this.#queueOf(gate);
    queue.keys.add(key);
    this.#places.set(key, queue);
    this.#serve(queue);
  }

  leave(key: string): void {
    this.#places.get(key)?.keys.delete(key);
    this.#places.delete(key);
  }

  /** No call passes this gate for so many milliseconds. */
  hold(gate: Gate, ms: number): void {
    const queue = this.#queueOf(gate);
    queue.heldUntil = Math.max(queue.heldUntil, monotonicNow(this.#options.clock) + ms);
  }

  /** There may be room for another call. */
  next(): void {
    for (const queue of this.#queues.values()) this.#serve(queue);
  }

  stop(): void {
    this.#isStopped = true;
    for (const { timer } of this.#queues.values()) this.#options.clock.clearTimeout(timer);
  }

  #queueOf(gate: Gate): Queue {
    const known = this.#queues.get(gate.name);
    if (known) return known;
    const limiter = new RateLimiter(this.#options.clock, gate.burstMs);
    const queue = { gate, limiter, heldUntil: Number.NEGATIVE_INFINITY, keys: new Set<string>() };
    this.#queues.set(gate.name, queue);
    return queue;
  }

  #serve(queue: Queue): void {
    const { clock, hasRoom, onTurn } = this.#options;
    while (!this.#isStopped && queue.keys.size > 0 && hasRoom()) {
      const waitMs = Math.max(queue.limiter.waitMs, queue.heldUntil - monotonicNow(clock));
      if (waitMs > 0) {
        clock.clearTimeout(queue.timer);
        queue.timer = clock.setTimeout(() => this.#serve(queue), Math.min(Math.ceil(waitMs), LONGEST_TIMER_MS));
        return;
      }
      const key = this.#mostUrgent(queue.keys);
      this.leave(key);
      if (onTurn(key, queue.gate)) queue.limiter.spend(queue.gate.costMs);
    }
  }

  #mostUrgent(keys: ReadonlySet<string>): string {
    let best = '';
    let urgency = Number.POSITIVE_INFINITY;
    for (const key of keys) {
      const own = this.#options.urgencyOf(key);
      if (own < urgency) [best, urgency] = [key, own];
    }
    return best;
  }
}
