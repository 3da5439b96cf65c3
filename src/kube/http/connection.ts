/**
 * Credentials and sockets: what a request needs before it can be sent.
 *
 * One set of undici pools serves all requests (client-node makes a new Agent, and so a TLS handshake, for each call).
 * It is replaced only when the TLS material changes, for example when a client certificate is rotated. HTTP/1.1 only:
 * each watch then has a socket of its own, and a dead socket harms no other request.
 */

import { createHash } from 'node:crypto';
import type { RequestOptions as HttpsOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { type Dispatcher, Pool, ProxyAgent, Socks5ProxyAgent } from 'undici';
import { redactHead } from '../../text/redact.ts';
import { KubeError } from '../errors.ts';

export type Credentials = Pick<KubeConfig, 'getCurrentCluster' | 'applyToHTTPSOptions'>;

export interface Endpoint {
  origin: string;
  /** Path in the kubeconfig's server URL (a proxy such as Rancher's), without a slash at its end; usually ''. */
  basePath: string;
  /** Authorization and impersonation: never logged. */
  headers: Record<string, string>;
  requests: Dispatcher;
  /** The same pool, for requests that change something: see `beforeWrite`. */
  writes: Dispatcher;
  /** A pool of their own, without a limit: watches last for minutes and must not starve other requests. */
  watches: Dispatcher;
}

export interface ConnectionOptions {
  /** Connections for everything but watches. More requests wait for one of them, within their time-out. */
  maxConnections: number;
  connectTimeoutMs: number;
  headersTimeoutMs: number;
  /**
   * Called when a request that changes something has its connection, before its first byte is written. If it throws,
   * the request ends. A check at the call would be too early: the request may wait for credentials or a connection, and
   * the whole process may be paused.
   */
  beforeWrite?: (() => void) | undefined;
}

type Pools = { key: string } & Pick<Endpoint, 'requests' | 'writes' | 'watches'>;

interface Tls {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  passphrase?: string;
  servername?: string;
  rejectUnauthorized?: boolean;
}

/** Credentials are read again after this. It is cheap: files are small, and providers and exec plugins cache tokens. */
const CREDENTIALS_TTL_MS = 10_000;
/**
 * Below the idle time-outs of the API server (90 s) and of most load balancers (60 s): we close first, and never send
 * into a socket that is closing.
 */
const KEEP_ALIVE_MS = 30_000;

export class Connection {
  readonly #load: () => Credentials;
  readonly #options: ConnectionOptions;
  #config: Credentials | undefined;
  #endpoint: Promise<Endpoint> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #reloadedAt = Number.NEGATIVE_INFINITY;
  #pools: Pools | undefined;
  readonly #open = new Set<Dispatcher>();
  #closed = false;

  /** @param load called once, and again after the API server answered 401: the kubeconfig may have been rewritten. */
  constructor(load: () => Credentials, options: ConnectionOptions) {
    this.#load = load;
    this.#options = options;
  }

  /**
   * Where to send, and with which credentials.
   * @throws KubeError (retryable, reason Credentials): a plugin may be slow, or a file half written.
   */
  endpoint(): Promise<Endpoint> {
    if (this.#endpoint === undefined || performance.now() - this.#readAt > CREDENTIALS_TTL_MS) {
      this.#readAt = performance.now();
      const reading = this.#read();
      this.#endpoint = reading;
      reading.catch(() => {
        // The next request tries again.
        if (this.#endpoint === reading) this.#endpoint = undefined;
      });
    }
    return this.#endpoint;
  }

  /**
   * To be called after a 401: loads everything again, without the caches of token files and exec plugins, but not more
   * often than every 10 s.
   * @returns the new endpoint; undefined if its headers and TLS material are the same, so that it would be refused
   * again.
   */
  async renewed(refused: Endpoint): Promise<Endpoint | undefined> {
    if (performance.now() - this.#reloadedAt > CREDENTIALS_TTL_MS) {
      this.#reloadedAt = performance.now();
      this.#config = undefined;
      this.#endpoint = undefined;
    }
    const now = await this.endpoint();
    const same = now.requests === refused.requests && JSON.stringify(now.headers) === JSON.stringify(refused.headers);
    return same ? undefined : now;
  }

  /** Ends every connection at once, watches too. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#endpoint = undefined;
    await Promise.all([...this.#open].map((dispatcher) => dispatcher.destroy()));
  }

  async #read(): Promise<Endpoint> {
    const tls: HttpsOptions = {};
    let server: URL;
    let proxyUrl: string | undefined;
    try {
      this.#config ??= this.#load();
      const cluster = this.#config.getCurrentCluster();
      if (cluster === null) throw new Error('the kubeconfig has no current cluster');
      server = new URL(cluster.server);
      proxyUrl = cluster.proxyUrl;
      await this.#config.applyToHTTPSOptions(tls);
    } catch (error) {
      throw new KubeError('retryable', { status: 0, reason: 'Credentials', message: credentialsMessage(error) });
    }
    if (this.#closed) throw closedError();
    const pools = this.#poolsFor(server.origin, proxyUrl, tlsOf(tls));
    return {
      origin: server.origin,
      basePath: server.pathname.replace(/\/+$/, ''),
      headers: headersOf(tls),
      requests: pools.requests,
      writes: pools.writes,
      watches: pools.watches,
    };
  }

  #poolsFor(origin: string, proxyUrl: string | undefined, tls: Tls): Pools {
    const key = createHash('sha256')
      .update(JSON.stringify([origin, proxyUrl, tls.ca, tls.cert, tls.key, tls.passphrase, tls.servername]))
      .update(String(tls.rejectUnauthorized))
      .digest('hex');
    if (this.#pools?.key === key) return this.#pools;
    const retired = this.#pools;
    const requests = this.#dispatcher(origin, proxyUrl, tls, this.#options.maxConnections);
    const { beforeWrite } = this.#options;
    this.#pools = {
      key,
      requests,
      writes: beforeWrite === undefined ? requests : checked(requests, beforeWrite),
      watches: this.#dispatcher(origin, proxyUrl, tls, null),
    };
    if (retired) for (const dispatcher of [retired.requests, retired.watches]) void this.#retire(dispatcher);
    return this.#pools;
  }

  /** Requests under way end by themselves: a watch after some minutes. */
  async #retire(dispatcher: Dispatcher): Promise<void> {
    await dispatcher.close().catch(() => {});
    this.#open.delete(dispatcher);
  }

  #dispatcher(origin: string, proxyUrl: string | undefined, tls: Tls, connections: number | null): Dispatcher {
    const common = {
      connections,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: this.#options.headersTimeoutMs,
    };
    const connect = { timeout: this.#options.connectTimeoutMs, keepAlive: true, keepAliveInitialDelay: 30_000 };
    let dispatcher: Dispatcher;
    if (proxyUrl === undefined || proxyUrl === null) {
      dispatcher = new Pool(origin, { ...common, connect: { ...connect, ...tls } });
    } else if (proxyUrl.startsWith('socks')) {
      dispatcher = new Socks5ProxyAgent(proxyUrl, { ...common, requestTls: { ...connect, ...tls } });
    } else {
      dispatcher = new ProxyAgent({ ...common, uri: proxyUrl, connect, requestTls: { ...connect, ...tls } });
    }
    this.#open.add(dispatcher);
    return dispatcher;
  }
}

/** The dispatcher with a check between "connected" and "written". */
function checked(dispatcher: Dispatcher, check: () => void): Dispatcher {
  return dispatcher.compose((dispatch) => (options, handler) => {
    const checking: Dispatcher.DispatchHandler = {
      onRequestStart: (controller, context) => {
        check();
        handler.onRequestStart?.(controller, context);
      },
      onResponseStart: (...args) => handler.onResponseStart?.(...args),
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError?.(...args),
    };
    return dispatch(options, checking);
  });
}

function closedError(): KubeError {
  return new KubeError('retryable', { status: 0, reason: 'Closed', message: 'this client was closed' });
}

function tlsOf(options: HttpsOptions): Tls {
  const { ca, cert, key, passphrase, servername, rejectUnauthorized } = options;
  return Object.fromEntries(
    Object.entries({ ca, cert, key, passphrase, servername, rejectUnauthorized }).filter(([, value]) => value != null),
  ) as Tls;
}

function headersOf(options: HttpsOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    // A token file may end in a newline, which no header may hold.
    headers[name.toLowerCase()] = String(value).trim();
  }
  if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  return headers;
}

/** The stderr of an exec plugin is passed on. Its stdout is a token, and the message of JSON.parse would quote it. */
function credentialsMessage(error: unknown): string {
  if (error instanceof SyntaxError) return 'the credentials cannot be loaded: the exec plugin did not print JSON';
  const words = error instanceof Error ? error.message : String(error);
  const line = words.trim().split('\n')[0] ?? '';
  return `the credentials cannot be loaded: ${redactHead(line, 300)}`;
}
