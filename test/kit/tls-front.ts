import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer, getCACertificates, type Server, setDefaultCACertificates } from 'node:tls';
import type { LocalSlack } from '../../dev/local-slack/local-slack.ts';
import { selfSigned } from './certificate.ts';

/**
 * A local Slack as Slack is in the world: HTTPS and WSS, with a server that would speak HTTP/2. While it is there, this
 * process trusts its certificate.
 */
export class TlsFront implements AsyncDisposable {
  /** Of each connection, what was agreed on, in the order in which they were made. */
  readonly protocols: (string | false | null)[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #usual = getCACertificates('default');

  private constructor(slack: LocalSlack) {
    const certificate = selfSigned('slack.test', '127.0.0.1');
    setDefaultCACertificates([...this.#usual, certificate.cert]);
    const local = new URL(slack.world.origin);
    this.#server = createServer({ ...certificate, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
      this.protocols.push(socket.alpnProtocol);
      const upstream = connect(Number(local.port), local.hostname);
      socket.pipe(upstream).pipe(socket);
      for (const [one, other] of [
        [socket, upstream],
        [upstream, socket],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => {});
        one.once('close', () => other.destroy());
      }
    });
  }

  /** From now on the Slack names this as its address. */
  static async start(slack: LocalSlack): Promise<TlsFront> {
    const front = new TlsFront(slack);
    await new Promise<void>((resolve) => front.#server.listen(0, '127.0.0.1', resolve));
    slack.world.origin = `https://${front.authority}`;
    return front;
  }

  /** `host:port`. */
  get authority(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    setDefaultCACertificates(this.#usual);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
