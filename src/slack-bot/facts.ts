import { BoundedMap } from '../base/bounded-map.ts';
import { type Clock, monotonicNow, sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { type Channel, type Person, UNKNOWN } from '../chat/authorise.ts';
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
  readonly api: Pick<SlackApi, 'authTest' | 'userInfo' | 'channelInfo' | 'isMember' | 'groupMembers'>;
  /** Asked for at each look-up: the configuration may change. */
  readonly settings: () => { readonly team: string; readonly lookupTimeoutMs: number };
  readonly clock: Clock;
  readonly log: Log;
}

const KEPT_MS = 60_000;
/** For a burst of clicks one look-up that fails is enough; who tries again a little later gets another one. */
const BRIEFLY_KEPT_MS = 5_000;
/** If Slack limits the rate and does not say for how long. */
const HELD_MS = 30_000;
/** People and channels of one minute. */
const MAX_KEPT = 5_000;

/**
 * What Slack says of people, channels and groups, for `authorise`. It is kept for 60 s. What takes longer than
 * `lookupTimeoutMs` is unknown; what fails is unknown for 5 s. If Slack limits the rate of a method, all that would need
 * it is unknown until Slack takes it again (https://docs.slack.dev/apis/web-api/rate-limits).
 */
export class SlackFacts {
  readonly #options: SlackFactsOptions;
  readonly #people: Lookups<Omit<KnownPerson, 'isOfTeam'> & { teamIds: readonly string[] }>;
  readonly #channels: Lookups<Channel>;
  readonly #groups: Lookups<ReadonlySet<string>>;
  readonly #members: Lookups<boolean>;
  /** The team of the bot token. */
  readonly #team: Lookups<string>;

  constructor(options: SlackFactsOptions) {
    const { api } = options;
    this.#options = options;
    this.#people = new Lookups(options, (user) => api.userInfo(user));
    // Who has invited the bot does not wait for a minute.
    const keptMs = (channel: Channel) => (channel.isUnseen ? BRIEFLY_KEPT_MS : KEPT_MS);
    this.#channels = new Lookups(options, (channel) => channelOf(api, channel), keptMs);
    this.#groups = new Lookups(
      options,
      async (group): Promise<ReadonlySet<string>> => new Set(await api.groupMembers(group)),
    );
    this.#members = new Lookups(options, (key) => {
      const [channel = '', user = ''] = key.split('/');
      return api.isMember(channel, user);
    });
    this.#team = new Lookups(options, () => this.#askForTeam());
  }

  /** With a token of another team than the configuration names, nobody is of the team. */
  async person(user: string): Promise<Known<KnownPerson>> {
    const [found, ours] = await Promise.all([this.#people.of(user), this.#team.of('')]);
    if (found === UNKNOWN || ours === UNKNOWN) return UNKNOWN;
    const { teamIds, ...person } = found;
    const { team } = this.#options.settings();
    return { ...person, isOfTeam: ours === team && teamIds.includes(team) };
  }

  async #askForTeam(): Promise<string> {
    const { api, settings, log } = this.#options;
    const { teamId } = await api.authTest();
    const { team } = settings();
    if (teamId !== team) log.error({ team: teamId, configured: team }, WRONG_TEAM);
    return teamId;
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
}

const WRONG_TEAM = 'the bot token is of another team than the configuration names; nothing is done for anybody';

/** A slash command and a form come from every channel, also from those in which the bot is not. */
async function channelOf(api: Pick<SlackApi, 'channelInfo'>, id: string): Promise<Channel> {
  try {
    const { isMember, ...channel } = await api.channelInfo(id);
    return isMember || channel.isDirect ? channel : { ...channel, isUnseen: true };
  } catch (error) {
    if (!(error instanceof SlackError && error.code === 'channel_not_found')) throw error;
    return { isUnseen: true, isShared: false, isArchived: false, isDirect: false };
  }
}

/** Look-ups with one method by key, one at a time for each key. */
class Lookups<T> {
  readonly #options: SlackFactsOptions;
  readonly #ask: (key: string) => Promise<T>;
  readonly #keptMs: (value: T) => number;
  readonly #kept = new BoundedMap<string, { value: Known<T>; until: number }>(MAX_KEPT);
  /** Slack takes no call before; by the monotonic clock. */
  #heldUntil = 0;
  readonly #asking = new Map<string, Promise<Known<T>>>();

  constructor(
    options: SlackFactsOptions,
    ask: (key: string) => Promise<T>,
    keptMs: (value: T) => number = () => KEPT_MS,
  ) {
    this.#options = options;
    this.#ask = ask;
    this.#keptMs = keptMs;
  }

  /** Never rejects. */
  async of(key: string): Promise<Known<T>> {
    const { clock, settings } = this.#options;
    const now = monotonicNow(clock);
    const kept = this.#kept.get(key);
    if (kept !== undefined && now < kept.until) return kept.value;
    if (now < this.#heldUntil) return UNKNOWN;
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
      this.#keep(key, value, at + this.#keptMs(value));
      return value;
    } catch (error) {
      const slackError = error instanceof SlackError ? error : undefined;
      const { method, code, retryAfterMs } = slackError ?? { code: 'unexpected' };
      const now = monotonicNow(clock);
      if (code === 'ratelimited') this.#heldUntil = now + (retryAfterMs ?? HELD_MS);
      else this.#keep(key, UNKNOWN, now + BRIEFLY_KEPT_MS);
      const fields = { method, code, retryAfterMs, id: key, err: error };
      log.warn(fields, 'Slack could not be asked who may; nothing is allowed');
      return UNKNOWN;
    }
  }

  #keep(key: string, value: Known<T>, until: number): void {
    // Forgotten first, so that the newest is the last that a full map forgets.
    this.#kept.delete(key);
    this.#kept.set(key, { value, until });
  }
}
