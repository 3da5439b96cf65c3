/**
 * reactions.add, reactions.remove.
 *
 * @see https://docs.slack.dev/reference/methods/reactions.add
 * @see https://docs.slack.dev/reference/methods/reactions.remove
 */
import { EMOJI } from '../emoji.ts';
import type { Message } from '../messages.ts';
import { SlackError } from '../slack-error.ts';
import { type Call, type Method, needMembership, visibleChannel } from './method.ts';

function target(call: Call): { message: Message; name: string } {
  const { world, app, args } = call;
  const name = String(args.name);
  if (!(name in EMOJI)) throw new SlackError('invalid_name');
  const channel = visibleChannel(call);
  if (channel.archived) throw new SlackError('is_archived');
  needMembership(app, channel);
  if (!/^\d{10}\.\d{6}$/.test(String(args.timestamp))) throw new SlackError('bad_timestamp');
  const message = world.messages.find(channel.id, String(args.timestamp));
  if (message === undefined) throw new SlackError('message_not_found');
  if (message.ephemeralTo !== undefined) throw new SlackError('not_reactable');
  return { message, name };
}

const reaction = (tier: Method['tier'], run: Method['run']): Method => ({
  token: 'bot',
  scopes: ['reactions:write'],
  tier,
  json: true,
  required: { channel: 'string', name: 'string', timestamp: 'string' },
  optional: {},
  run,
});

export const reactions: Record<string, Method> = {
  'reactions.add': reaction('tier3', (call) => {
    const { message, name } = target(call);
    if (message.reactions.get(name)?.has(call.app.userId)) throw new SlackError('already_reacted');
    call.world.messages.react(message, name, call.app.userId);
    return {};
  }),
  'reactions.remove': reaction('tier2', (call) => {
    const { message, name } = target(call);
    if (!message.reactions.get(name)?.has(call.app.userId)) throw new SlackError('no_reaction');
    call.world.messages.unreact(message, name, call.app.userId);
    return {};
  }),
};
