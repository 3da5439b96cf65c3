/** Keys to look at, each once at a time, later: a controller's work never runs within the write that caused it. */
import type { Clock, TimerHandle } from '../clock.ts';

export class WorkQueue {
  readonly #clock: Clock;
  readonly #work: (key: string) => void;
  readonly #timers = new Map<string, { timer: TimerHandle; due: number }>();
  #stopped = false;

  constructor(clock: Clock, work: (key: string) => void) {
    this.#clock = clock;
    this.#work = work;
  }

  /** An earlier time asked for before stands. */
  add(key: string, afterMs = 0): void {
    if (this.#stopped) return;
    const due = this.#clock.now() + afterMs;
    const waiting = this.#timers.get(key);
    if (waiting !== undefined && waiting.due <= due) return;
    this.#clock.clearTimeout(waiting?.timer);
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(key);
      this.#work(key);
    }, afterMs);
    this.#timers.set(key, { timer, due });
  }

  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#timers.values()) this.#clock.clearTimeout(timer);
    this.#timers.clear();
  }
}
