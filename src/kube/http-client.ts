/**
 * `KubeClient` over HTTP to a real API server.
 *
 * It retries nothing (the one exception: a 401 with credentials that have changed meanwhile, for a refused request took no effect):
 * whoever calls knows whether to repeat. Thrown are `KubeError` and, when the caller's signal aborts, that signal's reason.
 */

import type { KubeConfig } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { errorOfAnswer, errorOfBody, errorOfTimeout, errorOfTransport, errorOfWatchEvent } from './answers.ts';
import {
  JOBS,
  type KubeClient,
  type KubeObject,
  type ListOptions,
  type ObjectList,
  type Preconditions,
  type RequestOptions,
  type ResourceType,
  type WatchEvent,
  type WatchOptions,
} from './client.ts';
import { Connection, type Endpoint } from './connection.ts';
import { KubeError } from './errors.ts';
import { lines } from './json-lines.ts';
import { collectionPath, objectPath, queryString } from './paths.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

export interface HttpKubeClientOptions {
  /** A loader is called again after a 401, so that a rewritten kubeconfig is seen; prefer `() => loadKubeConfig(…)`. */
  config: KubeConfig | (() => KubeConfig);
  /** For `User-Agent: capdeploy/<version>`; the API server derives the field manager's name from the part before the slash. */
  version?: string;
  /** For a whole request and its answer, watches excepted. Default 30 s. */
  requestTimeoutMs?: number;
  /** Default 10 s. */
  connectTimeoutMs?: number;
  /** Sockets for everything but watches. Default 64. */
  maxConnections?: number;
  /** Told of every error that is thrown (for metrics). Aborts by the caller are none. */
  onError?: (verb: Verb, error: KubeError) => void;
}

interface Request {
  verb: Verb;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  contentType?: string;
  signal?: AbortSignal | undefined;
}

/** Of an error's body no more than this is read, in bytes. */
const MAX_ERROR_BODY = 256 * 1024;

export class HttpKubeClient implements KubeClient {
  readonly #connection: Connection;
  readonly #userAgent: string;
  readonly #timeoutMs: number;
  readonly #onError: ((verb: Verb, error: KubeError) => void) | undefined;
  #skewMs: number | undefined;

