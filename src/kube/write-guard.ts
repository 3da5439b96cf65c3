import { withEither } from '../base/abort.ts';
import type { KubeClient, ListOptions, RequestOptions } from './client.ts';
import { KubeError } from './errors.ts';

/** Whether this process may write: only the leader may. */
export interface WriteGuard {
  /** Asked before each write, by the clock: a process that was paused for a minute may have lost the right by then. */
  granted(): boolean;
  /** Aborts when the right to write is lost. Its reason is a KubeError. */
  readonly signal: AbortSignal;
}

export const notLeader = (): KubeError =>
  new KubeError('retryable', {
    status: 0,
    reason: 'NotLeader',
    message: 'this replica is not the leader (any more): nothing was sent',
  });

/**
 * A client that writes only while the guard allows it. When the guard's signal aborts, writes and reads under way are
 * aborted. Watches go on: a follower watches too.
 */
export function guardedClient(client: KubeClient, guard: WriteGuard): KubeClient {
  const read = <O extends RequestOptions | ListOptions, T>(options: O | undefined, send: (options: O) => Promise<T>) =>
    // Not AbortSignal.any: the guard's signal lives as long as the process.
    withEither(options?.signal ?? guard.signal, guard.signal, (signal) => send({ ...options, signal } as O));
  const write = async <O extends RequestOptions, T>(options: O | undefined, send: (options: O) => Promise<T>) => {
    if (!guard.granted()) throw notLeader();
    return read(options, send);
  };
  return {
    get: (type, namespace, name, options) => read(options, (linked) => client.get(type, namespace, name, linked)),
    list: (type, options) => read(options, (linked) => client.list(type, linked)),
    watch: (type, options) => client.watch(type, options),
    create: (type, object, options) => write(options, (linked) => client.create(type, object, linked)),
    replaceStatus: (type, object, options) => write(options, (linked) => client.replaceStatus(type, object, linked)),
    patch: (type, namespace, name, preconditions, patch, options) =>
      write(options, (linked) => client.patch(type, namespace, name, preconditions, patch, linked)),
    delete: (type, namespace, name, preconditions, options) =>
      write(options, (linked) => client.delete(type, namespace, name, preconditions, linked)),
  };
}
