/** What Slack's client makes of what a person types. */
import type { Json } from '../json.ts';
import { escaped, linkNames, type Token, tokens } from '../mrkdwn.ts';
import type { Team } from '../team.ts';

const ADDRESS = /https?:\/\/[^\s<>|]+|(?<![\w.@/-])(?:[a-z0-9-]+\.)+(?:com|dev|io|jp|net|org)(?![\w.-])/gi;

/** Addresses, bare host names too, become links; `@name` and `#name` become entities; `&<>` are escaped. */
export function typed(team: Team, text: string): string {
  const linked = escaped(text).replace(ADDRESS, (address) =>
    /^https?:/i.test(address) ? `<${address}>` : `<http://${address}|${address}>`,
  );
  return linkNames(team, linked);
}

/**
 * The text of a slash command: `&<>` are escaped. Names and addresses stay as they were typed, unless the settings have
 * them encoded.
 * @see https://docs.slack.dev/interactivity/implementing-slash-commands#escaping
 */
export function typedCommand(team: Team, text: string, encoded: boolean): string {
  if (!encoded) return escaped(text);
  const label = (id: string): string => team.users.get(id)?.name ?? team.channels.get(id)?.name ?? '';
  return typed(team, text).replace(
    /<([@#])([A-Z0-9]+)>/g,
    (_, sign: string, id: string) => `<${sign}${id}|${label(id)}>`,
  );
}

/** The `rich_text` block that comes with every message typed in a client. */
export const richTextOf = (text: string, blockId: string): Json[] => [
  {
    type: 'rich_text',
    block_id: blockId,
    elements: [{ type: 'rich_text_section', elements: tokens(text).map(element) }],
  },
];

function element(token: Token): Json {
  switch (token.kind) {
    case 'user':
      return { type: 'user', user_id: token.id };
    case 'group':
      return { type: 'usergroup', usergroup_id: token.id };
    case 'channel':
      return { type: 'channel', channel_id: token.id };
    case 'broadcast':
      return { type: 'broadcast', range: token.range };
    case 'link':
      return { type: 'link', url: token.url, ...(token.label === token.url ? {} : { text: token.label }) };
    case 'text':
      return { type: 'text', text: token.text };
  }
}