  constructor(options: HttpKubeClientOptions) {
    const { config } = options;
    this.#timeoutMs = options.requestTimeoutMs ?? 30_000;
    this.#userAgent = `capdeploy/${options.version ?? '0.0.0'}`;
    this.#onError = options.onError;
    this.#connection = new Connection(typeof config === 'function' ? config : () => config, {
      maxConnections: options.maxConnections ?? 64,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      headersTimeoutMs: this.#timeoutMs,
    });
  }

  get<T extends KubeObject>(type: ResourceType, namespace: string, name: string, options?: RequestOptions): Promise<T> {
    return this.#call({ verb: 'get', method: 'GET', path: objectPath(type, namespace, name), signal: options?.signal });
  }

  async list<T extends KubeObject>(type: ResourceType, options: ListOptions = {}): Promise<ObjectList<T>> {
    const { namespace, signal, ...query } = options;
    const path = collectionPath(type, namespace);
    const answer = await this.#call<ObjectList<T>>({ verb: 'list', method: 'GET', path, query, signal });
    // Items of the built-in lists come without apiVersion and kind: the list says them for all.
    const items = answer.items ?? [];
    for (const item of items) named(type, item);
    return { ...answer, items };
  }

  /** The request is sent with the first `next()`; `return()` closes its connection at once, even while a `next()` waits. */
  watch<T extends KubeObject>(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    return {
      [Symbol.asyncIterator]: () => {
        const ended = new AbortController();
        const events = this.#watch<T>(type, options, ended);
        return {
          next: () => events.next(),
          return: () => {
            ended.abort(ENDED);
            return events.return(undefined);
          },
        };
      },
    };
  }

  create<T extends KubeObject>(
    type: ResourceType,
    object: T,
    options: RequestOptions & { dryRun?: boolean } = {},
  ): Promise<T> {
    const strict = type.group === JOBS.group && type.plural === JOBS.plural;
    return this.#call({
      verb: 'create',
      method: 'POST',
      path: collectionPath(type, object.metadata.namespace),
      // Strict: a misspelt field of a template is refused rather than dropped (KEP-2885).
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
    return this.#call({ verb: 'update', method: 'PUT', path, body: object, signal: options?.signal });
  }

  patch<T extends KubeObject>(
    type: ResourceType,
    namespace: string,
    name: string,
    preconditions: Preconditions,
    patch: Record<string, unknown>,
    options?: RequestOptions,
  ): Promise<T> {
    const { uid, resourceVersion } = preconditions;
    const metadata = { ...(patch.metadata as object | undefined), uid, resourceVersion };
    return this.#call({
      verb: 'patch',
      method: 'PATCH',
      path: objectPath(type, namespace, name),
      contentType: 'application/merge-patch+json',
      body: { ...patch, metadata },
      signal: options?.signal,
    });
  }

  async delete(
    type: ResourceType,
    namespace: string,
    name: string,
    preconditions: Preconditions,
    options?: RequestOptions,
  ): Promise<void> {
    const { uid, resourceVersion } = preconditions;
    await this.#call({
      verb: 'delete',
      method: 'DELETE',
      path: objectPath(type, namespace, name),
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        preconditions: { uid, resourceVersion },
      },
      signal: options?.signal,
    });
  }

  /**
   * How far the API server's clock is ahead of this machine's (milliseconds, negative: behind), by the last answer's Date header. That
   * header has whole seconds, so anything within ±1 s is no skew. Undefined before the first answer.
   */
  clockSkewMs(): number | undefined {
    return this.#skewMs;
  }

  /** The server's `major.minor`, as [1, 36]: what it can do beyond the oldest supported one. */
  async serverVersion(options?: RequestOptions): Promise<[major: number, minor: number]> {
    const request: Request = { verb: 'get', method: 'GET', path: '/version', signal: options?.signal };
    const { major, minor } = await this.#call<{ major?: string; minor?: string }>(request);
    return [Number.parseInt(major ?? '0', 10) || 0, Number.parseInt(minor ?? '0', 10) || 0];
  }

  /** Ends all connections at once, watches too; later calls throw KubeError. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Sends, reads the whole answer, and parses it. */
  async #call<T>(request: Request): Promise<T> {
    const { signal } = request;
    signal?.throwIfAborted();
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), this.#timeoutMs);
    const onAbort = (): void => limit.abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const { body } = await this.#send(request, limit.signal, false);
      const text = await body.text();
      return parse<T>(describe(request), text);
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#told(
        request.verb,
        limit.signal.aborted ? errorOfTimeout(describe(request), this.#timeoutMs) : error,
        request,
      );
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async *#watch<T extends KubeObject>(
    type: ResourceType,
    options: WatchOptions,
    ended: AbortController,
  ): AsyncGenerator<WatchEvent<T>, undefined, undefined> {
    const { namespace, signal, ...query } = options;
    const request: Request = {
      verb: 'watch',
      method: 'GET',
      path: collectionPath(type, namespace),
      query: { ...query, watch: true, allowWatchBookmarks: true },
    };
    signal?.throwIfAborted();
    const onAbort = (): void => ended.abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    // Only for the beginning: the stream itself may be silent for minutes.
    const timer = setTimeout(() => ended.abort(TOO_LATE), this.#timeoutMs);
    try {
      if (ended.signal.aborted) return;
      const { body } = await this.#send(request, ended.signal, true);
      clearTimeout(timer);
      for await (const line of lines(body)) {
        const event = parse<{ type: string; object: T }>(describe(request), line);
        if (event.type === 'ERROR') throw errorOfWatchEvent(describe(request), event.object);
        if (isEventType(event.type)) yield { type: event.type, object: named(type, event.object) };
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (ended.signal.reason === ENDED) return;
      const late = ended.signal.reason === TOO_LATE;
      throw this.#told('watch', late ? errorOfTimeout(describe(request), this.#timeoutMs) : error, request);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      // Closes the socket also when the consumer left in mid-stream.
      ended.abort(ENDED);
    }
  }

  /** Answers 2xx only; everything else is thrown. */
  async #send(request: Request, signal: AbortSignal, watch: boolean): Promise<Dispatcher.ResponseData> {
    const endpoint = await unlessAborted(this.#connection.endpoint(), signal);
    const first = await this.#exchange(request, endpoint, signal, watch);
    if (first instanceof KubeError && first.status === 401) {
      const renewed = await unlessAborted(this.#connection.renewed(endpoint), signal);
      const second = renewed === undefined ? first : await this.#exchange(request, renewed, signal, watch);
      if (second instanceof KubeError) throw second;
      return second;
    }
    if (first instanceof KubeError) throw first;
    return first;
  }

  async #exchange(
    request: Request,
    endpoint: Endpoint,
    signal: AbortSignal,
    watch: boolean,
  ): Promise<Dispatcher.ResponseData | KubeError> {
    const sentAt = Date.now();
    const headers: Record<string, string> = {
      ...endpoint.headers,
      accept: 'application/json',
      'user-agent': this.#userAgent,
    };
    if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
    const answer = await (watch ? endpoint.watches : endpoint.requests).request({
      origin: endpoint.origin,
      path: endpoint.basePath + request.path + queryString(request.query ?? {}),
      method: request.method,
      headers,
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal,
      // The whole request has its own limit, and a watch is silent by nature.
      bodyTimeout: 0,
    });
    this.#readClock(answer.headers.date, sentAt);
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer;
    const retryAfter = answer.headers['retry-after'];
    const text = await readSome(answer.body, MAX_ERROR_BODY);
    return errorOfAnswer(
      describe(request),
      answer.statusCode,
      text,
      typeof retryAfter === 'string' ? retryAfter : undefined,
    );
  }

  #readClock(date: string | string[] | undefined, sentAt: number): void {
    const server = typeof date === 'string' ? Date.parse(date) : Number.NaN;
    if (Number.isNaN(server)) return;
    // The header cuts the fraction of a second off, half a one on average; it was written halfway between sending and receiving.
    this.#skewMs = server + 500 - (sentAt + Date.now()) / 2;
  }

  #told(verb: Verb, error: unknown, request: Request): KubeError {
    const known = error instanceof KubeError ? error : errorOfTransport(describe(request), error);
    this.#onError?.(verb, known);
    return known;
  }
}

const ENDED = new Error('the watch was ended by its consumer');
const TOO_LATE = new Error('the watch did not begin in time');

function describe(request: Request): string {
  return `${request.method} ${request.path}`;
}

function parse<T>(request: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw errorOfBody(request);
  }
}

function named<T extends KubeObject>(type: ResourceType, object: T): T {
  object.apiVersion ??= type.group === '' ? type.version : `${type.group}/${type.version}`;
  object.kind ??= type.kind;
  return object;
}

function isEventType(type: string): type is WatchEvent['type'] {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK';
}

/** Credentials are loaded once for all who wait: one caller's abort ends only its own waiting. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Up to `limit` bytes of a body as text; leaving the loop closes the stream. */
async function readSome(body: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= limit) break;
  }
  return Buffer.concat(chunks).subarray(0, limit).toString('utf8');
}
