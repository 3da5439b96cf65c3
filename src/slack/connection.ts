import type { SocketModeReceiver } from '@slack/bolt';
import { unlessAborted } from '../base/abort.ts';
import { Backoff } from '../base/backoff.ts';
import { type Clock, monotonicNow, sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { Link, type LinkOptions, type Loss, type Timing } from './link.ts';
import type { SlackMetrics } from './metrics.ts';
import { SlackError } from './slack-error.ts';
import type { TokenFile } from './token-file.ts';
import { REFUSED_TOKEN } from './web-api.ts';

export interface ConnectionOptions {
  readonly token: Pick<TokenFile, 'current' | 'reload'>;
  readonly slackApiUrl?: string | undefined;
  /** Defaults: 15 s, 15 s, 60 s. */
  readonly timing?: Partial<Timing>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<SlackMetrics, 'slackConnected' | 'slackAcknowledged'>;
  readonly attach: (receiver: SocketModeReceiver) => void;
  /** The receiver failed with an envelope. */
  readonly failed: (error: unknown) => void;
}

const TIMING: Timing = { helloMs: 15_000, clientPingTimeoutMs: 15_000, serverPingTimeoutMs: 60_000 };
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 30_000;
/** A connection that lived so long was a good one. */
const STEADY_MS = 10_000;
/** Slack repeats what is not acknowledged after 3 s, so more is in vain. */
const LAST_ACKS_MS = 2_000;
const LOOK_MS = 20;

/** Keeps a connection to Slack for as long as it runs. No failure of Slack's ends it, and none is left unhandled. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #backoff: Backoff;
  readonly #links = new Set<Link>();
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.clock, FIRST_WAIT_MS, MAX_WAIT_MS);
    options.metrics.slackConnected(false);
  }

  /** Whether Slack can deliver envelopes: it has said hello, and neither it nor the network ended the connection. */
  connected(): boolean {
    return [...this.#links].some(({ serves }) => serves);
  }

  /** Begins to connect. Once. */
  start(): void {
    this.#running ??= this.#run(this.#stopped.signal);
  }

  /** Ends all sockets and timers. What came in is acknowledged before, for 2 s at most. */
  async stop(): Promise<void> {
    const { clock } = this.#options;
    const until = monotonicNow(clock) + LAST_ACKS_MS;
    this.#stopped.abort();
    await this.#running;
    const never = new AbortController().signal;
    while (this.#unanswered() > 0 && monotonicNow(clock) < until) await sleep(clock, LOOK_MS, never);
    await Promise.all([...this.#links].map((link) => this.#end(link)));
  }

  #unanswered(): number {
    return [...this.#links].reduce((sum, link) => sum + link.unanswered, 0);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      const link = await this.#connect(signal);
      if (link === undefined) return;
      const since = monotonicNow(clock);
      log.info({}, 'connected to Slack');
      const loss = await unlessAborted(link.loss, signal).catch(() => undefined);
      if (loss === undefined) return;
      const isSteady = monotonicNow(clock) - since >= STEADY_MS;
      this.#logLoss(loss);
      if (isSteady) this.#backoff.reset();
      if (!(isSteady && loss.isRoutine)) await sleep(clock, this.#backoff.next(), signal);
    }
  }

  /** Tries until Slack says hello. @returns undefined if the signal aborts before */
  async #connect(signal: AbortSignal): Promise<Link | undefined> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      let link: Link | undefined;
      try {
        link = new Link(this.#linkOptions());
        this.#links.add(link);
        await link.open(signal);
        return link;
      } catch (error) {
        if (link !== undefined) await this.#end(link);
        if (signal.aborted) return undefined;
        const wait = Math.max(this.#backoff.next(), Math.min(retryAfterMs(error), MAX_WAIT_MS));
        this.#logFailure(error, wait);
        await sleep(clock, wait, signal);
      }
    }
    return undefined;
  }

  #linkOptions(): LinkOptions {
    const { token, slackApiUrl, clock, attach, failed, metrics } = this.#options;
    return {
      // Read when a connection is made, so that a new token counts at the next one.
      appToken: () => token.current(),
      slackApiUrl,
      timing: { ...TIMING, ...this.#options.timing },
      clock,
      attach,
      failed,
      acknowledged: (seconds) => metrics.slackAcknowledged(seconds),
      changed: () => this.#changed(),
    };
  }

  #changed(): void {
    for (const link of this.#links) if (link.isEnded) this.#links.delete(link);
    this.#options.metrics.slackConnected(this.connected());
  }

  async #end(link: Link): Promise<void> {
    await link.destroy();
    this.#links.delete(link);
  }

  #logLoss({ reason, isRoutine }: Loss): void {
    const { log } = this.#options;
    if (isRoutine) log.info({ reason }, 'Slack asked for another connection');
    else log.warn({ reason }, 'the connection to Slack was lost; connecting again');
  }

  #logFailure(error: unknown, waitMs: number): void {
    const { log, token } = this.#options;
    const code = error instanceof SlackError ? error.code : 'unexpected';
    const retryInMs = Math.round(waitMs);
    if (REFUSED_TOKEN.includes(code)) {
      token.reload();
      log.error({ code, retryInMs }, 'Slack refuses the app-level token: see --app-token-file');
    } else log.warn({ code, retryInMs, err: error }, 'could not connect to Slack');
  }
}

const retryAfterMs = (error: unknown): number => (error instanceof SlackError ? (error.retryAfterMs ?? 0) : 0);
