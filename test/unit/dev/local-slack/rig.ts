import type { WebClient } from '@slack/web-api';
import { afterEach, beforeEach } from 'vitest';
import { WebSocket } from 'ws';
import { TravelClock } from '../../../../dev/local-slack/clock.ts';
import type { Json } from '../../../../dev/local-slack/json.ts';
import { LocalSlack, type TeamSeed } from '../../../../dev/local-slack/local-slack.ts';
import type { Channel } from '../../../../dev/local-slack/team.ts';
import { BoltApp, webClient } from './bolt-app.ts';
import { example } from './example.ts';

/** A Slack of its own for each test, the bot's clients, and what closes all that a test opened. */
export class Rig {
  clock = new TravelClock();
  slack!: LocalSlack;
  client!: WebClient;
  #bolt: BoltApp | undefined;
  readonly #opened: AsyncDisposable[] = [];

  async begin(change: (seed: TeamSeed) => void = () => {}): Promise<void> {
    const seed = example();
    change(seed);
    this.clock = new TravelClock();
    this.slack = this.closing(await LocalSlack.start(seed, this.clock));
    this.client = webClient(this.slack);
  }

  /** Not connected yet. Made when first used: it calls auth.test at once, and nothing catches it if that fails. */
  get bolt(): BoltApp {
    this.#bolt ??= this.closing(new BoltApp(this.slack));
    return this.#bolt;
  }

  /** Will be closed when the test ends, the last one first. */
  closing<T extends AsyncDisposable>(one: T): T {
    this.#opened.push(one);
    return one;
  }

  async end(): Promise<void> {
    this.#bolt = undefined;
    for (const one of this.#opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
  }

  channel(name: string): Channel {
    return this.slack.world.team.channel(name);
  }

  user(name: string): string {
    return this.slack.world.team.user(name).id;
  }

  async api(method: string, args: Json): Promise<Json> {
    return { ...(await this.client.apiCall(method, args)) };
  }

  /** @returns the message's `ts` */
  async post(more: Json = {}): Promise<string> {
    return String((await this.api('chat.postMessage', { channel: 'C0DEPLOYS', text: 'x', ...more })).ts);
  }

  /** One more replica of the bot. */
  async replica(set: (other: BoltApp) => void): Promise<BoltApp> {
    const other = this.closing(new BoltApp(this.slack));
    set(other);
    return await other.connect();
  }

  async socketUrl(): Promise<string> {
    const { appToken } = this.slack.app('capdeploy');
    return String((await webClient(this.slack, 'capdeploy', appToken).apps.connections.open()).url);
  }

  /** A WebSocket of no Slack library, to see what Slack itself sends; `hello` has come. */
  async bareSocket(): Promise<{ socket: WebSocket; received: Json[] }> {
    const socket = new WebSocket(await this.socketUrl());
    this.closing({ [Symbol.asyncDispose]: async () => socket.terminate() });
    const received: Json[] = [];
    socket.on('message', (data) => received.push(JSON.parse(String(data)) as Json));
    await new Promise((resolve) => socket.once('message', resolve));
    return { socket, received };
  }
}

export function useSlack(): Rig {
  const rig = new Rig();
  beforeEach(() => rig.begin());
  afterEach(() => rig.end());
  return rig;
}

/** The error of the Web API, in full. */
export async function refusal(call: Promise<unknown>): Promise<Json> {
  const error = await call.then(
    () => ({ data: { error: 'none' } }),
    (reason: { data?: Json; retryAfter?: number }) => reason,
  );
  return error.data ?? (error as Json);
}

export const code = async (call: Promise<unknown>): Promise<unknown> => (await refusal(call)).error;
