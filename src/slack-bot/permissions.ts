import {
  ANYWHERE,
  type Asked,
  authorise,
  type Channel,
  type Facts,
  type Person,
  type UNKNOWN,
  type Verdict,
} from '../chat/authorise.ts';
import type { Verb } from '../chat/command-line.ts';
import { needsNoRule } from '../chat/rules.ts';
import { environmentOf, type Target } from '../chat/target.ts';
import type { Asker } from './asker.ts';
import type { BotConfig } from './config.ts';

type Known<T> = T | typeof UNKNOWN;

/** What Slack says, or that it could not be asked. */
export interface FactsSource {
  person(user: string): Promise<Known<Person>>;
  channel(id: string): Promise<Known<Channel>>;
  /** @returns for each of the groups whether the user is a member */
  groups(user: string, groups: readonly string[]): Promise<ReadonlyMap<string, Known<boolean>>>;
}

/** Where something is to be done. */
export interface Place {
  readonly target: Target | typeof ANYWHERE;
  /** The name of an environment. */
  readonly environment: string | typeof ANYWHERE;
}

export const EVERYWHERE: Place = { target: ANYWHERE, environment: ANYWHERE };

/** The one way to know whether somebody may do something. Asked anew each time: a rule or a group may have changed. */
export class Permissions {
  readonly #config: () => BotConfig;
  readonly #facts: FactsSource;

  constructor(config: () => BotConfig, facts: FactsSource) {
    this.#config = config;
    this.#facts = facts;
  }

  async ask(asker: Asker, verb: Verb, place: Place): Promise<Verdict> {
    return authorise(this.#config().rules, this.asked(asker, verb, place), await this.factsOf(asker, [verb]));
  }

  /** Many questions about one person with one look. @returns a function that answers each */
  async forAsker(asker: Asker, verbs: readonly Verb[]): Promise<(verb: Verb, place: Place) => Verdict> {
    const facts = await this.factsOf(asker, verbs);
    return (verb, place) => authorise(this.#config().rules, this.asked(asker, verb, place), facts);
  }

  /** @param verbs of which the rules name the groups that matter */
  async factsOf(asker: Asker, verbs: readonly Verb[]): Promise<Facts> {
    const { rules } = this.#config();
    const wanted: readonly string[] = verbs.map((verb) => (verb === 'unfreeze' ? 'freeze' : verb));
    const groups = verbs.every(needsNoRule)
      ? []
      : rules
          .filter((rule) => rule.channels.includes(asker.channel) && rule.may.some((verb) => wanted.includes(verb)))
          .flatMap((rule) => rule.groups);
    const [person, channel, memberships] = await Promise.all([
      this.#facts.person(asker.user),
      this.#facts.channel(asker.channel),
      this.#facts.groups(asker.user, [...new Set(groups)]),
    ]);
    return { person, channel, groups: memberships };
  }

  asked({ user, channel }: Asker, verb: Verb, { target, environment }: Place): Asked {
    const isProtected =
      typeof environment === 'string' && typeof target === 'object' && environmentOf(target, environment)?.isProtected;
    return {
      verb,
      target: typeof target === 'object' ? target.name : target,
      environment,
      // An environment that the target does not have has no rule of its own.
      isProtected: isProtected !== false,
      user,
      channel,
    };
  }
}
