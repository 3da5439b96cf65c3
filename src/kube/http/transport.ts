/**
 * Sends requests to the API server and reads the answers: time-outs, aborts, streams. It knows HTTP and JSON, and no
 * resources (`http-client.ts` does).
 */

import type { Dispatcher } from 'undici';
import { unlessAborted } from '../../base/abort.ts';
import { lines } from '../../base/json-lines.ts';
import type { KubeObject, WatchEvent } from '../client.ts';
import { KubeError } from '../errors.ts';
import type { Connection, Endpoint } from './connection.ts';
import { readHttpDate } from './http-date.ts';
import { queryString } from './paths.ts';
import { errorOfAnswer, errorOfBody, errorOfTimeout, errorOfTransport, errorOfWatchEvent } from './response-errors.ts';

/** As the API server's audit log and RBAC name them. */
export const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] as const;
export type Verb = (typeof VERBS)[number];

export interface Request {
  verb: Verb;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  contentType?: string;
  /** By default `application/json`. */
  accept?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface TransportOptions {
  connection: Connection;
  userAgent: string;
  /** For a request and its answer; of a watch, for its beginning. */
  timeoutMs: number;
  onError?: ((verb: Verb, error: KubeError) => void) | undefined;
}

export class Transport {
  readonly #options: TransportOptions;
  #skewMs: number | undefined;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** See `HttpKubeClient.clockSkewMs`. */
  get skewMs(): number | undefined {
    return this.#skewMs;
  }

  /** Sends the request, reads the whole answer and parses it, within the time-out. */
  async call<T>(request: Request): Promise<T> {
    const { signal } = request;
    signal?.throwIfAborted();
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), this.#options.timeoutMs);
    const onAbort = (): void => limit.abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const { body } = await this.#send(request, limit.signal, false);
      const text = await body.text();
      return parse<T>(describe(request), text);
    } catch (error) {
      signal?.throwIfAborted();
      const isLate = limit.signal.aborted;
      throw this.#report(isLate ? errorOfTimeout(describe(request), this.#options.timeoutMs) : error, request);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** See `HttpKubeClient.watch`. */
  watch<T extends KubeObject>(request: Request): AsyncIterable<WatchEvent<T>> {
    return {
      [Symbol.asyncIterator]: () => {
        const ended = new AbortController();
        const events = this.#watch<T>(request, ended);
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

  async *#watch<T extends KubeObject>(
    request: Request,
    ended: AbortController,
  ): AsyncGenerator<WatchEvent<T>, undefined, undefined> {
    const { signal } = request;
    signal?.throwIfAborted();
    const onAbort = (): void => ended.abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    // Only for the beginning: the stream itself may be silent for minutes.
    const timer = setTimeout(() => ended.abort(TOO_LATE), this.#options.timeoutMs);
    try {
      if (ended.signal.aborted) return;
      const { body } = await this.#send(request, ended.signal, true);
      clearTimeout(timer);
      for await (const line of lines(body)) {
        const event = parse<{ type: string; object: T }>(describe(request), line);
        if (event.type === 'ERROR') throw errorOfWatchEvent(describe(request), event.object);
        if (isEventType(event.type)) yield { type: event.type, object: event.object };
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (ended.signal.reason === ENDED) return;
      const isLate = ended.signal.reason === TOO_LATE;
      throw this.#report(isLate ? errorOfTimeout(describe(request), this.#options.timeoutMs) : error, request);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      // Also closes the socket of a stream that its consumer left.
      ended.abort(ENDED);
    }
  }

  /** @returns the answer if it is 2xx; everything else is thrown. */
  async #send(request: Request, signal: AbortSignal, watch: boolean): Promise<Dispatcher.ResponseData> {
    const { connection } = this.#options;
    const endpoint = await unlessAborted(connection.endpoint(), signal);
    let answer = await this.#exchange(request, endpoint, signal, watch);
    if (answer instanceof KubeError && answer.status === 401) {
      const renewed = await unlessAborted(connection.renewed(endpoint), signal);
      if (renewed !== undefined) answer = await this.#exchange(request, renewed, signal, watch);
    }
    if (answer instanceof KubeError) throw answer;
    return answer;
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
      accept: request.accept ?? 'application/json',
      'user-agent': this.#options.userAgent,
    };
    if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
    const dispatcher = watch ? endpoint.watches : request.method === 'GET' ? endpoint.requests : endpoint.writes;
    const answer = await dispatcher.request({
      origin: endpoint.origin,
      path: endpoint.basePath + request.path + queryString(request.query ?? {}),
      method: request.method,
      headers,
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal,
      // A request has its own time-out, and a watch may be silent.
      bodyTimeout: 0,
    });
    this.#readClock(answer.headers.date, sentAt);
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer;
    const retryAfter = answer.headers['retry-after'];
    const text = await readSome(answer.body, MAX_ERROR_BODY);
    const seconds = typeof retryAfter === 'string' ? retryAfter : undefined;
    return errorOfAnswer(describe(request), answer.statusCode, text, seconds);
  }

  #readClock(date: string | string[] | undefined, sentAt: number): void {
    const server = typeof date === 'string' ? readHttpDate(date, Date.now()) : undefined;
    if (server === undefined) return;
    // The header lacks the fraction of a second: 500 ms on average. It was written midway between sending and
    // receiving.
    this.#skewMs = server + 500 - (sentAt + Date.now()) / 2;
  }

  #report(error: unknown, request: Request): KubeError {
    const known = error instanceof KubeError ? error : errorOfTransport(describe(request), error);
    this.#options.onError?.(request.verb, known);
    return known;
  }
}

/** How much is read of an error's body, in bytes. */
const MAX_ERROR_BODY = 256 * 1024;

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

function isEventType(type: string): type is WatchEvent['type'] {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK';
}

/** Up to `limit` bytes of a body as text. The end of the loop closes the stream. */
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
