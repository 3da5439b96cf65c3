/** What Node lacks around AbortSignal. Listeners are removed when done: a signal may live as long as the process. */

/** Resolves when the signal aborts, or at once if it has. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/**
 * The promise, or the signal's reason as a rejection if that comes first. The work behind the promise goes on: a server
 * or a library that never ends a request must not keep its caller.
 */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    // Also if the signal has aborted: an unhandled rejection would end the process.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  });
}

/** @returns a controller that also aborts with its parent. Its listener is removed from the parent when it aborts. */
export function linkedController(parent: AbortSignal): AbortController {
  const controller = new AbortController();
  if (parent.aborted) controller.abort();
  else {
    // Not by the option `signal`: Node then keeps all that this controller can reach until it aborts, used or not.
    const abort = () => controller.abort();
    parent.addEventListener('abort', abort, { once: true });
    controller.signal.addEventListener('abort', () => parent.removeEventListener('abort', abort), { once: true });
  }
  return controller;
}

/** Calls with a signal that aborts with either of the two, for the same reason, until the call has ended. */
export async function withEither<T>(
  first: AbortSignal,
  second: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const either = new AbortController();
  const abort = (event: Event) => either.abort((event.target as AbortSignal).reason);
  for (const signal of [first, second]) {
    if (signal.aborted) either.abort(signal.reason);
    else signal.addEventListener('abort', abort, { once: true });
  }
  try {
    return await call(either.signal);
  } finally {
    for (const signal of [first, second]) signal.removeEventListener('abort', abort);
  }
}
