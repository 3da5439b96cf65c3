/** What a reader sees of blocks, as text: one line for each block, `[Label]` for what can be clicked. */
import { isObject, type Json, objects, text } from './json.ts';
import { link, shown, type Token, tokens, withEmoji } from './mrkdwn.ts';
import type { Team } from './team.ts';

/** All tokens of a block, to see whom it pings. */
export function tokensOf(team: Team, block: unknown): Token[] {
  if (Array.isArray(block)) return block.flatMap((one) => tokensOf(team, one));
  if (!isObject(block)) return [];
  switch (block.type) {
    case 'mrkdwn':
      return tokens(link(team, text(block.text), block.verbatim === true ? 'none' : 'full'));
    case 'plain_text':
    case 'text':
      return [{ kind: 'text', text: withEmojiOf(block) }];
    case 'user':
      return [{ kind: 'user', id: text(block.user_id) }];
    case 'usergroup':
      return [{ kind: 'group', id: text(block.usergroup_id) }];
    case 'channel':
      return [{ kind: 'channel', id: text(block.channel_id) }];
    case 'broadcast':
      return [{ kind: 'broadcast', range: text(block.range) }];
    case 'link':
      return [{ kind: 'link', url: text(block.url), label: text(block.text) || text(block.url) }];
    case 'emoji':
      return [{ kind: 'text', text: withEmoji(`:${text(block.name)}:`) }];
    case 'date':
      return [{ kind: 'text', text: text(block.fallback) || text(block.format) }];
    default:
      return Object.values(block).flatMap((value) => tokensOf(team, value));
  }
}

/** Text of `rich_text` is literal; `plain_text` knows `:emoji:` unless told otherwise. */
const withEmojiOf = (block: Json): string =>
  block.type === 'plain_text' && block.emoji !== false ? withEmoji(text(block.text)) : text(block.text);

export const renderBlocks = (team: Team, blocks: Json[]): string =>
  blocks.map((block) => renderBlock(team, block)).join('\n');

function renderBlock(team: Team, block: Json): string {
  const words = (value: unknown): string =>
    tokensOf(team, value)
      .map((token) => shown(team, token))
      .join('');
  const joined = (values: unknown[], separator: string): string => values.map(words).filter(Boolean).join(separator);
  switch (block.type) {
    case 'divider':
      return '────';
    case 'header':
      return words(block.text);
    case 'section': {
      const body = joined([block.text, ...objects(block.fields)], '\n');
      return isObject(block.accessory) ? `${body} ${renderElement(team, block.accessory)}` : body;
    }
    case 'context':
      return objects(block.elements)
        .map((element) => (element.type === 'image' ? renderElement(team, element) : words(element)))
        .join(' ');
    case 'actions':
      return objects(block.elements)
        .map((element) => renderElement(team, element))
        .join(' ');
    case 'input':
      return `${words(block.label)}${block.optional === true ? ' (optional)' : ''}: ${renderElement(team, block.element as Json)}`;
    case 'image':
      return `(image: ${text(block.alt_text)})`;
    case 'rich_text':
      return objects(block.elements)
        .map((element) => renderRichText(element, words))
        .join('\n');
    default:
      return words(block);
  }
}

function renderRichText(element: Json, words: (value: unknown) => string): string {
  switch (element.type) {
    case 'rich_text_list':
      return objects(element.elements)
        .map((item, index) => `${element.style === 'ordered' ? `${index + 1}.` : '•'} ${words(item)}`)
        .join('\n');
    case 'rich_text_quote':
      return `> ${words(element)}`;
    case 'rich_text_preformatted':
      return `\`\`\`\n${words(element)}\n\`\`\``;
    default:
      return words(element);
  }
}

/** A button is `[Label]`, a menu `[Placeholder ▾]`, options `( ) one (•) two`. */
export function renderElement(team: Team, element: Json): string {
  const words = (value: unknown): string =>
    tokensOf(team, value)
      .map((token) => shown(team, token))
      .join('');
  switch (element.type) {
    case 'button':
      return `[${words(element.text)}]`;
    case 'overflow':
      return '[…]';
    case 'image':
      return `(image: ${text(element.alt_text)})`;
    case 'radio_buttons':
    case 'checkboxes':
      return objects(element.options)
        .map((option) => `( ) ${words(option.text)}`)
        .join(' ');
    default:
      return `[${words(element.placeholder)} ${String(element.type).includes('select') ? '▾' : ''}]`.replace(
        / \]$/,
        ']',
      );
  }
}
