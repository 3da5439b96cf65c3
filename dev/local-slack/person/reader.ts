/** What a person sees. */
import { EMOJI } from '../emoji.ts';
import type { Message } from '../messages.ts';
import type { Channel, User } from '../team.ts';
import type { World } from '../world.ts';

export interface Seen {
  message: Message;
  ts: string;
  author: string;
  /** As it looks: blocks if there are any, else the text. */
  text: string;
  /** `⏳ capdeploy`, one for each emoji. */
  reactions: string[];
  replies: number;
  /** Slack marks an edited text, not edited blocks. */
  edited: boolean;
  onlyYou: boolean;
}

export class Reader {
  readonly #world: World;
  readonly #user: User;

  constructor(world: World, user: User) {
    this.#world = world;
    this.#user = user;
  }

  /** Messages of a channel, oldest first; ephemeral ones for this person too. */
  channel(key: string): Seen[] {
    const channel = this.#readable(key);
    const own = this.#ephemerals(channel).filter(({ threadTs }) => threadTs === undefined);
    return this.#seen([...this.#world.messages.inChannel(channel.id), ...own]);
  }

  /** The first message of a thread, and its replies. */
  thread(key: string, ts: string): Seen[] {
    const channel = this.#readable(key);
    const first = this.#world.messages.find(channel.id, ts);
    const own = this.#ephemerals(channel).filter(({ threadTs }) => threadTs === ts);
    return this.#seen([
      ...(first === undefined ? [] : [first]),
      ...this.#world.messages.replies(channel.id, ts),
      ...own,
    ]);
  }

  /** What only this person sees in a channel, in threads too. */
  ephemerals(key: string): Seen[] {
    return this.#seen(this.#ephemerals(this.#readable(key)));
  }

  /** A channel as lines: `capdeploy: deployed ✅(capdeploy) [2 replies]`. */
  lines(key: string): string[] {
    return this.channel(key).map(({ author, text, reactions, replies, edited, onlyYou }) =>
      [
        `${author}: ${text}`,
        edited ? '(edited)' : '',
        onlyYou ? '(only visible to you)' : '',
        ...reactions,
        replies > 0 ? `[${replies} ${replies === 1 ? 'reply' : 'replies'}]` : '',
      ]
        .filter(Boolean)
        .join(' '),
    );
  }

  #readable(key: string): Channel {
    const channel = this.#world.team.channel(key);
    if (!this.#world.team.canRead(this.#user, channel)) {
      throw new Error(`${this.#user.name} cannot open #${channel.name}`);
    }
    return channel;
  }

  #ephemerals(channel: Channel): Message[] {
    return this.#world.messages.all().filter((one) => one.channel === channel.id && one.ephemeralTo === this.#user.id);
  }

  #seen(messages: Message[]): Seen[] {
    return messages
      .toSorted((a, b) => Number(a.ts) - Number(b.ts))
      .map((message) => ({
        message,
        ts: message.ts,
        author: this.#name(message.user),
        text: this.#world.messages.rendered(message),
        reactions: [...message.reactions].map(
          ([name, users]) => `${EMOJI[name] ?? name}(${[...users].map((id) => this.#name(id)).join(', ')})`,
        ),
        replies: this.#world.messages.replies(message.channel, message.ts).length,
        edited: message.edited !== undefined && message.blocks.every(({ type }) => type === 'rich_text'),
        onlyYou: message.ephemeralTo !== undefined,
      }));
  }

  #name(id: string): string {
    return this.#world.team.users.get(id)?.name ?? id;
  }
}
