import { type Clock, fullJitter } from './clock.ts';

/** Exponential backoff with full jitter. The first wait after a reset is short: most failures are over at once. */
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

  /** Milliseconds until the next try. At least a tenth of the first bound: chance must not make a busy loop of it. */
  next(): number {
    return Math.max(this.#firstMs / 10, fullJitter(this.#clock, this.#firstMs, this.#maxMs, this.#failures++));
  }

  reset(): void {
    this.#failures = 0;
  }
}
