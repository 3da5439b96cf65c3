import { type Clock, fullJitter, sleep } from '../base/clock.ts';

interface RetryOptions {
  attempts: number;
  /** Waits: full jitter over `baseMs`, doubled each time, at most `capMs`. */
  baseMs: number;
  capMs: number;
  /** The least wait before the next try (milliseconds); undefined if another try would not help. */
  retryAfterMs(error: unknown): number | undefined;
  clock: Clock;
  signal: AbortSignal;
}

/** @throws what the last try throws, or the signal's reason when it aborts. */
export async function retry<T>(act: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, baseMs, capMs, retryAfterMs, clock, signal } = options;
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await act();
    } catch (error) {
      signal.throwIfAborted();
      const least = attempt + 1 < attempts ? retryAfterMs(error) : undefined;
      if (least === undefined) throw error;
      await sleep(clock, least + fullJitter(clock, baseMs, capMs, attempt), signal);
    }
  }
}

/** Handles at most `limit` items at the same time, and waits for all. `act` must not throw. */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  const worker = async (): Promise<void> => {
    for (const item of waiting) await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
