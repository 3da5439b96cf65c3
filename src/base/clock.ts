/** Time and chance are handed in, so that tests and the simulation run on a virtual clock. */

/** Only for `clearTimeout` of the same clock. */
export type TimerHandle = unknown;

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Milliseconds since some moment, by a clock that is never set. Leases are measured with it: with a clock that is set
   * back a leader would believe in itself for too long. A clock without this method is never set (see `monotonicNow`).
   */
  monotonic?(): number;
  setTimeout(callback: () => void, ms: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
  /** At least 0, less than 1. */
  random(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  // CLOCK_MONOTONIC: it goes on while the process is stopped (SIGSTOP), and NTP does not step it.
  monotonic: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  random: () => Math.random(),
};

/** Milliseconds that no change of the system's time affects. Only differences mean something. */
export const monotonicNow = (clock: Clock): number => clock.monotonic?.() ?? clock.now();

/** The longest timer of this program, in milliseconds: `setTimeout` beyond 2^31 ms, 24.8 days, fires at once. */
export const LONGEST_TIMER_MS = 5 * 60_000;

/** Resolves after `ms`, at most LONGEST_TIMER_MS, or when the signal aborts: callers check the signal themselves. */
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
 * Anywhere in 0..min(cap, base·2^attempt), attempt counted from 0. Of all kinds of jitter, full jitter best spreads the
 * clients of an API server that comes back (AWS Architecture Blog, "Exponential Backoff And Jitter").
 */
export function fullJitter(clock: Clock, baseMs: number, capMs: number, attempt: number): number {
  return clock.random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 50));
}

/** metav1.MicroTime: RFC 3339 with exactly six digits (apimachinery `micro_time.go`); the API server refuses three. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
