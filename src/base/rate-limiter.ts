import { type Clock, monotonicNow, sleep } from './clock.ts';

/**
 * Limits how fast one resource goes on, so that others get their turn between its requests (invariant 9). Without it, a
 * backlog of thousands is worked off as fast as the API server answers, and a flood is refused as fast as this process
 * can. It counts on the monotonic clock: a clock that is set back must not stop a resource.
 */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #burstMs: number;
  /** When all that was spent is paid for, on the monotonic clock (milliseconds). */
  #paidAt = Number.NEGATIVE_INFINITY;

  /** @param burstMs what may be spent at once after as long a time without cost (milliseconds). */
  constructor(clock: Clock, burstMs: number) {
    this.#clock = clock;
    this.#burstMs = burstMs;
  }

  /** Records a cost (milliseconds), even if the limit is exceeded. */
  spend(costMs: number): void {
    this.#paidAt = Math.max(this.#paidAt, monotonicNow(this.#clock) - this.#burstMs) + costMs;
  }

  /** Milliseconds until there is capacity; 0 or less if there is some now. */
  get waitMs(): number {
    return this.#paidAt - monotonicNow(this.#clock);
  }

  /** Resolves when there is capacity, or when the signal aborts. */
  async waitForCapacity(signal: AbortSignal): Promise<void> {
    if (this.waitMs > 0) await sleep(this.#clock, this.waitMs, signal);
  }
}
