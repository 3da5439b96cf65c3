import { SocketModeReceiver } from '@slack/bolt';
import { z } from 'zod';
import { unlessAborted } from '../base/abort.ts';
import { type Clock, monotonicNow, sleep, type TimerHandle } from '../base/clock.ts';
import { SlackDispatcher } from './dispatcher.ts';
import { SILENT } from './silent-logger.ts';
import { SlackError, toSlackError } from './slack-error.ts';

/** Why another connection is needed. */
export interface Loss {
  /** Slack's own word (`refresh_requested`), or what happened to the socket. */
  readonly reason: string;
  /** Slack replaces every connection from time to time, and says so before. */
  readonly isRoutine: boolean;
}

export interface Timing {
  /** From the handshake to Slack's `hello`. */
  readonly helloMs: number;
  /** Without an answer to a ping of ours. */
  readonly clientPingTimeoutMs: number;
  /** Without a ping of Slack's. */
  readonly serverPingTimeoutMs: number;
}

export interface LinkOptions {
  readonly appToken: () => string;
  readonly slackApiUrl: string | undefined;
  readonly timing: Timing;
  readonly clock: Clock;
  /** Gives the receiver the app that takes its envelopes. */
  readonly attach: (receiver: SocketModeReceiver) => void;
  /** @param seconds from the receipt of an envelope to its acknowledgement */
  readonly acknowledged: (seconds: number) => void;
  /** The receiver failed with an envelope. */
  readonly failed: (error: unknown) => void;
  /** `serves` may have changed. */
  readonly changed: () => void;
}

/** Slack sends nothing more after `refresh_requested`; what it sent before is still acknowledged. */
const LAST_ACKS_MS = 2_000;
/** Slack refreshes about 10 s after its warning. */
const WARNED_MS = 60_000;
/** How often it is looked whether the socket is closing: the library tells of its end only. */
const LOOK_MS = 500;
const OPEN = 1;

const envelope = z.looseObject({
  type: z.string(),
  reason: z.string().optional(),
  envelope_id: z.string().optional(),
  payload: z.looseObject({ event: z.looseObject({ type: z.string() }).optional() }).optional(),
});
type Envelope = z.infer<typeof envelope>;

function parsed(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}

