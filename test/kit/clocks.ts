import { type Clock, systemClock } from '../../src/base/clock.ts';
import { isReal } from './which-world.ts';

interface VirtualTimer {
  at: number;
  callback: () => void;
}

/** A clock that stands still until a test moves it. `random` returns what the test sets. */
export class VirtualClock implements Clock {
  #now = Date.parse('2026-01-01T00:00:00Z');
  readonly #timers = new Set<VirtualTimer>();
  /** The delays of all timers that were set, in order. */
  readonly asked: number[] = [];
  /** By how much the time of day was set, in milliseconds. Timers and `monotonic` do not change by it. */
  setMs = 0;
  randomValue = 0.5;

  now(): number {
    return this.#now + this.setMs;
  }

  monotonic(): number {
    return this.#now;
  }

  random(): number {
    return this.randomValue;
  }

  setTimeout(callback: () => void, ms: number): VirtualTimer {
    this.asked.push(ms);
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as VirtualTimer);
  }

  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Lets `ms` pass. Timers fire in order. Before the next timer fires, everything that one timer set off has run to its
   * end.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await settle();
    }
    this.#now = end;
  }
}

/** Resolves when all microtasks, and what they queue, have run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * How much faster the operator's time runs. A queue that the operator does not read for 90 s of its time is reported.
 * So a slow machine has nine seconds for a read on a real control plane, and three seconds here.
 */
export const FAST = isReal ? 10 : 30;

interface RealTimer {
  due: number;
  callback: () => void;
  handle: NodeJS.Timeout | undefined;
}

/**
 * A clock that runs. A test sets it forward or makes it faster: timers that fall due by that fire at once, or sooner.
 */
export class MovableClock implements Clock {
  readonly random = systemClock.random;
  readonly #timers = new Set<RealTimer>();
  /** What this clock and the clock of the machine showed when a test last changed this one. */
  #base: { own: number; theirs: number };
  #speed: number;

  /**
   * @param aheadMs how far it is ahead of the machine's clock, negative if it is behind. @param speed how many times
   * faster it runs
   */
  constructor(aheadMs = 0, speed = 1) {
    const theirs = Date.now();
    this.#base = { own: theirs + aheadMs, theirs };
    this.#speed = speed;
  }

  now(): number {
    return this.#base.own + (Date.now() - this.#base.theirs) * this.#speed;
  }

  setTimeout(callback: () => void, ms: number): unknown {
    const timer = { due: this.now() + ms, callback, handle: undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    const timer = handle as RealTimer;
    if (this.#timers.delete(timer)) clearTimeout(timer.handle);
  }

  advance(ms: number): void {
    this.#set(this.now() + ms, this.#speed);
  }

  /** From now on it runs so many times faster than the clock of the machine. */
  setSpeed(speed: number): void {
    this.#set(this.now(), speed);
  }

  #set(own: number, speed: number): void {
    this.#base = { own, theirs: Date.now() };
    this.#speed = speed;
    for (const timer of this.#timers) this.#arm(timer);
  }

  #arm(timer: RealTimer): void {
    clearTimeout(timer.handle);
    const left = Math.max(0, timer.due - this.now());
    timer.handle = setTimeout(() => {
      this.#timers.delete(timer);
      timer.callback();
    }, left / this.#speed);
  }
}
