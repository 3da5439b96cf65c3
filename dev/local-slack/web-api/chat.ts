/**
 * chat.postMessage, chat.update, chat.postEphemeral.
 *
 * @see https://docs.slack.dev/reference/methods/chat.postMessage
 * @see https://docs.slack.dev/reference/methods/chat.update
 * @see https://docs.slack.dev/reference/methods/chat.postEphemeral
 */
import { checkedContent, optionsOf, POST, UPDATE } from '../content.ts';
import type { Content, Message } from '../messages.ts';
import { problemsError, SlackError } from '../slack-error.ts';
import type { Channel } from '../team.ts';
import {
  type Call,
  type Kind,
  type Method,
  messageObject,
  needMembership,
  threadOf,
  visibleChannel,
} from './method.ts';

const content: Record<string, Kind> = {
  text: 'string',
  blocks: 'json',
  thread_ts: 'string',
  parse: 'string',
  link_names: 'boolean',
};
const unfurls: Record<string, Kind> = { unfurl_links: 'boolean', unfurl_media: 'boolean', mrkdwn: 'boolean' };

function writableChannel(call: Call): Channel {
  const channel = visibleChannel(call);
  if (channel.archived) throw new SlackError('is_archived');
  return channel;
}

const post: Method = {
  token: 'bot',
  scopes: ['chat:write'],
  tier: 'special',
  json: true,
  required: { channel: 'string' },
  optional: { ...content, ...unfurls, metadata: 'json', reply_broadcast: 'boolean' },
  run: (call) => {
    const { world, app, args } = call;
    const channel = writableChannel(call);
    world.tiers.takePost(app.id, channel.id);
    if (!app.has('chat:write.public') || channel.private || channel.im) needMembership(app, channel);
    const threadTs = threadOf(call, channel);
    if (args.reply_broadcast === true && threadTs === undefined) {
      throw problemsError('invalid_arguments', ['reply_broadcast needs thread_ts [json-pointer:/reply_broadcast]']);
    }
    const message = world.messages.post({
      ...checkedContent(world, args, POST),
      ...byApp(call, channel),
      ...(threadTs === undefined ? {} : { threadTs }),
      broadcast: args.reply_broadcast === true,
    });
    world.onPosted(message);
    return { channel: channel.id, ts: message.ts, message: messageObject(world, message, true) };
  },
};

const byApp = ({ app, args }: Call, channel: Channel) => ({
  channel: channel.id,
  user: app.userId,
  appId: app.id,
  botId: app.botId,
  options: optionsOf(args),
});

const update: Method = {
  token: 'bot',
  scopes: ['chat:write'],
  tier: 'tier3',
  json: true,
  required: { channel: 'string', ts: 'string' },
  optional: { text: 'string', blocks: 'json', parse: 'string', link_names: 'boolean', metadata: 'json' },
  run: (call) => {
    const { world, app, args } = call;
    const channel = visibleChannel(call);
    if (channel.archived) throw new SlackError('is_inactive');
    const message = world.messages.find(channel.id, String(args.ts));
    if (message === undefined || message.ephemeralTo !== undefined) throw new SlackError('message_not_found');
    if (message.appId !== app.id) throw new SlackError('cant_update_message');
    if (args.text === undefined && args.blocks === undefined) throw new SlackError('no_text');
    needMembership(app, channel);
    const next = updated(call, message);
    world.messages.edit(message, next, app.userId);
    const shown = messageObject(world, message, true);
    return { channel: channel.id, ts: message.ts, text: message.text, message: shown };
  },
};

/** What an update leaves out stays: blocks go with `[]`, metadata with `{}`. */
function updated({ world, args }: Call, message: Message): Content {
  const given = args.blocks === undefined ? { ...args, blocks: message.blocks } : args;
  const next = checkedContent(world, { text: message.text, ...given }, UPDATE);
  if (args.metadata === undefined && message.metadata !== undefined) return { ...next, metadata: message.metadata };
  return next;
}

const ephemeral: Method = {
  token: 'bot',
  scopes: ['chat:write'],
  tier: 'tier4',
  json: true,
  required: { channel: 'string', user: 'string' },
  optional: content,
  run: (call) => {
    const { world, app, args } = call;
    const channel = writableChannel(call);
    needMembership(app, channel);
    const user = String(args.user);
    if (!world.team.users.has(user) || !channel.members.has(user)) throw new SlackError('user_not_in_channel');
    const threadTs = threadOf(call, channel);
    const message = world.messages.post({
      ...checkedContent(world, args, POST),
      ...byApp(call, channel),
      ...(threadTs === undefined ? {} : { threadTs }),
      broadcast: false,
      ephemeralTo: user,
    });
    return { message_ts: message.ts };
  },
};

export const chat: Record<string, Method> = {
  'chat.postMessage': post,
  'chat.update': update,
  'chat.postEphemeral': ephemeral,
};
