import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * What can come of a request to SQS besides its answer:
 * - `throttle`: SQS asks for fewer requests, in its own words (400 RequestThrottled; AWS docs, "SQS API errors", JSON
 *   protocol).
 * - `internal`: SQS itself is in trouble (500 InternalFailure).
 * - `unavailable`: something before SQS is (503, a page of HTML).
 * - `hang`: no answer ever, until the client gives up; the request never arrived.
 * - `reset`: the connection breaks; the request never arrived.
 * - `lost`: the request took effect, and the connection breaks before the answer.
 * - `slow`: the answer takes two seconds more.
 */
export const SQS_FAULTS = ['throttle', 'internal', 'unavailable', 'hang', 'reset', 'lost', 'slow'] as const;
export type SqsFault = (typeof SQS_FAULTS)[number];

const SLOW_MS = 2_000;

/**
 * Between the operators and the SQS server: knows requests, and so can answer in SQS's place, or keep back the answer
 * of one.
 */
export class SqsProxy {
  /** Asked for each request, with the action: ReceiveMessage, DeleteMessageBatch, … */
  fault: (action: string) => SqsFault | undefined = () => undefined;
  /** How often each was done, by action. */
  readonly done = new Map<string, number>();
  readonly #target: URL;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #closing = new AbortController();

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((incoming, outgoing) => {
      this.#handle(incoming, outgoing).catch(() => outgoing.destroy());
    });
    this.#server.keepAliveTimeout = 60_000;
  }

  /** @param target the origin of the server */
  static async start(target: string): Promise<SqsProxy> {
    const proxy = new SqsProxy(target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await closed;
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const action = String(incoming.headers['x-amz-target'] ?? '').replace(/^AmazonSQS\./, '');
    const fault = this.fault(action);
    if (fault !== undefined) this.done.set(`${fault} ${action}`, (this.done.get(`${fault} ${action}`) ?? 0) + 1);
    switch (fault) {
      case 'throttle':
        return refuse(outgoing, 400, 'com.amazonaws.sqs#RequestThrottled', 'RequestThrottled;Sender');
      case 'internal':
        return refuse(outgoing, 500, 'com.amazonaws.sqs#InternalFailure', 'InternalFailure;Receiver');
      case 'unavailable':
        outgoing.writeHead(503, { 'content-type': 'text/html' }).end('<html><body>Service Unavailable</body></html>');
        return;
      case 'hang':
        return;
      case 'reset':
        incoming.socket.resetAndDestroy();
        return;
      default:
        return this.#forward(incoming, body, outgoing, fault);
    }
  }

  async #forward(
    incoming: IncomingMessage,
    body: Buffer,
    outgoing: ServerResponse,
    fault: 'lost' | 'slow' | undefined,
  ): Promise<void> {
    const { method, url, headers } = incoming;
    const asking = request({
      agent: this.#agent,
      host: this.#target.hostname,
      port: this.#target.port,
      method,
      path: url,
      headers,
    });
    // A poll whose client has hung up must not take messages.
    outgoing.once('close', () => asking.destroy());
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      asking.once('response', resolve).once('error', reject).end(body);
    });
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    if (fault === 'lost') {
      incoming.socket.resetAndDestroy();
      return;
    }
    if (fault === 'slow') await pause(SLOW_MS, undefined, { signal: this.#closing.signal });
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers).end(Buffer.concat(chunks));
  }
}

/** As SQS does it in its JSON protocol, with the header for clients of the older one. */
function refuse(outgoing: ServerResponse, status: number, type: string, queryError: string): void {
  outgoing
    .writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-query-error': queryError })
    .end(JSON.stringify({ __type: type, message: 'by the fault proxy' }));
}