/**
 * One connection to Slack, from its first request to its end: a WebSocket of `@slack/socket-mode`, with a dispatcher of
 * its own, so that ending it leaves nothing open. It never connects again.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #dispatcher = new SlackDispatcher();
  readonly #client: SocketModeReceiver['client'];
  readonly #loss = Promise.withResolvers<Loss>();
  readonly #ended = new AbortController();
  /** When envelopes that are not acknowledged yet came, by id. */
  readonly #unanswered = new Map<string, number>();
  #state: 'opening' | 'serving' | 'leaving' | 'ended' = 'opening';
  #timer: TimerHandle;
  #failure: unknown;

  constructor(options: LinkOptions) {
    this.#options = options;
    const receiver = new SocketModeReceiver({
      appToken: options.appToken(),
      dispatcher: this.#dispatcher.dispatcher,
      logger: SILENT,
      // The library's own leaves rejections unhandled (slackapi/node-slack-sdk#2656) and waits 15 s and more.
      autoReconnectEnabled: false,
      clientPingTimeout: options.timing.clientPingTimeoutMs,
      serverPingTimeout: options.timing.serverPingTimeoutMs,
      installerOptions: {
        clientOptions: {
          ...(options.slackApiUrl === undefined ? {} : { slackApiUrl: options.slackApiUrl }),
          fetch: this.#dispatcher.fetch(options.appToken),
          timeout: options.timing.helloMs,
          retryConfig: { retries: 0 },
          rejectRateLimitedCalls: true,
        },
      },
      processEventErrorHandler: async ({ error, event }) => {
        options.failed(error);
        await event.ack().catch(options.failed);
        return false;
      },
    });
    options.attach(receiver);
    this.#client = receiver.client;
    this.#client.on('error', (error) => {
      this.#failure ??= error;
    });
    this.#client.on('disconnected', () => this.#lose({ reason: 'connection_lost', isRoutine: false }));
    this.#client.on('outgoing_message', ({ envelope_id }) => this.#answered(envelope_id));
    // The library's listener trusts what it reads: a message of another shape would be an unhandled rejection.
    const [read] = this.#client.listeners('ws_message');
    this.#client.off('ws_message', read);
    this.#client.on('ws_message', (data, isBinary) => this.#onMessage(data, () => read?.(data, isBinary)));
  }

  /** Slack sends envelopes here. */
  get serves(): boolean {
    return this.#state === 'serving';
  }

  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  /** How many envelopes are not acknowledged yet. */
  get unanswered(): number {
    return this.#unanswered.size;
  }

  /** Resolves when another connection is needed. This one may serve a while longer. */
  get loss(): Promise<Loss> {
    return this.#loss.promise;
  }

  /**
   * Connects, and resolves when Slack has said hello.
   * @throws SlackError why it did not. The link is of no use then: destroy it.
   */
  async open(signal: AbortSignal): Promise<void> {
    const { clock, timing } = this.#options;
    const method = 'apps.connections.open';
    const opened = this.#client.start().catch((error: unknown) => {
      throw toSlackError(method, error ?? this.#failure);
    });
    // After the end the library may still make a socket of the address that it waited for.
    opened.then(
      () => this.#endIfEnded(),
      () => this.#endIfEnded(),
    );
    const stop = new AbortController();
    const late = sleep(clock, timing.helloMs, stop.signal).then(() => {
      throw new SlackError(method, 'no_hello', { detail: `within ${timing.helloMs / 1000} s` });
    });
    late.catch(() => {});
    const lost = this.loss.then(({ reason }) => {
      throw this.#failure === undefined ? new SlackError(method, reason) : toSlackError(method, this.#failure);
    });
    lost.catch(() => {});
    try {
      await unlessAborted(Promise.race([opened, late, lost]), signal);
    } finally {
      stop.abort();
    }
    this.#state = 'serving';
    this.#options.changed();
    this.#look();
  }

  /** Ends it now: its sockets and timers. Can be called again. */
  async destroy(): Promise<void> {
    this.#state = 'ended';
    this.#unanswered.clear();
    this.#options.clock.clearTimeout(this.#timer);
    this.#options.changed();
    this.#endIfEnded();
    this.#ended.abort();
    await this.#dispatcher.destroy();
  }

  #endIfEnded(): void {
    if (this.#state !== 'ended') return;
    // A close frame. The library would wait 30 s for the answer, but the socket ends with the dispatcher.
    this.#client.disconnect().catch(() => {});
  }

  #onMessage(data: unknown, toLibrary: () => void): void {
    const message = this.#read(data);
    if (message === undefined) return;
    if (message.type === 'disconnect') {
      this.#onDisconnect(message.reason ?? 'unknown');
      return;
    }
    if (message.envelope_id !== undefined) {
      this.#unanswered.set(message.envelope_id, monotonicNow(this.#options.clock));
    }
    toLibrary();
  }

  /** @returns undefined for what the library cannot read; it is acknowledged, so that Slack does not send it again */
  #read(data: unknown): Envelope | undefined {
    const message = parsed(data);
    const read = envelope.safeParse(message).data;
    if (read !== undefined && this.#isHarmless(read)) return read;
    this.#options.failed(new Error('Slack sent an envelope of unknown shape'));
    const id = z.looseObject({ envelope_id: z.string() }).safeParse(message).data?.envelope_id;
    if (id !== undefined) this.#client.websocket?.send(JSON.stringify({ envelope_id: id, payload: {} }), () => {});
    return undefined;
  }

  /** The library emits the types as events, on the same emitter as its own, and takes an event's type for granted. */
  #isHarmless({ type, payload }: Envelope): boolean {
    if (type === 'hello') return true;
    if (type === 'events_api' && payload?.event === undefined) return false;
    const own = this.#client.eventNames();
    return [type, payload?.event?.type].every((name) => name === undefined || !own.includes(name));
  }

  #onDisconnect(reason: string): void {
    const { clock } = this.#options;
    if (reason === 'warning') {
      this.#loss.resolve({ reason, isRoutine: true });
      // It serves until the refresh, so nothing is missed while another one is opened.
      sleep(clock, WARNED_MS, this.#ended.signal).then(() => this.#leave());
      return;
    }
    this.#loss.resolve({ reason, isRoutine: reason === 'refresh_requested' });
    this.#leave();
  }

  #leave(): void {
    if (this.#state !== 'serving') return;
    this.#state = 'leaving';
    this.#options.changed();
    sleep(this.#options.clock, LAST_ACKS_MS, this.#ended.signal).then(() => this.destroy());
  }

  #lose(loss: Loss): void {
    if (this.#state === 'ended') return;
    this.#loss.resolve(loss);
    if (this.#state !== 'opening') this.destroy();
  }

  /** A close frame of Slack's, and a ping without an answer, close the socket long before the library tells. */
  #look(): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimeout(() => {
      if (this.#state === 'ended') return;
      if (this.#client.websocket?.readyState === OPEN) this.#look();
      else this.#lose({ reason: 'connection_closing', isRoutine: false });
    }, LOOK_MS);
  }

  #answered(envelopeId: string): void {
    const since = this.#unanswered.get(envelopeId);
    if (since === undefined) return;
    this.#unanswered.delete(envelopeId);
    this.#options.acknowledged((monotonicNow(this.#options.clock) - since) / 1000);
  }
}
