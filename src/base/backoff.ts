import { type Clock, fullJitter } from './clock.ts';

/** Exponential backoff with full jitter; the first wait after a reset is short, for most trouble is over at once. */
export class Backoff {
  readonly #clock: Clock;
  readonly #firstMs: number;
  readonly #maxMs: number;
  #failures = 0;

  constructor(clock: Clock, firstMs: number, maxMs: number) {
    this.#clock = clock;
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
  }

  /** Milliseconds to wait before the next try; never less than a tenth of the first bound, so that no chance makes it a busy loop. */
  next(): number {
    return Math.max(this.#firstMs / 10, fullJitter(this.#clock, this.#firstMs, this.#maxMs, this.#failures++));
  }

  reset(): void {
    this.#failures = 0;
  }
}
