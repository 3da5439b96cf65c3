/**
 * WebSockets of apps: tickets, `hello`, pings, `disconnect`, ten at most.
 *
 * @see https://docs.slack.dev/apis/events-api/using-socket-mode
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { App } from '../app.ts';
import type { Json } from '../json.ts';
import type { Timers } from '../timers.ts';
import type { World } from '../world.ts';

/** "up to 10 open WebSocket connections at the same time" */
export const SOCKETS_PER_APP = 10;
/** Seconds, as seen in the wild; the documents show 3600. */
export const CONNECTION_SECONDS = 18_060;
/** How long the address of `apps.connections.open` may wait; not documented. */
export const TICKET_LIFE_MS = 30_000;
/** "a warning about 10 seconds before the disconnect" */
export const WARNING_MS = 10_000;
const PING_MS = 10_000;
const HOST = 'applink-1';

export class Socket {
  readonly app: App;
  readonly #ws: WebSocket;
  readonly #raw: Duplex;
  readonly #timers: Timers;
  /** Takes no new envelopes: a refresh was asked for. */
  leaving = false;
  /** Neither reads nor answers, though the connection stands. */
  silent = false;
  #gone = false;
  /** Code of the app's close frame, once the connection has ended; 1006 if there was none. */
  closedWith: number | undefined;

  constructor(app: App, ws: WebSocket, raw: Duplex, timers: Timers) {
    this.app = app;
    this.#ws = ws;
    this.#raw = raw;
    this.#timers = timers;
    raw.once('close', () => {
      this.#gone = true;
    });
    ws.on('error', () => {});
    ws.once('close', (code) => {
      this.closedWith = code;
    });
    ws.on('ping', (data) => ws.pong(data));
    this.#ping();
  }

  /** Whether the TCP connection stands. */
  get open(): boolean {
    return !this.#gone;
  }

  /** Whether envelopes are sent here. A silent one still counts: Slack does not know yet. */
  get takesEnvelopes(): boolean {
    return this.open && !this.leaving && this.#ws.readyState === this.#ws.OPEN;
  }

  send(message: Json): void {
    if (!this.silent && this.open) this.#ws.send(JSON.stringify(message), () => {});
  }

  onMessage(listener: (data: string) => void): void {
    this.#ws.on('message', (data) => {
      if (!this.silent) listener(String(data));
    });
  }

  /** The connection stands, but nothing comes any more: no pong, no answer to a close, no envelope. */
  silence(): void {
    this.silent = true;
    this.#ws.pause();
  }

  /** RST. */
  reset(): void {
    (this.#raw as Duplex & { resetAndDestroy?: () => void }).resetAndDestroy?.();
    this.#ws.terminate();
  }

  close(code = 1001): void {
    this.#ws.close(code);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /** Slack's routine: a warning, and 10 s later the refresh. */
  warn(): void {
    this.send({ type: 'disconnect', reason: 'warning', debug_info: { host: HOST } });
    this.#timers.after(WARNING_MS, () => this.refresh());
  }

  refresh(): void {
    this.#disconnect('refresh_requested');
  }

  tooMany(): void {
    this.#disconnect('too_many_websockets');
  }

  /** Socket Mode was switched off in the app's settings. */
  disable(): void {
    this.#disconnect('link_disabled');
  }

  #disconnect(reason: string): void {
    this.leaving = true;
    this.send({ type: 'disconnect', reason, debug_info: { host: HOST } });
    this.#timers.after(WARNING_MS, () => this.close());
  }

  #ping(): void {
    this.#timers.after(PING_MS, () => {
      if (!this.open) return;
      if (!this.silent && this.#ws.readyState === this.#ws.OPEN) this.#ws.ping(`Ping from ${HOST}`);
      this.#ping();
    });
  }
}

export class Sockets {
  readonly #world: World;
  readonly #timers: Timers;
  readonly #onMessage: (socket: Socket, data: string) => void;
  readonly #server = new WebSocketServer({ noServer: true, autoPong: false });
  readonly #tickets = new Map<string, { app: App; issuedAt: number }>();
  readonly #all: Socket[] = [];
  #turn = 0;

  constructor(world: World, timers: Timers, onMessage: (socket: Socket, data: string) => void) {
    this.#world = world;
    this.#timers = timers;
    this.#onMessage = onMessage;
  }

  newUrl(app: App): string {
    const ticket = randomUUID();
    this.#tickets.set(ticket, { app, issuedAt: this.#world.clock.now() });
    return `${this.#world.origin.replace('http', 'ws')}/link/?ticket=${ticket}&app_id=${app.id}`;
  }

  /** Those whose connection stands, oldest first. */
  open(app?: App): Socket[] {
    return this.#all.filter((socket) => socket.open && (app === undefined || socket.app === app));
  }

  /** Those that envelopes can be sent to. */
  able(app: App): Socket[] {
    return this.open(app).filter((socket) => socket.takesEnvelopes);
  }

  /** "each payload may be sent to any of the connections": here in turn, which no app may rely on. */
  next(app: App, not?: Socket): Socket | undefined {
    const able = this.able(app).filter((socket) => socket !== not);
    return able[this.#turn++ % Math.max(1, able.length)];
  }

  upgrade(request: IncomingMessage, raw: Duplex, head: Buffer): void {
    const fault = this.#world.faults.takeConnect();
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'reset') {
      (raw as Duplex & { resetAndDestroy: () => void }).resetAndDestroy();
      return;
    }
    const app = this.#appOf(request);
    if (fault?.kind === 'status' || app === undefined) {
      refuse(raw, fault?.kind === 'status' ? fault.status : 401);
      return;
    }
    const count = this.open(app).length + 1;
    keepTcpOpen(raw);
    this.#server.handleUpgrade(request, raw, head, (ws) => {
      const socket = new Socket(app, ws, raw, this.#timers);
      this.#all.push(socket);
      socket.onMessage((data) => this.#onMessage(socket, data));
      if (count > SOCKETS_PER_APP) return socket.tooMany();
      if (fault?.kind !== 'silent') socket.send(hello(app, count));
    });
  }

  stop(): void {
    for (const socket of this.#all) socket.terminate();
    this.#server.close();
  }

  /** A ticket opens one socket. */
  #appOf(request: IncomingMessage): App | undefined {
    const url = new URL(request.url ?? '/', this.#world.origin);
    const ticket = url.searchParams.get('ticket') ?? '';
    const issued = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    if (issued === undefined || url.pathname !== '/link/') return undefined;
    return this.#world.clock.now() - issued.issuedAt > TICKET_LIFE_MS ? undefined : issued.app;
  }
}

/**
 * The real Slack answers a close frame but leaves the TCP connection open: the client has to end it.
 * @see https://github.com/slackapi/node-slack-sdk/issues/2752
 */
function keepTcpOpen(raw: Duplex): void {
  raw.end = () => raw;
  raw.once('end', () => raw.destroy());
}

function refuse(raw: Duplex, status: number): void {
  raw.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

const hello = (app: App, count: number): Json => ({
  type: 'hello',
  num_connections: count,
  connection_info: { app_id: app.id },
  debug_info: {
    host: HOST,
    started: '2026-01-01 00:00:00.000',
    build_number: 54,
    approximate_connection_time: CONNECTION_SECONDS,
  },
});
