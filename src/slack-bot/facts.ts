import { BoundedMap } from '../base/bounded-map.ts';
import { type Clock, monotonicNow, sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { type Channel, type Facts, type Person, UNKNOWN } from '../chat/authorise.ts';
import type { SlackApi } from '../slack/slack-api.ts';
import { SlackError } from '../slack/slack-error.ts';

type Known<T> = T | typeof UNKNOWN;

/** A person, and what texts for them need. */
export interface KnownPerson extends Person {
  /** Chosen by the person, so for texts only. */
  readonly name: string;
  /** For example `ja-JP`. */
  readonly locale: string | undefined;
  /** IANA name, as Slack says it. */
  readonly timeZone: string | undefined;
}

export interface SlackFactsOptions {
  readonly api: Pick<SlackApi, 'userInfo' | 'channelInfo' | 'isMember' | 'groupMembers'>;
  /** Asked for at each look-up: the configuration may change. */
  readonly settings: () => { readonly team: string; readonly lookupTimeoutMs: number };
  readonly clock: Clock;
  readonly log: Log;
}

const KEPT_MS = 60_000;
/** People and channels of one minute. */
const MAX_KEPT = 5_000;

/**
 * What Slack says of people, channels and groups, for `authorise`. It is kept for 60 s. What fails or takes longer than
 * `lookupTimeoutMs` is unknown, and is asked for anew the next time.
 */
export class SlackFacts {
  readonly #options: SlackFactsOptions;
  readonly #people: Lookups<Omit<KnownPerson, 'isOfTeam'> & { teamIds: readonly string[] }>;
  readonly #channels: Lookups<Channel>;
  readonly #groups: Lookups<ReadonlySet<string>>;
  readonly #members: Lookups<boolean>;

  constructor(options: SlackFactsOptions) {
    const { api } = options;
    this.#options = options;
    this.#people = new Lookups(options, (user) => api.userInfo(user));
    this.#channels = new Lookups(options, (channel) => channelOf(api, channel));
    this.#groups = new Lookups(options, async (group) => new Set(await api.groupMembers(group)));
    this.#members = new Lookups(options, (key) => {
      const [channel = '', user = ''] = key.split('/');
      return api.isMember(channel, user);
    });
  }

  async person(user: string): Promise<Known<KnownPerson>> {
    const found = await this.#people.of(user);
    if (found === UNKNOWN) return UNKNOWN;
    const { teamIds, ...person } = found;
    return { ...person, isOfTeam: teamIds.includes(this.#options.settings().team) };
  }

  async channel(id: string): Promise<Known<Channel>> {
    // To ask about a conversation of two takes a scope (im:read) that the bot does not have.
    if (id.startsWith('D')) return { isDirect: true, isShared: false, isArchived: false };
    return await this.#channels.of(id);
  }

  /** @returns for each of the groups, whether the user is a member */
  async groups(user: string, groupIds: readonly string[]): Promise<ReadonlyMap<string, Known<boolean>>> {
    const entries = groupIds.map(async (id) => {
      const members = await this.#groups.of(id);
      return [id, members === UNKNOWN ? UNKNOWN : members.has(user)] as const;
    });
    return new Map(await Promise.all(entries));
  }

  /** Whether the user is a member of the channel, as one who opens a form for it must be. */
  isMember(channel: string, user: string): Promise<Known<boolean>> {
    return this.#members.of(`${channel}/${user}`);
  }

  /** All that `authorise` needs, asked for at the same time. @param groupIds those that the rules name */
  async facts(
    user: string,
    channel: string,
    groupIds: readonly string[],
  ): Promise<Facts & { person: Known<KnownPerson> }> {
    const [person, place, groups] = await Promise.all([
      this.person(user),
      this.channel(channel),
      this.groups(user, groupIds),
    ]);
    return { person, channel: place, groups };
  }
}

/** A slash command comes from private channels as well, also from those in which the bot is not. */
async function channelOf(api: Pick<SlackApi, 'channelInfo'>, id: string): Promise<Channel> {
  try {
    return await api.channelInfo(id);
  } catch (error) {
    if (!(error instanceof SlackError && error.code === 'channel_not_found')) throw error;
    return { isUnseen: true, isShared: false, isArchived: false, isDirect: false };
  }
}

/** Look-ups of one kind by key, one at a time for each key. */
class Lookups<T> {
  readonly #options: SlackFactsOptions;
  readonly #ask: (key: string) => Promise<T>;
  readonly #kept = new BoundedMap<string, { value: T; at: number }>(MAX_KEPT);
  readonly #asking = new Map<string, Promise<Known<T>>>();

  constructor(options: SlackFactsOptions, ask: (key: string) => Promise<T>) {
    this.#options = options;
    this.#ask = ask;
  }

  /** Never rejects. */
  async of(key: string): Promise<Known<T>> {
    const { clock, settings } = this.#options;
    const kept = this.#kept.get(key);
    if (kept !== undefined && monotonicNow(clock) - kept.at < KEPT_MS) return kept.value;
    const stop = new AbortController();
    const late = sleep(clock, settings().lookupTimeoutMs, stop.signal).then((): typeof UNKNOWN => UNKNOWN);
    try {
      return await Promise.race([this.#once(key), late]);
    } finally {
      stop.abort();
    }
  }

  /** It goes on after the time-out: its answer counts for the next who asks. */
  #once(key: string): Promise<Known<T>> {
    const under = this.#asking.get(key);
    if (under !== undefined) return under;
    const asked = this.#look(key).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asked);
    return asked;
  }

  async #look(key: string): Promise<Known<T>> {
    const { clock, log } = this.#options;
    const at = monotonicNow(clock);
    try {
      const value = await this.#ask(key);
      // Forgotten first, so that the newest is the last that a full map forgets.
      this.#kept.delete(key);
      this.#kept.set(key, { value, at });
      return value;
    } catch (error) {
      const { method, code } = error instanceof SlackError ? error : { method: undefined, code: 'unexpected' };
      log.warn({ method, code, id: key, err: error }, 'Slack could not be asked who may; nothing is allowed');
      return UNKNOWN;
    }
  }
}
