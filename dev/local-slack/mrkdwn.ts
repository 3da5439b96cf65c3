/**
 * Slack's markup, as a client reads it: `<@U…>`, `<#C…>`, `<!channel>`, `<!subteam^S…>`, `<url|label>`,
 * `<!date^…|fallback>`.
 *
 * @see https://docs.slack.dev/messaging/formatting-message-text
 */
import { EMOJI } from './emoji.ts';
import type { Team } from './team.ts';

export type Token =
  | { kind: 'text'; text: string }
  | { kind: 'user' | 'group' | 'channel'; id: string }
  | { kind: 'broadcast'; range: string }
  | { kind: 'link'; url: string; label: string };

/**
 * What Slack makes links of by itself. `none`: of nothing. `urls`: of addresses. `client`, `full`: of names too, which
 * then ping.
 */
export type Parse = 'none' | 'urls' | 'client' | 'full';

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export const unescaped = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

const URL_PATTERN = /https?:\/\/[^\s<>|]+/g;
const NAME_PATTERN = /(?<![\w&;])([@#])([a-z0-9][a-z0-9._-]*)/gi;

/** Turns addresses and, where asked, names into Slack's markup. What stands in `<…>` already stays. */
export function link(team: Team, text: string, parse: Parse): string {
  if (parse === 'none') return text;
  return text
    .split(/(<[^<>]*>)/)
    .map((part, index) => {
      if (index % 2 === 1) return part;
      const withUrls = part.replace(URL_PATTERN, '<$&>');
      return parse === 'urls' ? withUrls : linkNames(team, withUrls);
    })
    .join('');
}

/** `@name`, `@channel` and `#name`, where there is one of that name. */
export function linkNames(team: Team, text: string): string {
  return text
    .split(/(<[^<>]*>)/)
    .map((part, index) =>
      index % 2 === 1 ? part : part.replace(NAME_PATTERN, (all, sign, name) => named(team, sign, name) ?? all),
    )
    .join('');
}

function named(team: Team, sign: string, name: string): string | undefined {
  const byName = <T extends { id: string; name: string }>(map: Map<string, T>): T | undefined =>
    [...map.values()].find((one) => one.name === name);
  if (sign === '#') {
    const channel = byName(team.channels);
    return channel && `<#${channel.id}>`;
  }
  if (/^(channel|here|everyone)$/.test(name)) return `<!${name}>`;
  const user = byName(team.users);
  if (user !== undefined) return `<@${user.id}>`;
  const group = byName(team.groups);
  return group && `<!subteam^${group.id}>`;
}

/** Reads markup. */
export function tokens(markup: string): Token[] {
  return markup.split(/(<[^<>]+>)/).flatMap((part, index): Token[] => {
    if (index % 2 === 0) return part === '' ? [] : [{ kind: 'text', text: withEmoji(unescaped(part)) }];
    return [entity(part.slice(1, -1))];
  });
}

function entity(content: string): Token {
  const [target = '', label] = content.split('|', 2);
  if (/^@[UW]/.test(target)) return { kind: 'user', id: target.slice(1) };
  if (/^#[CG]/.test(target)) return { kind: 'channel', id: target.slice(1) };
  if (target.startsWith('!subteam^')) return { kind: 'group', id: target.slice('!subteam^'.length) };
  if (/^!(channel|here|everyone)$/.test(target)) return { kind: 'broadcast', range: target.slice(1) };
  if (target.startsWith('!')) return { kind: 'text', text: unescaped(label ?? target) };
  return { kind: 'link', url: unescaped(target), label: unescaped(label ?? target) };
}

export const withEmoji = (text: string): string =>
  text.replace(/:([a-z0-9_+-]+):/g, (all, name: string) => EMOJI[name] ?? all);

/**
 * What a reader sees. What Slack made of markup stands in ⟦⟧, so that it is not mistaken for the same text typed as
 * text.
 */
export function shown(team: Team, token: Token): string {
  switch (token.kind) {
    case 'text':
      return token.text;
    case 'user':
      return `⟦@${team.users.get(token.id)?.name ?? token.id}⟧`;
    case 'group':
      return `⟦@${team.groups.get(token.id)?.name ?? token.id}⟧`;
    case 'channel':
      return `⟦#${team.channels.get(token.id)?.name ?? token.id}⟧`;
    case 'broadcast':
      return `⟦@${token.range}⟧`;
    case 'link':
      return token.label === token.url ? `⟦${token.url}⟧` : `⟦${token.label}|${token.url}⟧`;
  }
}

export const plain = (team: Team, markup: string): string =>
  tokens(markup)
    .map((token) => shown(team, token))
    .join('');
