import { vi } from 'vitest';

/**
 * Waits until the check throws nothing.
 * @param timeoutMs a limit for what hangs. What is only slow, on a machine that has other work, must not fail.
 * @returns what the check returned
 */
export const until = <T>(check: () => T | Promise<T>, timeoutMs = 30_000): Promise<T> =>
  vi.waitFor(check, { timeout: timeoutMs, interval: 5 });
