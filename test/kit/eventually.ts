import { isReal } from './which-world.ts';

/** A real control plane answers over HTTPS and shares two cores with everybody: it is given longer, and asked less often. */
const WITHIN_MS = isReal ? 90_000 : 45_000;
const PAUSE_MS = isReal ? 150 : 5;

/** Waits until `look` returns something, however long the machine takes within the limit. @throws Error with what was seen last. */
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
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
