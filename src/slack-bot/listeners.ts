import type { Listeners } from '../slack/listeners.ts';
import { CommandLines } from './command-lines.ts';
import type { BotContext } from './context.ts';

/** What becomes of each envelope. */
export function listenersOf(bot: BotContext): Listeners {
  const lines = new CommandLines(bot);
  return {
    mention: ({ userId, channelId, ts, threadTs, text }) =>
      lines.mention({ user: userId, channel: channelId, ts, threadTs, text }),
    command: ({ userId, channelId, text, triggerId, responseUrl }) =>
      lines.slashCommand({ user: userId, channel: channelId, text, triggerId, responseUrl }),
    shortcut: async () => {},
    actions: {},
    unknownAction: async () => {},
    options: {},
    views: {},
  };
}
