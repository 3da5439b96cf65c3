/**
 * The store behind HTTP, so that the operator's real client and kubectl work on it. It listens on 127.0.0.1 only.
 *
 * Not served: protobuf (but for what `kubectl create` sends of four kinds) and CBOR, server-side apply, exec, attach, port-forward, aggregated discovery, OpenAPI v2, authorization (a token, where
 * one is set, opens everything).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parse as parseYaml } from 'yaml';
import type { LogSource } from '../kubelet/log-source.ts';
import { ApiError, badRequest, methodNotAllowed, pathNotFound } from '../store/api-error.ts';
import { jsonText } from '../store/json.ts';
import type { Store } from '../store/store.ts';
import { discover } from './discovery.ts';
import type { Fault, Intercept } from './faults.ts';
import type { ApiRequest, ApiResponse } from './http-request.ts';
import { resourceOf } from './http-request.ts';
import { serveResource } from './http-resources.ts';
import { serveLog, serveWatch } from './http-streams.ts';
import { decodeProtobuf } from './protobuf.ts';
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

export interface HttpFace {
  url: string;
  requests: RequestLog;
  /** May be set at any time. */
  intercept: Intercept | undefined;
  stop(): Promise<void>;
}

const LARGEST_BODY = 3 * 1024 * 1024;
const HEALTH_PATHS = new Set(['/healthz', '/readyz', '/livez']);

export async function startHttpFace(store: Store, options: HttpFaceOptions = {}): Promise<HttpFace> {
  const face: HttpFace = {
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
  face: HttpFace,
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
  if (resource?.verb === 'watch') {
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
    answered = resource === undefined ? otherPath(store, request) : serveResource(store, request, resource);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    answered = error;
  }
  if (fault?.when === 'after' && play(fault, incoming, response)) return;
  if (answered instanceof ApiError) answerError(response, answered);
  else answer(response, answered);
}

function otherPath(store: Store, { method, path }: ApiRequest): ApiResponse {
  const body = discover(path, store.types);
  if (body === undefined) throw pathNotFound();
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

async function readBody(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) {
      throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${LARGEST_BODY}`);
    }
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  const media = incoming.headers['content-type'] ?? 'application/json';
  if (media.includes('protobuf')) return decodeProtobuf(Buffer.concat(chunks));
  const text = Buffer.concat(chunks).toString();
  try {
    return media.includes('yaml') ? parseYaml(text) : JSON.parse(text);
  } catch (error) {
    throw badRequest(`the object provided is unrecognized: ${error instanceof Error ? error.message : error}`);
  }
}

function answer(response: ServerResponse, { status, body, warnings = [] }: ApiResponse): void {
  const text = typeof body === 'string' ? body : jsonText(body as object);
  if (warnings.length > 0) {
    response.setHeader(
      'Warning',
      warnings.map((warning) => `299 - ${JSON.stringify(warning)}`),
    );
  }
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
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
