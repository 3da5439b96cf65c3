import { App, type Receiver, type SocketModeReceiver } from '@slack/bolt';
import { ZodError } from 'zod';
import { type Clock, sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import type { Listeners, Query, Received, Submission, Suggestions, ViewAnswer } from './listeners.ts';
import type { SlackMetrics } from './metrics.ts';
import { readAction, readCommand, readMention, readQuery, readShortcut, readSubmission } from './read-envelope.ts';
import { SILENT } from './silent-logger.ts';

export interface SlackAppOptions extends Pick<ConnectionOptions, 'token' | 'slackApiUrl' | 'timing'> {
  readonly listeners: Listeners;
  /** A listener threw: tell the person. It is logged and counted already. */
  readonly onError: (error: unknown, received: Received) => Promise<void>;
  /** How long `stop` waits for what listeners do after the acknowledgement. Milliseconds. */
  readonly drainMs: number;
  readonly metrics: SlackMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

type BoltEvent = Parameters<App['processEvent']>[0];
type Ack = (answer?: unknown) => Promise<void>;

/** Slack waits for 3 s. The way there and back is in it. */
const ANSWER_BUDGET_MS = 1_500;

const LATE = Symbol('late');

/**
 * The bot's ear: takes Slack's envelopes, acknowledges each of them within the time that Slack waits, and calls the
 * listeners.
 */
export class SlackApp {
  readonly #options: SlackAppOptions;
  readonly #app: App;
  readonly #connection: Connection;
  readonly #running = new Set<Promise<void>>();

  constructor(options: SlackAppOptions) {
    this.#options = options;
    this.#connection = new Connection({
      token: options.token,
      slackApiUrl: options.slackApiUrl,
      ...(options.timing === undefined ? {} : { timing: options.timing }),
      clock: options.clock,
      log: options.log,
      metrics: options.metrics,
      attach: (receiver) => this.#attach(receiver),
      failed: (error) => this.#failed('envelope', error),
    });
    this.#app = new App({
      receiver: this.#receiver(),
      // With a token Bolt calls auth.test now, and nothing catches it if that fails. Its client is not used.
      authorize: async () => ({}),
      logger: SILENT,
      convoStore: false,
      ignoreSelf: false,
      attachFunctionToken: false,
    });
    this.#listen();
  }

  /** Begins to connect; Slack need not be there. */
  start(): void {
    this.#connection.start();
  }

  /** Ends the connection, then waits for listeners that are at work, for `drainMs` at most. */
  async stop(): Promise<void> {
    await this.#connection.stop();
    const { clock, drainMs } = this.#options;
    const stop = new AbortController();
    await Promise.race([this.#idle(), sleep(clock, drainMs, stop.signal)]);
    stop.abort();
  }

  /** What is at work may begin something more: the answer of a view that comes late. */
  async #idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** For readiness. */
  connected(): boolean {
    return this.#connection.connected();
  }

  /** Bolt asks for one; each connection has a receiver of its own. */
  #receiver(): Receiver {
    return {
      init: () => {},
      start: async () => this.start(),
      stop: () => this.stop(),
    };
  }

  #attach(receiver: SocketModeReceiver): void {
    const processEvent = (event: BoltEvent): Promise<void> => this.#process(event);
    receiver.init({ processEvent } as App);
  }

  /** Bolt acknowledges neither what nothing listens to nor what it does not know. */
  async #process(event: BoltEvent): Promise<void> {
    let isAcknowledged = false;
    const ack = async (answer?: unknown): Promise<void> => {
      isAcknowledged = true;
      await event.ack(answer);
    };
    await this.#app.processEvent({ ...event, ack });
    if (!isAcknowledged) await ack();
  }

  #listen(): void {
    const { listeners } = this.#options;
    this.#app.error(async (error) => this.#failed('envelope', error));
    this.#app.event('app_mention', async ({ body }) => {
      // Bolt has acknowledged it.
      const data = this.#read(readMention, body);
      if (data !== undefined) await this.#run({ kind: 'mention', data }, () => listeners.mention(data));
    });
    this.#app.command(/^/, async ({ ack, body }) => {
      await ack();
      const data = this.#read(readCommand, body);
      if (data !== undefined) await this.#run({ kind: 'command', data }, () => listeners.command(data));
    });
    this.#app.shortcut({ type: 'shortcut' }, async ({ ack, body }) => {
      await ack();
      const data = this.#read(readShortcut, body);
      if (data !== undefined) await this.#run({ kind: 'shortcut', data }, () => listeners.shortcut(data));
    });
    this.#app.action({ type: 'block_actions' }, async ({ ack, body }) => {
      await ack();
      const data = this.#read(readAction, body);
      if (data === undefined) return;
      const listener = own(listeners.actions, data.actionId) ?? listeners.unknownAction;
      await this.#run({ kind: 'action', data }, () => listener.call(listeners, data));
    });
    this.#app.options({ type: 'block_suggestion' }, async ({ ack, body }) => {
      const data = this.#read(readQuery, body);
      await (ack as Ack)(data === undefined ? { options: [] } : await this.#suggestions(data));
    });
    this.#app.view({ type: 'view_submission' }, async ({ ack, body }) => {
      const data = this.#read(readSubmission, body);
      if (data === undefined) await ack();
      else await this.#submitted(data, ack as Ack);
    });
  }

  async #suggestions(data: Query): Promise<Suggestions> {
    const listener = own(this.#options.listeners.options, data.actionId);
    if (listener === undefined) return { options: [] };
    const received: Received = { kind: 'options', data };
    const late = (): Suggestions => listener.late(data);
    const suggested = this.#caught(received, () => listener.suggest(data), late);
    const inTime = await this.#inTime(suggested);
    return inTime === LATE ? late() : inTime;
  }

  async #submitted(data: Submission, ack: Ack): Promise<void> {
    const listener = own(this.#options.listeners.views, data.view.callbackId);
    if (listener === undefined) return await ack();
    const received: Received = { kind: 'view', data };
    const answer = this.#caught(
      received,
      () => listener.submit(data),
      () => listener.failed(data),
    );
    const inTime = await this.#inTime<ViewAnswer>(answer);
    await ack(inTime === LATE ? listener.late(data) : inTime);
    if (inTime === LATE) await this.#run(received, async () => listener.afterLate(data, await answer));
  }

  /** What is ready within the budget. */
  async #inTime<T>(answer: Promise<T>): Promise<T | typeof LATE> {
    const stop = new AbortController();
    const late = sleep(this.#options.clock, ANSWER_BUDGET_MS, stop.signal).then((): typeof LATE => LATE);
    try {
      return await Promise.race([answer, late]);
    } finally {
      stop.abort();
    }
  }

  /** @returns undefined if there is nothing to do, or the payload is not what Slack documents */
  #read<T>(read: (body: unknown) => T, body: unknown): T | undefined {
    try {
      return read(body);
    } catch (error) {
      if (!(error instanceof ZodError)) throw error;
      const fields = error.issues.map(({ path }) => path.join('.'));
      this.#options.log.warn({ fields }, 'an envelope of Slack holds what it should not; it is dropped');
      return undefined;
    }
  }

  /** Calls a listener. Never rejects. */
  async #run(received: Received, listener: () => Promise<void>): Promise<void> {
    await this.#caught(received, listener, () => undefined);
  }

  async #caught<T>(received: Received, listener: () => Promise<T>, otherwise: () => T): Promise<T> {
    const work = (async () => await listener())();
    this.#track(work);
    try {
      return await work;
    } catch (error) {
      this.#failed(received.kind, error);
      this.#track(this.#tell(error, received).catch((second: unknown) => this.#failed('onError', second)));
      return otherwise();
    }
  }

  /** For `stop` to wait for. */
  #track(work: Promise<unknown>): void {
    const done = work.then(
      () => {},
      () => {},
    );
    this.#running.add(done);
    done.then(() => this.#running.delete(done));
  }

  async #tell(error: unknown, received: Received): Promise<void> {
    await this.#options.onError(error, received);
  }

  #failed(kind: string, error: unknown): void {
    this.#options.metrics.slackHandlerFailed(kind);
    this.#options.log.error({ err: error, kind }, 'a listener of Slack failed');
  }
}

/** Names come from Slack: `constructor` is no listener. */
function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
