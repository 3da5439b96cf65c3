import { type Clock, fullJitter, sleep } from '../base/clock.ts';

export interface RetryOptions {
  /** Tries in all. */
  attempts: number;
  /** Waits: full jitter over `baseMs`, doubled each time, at most `capMs`. */
  baseMs: number;
  capMs: number;
  /** The least wait before the next try in milliseconds (0: none in particular), or undefined where another try would not help. */
  again(error: unknown): number | undefined;
  clock: Clock;
  signal: AbortSignal;
}

/** What the last try throws, or the signal's reason as soon as it aborts. */
export async function retrying<T>(act: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, baseMs, capMs, again, clock, signal } = options;
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await act();
    } catch (error) {
      signal.throwIfAborted();
      const least = attempt + 1 < attempts ? again(error) : undefined;
      if (least === undefined) throw error;
      await sleep(clock, least + fullJitter(clock, baseMs, capMs, attempt), signal);
    }
  }
}

/** At most `limit` at a time; waits for all. `act` must not throw. */
export async function eachOf<T>(items: readonly T[], limit: number, act: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const worker = async (): Promise<void> => {
    for (const item of waiting) await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
