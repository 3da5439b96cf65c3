/**
 * A Slack on 127.0.0.1, over real HTTP and WebSockets, for tests of a bot (Socket Mode and Web API).
 * In nothing is it easier than the real one, as far as that is known: see `differences.ts`.
 */
import type { Clock } from '../../src/base/clock.ts';
import type { App, AppSeed } from './app.ts';
import { TravelClock } from './clock.ts';
import type { Faults } from './faults.ts';
import type { Json } from './json.ts';
import type { Message } from './messages.ts';
import { deliverMentions } from './person/mentions.ts';
import { eventCallback } from './person/payloads.ts';
import { Person } from './person/person.ts';
import { SlackServer } from './server.ts';
import { type Acknowledgement, Envelopes } from './socket-mode/envelopes.ts';
import type { Socket } from './socket-mode/sockets.ts';
import type { ChannelSeed, GroupSeed, UserSeed } from './team.ts';
import { Timers } from './timers.ts';
import { WebApi } from './web-api/web-api.ts';
import { World } from './world.ts';

export interface TeamSeed {
  apps: AppSeed[];
  users: Record<string, UserSeed>;
  channels: Record<string, ChannelSeed>;
  groups?: Record<string, GroupSeed>;
}

export class LocalSlack implements AsyncDisposable {
  readonly world: World;
  readonly envelopes: Envelopes;
  readonly #timers: Timers;
  readonly #server: SlackServer;
  readonly #people = new Map<string, Person>();

  private constructor(clock: Clock) {
    this.world = new World(clock);
    this.#timers = new Timers(clock);
    this.envelopes = new Envelopes(this.world, this.#timers);
    const api = new WebApi(this.world, (app) => this.envelopes.sockets.newUrl(app));
    this.world.onPosted = (message) => void deliverMentions(this.world, this.envelopes, message);
    this.#server = new SlackServer(this.world, api, this.envelopes.sockets);
  }

  /** @param clock for what depends on time: trigger ids, rates, deadlines, redelivery */
  static async start(seed: TeamSeed, clock: Clock = new TravelClock()): Promise<LocalSlack> {
    const slack = new LocalSlack(clock);
    const { world } = slack;
    for (const app of seed.apps) world.addApp(app);
    for (const [name, user] of Object.entries(seed.users)) world.team.addUser(name, user);
    for (const [name, channel] of Object.entries(seed.channels)) world.team.addChannel(name, channel);
    for (const [name, group] of Object.entries(seed.groups ?? {})) world.team.addGroup(name, group);
    await slack.#server.listen();
    return slack;
  }

  /** For `slackApiUrl`. */
  get apiUrl(): string {
    return `${this.world.origin}/api/`;
  }

  get faults(): Faults {
    return this.world.faults;
  }

  app(name: string): App {
    const app = this.world.apps.find(({ seed }) => seed.name === name);
    if (app === undefined) throw new Error(`no such app: ${name}`);
    return app;
  }

  /** A person of the team, by name. */
  as(name: string): Person {
    const person = this.#people.get(name) ?? new Person(this.world, this.envelopes, this.world.team.user(name));
    this.#people.set(name, person);
    return person;
  }

  /** Sockets whose connection stands, oldest first. */
  sockets(app?: string): Socket[] {
    return this.envelopes.sockets.open(app === undefined ? undefined : this.app(app));
  }

  /** The message, in full. */
  message(channel: string, ts: string): Message {
    const found = this.world.messages.find(this.world.team.channel(channel).id, ts);
    if (found === undefined) throw new Error(`no such message: ${channel} ${ts}`);
    return found;
  }

  /** Any event of the Events API, whether or not the app subscribes to it. */
  emit(app: string, event: Json): Promise<Acknowledgement> {
    const to = this.app(app);
    return this.envelopes.deliver(to, 'events_api', eventCallback(this.world, to, event));
  }

  /** @returns the address that posts into the channel */
  webhook(app: string, channel: string): string {
    return this.world.hooks.addWebhook(this.app(app), this.world.team.channel(channel).id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timers.stop();
    this.envelopes.sockets.stop();
    await this.#server.stop();
  }
}
