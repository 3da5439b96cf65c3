/**
 * `KubeClient` over HTTP to a real API server. It throws `KubeError` or, if the caller's signal aborts, its reason.
 *
 * It retries nothing: the caller knows whether to repeat. The one exception is a 401 if the credentials have changed
 * meanwhile, because a refused request took no effect.
 */

import {
  type AnyVersionOf,
  JOBS,
  type KubeClient,
  type KubeObject,
  type ListOptions,
  type ObjectList,
  type PatchOptions,
  type Preconditions,
  type RequestOptions,
  type ResourceType,
  type WatchEvent,
  type WatchOptions,
} from '../client.ts';
import type { KubeError } from '../errors.ts';
import { notLeader } from '../write-guard.ts';
import { Connection, type Credentials } from './connection.ts';
import { collectionPath, objectPath } from './paths.ts';
import { type Request, Transport, type Verb } from './transport.ts';

export { VERBS, type Verb } from './transport.ts';

export interface HttpKubeClientOptions {
  /** Best a function such as `() => loadKubeConfig(…)`: after a 401 it is called again, and sees a new kubeconfig. */
  config: Credentials | (() => Credentials);
  /** For `User-Agent: capdeploy/<version>`. The API server takes the part before the slash as the field manager. */
  version?: string;
  /** For a request and its answer, but not for watches. Default 30 s. */
  requestTimeoutMs?: number;
  /** Default 10 s. */
  connectTimeoutMs?: number;
  /** Sockets for everything but watches. Default 64. */
  maxConnections?: number;
  /** Asked before each write, when the request has its connection. If false, NotLeader is thrown and nothing sent. */
  mayWrite?: () => boolean;
  /** Told of every KubeError, for metrics. */
  onError?: (verb: Verb, error: KubeError) => void;
}

export class HttpKubeClient implements KubeClient {
  readonly #connection: Connection;
  readonly #transport: Transport;

  constructor(options: HttpKubeClientOptions) {
    const { config, onError, mayWrite, requestTimeoutMs = 30_000 } = options;
    const beforeWrite = () => {
      if (mayWrite?.() === false) throw notLeader();
    };
    this.#connection = new Connection(typeof config === 'function' ? config : () => config, {
      maxConnections: options.maxConnections ?? 64,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      headersTimeoutMs: requestTimeoutMs,
      beforeWrite: mayWrite && beforeWrite,
    });
    this.#transport = new Transport({
      connection: this.#connection,
      userAgent: `capdeploy/${options.version ?? '0.0.0'}`,
      timeoutMs: requestTimeoutMs,
      onError,
    });
  }

  get<T extends KubeObject>(type: ResourceType, namespace: string, name: string, options?: RequestOptions): Promise<T> {
    return this.#transport.call({
      verb: 'get',
      method: 'GET',
      path: objectPath(type, namespace, name),
      signal: options?.signal,
    });
  }

  async list<T extends KubeObject>(type: ResourceType, options: ListOptions = {}): Promise<ObjectList<T>> {
    const { namespace, signal, ...query } = options;
    const path = collectionPath(type, namespace);
    const answer = await this.#transport.call<ObjectList<T>>({ verb: 'list', method: 'GET', path, query, signal });
    const items = answer.items ?? [];
    for (const item of items) named(type, item);
    return { ...answer, items };
  }

  /** The first `next()` sends the request. `return()` closes its connection at once, even while a `next()` waits. */
  watch<T extends KubeObject>(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    const { namespace, signal, ...query } = options;
    return this.#transport.watch<T>({
      verb: 'watch',
      method: 'GET',
      path: collectionPath(type, namespace),
      query: { ...query, watch: true, allowWatchBookmarks: true },
      signal,
    });
  }

  create<T extends KubeObject>(
    type: ResourceType,
    object: T,
    options: RequestOptions & { dryRun?: boolean } = {},
  ): Promise<T> {
    const strict = type.group === JOBS.group && type.plural === JOBS.plural;
    return this.#transport.call({
      verb: 'create',
      method: 'POST',
      path: collectionPath(type, object.metadata.namespace),
      // Strict: a misspelt field of a template is refused, not dropped (KEP-2885).
      query: { fieldValidation: strict ? 'Strict' : undefined, dryRun: options.dryRun ? 'All' : undefined },
      body: object,
      signal: options.signal,
    });
  }

  replaceStatus<T extends KubeObject>(type: ResourceType, object: T, options?: RequestOptions): Promise<T> {
    const { namespace = '', name, resourceVersion } = object.metadata;
    if (!resourceVersion)
      throw new TypeError('replaceStatus: the object has no resourceVersion: the write would fence nobody');
    const path = objectPath(type, namespace, name, 'status');
    return this.#transport.call({ verb: 'update', method: 'PUT', path, body: object, signal: options?.signal });
  }

  patch<T extends KubeObject>(
    type: ResourceType,
    namespace: string,
    name: string,
    preconditions: Preconditions | AnyVersionOf,
    patch: Record<string, unknown>,
    options?: PatchOptions,
  ): Promise<T> {
    const { anyVersion: _, ...must } = { anyVersion: undefined, ...preconditions };
    const metadata = { ...(patch.metadata as object | undefined), ...must };
    return this.#transport.call({
      verb: 'patch',
      method: 'PATCH',
      path: objectPath(type, namespace, name),
      query: { dryRun: options?.dryRun ? 'All' : undefined },
      contentType: 'application/merge-patch+json',
      accept: options?.metadataOnly ? METADATA_ONLY : undefined,
      body: { ...patch, metadata },
      signal: options?.signal,
    });
  }

  async delete(
    type: ResourceType,
    namespace: string,
    name: string,
    preconditions: Preconditions,
    options?: RequestOptions & { dryRun?: boolean },
  ): Promise<void> {
    const { uid, resourceVersion } = preconditions;
    await this.#transport.call({
      verb: 'delete',
      method: 'DELETE',
      path: objectPath(type, namespace, name),
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        preconditions: { uid, resourceVersion },
        // Not in the query: that is passed over where there is a body (apiserver, pkg/endpoints/handlers/delete.go).
        ...(options?.dryRun && { dryRun: ['All'] }),
      },
      signal: options?.signal,
    });
  }

  /**
   * By how many milliseconds the API server's clock is ahead of this machine's (negative: behind), by the last answer's
   * Date header. That header has whole seconds, so anything within ±1 s is no skew. Undefined before the first answer.
   */
  clockSkewMs(): number | undefined {
    return this.#transport.skewMs;
  }

  /** The server's `major.minor`, such as [1, 36]. */
  async serverVersion(options?: RequestOptions): Promise<[major: number, minor: number]> {
    const request: Request = { verb: 'get', method: 'GET', path: '/version', signal: options?.signal };
    const { major, minor } = await this.#transport.call<{ major?: string; minor?: string }>(request);
    return [Number.parseInt(major ?? '0', 10) || 0, Number.parseInt(minor ?? '0', 10) || 0];
  }

  /** Ends all connections at once, watches too; later calls throw KubeError. */
  close(): Promise<void> {
    return this.#connection.close();
  }
}

/** Without an alternative: a server that cannot answer so refuses (406), and sends no whole object. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

/** Items of built-in lists come without apiVersion and kind: the list has them for all. */
function named<T extends KubeObject>(type: ResourceType, object: T): T {
  object.apiVersion ??= type.group === '' ? type.version : `${type.group}/${type.version}`;
  object.kind ??= type.kind;
  return object;
}
