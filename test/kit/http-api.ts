import type { KubeConfig } from '@kubernetes/client-node';
import { Connection } from '../../src/kube/http/connection.ts';
import { queryString } from '../../src/kube/http/paths.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are read by path, and every path is asserted
export type Json = any;

export interface Answer<T = Json> {
  status: number;
  /** Parsed if it is JSON, else the text. */
  body: T;
  headers: Record<string, string | string[] | undefined>;
  /** The Warning headers, as they were sent. */
  warnings: string[];
}

export interface HttpRequest {
  query?: Parameters<typeof queryString>[0];
  /** Text is sent as it is, everything else as JSON. */
  body?: unknown;
  headers?: Record<string, string | string[]> | undefined;
}

/** Raw requests to a Kubernetes API: what was sent and what was answered, with nothing in between. No status throws. */
export class HttpApi {
  readonly connection: Connection;
  readonly #reviver: ((name: string, value: unknown) => unknown) | undefined;

  /** @param reviver of all JSON that is answered */
  constructor(load: () => KubeConfig, reviver?: (name: string, value: unknown) => unknown) {
    this.connection = new Connection(load, {
      maxConnections: 16,
      connectTimeoutMs: 10_000,
      headersTimeoutMs: 30_000,
    });
    this.#reviver = reviver;
  }

  async request<T = Json>(method: string, path: string, options: HttpRequest = {}): Promise<Answer<T>> {
    const { origin, basePath, headers, requests } = await this.connection.endpoint();
    const { body, query = {} } = options;
    const content = body === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await requests.request({
      origin,
      path: basePath + path + queryString(query),
      method: method as 'GET',
      headers: { accept: 'application/json', ...content, ...options.headers, ...headers },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await answer.body.text();
    // The index of OpenAPI v3 is JSON that calls itself text.
    const isJson = String(answer.headers['content-type']).startsWith('application/json') || text.startsWith('{');
    return {
      status: answer.statusCode,
      body: isJson ? JSON.parse(text, this.#reviver) : text,
      headers: answer.headers,
      warnings: [answer.headers.warning ?? []].flat(),
    };
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}
