import { isReal } from './which-world.ts';

/**
 * A real control plane answers over HTTPS and shares two cores with all tests: it gets more time, and is asked less
 * often.
 */
const WITHIN_MS = isReal ? 90_000 : 45_000;
const PAUSE_MS = isReal ? 150 : 5;

/**
 * Waits until `look` returns something.
 * @param withinMs a limit for what hangs, not for what is slow on a machine that has other work
 * @throws Error after the limit, and what `look` throws at once
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = WITHIN_MS,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await pause();
  }
}

/** Waits until `check` throws nothing. @returns what it returned. @throws what it threw last, after the limit */
export async function until<T>(check: () => T | Promise<T>, withinMs = WITHIN_MS): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await pause();
  }
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
