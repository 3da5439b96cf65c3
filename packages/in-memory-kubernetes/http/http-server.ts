/**
 * The store behind HTTP, so that the operator's real client and kubectl work on it. It listens on 127.0.0.1 only.
 *
 * Not served: protobuf (but for what `kubectl create` sends of four kinds) and CBOR, server-side apply, exec, attach,
 * port-forward, aggregated discovery, OpenAPI v2, authorization (a token, where one is set, opens everything).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LogSource } from '../kubelet/log-source.ts';
import { ApiError, methodNotAllowed, pathNotFound } from '../store/api-error.ts';
import { jsonText } from '../store/json.ts';
import type { Store } from '../store/store.ts';
import { readBody } from './body.ts';
import { discover } from './discovery.ts';
import type { Fault, Intercept } from './faults.ts';
import type { ApiRequest, ApiResponse } from './http-request.ts';
import { resourceOf } from './http-request.ts';
import { serveResource } from './http-resources.ts';
import { serveLog, serveWatch } from './http-streams.ts';
import { RequestLog } from './requests.ts';

export interface HttpFaceOptions {
  /** 0, the default, takes a free one. */
  port?: number;
  /** Required of every request where it is set. */
  token?: string | undefined;
  logs?: LogSource | undefined;
  intercept?: Intercept | undefined;
  requests?: RequestLog;
  bookmarkIntervalMs?: number;
}

export interface HttpServer {
  url: string;
  requests: RequestLog;
  /** May be set at any time. */
  intercept: Intercept | undefined;
  stop(): Promise<void>;
}

const HEALTH_PATHS = new Set(['/healthz', '/readyz', '/livez']);

export async function startHttpServer(store: Store, options: HttpFaceOptions = {}): Promise<HttpServer> {
  const face: HttpServer = {
    url: '',
    requests: options.requests ?? new RequestLog(),
    intercept: options.intercept,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server = createServer({ keepAliveTimeout: 90_000 }, (incoming, response) => {
    handle(store, face, options, incoming, response).catch((error: unknown) => answerError(response, error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  face.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return face;
}

async function handle(
  store: Store,
  face: HttpServer,
  options: HttpFaceOptions,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('Date', new Date(store.clock.now()).toUTCString());
  const request = await readRequest(incoming);
  const { resource } = request;
  if (resource !== undefined) face.requests.add({ ...resource, userAgent: incoming.headers['user-agent'] });
  const fault = await face.intercept?.(request);
  if (fault !== undefined) await pause(fault);
  if (fault !== undefined && fault.when !== 'after' && play(fault, incoming, response)) return;
  if (HEALTH_PATHS.has(request.path)) {
    response.writeHead(200, { 'Content-Type': 'text/plain' }).end('ok');
    return;
  }
  if (options.token !== undefined && incoming.headers.authorization !== `Bearer ${options.token}`) {
    throw new ApiError(401, 'Unauthorized', 'Unauthorized');
  }
  if (resource?.verb === 'watch' && store.types.hasGroup(resource.group)) {
    const bookmarkIntervalMs = options.bookmarkIntervalMs ?? 60_000;
    serveWatch(store, request, resource, response, { bookmarkIntervalMs });
    return;
  }
  if (resource?.plural === 'pods' && resource.subresource === 'log' && resource.verb === 'get') {
    serveLog(store, options.logs, request, resource, response, incoming);
    return;
  }
  let answered: ApiResponse | ApiError;
  try {
    const served = resource !== undefined && store.types.hasGroup(resource.group);
    answered = served ? serveResource(store, request, resource) : otherPath(store, request);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    answered = error;
  }
  if (fault?.when === 'after' && play(fault, incoming, response)) return;
  if (answered instanceof ApiError) answerError(response, answered);
  else answer(response, answered);
}

/** Go's own answer, before anything of Kubernetes. */
const NO_SUCH_PATH: ApiResponse = {
  status: 404,
  body: '404 page not found\n',
  contentType: 'text/plain; charset=utf-8',
};

function otherPath(store: Store, { method, path }: ApiRequest): ApiResponse {
  const body = discover(path, store.types);
  const group = /^\/apis\/([^/]+)\//.exec(path)?.[1];
  if (body === undefined && group !== undefined && store.types.hasGroup(group)) throw pathNotFound();
  if (body === undefined) return NO_SUCH_PATH;
  if (method !== 'GET') throw methodNotAllowed();
  return { status: 200, body };
}

async function readRequest(incoming: IncomingMessage): Promise<ApiRequest> {
  const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  const method = incoming.method ?? 'GET';
  const path = url.pathname.length > 1 ? url.pathname.replace(/\/$/, '') : url.pathname;
  const resource = resourceOf(method, path, url.searchParams);
  const body = method === 'GET' ? undefined : await readBody(incoming);
  return { method, path, query: url.searchParams, headers: incoming.headers, body, resource };
}

function answer(response: ServerResponse, { status, body, contentType, warnings = [] }: ApiResponse): void {
  const text = typeof body === 'string' ? body : jsonText(body as object);
  if (warnings.length > 0) {
    response.setHeader(
      'Warning',
      warnings.map((warning) => `299 - ${JSON.stringify(warning)}`),
    );
  }
  response.writeHead(status, {
    'Content-Type': contentType ?? 'application/json',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

function answerError(response: ServerResponse, error: unknown): void {
  const known = error instanceof ApiError;
  const apiError = known ? error : new ApiError(500, 'InternalError', `Internal error occurred: ${error}`);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const seconds = apiError.details?.retryAfterSeconds;
  if (seconds !== undefined) response.setHeader('Retry-After', String(seconds));
  answer(response, { status: apiError.code, body: apiError.toStatus() });
}

function pause(fault: Fault): Promise<void> {
  if (fault.delayMs === undefined) return Promise.resolve();
  return new Promise((resolve) => setTimeout(resolve, fault.delayMs));
}

/** True where the fault took the place of the answer. */
function play(fault: Fault, incoming: IncomingMessage, response: ServerResponse): boolean {
  if (fault.drop === true) {
    incoming.socket.destroy();
    return true;
  }
  if (fault.status === undefined) return false;
  for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value);
  answer(response, { status: fault.status, body: fault.body ?? {} });
  return true;
}
