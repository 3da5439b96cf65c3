/**
 * conversations.info, conversations.history, conversations.members.
 *
 * @see https://docs.slack.dev/reference/methods/conversations.info
 * @see https://docs.slack.dev/reference/methods/conversations.history
 * @see https://docs.slack.dev/reference/methods/conversations.members
 */
import { SlackError } from '../slack-error.ts';
import { channelObject } from '../team.ts';
import { type Method, messageObject, needChannelScope, needMembership, visibleChannel } from './method.ts';

const read = ['channels:read', 'groups:read', 'im:read', 'mpim:read'];
const history = ['channels:history', 'groups:history', 'im:history', 'mpim:history'];

/** Cursors are opaque; here they hold the place at which the next page begins. */
const cursorAt = (index: number): string => Buffer.from(`next:${index}`).toString('base64');

function page<T>(all: T[], limit: unknown, cursor: unknown, most: number): { items: T[]; next: string } {
  const size = limit === undefined ? 100 : Number(limit);
  if (size < 1 || size > most) throw new SlackError('invalid_limit');
  const given = cursor === undefined || cursor === '' ? cursorAt(0) : String(cursor);
  const start = Number(/^next:(\d+)$/.exec(Buffer.from(given, 'base64').toString())?.[1] ?? Number.NaN);
  if (!Number.isInteger(start)) throw new SlackError('invalid_cursor');
  return {
    items: all.slice(start, start + size),
    next: start + size < all.length ? cursorAt(start + size) : '',
  };
}

export const conversations: Record<string, Method> = {
  'conversations.info': {
    token: 'bot',
    scopes: read,
    tier: 'tier3',
    json: false,
    required: { channel: 'string' },
    optional: { include_locale: 'boolean', include_num_members: 'boolean' },
    run: (call) => {
      const channel = visibleChannel(call);
      needChannelScope(call.app, channel, 'read');
      return { channel: channelObject(call.world.team, channel, call.app.userId, call.args) };
    },
  },
  'conversations.members': {
    token: 'bot',
    scopes: read,
    tier: 'tier4',
    json: false,
    required: { channel: 'string' },
    optional: { cursor: 'string', limit: 'integer' },
    run: (call) => {
      const channel = visibleChannel(call);
      needChannelScope(call.app, channel, 'read');
      const { items, next } = page([...channel.members], call.args.limit, call.args.cursor, 1000);
      return { members: items, response_metadata: { next_cursor: next } };
    },
  },
  'conversations.history': {
    token: 'bot',
    scopes: history,
    tier: 'tier3',
    json: true,
    required: { channel: 'string' },
    optional: {
      cursor: 'string',
      limit: 'integer',
      latest: 'string',
      oldest: 'string',
      inclusive: 'boolean',
      include_all_metadata: 'boolean',
    },
    run: (call) => {
      const { world, app, args } = call;
      const channel = visibleChannel(call);
      needChannelScope(app, channel, 'history');
      needMembership(app, channel);
      const oldest = boundary(args.oldest, 'invalid_ts_oldest') ?? 0;
      const latest = boundary(args.latest, 'invalid_ts_latest') ?? Number.POSITIVE_INFINITY;
      const within = world.messages.inChannel(channel.id).filter(({ ts }) => {
        const at = Number(ts);
        return args.inclusive === true ? at >= oldest && at <= latest : at > oldest && at < latest;
      });
      const { items, next } = page(within.reverse(), args.limit, args.cursor, 999);
      return {
        messages: items.map((message) => messageObject(world, message, args.include_all_metadata === true)),
        has_more: next !== '',
        pin_count: 0,
        ...(next === '' ? {} : { response_metadata: { next_cursor: next } }),
      };
    },
  },
};

function boundary(value: unknown, error: string): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d+(\.\d{1,6})?$/.test(String(value))) throw new SlackError(error);
  return Number(value);
}
