/** The HTTP servers of a running operator: `/healthz` and `/readyz` for the kubelet, `/metrics` for Prometheus. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseBindAddress } from './bind-address.ts';

/** Must return at once, from what is known already: the kubelet waits one second. */
export type Check = () => { ok: boolean; message?: string };

export interface ProbeServerOptions {
  address: string;
  /** By name. If one fails, the kubelet restarts the container. */
  healthz: Record<string, Check>;
  /** By name. If one fails, the Pod is not ready: people and roll-outs see it. */
  readyz: Record<string, Check>;
}

export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

export interface RunningServer {
  readonly host: string;
  readonly port: number;
  /** Ends at once, also requests under way. */
  close(): Promise<void>;
}

/** @returns undefined if the address is '0', which is off. @throws Error in words for the command line. */
export function serveProbes(options: ProbeServerOptions): Promise<RunningServer | undefined> {
  return serve('--health-probe-bind-address', options.address, {
    '/healthz': (response) => answerChecks(response, options.healthz),
    '/readyz': (response) => answerChecks(response, options.readyz),
  });
}

/** @returns undefined if the address is '0', which is off. @throws Error in words for the command line. */
export function serveMetrics({ address, metrics }: { address: string; metrics: MetricsText }) {
  return serve('--metrics-bind-address', address, {
    '/metrics': async (response) => {
      answer(response, 200, await metrics.text(), metrics.contentType);
    },
  });
}

type Routes = Record<string, (response: ServerResponse) => void | Promise<void>>;

async function serve(flag: string, address: string, routes: Routes): Promise<RunningServer | undefined> {
  const bind = parseBindAddress(flag, address);
  if (bind === undefined) return undefined;
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, (request, response) => {
    void route(request, response, routes);
  });
  server.listen({ port: bind.port, host: bind.host });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new Error(`${flag}: cannot listen on "${address}": ${whyNot(error as NodeJS.ErrnoException)}`, {
      cause: error,
    });
  }
  const { address: host, port } = server.address() as AddressInfo;
  return { host, port, close: () => close(server) };
}

async function route(request: IncomingMessage, response: ServerResponse, routes: Routes): Promise<void> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  // Not `routes[path]`: "/constructor" is on every object.
  const handler = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (handler === undefined) return answer(response, 404, 'not found\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return answer(response, 405, 'only GET and HEAD\n');
  }
  try {
    await handler(response);
  } catch {
    answer(response, 500, 'internal error\n');
  }
}

/** 200 `ok`, or 503 with a line for each check that fails. A check that throws fails. */
function answerChecks(response: ServerResponse, checks: Record<string, Check>): void {
  const failing: string[] = [];
  for (const [name, check] of Object.entries(checks)) {
    try {
      const { ok, message } = check();
      if (!ok) failing.push(message === undefined ? name : `${name}: ${message}`);
    } catch (error) {
      failing.push(`${name}: the check failed (${error instanceof Error ? error.name : 'unknown'})`);
    }
  }
  if (failing.length === 0) answer(response, 200, 'ok');
  else answer(response, 503, `${failing.join('\n')}\n`);
}

/** Node itself leaves the body out of an answer to HEAD. */
function answer(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

function whyNot(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE') return 'the port is in use';
  if (error.code === 'EACCES') return 'permission denied (ports below 1024 are for root)';
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') return 'this machine has no such address';
  return error.code ?? error.message;
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
