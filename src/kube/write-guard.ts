import { withEither } from '../base/abort.ts';
import type {
  KubeClient,
  KubeObject,
  ListOptions,
  Preconditions,
  RequestOptions,
  ResourceType,
  WatchOptions,
} from './client.ts';
import { KubeError } from './errors.ts';

/** Says whether this process may write: only the leader may. */
export interface WriteGuard {
  /** Asked before each write, against the clock: a process that was stopped for a minute must not trust what it knew before. */
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
 * A client that writes only while the guard allows it. When the guard's signal aborts, writes and reads under way are aborted. Watches
 * go on: a follower watches, too.
 */
export function guardedClient(client: KubeClient, guard: WriteGuard): KubeClient {
  const read = <O extends RequestOptions | ListOptions, T>(options: O | undefined, send: (options: O) => Promise<T>) =>
    // The guard's signal lives as long as the process.
    withEither(options?.signal ?? guard.signal, guard.signal, (signal) => send({ ...options, signal } as O));
  const write = async <O extends RequestOptions, T>(options: O | undefined, send: (options: O) => Promise<T>) => {
    if (!guard.granted()) throw notLeader();
    return read(options, send);
  };
  return {
    get: <T extends KubeObject>(type: ResourceType, namespace: string, name: string, options?: RequestOptions) =>
      read(options, (linkedOptions) => client.get<T>(type, namespace, name, linkedOptions)),
    list: <T extends KubeObject>(type: ResourceType, options?: ListOptions) =>
      read(options, (linkedOptions) => client.list<T>(type, linkedOptions)),
    watch: <T extends KubeObject>(type: ResourceType, options: WatchOptions) => client.watch<T>(type, options),
    create: <T extends KubeObject>(type: ResourceType, object: T, options?: RequestOptions & { dryRun?: boolean }) =>
      write(options, (linkedOptions) => client.create(type, object, linkedOptions)),
    replaceStatus: <T extends KubeObject>(type: ResourceType, object: T, options?: RequestOptions) =>
      write(options, (linkedOptions) => client.replaceStatus(type, object, linkedOptions)),
    patch: <T extends KubeObject>(
      type: ResourceType,
      namespace: string,
      name: string,
      preconditions: Preconditions,
      patch: Record<string, unknown>,
      options?: RequestOptions & { dryRun?: boolean },
    ) => write(options, (linkedOptions) => client.patch<T>(type, namespace, name, preconditions, patch, linkedOptions)),
    delete: (type, namespace, name, preconditions, options) =>
      write(options, (linkedOptions) => client.delete(type, namespace, name, preconditions, linkedOptions)),
  };
}
