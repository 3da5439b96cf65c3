import type { Clock } from '../../src/base/clock.ts';
import { App } from './app.ts';
import { Faults } from './faults.ts';
import { Hooks } from './hooks.ts';
import type { Json } from './json.ts';
import { type Message, Messages } from './messages.ts';
import { Team } from './team.ts';
import { Tiers } from './tiers.ts';
import { TriggerIds } from './trigger-ids.ts';
import { Views } from './views.ts';

/** A call as it came in, with how it was answered. */
export interface RecordedCall {
  method: string;
  args: Json;
  at: number;
  /** `ok`, an error code, or the fault that answered it. */
  answer: string;
}

/** All that this Slack knows. */
export class World {
  readonly clock: Clock;
  readonly team = new Team();
  readonly apps: App[] = [];
  readonly messages: Messages;
  readonly views: Views;
  readonly triggers: TriggerIds;
  readonly tiers: Tiers;
  readonly hooks: Hooks;
  readonly faults = new Faults();
  readonly calls: RecordedCall[] = [];
  /** What the real Slack passes over in silence, though an app that does it has a bug. */
  readonly violations: string[] = [];
  /** Called for what an app posts, since that may mention another app. */
  onPosted: (message: Message) => void = () => {};
  /** `http://127.0.0.1:…` */
  origin = '';
  #ids = 0;

  constructor(clock: Clock) {
    this.clock = clock;
    this.messages = new Messages(this.team, clock);
    this.triggers = new TriggerIds(clock);
    this.tiers = new Tiers(clock);
    this.views = new Views(clock, this.team.id, () => this.newId());
    this.hooks = new Hooks(this);
  }

  /** Five characters, as Slack gives blocks without an id. */
  newId(): string {
    return (++this.#ids).toString(36).padStart(5, '0');
  }

  addApp(seed: ConstructorParameters<typeof App>[0]): App {
    const app = new App(seed);
    this.apps.push(app);
    this.team.addUser(seed.name, { id: app.userId, bot: true });
    return app;
  }
}
