/** What was posted, with its revisions, reactions and threads. */
import type { Clock } from '../../src/base/clock.ts';
import type { Json } from './json.ts';
import { link, type Parse, plain, type Token, tokens } from './mrkdwn.ts';
import { renderBlocks, tokensOf } from './render.ts';
import type { Team } from './team.ts';

export interface Content {
  text: string;
  blocks: Json[];
  metadata?: Json;
}

export interface Message extends Content {
  ts: string;
  channel: string;
  /** The user, a bot's user included. */
  user: string;
  appId?: string;
  botId?: string;
  threadTs?: string;
  /** A reply that the channel shows too. */
  broadcast: boolean;
  /** Only this user sees it. */
  ephemeralTo?: string;
  edited?: { user: string; ts: string };
  attachments: Json[];
  /** Who reacted, by the emoji's name. */
  reactions: Map<string, Set<string>>;
  /** Earlier contents: what a client that is behind still shows. */
  revisions: Content[];
  /** `unfurl_links` and the like, as the caller gave them. */
  options: Json;
}

/** Who is told, and by which call. */
export interface Ping {
  channel: string;
  ts: string;
  by: 'post' | 'update';
  /** `@alice`, `@release`, `@channel` */
  whom: string;
}

export type Draft = Omit<Message, 'ts' | 'edited' | 'reactions' | 'revisions' | 'attachments' | 'options'> &
  Partial<Pick<Message, 'attachments' | 'options'>>;

export class Messages {
  readonly #team: Team;
  readonly #clock: Clock;
  readonly #all = new Map<string, Message>();
  readonly #replies = new Map<string, Set<Message>>();
  #lastTs = 0;
  /** In order. An edit pings nobody in the real Slack, as far as known; here it is recorded all the same. */
  readonly pings: Ping[] = [];
  /** Counts every change, so that a test can wait for the next one. */
  changes = 0;

  constructor(team: Team, clock: Clock) {
    this.#team = team;
    this.#clock = clock;
  }

  /** Seconds and microseconds, never the same twice: it is a message's id in its channel. */
  newTs(): string {
    this.#lastTs = Math.max(this.#clock.now() * 1000, this.#lastTs + 1);
    return `${Math.floor(this.#lastTs / 1e6)}.${String(this.#lastTs % 1e6).padStart(6, '0')}`;
  }

  post(draft: Draft): Message {
    const message: Message = {
      attachments: [],
      options: {},
      ...draft,
      ts: this.newTs(),
      reactions: new Map(),
      revisions: [],
    };
    this.#all.set(`${message.channel}/${message.ts}`, message);
    if (message.threadTs !== undefined && message.ephemeralTo === undefined) {
      const thread = `${message.channel}/${message.threadTs}`;
      this.#replies.set(thread, (this.#replies.get(thread) ?? new Set()).add(message));
    }
    this.changes += 1;
    if (message.ephemeralTo === undefined) this.#recordPings(message, 'post');
    return message;
  }

  edit(message: Message, content: Content, editor: string): void {
    message.revisions.push({ text: message.text, blocks: message.blocks });
    const { metadata, ...shown } = content;
    Object.assign(message, shown, { edited: { user: editor, ts: this.newTs() } });
    if (metadata === undefined) delete message.metadata;
    else message.metadata = metadata;
    this.changes += 1;
    if (message.ephemeralTo === undefined) this.#recordPings(message, 'update');
  }

  remove(message: Message): void {
    this.#all.delete(`${message.channel}/${message.ts}`);
    this.#replies.get(`${message.channel}/${message.threadTs}`)?.delete(message);
    this.changes += 1;
  }

  find(channel: string, ts: string): Message | undefined {
    return this.#all.get(`${channel}/${ts}`);
  }

  /** Oldest first. */
  all(): Message[] {
    return [...this.#all.values()];
  }

  /** What the channel shows to everybody: no replies but those that were sent to the channel too. */
  inChannel(channel: string): Message[] {
    return this.all().filter(
      (one) =>
        one.channel === channel && one.ephemeralTo === undefined && (one.threadTs === undefined || one.broadcast),
    );
  }

  replies(channel: string, ts: string): Message[] {
    return [...(this.#replies.get(`${channel}/${ts}`) ?? [])];
  }

  react(message: Message, name: string, user: string): void {
    const users = message.reactions.get(name) ?? new Set();
    message.reactions.set(name, users.add(user));
    this.changes += 1;
  }

  unreact(message: Message, name: string, user: string): void {
    message.reactions.get(name)?.delete(user);
    if (message.reactions.get(name)?.size === 0) message.reactions.delete(name);
    this.changes += 1;
  }

  /** Blocks hide the text, which then stands in the notification alone. */
  rendered(message: Message): string {
    const own = message.blocks.length > 0 ? renderBlocks(this.#team, message.blocks) : plain(this.#team, message.text);
    const quoted = message.attachments.map((one) => `| ${plain(this.#team, String(one.text ?? ''))}`);
    return [own, ...quoted].join('\n');
  }

  #recordPings(message: Message, by: Ping['by']): void {
    const found: Token[] = [...tokens(message.text), ...tokensOf(this.#team, message.blocks)];
    const whom = new Set(found.flatMap((token) => this.#pinged(token)));
    for (const one of whom) this.pings.push({ channel: message.channel, ts: message.ts, by, whom: one });
  }

  #pinged(token: Token): string[] {
    if (token.kind === 'user') return [`@${this.#team.users.get(token.id)?.name ?? token.id}`];
    if (token.kind === 'group') return [`@${this.#team.groups.get(token.id)?.name ?? token.id}`];
    return token.kind === 'broadcast' ? [`@${token.range}`] : [];
  }
}

/**
 * The text as it is kept. `chat.postMessage` links addresses only, `chat.update` names too, unless told `parse: none`.
 * @see https://docs.slack.dev/reference/methods/chat.update
 */
export function keptText(team: Team, text: string, args: Json, byDefault: Parse): string {
  const parse = args.parse === 'none' || args.parse === 'full' ? args.parse : byDefault;
  return link(team, text, args.link_names === true && parse !== 'none' ? 'full' : parse);
}
