/**
 * Time and chance as the parts of this room use them: handed in, so that tests and the simulation run them on a virtual clock.
 */

/** What a timer is; only good for `clearTimeout` of the same clock. */
export type TimerHandle = unknown;

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Milliseconds since some moment, by a clock that nobody sets: what a lease is measured with, for one that is set back would have a
   * leader believe in itself for too long. A clock without it is one that is never set (see `monotonicNow`).
   */
  monotonic?(): number;
  setTimeout(callback: () => void, ms: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
  /** At least 0, less than 1. */
  random(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  // CLOCK_MONOTONIC: it goes on while the process is stopped (SIGSTOP), and takes no step when NTP does.
  monotonic: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  random: () => Math.random(),
};

/** Only differences mean something: milliseconds that no change of the system's time touches. */
export const monotonicNow = (clock: Clock): number => clock.monotonic?.() ?? clock.now();

/** No timer of this program sleeps longer than this (milliseconds): `setTimeout` beyond 2^31 ms, 24.8 days, fires at once. */
export const LONGEST_TIMER_MS = 5 * 60_000;

/** Resolves after `ms`, or as soon as the signal aborts: callers look at the signal, so an abort is no error here. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.setTimeout(done, Math.min(ms, LONGEST_TIMER_MS));
    signal.addEventListener('abort', done, { once: true });
  });
}

/**
 * Exponential backoff with full jitter: anywhere in 0..min(cap, base·2^attempt), attempt counted from 0. Full rather than proportional
 * jitter spreads the clients of an API server that comes back best (AWS Architecture Blog, "Exponential Backoff And Jitter").
 */
export function fullJitter(clock: Clock, baseMs: number, capMs: number, attempt: number): number {
  return clock.random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 50));
}

/** metav1.MicroTime: RFC 3339 with exactly six digits (apimachinery `micro_time.go`); the API server refuses three. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
