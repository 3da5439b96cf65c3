import { type Clock, systemClock } from '../../src/base/clock.ts';
import { isReal } from './which-world.ts';

/**
 * How much faster the operator's time runs. A queue that is not read for 90 s of it is reported, and no machine may be that slow to let the
 * operator read: on a real control plane, with its tests beside it, it has nine seconds for that, here three.
 */
export const FAST = isReal ? 10 : 30;

interface Timer {
  due: number;
  callback: () => void;
  handle: NodeJS.Timeout | undefined;
}

/** The clock of a machine, which a test puts forward or lets run faster: what falls due by that happens at once, or sooner. */
export class MovableClock implements Clock {
  readonly random = systemClock.random;
  readonly #timers = new Set<Timer>();
  /** What it showed when it was last touched, and what everybody else's showed then. */
  #base: { own: number; theirs: number };
  #speed: number;

  /** @param aheadMs how far it is ahead of everybody else's; negative for one that is slow. @param speed how many times faster it runs. */
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
    const timer = handle as Timer;
    if (this.#timers.delete(timer)) clearTimeout(timer.handle);
  }

  advance(ms: number): void {
    this.#set(this.now() + ms, this.#speed);
  }

  /** From now on it runs so many times faster than everybody else's. */
  setSpeed(speed: number): void {
    this.#set(this.now(), speed);
  }

  #set(own: number, speed: number): void {
    this.#base = { own, theirs: Date.now() };
    this.#speed = speed;
    for (const timer of this.#timers) this.#arm(timer);
  }

  #arm(timer: Timer): void {
    clearTimeout(timer.handle);
    const left = Math.max(0, timer.due - this.now());
    timer.handle = setTimeout(() => {
      this.#timers.delete(timer);
      timer.callback();
    }, left / this.#speed);
  }
}
