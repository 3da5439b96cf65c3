import type { Clock } from '../../src/base/clock.ts';

interface Timer {
  at: number;
  callback: () => void;
  real: NodeJS.Timeout;
}

/**
 * The real clock, which a test can set forward: what is due by then fires. Sockets and clients go on in real time
 * meanwhile. No timer keeps the process alive.
 */
export class TravelClock implements Clock {
  #ahead = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return Date.now() + this.#ahead;
  }

  random(): number {
    return 0.5;
  }

  setTimeout(callback: () => void, ms: number): Timer {
    const timer: Timer = { at: this.now() + ms, callback, real: setTimeout(() => this.#fire(timer), ms).unref() };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    const timer = handle as Timer | undefined;
    if (timer === undefined) return;
    clearTimeout(timer.real);
    this.#timers.delete(timer);
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets `ms` pass at once. Timers fire in the order in which they are due, also those that another one has set. */
  advance(ms: number): void {
    const end = this.#ahead + ms;
    for (;;) {
      const next = earliest(this.#timers);
      if (next === undefined || next.at > Date.now() + end) break;
      this.#ahead = Math.max(this.#ahead, next.at - Date.now());
      this.#fire(next);
    }
    this.#ahead = Math.max(this.#ahead, end);
  }

  #fire(timer: Timer): void {
    if (!this.#timers.has(timer)) return;
    this.clearTimeout(timer);
    timer.callback();
  }
}

function earliest(timers: Iterable<Timer>): Timer | undefined {
  let first: Timer | undefined;
  for (const timer of timers) if (first === undefined || timer.at < first.at) first = timer;
  return first;
}
