import type { Verb } from './command-line.ts';
import { covers, isReading, needsNoRule, type Rule } from './rules.ts';

/**
 * For what is about no one place: a `status` of everything, and whether a person may open a form at all. What the form
 * sends is asked about again, with its place.
 */
export const ANYWHERE = Symbol('anywhere');

/**
 * What is asked, by whom, where. The ids are those of the envelope, which came over our own socket: never of a text or
 * a button's value.
 */
export interface Asked {
  readonly verb: Verb;
  /** The CapDeployJob as `<namespace>/<name>`. */
  readonly target: string | typeof ANYWHERE;
  readonly environment: string | typeof ANYWHERE;
  /** The environment asks for approvals, or the configuration protects it. */
  readonly isProtected: boolean;
  readonly user: string;
  readonly channel: string;
}

/** What Slack says of a user: `users.info` (https://docs.slack.dev/reference/objects/user-object). */
export interface Person {
  /** Is in the team that the bot was installed for. */
  readonly isOfTeam: boolean;
  readonly isDeleted: boolean;
  readonly isBot: boolean;
  /** A guest of one channel or of several. */
  readonly isGuest: boolean;
  /** Is of another company, in a shared channel. */
  readonly isStranger: boolean;
}

/**
 * What Slack says of a channel: `conversations.info` (https://docs.slack.dev/reference/objects/conversation-object).
 */
export interface Channel {
  /** The bot is no member: it could tell nobody there what becomes of a request. A private one it does not even see. */
  readonly isUnseen?: true;
  readonly isShared: boolean;
  readonly isArchived: boolean;
  readonly isDirect: boolean;
}

/** Slack could not be asked: it failed, took too long, or limited the rate. */
export const UNKNOWN = 'unknown';
type Known<T> = T | typeof UNKNOWN;

export interface Facts {
  readonly person: Known<Person>;
  readonly channel: Known<Channel>;
  /** The groups of which the user is a member, of those that the rules name. */
  readonly groups: ReadonlyMap<string, Known<boolean>>;
}

/** Why somebody may not, for the bot to say in the asker's language. */
export type Refusal =
  | 'lookupFailed'
  | 'otherTeam'
  | 'deleted'
  | 'bot'
  | 'guest'
  | 'stranger'
  | 'unseenChannel'
  | 'sharedChannel'
  | 'archivedChannel'
  | 'directMessage'
  | 'noRule';

/** What of a rule does not hold. */
export type Unmet = 'verb' | 'target' | 'environment' | 'protected' | 'channel' | 'person' | 'groupUnknown';
/** What can keep a rule from a person in a channel, whatever is asked for. */
export type UnmetHere = Extract<Unmet, 'channel' | 'person' | 'groupUnknown'>;

export type Verdict = { allowed: true; rule: number | undefined } | { allowed: false; because: Refusal };

/**
 * Says whether a person may do something. Pure; the one way to an action. It fails closed: what is not known allows
 * nothing.
 * @returns with `allowed`, the place of the rule that allows it; undefined for a verb that needs no rule
 */
export function authorise(rules: readonly Rule[], asked: Asked, facts: Facts): Verdict {
  const because = refusalOf(facts);
  if (because) return { allowed: false, because };
  if (needsNoRule(asked.verb)) return { allowed: true, rule: undefined };
  const unmet = rules.map((rule) => unmetOf(rule, asked, facts));
  const rule = unmet.findIndex((conditions) => conditions.length === 0);
  if (rule >= 0) return { allowed: true, rule };
  // A rule that only a failed look-up keeps from allowing: to say "no rule" would send the person to the wrong place.
  const isUnknown = unmet.some((conditions) => conditions.every((condition) => condition === 'groupUnknown'));
  return { allowed: false, because: isUnknown ? 'lookupFailed' : 'noRule' };
}

function refusalOf({ person, channel }: Facts): Refusal | undefined {
  if (person === UNKNOWN || channel === UNKNOWN) return 'lookupFailed';
  if (!person.isOfTeam) return 'otherTeam';
  if (person.isDeleted) return 'deleted';
  if (person.isBot) return 'bot';
  if (person.isStranger) return 'stranger';
  if (person.isGuest) return 'guest';
  if (channel.isUnseen) return 'unseenChannel';
  if (channel.isDirect) return 'directMessage';
  if (channel.isShared) return 'sharedChannel';
  return channel.isArchived ? 'archivedChannel' : undefined;
}

/** @returns the conditions of a rule that do not hold, for `whoami` to name; none if the rule allows what is asked */
export function unmetOf(rule: Rule, asked: Asked, { groups }: Facts): Unmet[] {
  const unmet: Unmet[] = [];
  // Who may freeze may thaw.
  const verb = asked.verb === 'unfreeze' ? 'freeze' : asked.verb;
  if (!rule.may.includes(verb)) unmet.push('verb');
  if (asked.target !== ANYWHERE && !covers(rule.targets, asked.target)) unmet.push('target');
  const { environment } = asked;
  if (environment !== ANYWHERE) {
    // "*" does not cover a protected environment: a rule must name it. Reading is no matter of protection.
    const mustBeNamed = asked.isProtected && !isReading(verb);
    if (!covers(rule.environments, environment)) unmet.push('environment');
    else if (mustBeNamed && !rule.environments.includes(environment)) unmet.push('protected');
  }
  if (!rule.channels.includes(asked.channel)) unmet.push('channel');
  if (!rule.everyone && !rule.users.includes(asked.user)) {
    const memberships = rule.groups.map((group) => groups.get(group) ?? UNKNOWN);
    if (!memberships.includes(true)) unmet.push(memberships.includes(UNKNOWN) ? 'groupUnknown' : 'person');
  }
  return unmet;
}
