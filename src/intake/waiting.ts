import { type Clock, fullJitter, sleep } from '../kube/clock.ts';

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

/** Wakes one sleeper early: for changes that would else be noticed only when its time is up. A ring before the sleep counts. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Sleeps until the bell rings, the time is up or the signal aborts. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      const woken = new AbortController();
      const wake = () => woken.abort();
      this.#wake = wake;
      signal.addEventListener('abort', wake);
      await sleep(clock, ms, woken.signal);
      signal.removeEventListener('abort', wake);
      this.#wake = undefined;
    }
    this.#rung = false;
  }
}
