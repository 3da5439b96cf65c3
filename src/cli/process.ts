import type { Log } from '../base/log.ts';

/** How a process ends that runs until it is told to stop: on signals, and on unexpected errors. */

/** Long enough to close sockets, short enough for a terminationGracePeriodSeconds of 30 after a drain. */
const LINGER_MS = 2000;

/**
 * Resolves with the first SIGTERM or SIGINT. With the second one the process ends at once.
 * @param afterSecond what the log says of the state after that.
 */
export function stopSignal(
  log: Log,
  afterSecond = 'messages in flight come again when their visibility ends',
): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let first = true;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!first) {
        log.warn({ signal }, `second signal: ending at once; ${afterSecond}`);
        process.exit(1);
      }
      first = false;
      resolve(signal);
    });
  }
  return promise;
}

/**
 * A bug must not leave a half-working operator: it is logged, and Kubernetes starts a new one, which forgets nothing.
 */
export function endOnUnexpectedErrors(log: Log): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (err: unknown) => {
      log.error({ err, event }, 'unexpected error: ending');
      process.exit(1);
    });
  }
}

/** For when all is stopped and the process should end by itself. If something is still open, it ends all the same. */
export function endSoon(log: Log): void {
  setTimeout(() => {
    log.warn({ open: process.getActiveResourcesInfo() }, 'something was left open: ending');
    process.exit();
  }, LINGER_MS).unref();
}
