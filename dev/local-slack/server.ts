/** HTTP on 127.0.0.1: Web API, `response_url`, webhooks, and the upgrade to WebSockets. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Fault } from './faults.ts';
import { parseJson } from './json.ts';
import { RateLimited } from './slack-error.ts';
import type { Sockets } from './socket-mode/sockets.ts';
import type { WebApi } from './web-api/web-api.ts';
import type { World } from './world.ts';

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
  args: Record<string, unknown>;
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

export class SlackServer {
  readonly #world: World;
  readonly #api: WebApi;
  readonly #http: Server;
  readonly #sockets = new Set<Socket>();

  constructor(world: World, api: WebApi, sockets: Sockets) {
    this.#world = world;
    this.#api = api;
    this.#http = createServer((request, response) => {
      // A client that goes away while its request is read is no failure of this server.
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#http.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#http.on('upgrade', (request, raw, head) => {
      raw.on('error', () => {});
      sockets.upgrade(request, raw, head);
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
    this.#world.origin = `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#http.close(resolve));
    // `closeAllConnections` leaves those that were upgraded.
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const path = new URL(request.url ?? '/', this.#world.origin).pathname;
    const name = path.startsWith('/api/') ? path.slice('/api/'.length) : (this.#world.hooks.kind(path) ?? path);
    const fault = this.#world.faults.takeWeb(name);
    const done = fault === undefined || fault.kind === 'lost' || fault.kind === 'lostHang';
    const answer = done ? this.#answer(request, path, name, body) : faulty(fault);
    this.#world.calls.push({
      method: name,
      args: answer?.args ?? {},
      at: this.#world.clock.now(),
      answer: fault?.kind ?? outcome(answer),
    });
    if (fault?.kind === 'reset' || fault?.kind === 'lost') return void request.socket.resetAndDestroy();
    if (fault?.kind === 'hang' || fault?.kind === 'lostHang' || answer === undefined) return;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  #answer(request: IncomingMessage, path: string, name: string, body: string): Answer {
    if (request.method !== 'POST') return { status: 405, headers: {}, body: '', args: {} };
    const kind = this.#world.hooks.kind(path);
    if (kind !== undefined) return this.#hook(kind, path, body);
    if (!path.startsWith('/api/')) return { status: 404, headers: {}, body: '', args: {} };
    const { 'content-type': contentType = '', authorization } = request.headers;
    const {
      status,
      headers,
      body: result,
      args,
    } = this.#api.handle({ method: name, contentType, authorization, body });
    return { status, headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(result), args };
  }

  #hook(kind: 'response_url' | 'incoming_webhook', path: string, body: string): Answer {
    const { hooks } = this.#world;
    const value = parseJson(body);
    const args = (value ?? {}) as Record<string, unknown>;
    try {
      const answer = kind === 'response_url' ? hooks.respond(path, value) : hooks.webhook(path, value);
      return { ...answer, headers: {}, args };
    } catch (error) {
      if (!(error instanceof RateLimited)) throw error;
      return { status: 429, headers: { 'retry-after': String(error.retryAfter) }, body: 'rate_limited', args };
    }
  }
}

function faulty(fault: Fault): Answer | undefined {
  switch (fault.kind) {
    case 'status':
      return { status: fault.status, headers: {}, body: 'upstream error', args: {} };
    case 'html':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Sign in</html>', args: {} };
    case 'ratelimited': {
      const headers = { ...JSON_TYPE, 'retry-after': String(fault.retryAfter) };
      return { status: 429, headers, body: '{"ok":false,"error":"ratelimited"}', args: {} };
    }
    case 'error':
      return { status: 200, headers: JSON_TYPE, body: JSON.stringify({ ok: false, error: fault.error }), args: {} };
    default:
      return undefined;
  }
}

function outcome(answer: Answer | undefined): string {
  if (answer === undefined) return 'none';
  const body = parseJson(answer.body) as { ok?: boolean; error?: string } | undefined;
  if (body?.ok === false) return body.error ?? 'error';
  return answer.status === 200 ? 'ok' : answer.body || String(answer.status);
}
