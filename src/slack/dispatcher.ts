import type { Duplex } from 'node:stream';
import type { FetchFunction } from '@slack/web-api';
import { type Dispatcher, EnvHttpProxyAgent, type RequestInit, fetch as undiciFetch } from 'undici';

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * How requests to Slack leave: by the proxy of `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, with HTTP/1.1 (a WebSocket
 * needs a connection of its own).
 */
export class SlackDispatcher {
  /** For the WebSocket. */
  readonly dispatcher: Dispatcher;
  /** Sockets that became WebSockets: undici lets go of them, so its agent cannot end them. */
  readonly #upgraded = new Set<Duplex>();

  constructor() {
    const agent = new EnvHttpProxyAgent({ allowH2: false, connectTimeout: CONNECT_TIMEOUT_MS });
    this.dispatcher = agent.compose((dispatch) => (options, handler) => {
      const onUpgrade = handler.onRequestUpgrade;
      handler.onRequestUpgrade = (controller, status, headers, socket) => {
        this.#upgraded.add(socket);
        socket.once('close', () => this.#upgraded.delete(socket));
        return onUpgrade?.call(handler, controller, status, headers, socket);
      };
      return dispatch(options, handler);
    });
  }

  /** @param token asked for at each call, so that it may change */
  fetch(token: () => string): FetchFunction {
    return (url, init = {}) => {
      const headers = { ...init.headers, Authorization: `Bearer ${token()}` };
      const request = { ...init, headers, dispatcher: this.dispatcher } as RequestInit;
      return undiciFetch(url, request);
    };
  }

  /** Ends everything that was opened with it, at once. */
  async destroy(): Promise<void> {
    for (const socket of this.#upgraded) socket.destroy();
    await this.dispatcher.destroy();
  }
}
