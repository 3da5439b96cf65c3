/** How a method of the Web API is described, and what they share. */
import type { App } from '../app.ts';
import type { Json } from '../json.ts';
import type { Message } from '../messages.ts';
import { SlackError } from '../slack-error.ts';
import type { Channel } from '../team.ts';
import type { Tier } from '../tiers.ts';
import type { World } from '../world.ts';

export interface Call {
  world: World;
  app: App;
  args: Json;
}

export type Kind = 'string' | 'boolean' | 'integer' | 'json';

export interface Method {
  /** `app`: an app-level token (`xapp-`), and no other. */
  token: 'bot' | 'app';
  /** One of these is needed; which of them may depend on the channel. */
  scopes: string[];
  tier: Tier;
  /** False: a JSON body is not read, only a form. */
  json: boolean;
  required: Record<string, Kind>;
  optional: Record<string, Kind>;
  run: (call: Call) => Json;
}

export function needScope(app: App, scope: string): void {
  if (!app.has(scope)) throw missingScope(scope, app.seed.scopes);
}

export const missingScope = (needed: string, provided: string[]): SlackError =>
  new SlackError('missing_scope', { needed, provided: provided.join(',') });

/** The channel, if the bot can know of it: a private one or a conversation of others does not exist for it. */
export function visibleChannel({ world, app, args }: Call): Channel {
  const channel = world.team.channels.get(String(args.channel));
  if (channel === undefined) throw new SlackError('channel_not_found');
  if ((channel.private || channel.im) && !channel.members.has(app.userId)) throw new SlackError('channel_not_found');
  return channel;
}

/** `channels:read` or `groups:read`, by the channel's kind. */
export function needChannelScope(app: App, channel: Channel, verb: 'read' | 'history'): void {
  needScope(app, `${channel.im ? 'im' : channel.private ? 'groups' : 'channels'}:${verb}`);
}

export function needMembership(app: App, channel: Channel): void {
  if (!channel.members.has(app.userId)) throw new SlackError('not_in_channel');
}

/** The first message of the thread, which must be one that others can see. */
export function threadOf({ world, args }: Call, channel: Channel): string | undefined {
  if (args.thread_ts === undefined) return undefined;
  const ts = String(args.thread_ts);
  if (!/^\d{10}\.\d{6}$/.test(ts)) throw new SlackError('invalid_thread_ts');
  const parent = world.messages.find(channel.id, ts);
  if (parent === undefined || parent.ephemeralTo !== undefined) throw new SlackError('thread_not_found');
  if (parent.threadTs !== undefined && parent.threadTs !== ts) throw new SlackError('cannot_reply_to_message');
  return ts;
}

/** As history and payloads show a message. */
export function messageObject(world: World, message: Message, withMetadata: boolean): Json {
  const { id: team } = world.team;
  const replies = world.messages.replies(message.channel, message.ts);
  return {
    type: 'message',
    ...(message.broadcast ? { subtype: 'thread_broadcast' } : {}),
    user: message.user,
    ts: message.ts,
    team,
    text: message.text,
    ...(message.botId === undefined ? {} : { bot_id: message.botId, app_id: message.appId }),
    ...(message.blocks.length > 0 ? { blocks: message.blocks } : {}),
    ...(message.attachments.length > 0 ? { attachments: message.attachments } : {}),
    ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
    ...(replies.length > 0 ? { thread_ts: message.ts, reply_count: replies.length } : {}),
    ...(message.edited === undefined ? {} : { edited: message.edited }),
    ...(message.reactions.size > 0 ? { reactions: reactionsOf(message) } : {}),
    ...(withMetadata && message.metadata !== undefined ? { metadata: message.metadata } : {}),
  };
}

const reactionsOf = (message: Message): Json[] =>
  [...message.reactions].map(([name, users]) => ({ name, users: [...users], count: users.size }));
