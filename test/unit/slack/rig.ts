import { afterEach, beforeEach } from 'vitest';
import { TravelClock } from '../../../dev/local-slack/clock.ts';
import { LocalSlack } from '../../../dev/local-slack/local-slack.ts';
import type { Log } from '../../../src/base/log.ts';
import { ChatMetrics } from '../../../src/observability/chat-metrics.ts';
import type { Listeners, Received } from '../../../src/slack/listeners.ts';
import { SlackApp, type SlackAppOptions } from '../../../src/slack/slack-app.ts';
import { WebApi } from '../../../src/slack/web-api.ts';
import { until } from '../../kit/eventually.ts';
import { example } from '../dev/local-slack/example.ts';

/** Of the apps here. */
export const DRAIN_MS = 8_000;

/** Nothing is listened to. */
export const NO_LISTENERS: Listeners = {
  mention: async () => {},
  command: async () => {},
  shortcut: async () => {},
  actions: {},
  unknownAction: async () => {},
  options: {},
  views: {},
};

export const fixed = (token: string) => ({ current: () => token, reload: () => false });

export interface Line {
  level: string;
  fields: object;
  message: string;
}

/** The local Slack, and what this program makes of it; ended after each test. */
export class SlackRig {
  clock = new TravelClock();
  slack!: LocalSlack;
  lines: Line[] = [];
  /** What `onError` was told. */
  errors: { error: unknown; received: Received }[] = [];
  #rejections: unknown[] = [];
  readonly #ends: (() => Promise<void>)[] = [];
  readonly #onRejection = (error: unknown): void => void this.#rejections.push(error);

  async begin(): Promise<void> {
    this.clock = new TravelClock();
    this.lines = [];
    this.errors = [];
    this.#rejections = [];
    process.on('unhandledRejection', this.#onRejection);
    this.slack = await LocalSlack.start(example(), this.clock);
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
    await this.slack[Symbol.asyncDispose]();
    // Node tells of unhandled rejections after the microtasks.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', this.#onRejection);
    if (this.#rejections.length > 0) throw new AggregateError(this.#rejections, 'unhandled rejections');
  }

  /** Called when the test ends, the last one first. */
  atEnd(end: () => Promise<void>): void {
    this.#ends.push(end);
  }

  get log(): Log {
    const line = (level: string) => (fields: object, message: string) =>
      void this.lines.push({ level, fields, message });
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  }

  api(more: Partial<ConstructorParameters<typeof WebApi>[0]> = {}) {
    const metrics = new ChatMetrics({ processMetrics: false });
    const token = fixed(this.slack.app('capdeploy').botToken);
    const api = new WebApi({ token, slackApiUrl: this.slack.apiUrl, metrics, log: this.log, ...more });
    this.atEnd(() => api.close());
    return { api, metrics };
  }

  app(listeners: Partial<Listeners> = {}, more: Partial<SlackAppOptions> = {}) {
    const metrics = new ChatMetrics({ processMetrics: false });
    const app = new SlackApp({
      token: fixed(this.slack.app('capdeploy').appToken),
      slackApiUrl: this.slack.apiUrl,
      listeners: { ...NO_LISTENERS, ...listeners },
      drainMs: DRAIN_MS,
      onError: async (error, received) => void this.errors.push({ error, received }),
      metrics,
      clock: this.clock,
      log: this.log,
      ...more,
    });
    this.atEnd(async () => {
      // A test may leave a listener at work, for which the end waits.
      const inTime = setInterval(() => this.clock.advance(5_000), 5);
      await app.stop();
      clearInterval(inTime);
    });
    app.start();
    return { app, metrics };
  }

  async connectedApp(listeners: Partial<Listeners> = {}, more: Partial<SlackAppOptions> = {}) {
    const started = this.app(listeners, more);
    await until(() => {
      if (!started.app.connected()) throw new Error('not connected');
    });
    return started;
  }

  /** Waits until `check` throws nothing; time passes five times as fast. For pauses in which nothing is under way. */
  async hurry(check: () => void): Promise<void> {
    const faster = setInterval(() => this.clock.advance(25), 5);
    try {
      await until(check);
    } finally {
      clearInterval(faster);
    }
  }

  /** Sockets that Slack sends to. */
  able(): number {
    return this.slack.sockets().filter(({ takesEnvelopes }) => takesEnvelopes).length;
  }

  openings(): number {
    return this.slack.world.calls.filter(({ method }) => method === 'apps.connections.open').length;
  }
}

export function useSlackRig(): SlackRig {
  const rig = new SlackRig();
  beforeEach(() => rig.begin());
  afterEach(() => rig.end());
  return rig;
}
