import { type Clock, monotonicNow, sleep } from './clock.ts';

/** NTP's slew, which is that of the time of day and of the monotonic clock alike, never comes near this in a second. */
const STEP_MS = 5_000;
const CHECK_MS = 1_000;

/** The time of day was set, or this machine has slept. */
export class ClockWasSetError extends Error {
  constructor(byMs: number) {
    const way = byMs < 0 ? 'back' : 'forward';
    super(`the clock of this machine was set ${way} by ${Math.abs(byMs / 1000).toFixed(0)} s`);
    this.name = 'ClockWasSetError';
  }
}

/**
 * Resolves when the time of day was set by more than five seconds, either way. Never resolves if the signal aborts
 * before that.
 *
 * What this process puts off, from the next poll to the opening of a window, it notes by the time of day. After a step
 * it would wait for the old time. So the process is to end, as in a crash, and the next one plans by the new time.
 */
export async function clockWasSet(clock: Clock, signal: AbortSignal): Promise<ClockWasSetError> {
  const offset = (): number => clock.now() - monotonicNow(clock);
  // A clock without `monotonic` is one that is never set.
  for (let before = offset(); clock.monotonic !== undefined && !signal.aborted; ) {
    await sleep(clock, CHECK_MS, signal);
    const byMs = offset() - before;
    if (Math.abs(byMs) > STEP_MS && !signal.aborted) return new ClockWasSetError(byMs);
    before += byMs;
  }
  return new Promise(() => {});
}
