import type { Clock } from '../../src/base/clock.ts';

/** Timers of one Slack, so that stopping it leaves none behind. */
export class Timers {
  readonly #clock: Clock;
  readonly #waiting = new Set<unknown>();
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns cancels it */
  after(ms: number, callback: () => void): () => void {
    if (this.#stopped) return () => {};
    const cancel = (): void => {
      this.#clock.clearTimeout(handle);
      this.#waiting.delete(handle);
    };
    const handle = this.#clock.setTimeout(() => {
      this.#waiting.delete(handle);
      callback();
    }, ms);
    this.#waiting.add(handle);
    return cancel;
  }

  stop(): void {
    this.#stopped = true;
    for (const handle of this.#waiting) this.#clock.clearTimeout(handle);
    this.#waiting.clear();
  }
}
