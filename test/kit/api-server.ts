/** A real HTTP server on loopback that answers as each test says, faults included. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubeObject } from '../../src/kube/client.ts';
import type { Credentials } from '../../src/kube/http/connection.ts';
import { HttpKubeClient, type HttpKubeClientOptions } from '../../src/kube/http/http-client.ts';

export interface Received {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingMessage['headers'];
  body: unknown;
}

export type Answer = (response: ServerResponse, request: Received) => void | Promise<void>;

export class ApiServer {
  readonly received: Received[] = [];
  readonly connections = new Set<number>();
  #server: Server;
  #answer: Answer;
  #closed: ServerResponse[] = [];

  constructor(answer: Answer) {
    this.#answer = answer;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many answers the client cut off by closing its connection. */
  get cutOff(): number {
    return this.#closed.length;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.connections.add(request.socket.remotePort ?? 0);
    response.on('close', () => {
      if (!response.writableFinished) this.#closed.push(response);
    });
    let text = '';
    for await (const chunk of request) text += chunk;
    const url = new URL(request.url ?? '/', 'http://server');
    const received: Received = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    this.received.push(received);
    await this.#answer(response, received);
  }
}

/** The whole answer at once, as JSON. */
export function json(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function status(code: number, reason: string, message: string, details?: object): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, details };
}

/**
 * Plain HTTP without credentials. `connection.test.ts` uses client-node, whose import takes longer than all tests of a
 * file.
 */
export function anonymous(server: string): Credentials {
  const cluster = { name: 'test', server, skipTLSVerify: true };
  return { getCurrentCluster: () => cluster, applyToHTTPSOptions: async () => {} };
}

export function clientFor(server: ApiServer, options: Partial<HttpKubeClientOptions> = {}): HttpKubeClient {
  return new HttpKubeClient({ config: anonymous(server.url), ...options });
}

export function pod(name: string, resourceVersion: string, more: Partial<KubeObject['metadata']> = {}): KubeObject {
  const metadata = { name, namespace: 'deploy', uid: `uid-${name}`, resourceVersion, ...more };
  return { apiVersion: 'v1', kind: 'Pod', metadata };
}

/** One line of a watch's answer. */
export function event(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}

export function bookmark(resourceVersion: string): string {
  return event('BOOKMARK', { apiVersion: 'v1', kind: 'Pod', metadata: { resourceVersion } });
}
