import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** An HTTP proxy on 127.0.0.1 that does nothing but CONNECT (RFC 9110, 9.3.6). Other requests get 405. */
export class ConnectProxy implements AsyncDisposable {
  /** `host:port` of each tunnel, in the order in which they were asked for. */
  readonly tunnels: string[] = [];
  /** What it answers to CONNECT. */
  status = 200;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((_, response) => void response.writeHead(405).end());
    this.#server.on('connection', (socket) => this.#keep(socket));
    this.#server.on('connect', (request, client) => {
      const target = request.url ?? '';
      this.tunnels.push(target);
      if (this.status !== 200) {
        client.end(`HTTP/1.1 ${this.status} Refused\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      const { hostname, port } = new URL(`http://${target}`);
      const upstream = this.#keep(connect(Number(port), hostname));
      upstream.once('connect', () => {
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        client.pipe(upstream).pipe(client);
      });
      client.on('error', () => upstream.destroy());
      client.once('close', () => upstream.destroy());
      upstream.on('error', () => client.destroy());
      upstream.once('close', () => client.destroy());
    });
  }

  static async start(): Promise<ConnectProxy> {
    const proxy = new ConnectProxy();
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** For `HTTPS_PROXY`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    // `closeAllConnections` leaves tunnels.
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
