import { createServer, type Server, type Socket, connect as to } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * What a network does to connections, whatever is in them (TLS): between one client and one server, on loopback.
 *
 * What is held back is delivered when that ends, also to a server whose client has hung up meanwhile: so does a real
 * network, and a write of an operator that was cut off may reach the API server when another one has long taken over.
 */
export class TcpProxy {
  /** Milliseconds that each piece takes, either way. */
  delayMs = 0;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #requests = new Gate();
  readonly #answers = new Gate();
  #refuses = false;
  #port = 0;
  /** Connections that were made through it. */
  connections = 0;

  private constructor(port: number) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#join(client, port));
  }

  /** @param port of the server, on 127.0.0.1 */
  static async start(port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(port);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    proxy.#port = (proxy.#server.address() as { port: number }).port;
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** Nothing gets through any more, either way, and nobody is told: a cable that was pulled. */
  partition(): void {
    this.#requests.shut();
    this.#answers.shut();
  }

  /** Requests get through and take effect; no answer does. */
  mute(): void {
    this.#answers.shut();
  }

  /** All is well again, and what was held back arrives. */
  heal(): void {
    this.#refuses = false;
    this.delayMs = 0;
    this.#requests.open();
    this.#answers.open();
  }

  /** Ends all connections by a reset. */
  reset(): void {
    for (const sockets of this.#pairs) for (const socket of sockets) socket.resetAndDestroy();
  }

  /** New connections are reset at once, until `heal`. */
  refuse(): void {
    this.#refuses = true;
    this.reset();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.refuse();
    this.#requests.open();
    this.#answers.open();
    await closed;
  }

  #join(client: Socket, port: number): void {
    this.connections += 1;
    if (this.#refuses) {
      client.on('error', () => {}).resetAndDestroy();
      return;
    }
    const server = to({ port, host: '127.0.0.1', allowHalfOpen: true });
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        if (client.destroyed && server.destroyed) this.#pairs.delete(pair);
      });
    }
    void this.#carry(client, server, this.#requests);
    void this.#carry(server, client, this.#answers);
  }

  async #carry(from: Socket, target: Socket, gate: Gate): Promise<void> {
    try {
      for await (const piece of from) {
        if (this.delayMs > 0) await pause(this.delayMs);
        await gate.passed();
        if (!target.write(piece)) await drained(target);
      }
      await gate.passed();
      target.end();
    } catch {
      // One side was reset: so is the other one, as soon as word of it gets through.
      await gate.passed();
      target.destroy();
    }
  }
}

const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    socket.once('drain', resolve).once('close', resolve);
  });

/** Who comes while it is shut waits until it is opened. */
class Gate {
  #shut: PromiseWithResolvers<void> | undefined;

  shut(): void {
    this.#shut ??= Promise.withResolvers<void>();
  }

  open(): void {
    this.#shut?.resolve();
    this.#shut = undefined;
  }

  async passed(): Promise<void> {
    while (this.#shut !== undefined) await this.#shut.promise;
  }
}
