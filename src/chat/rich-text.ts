import type { Button, KnownBlock, RichTextBlock, RichTextElement } from '@slack/types';

/**
 * What people read, as Slack's `rich_text`: nothing in it is parsed, so that a name, a revision or a reason that holds
 * `<!channel>` or a link is only text. https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
 */

export type Part =
  | string
  | { readonly bold: string }
  | { readonly code: string }
  /** A mention, by id: of who asked us, or whom a trusted sender names. Never of a text. */
  | { readonly user: string }
  | { readonly channel: string };

export type Line = readonly Part[];

/** What the bot says. */
export interface Answer {
  /** Plain text, for notifications and for clients without blocks; whoever sends it escapes it. */
  readonly text: string;
  readonly blocks: KnownBlock[];
}

/** Slack takes 50 blocks, and about 12,000 characters of all blocks together (slackapi/bolt-js#2867). */
const MOST_CHARACTERS = 8_000;
const MOST_BLOCKS = 49;
/** Characters of one text that somebody wrote, such as a reason. */
const LONGEST_PART = 600;
const CUT: Line = ['…'];

/** @param lines more of them than a message holds end in a mark @param buttons one row under the lines */
export const answer = (lines: readonly Line[], buttons: readonly Button[] = []): Answer =>
  answerOf([{ lines, buttons }]);

/** Lines with a row of buttons each. */
export interface Section {
  readonly lines: readonly Line[];
  readonly buttons?: readonly Button[];
}

/**
 * @param more says that so many sections do not fit; the most important ones come first
 * @returns as many sections as a message holds
 */
export function answerOf(sections: readonly Section[], more: (left: number) => Line = () => CUT): Answer {
  const kept: Section[] = [];
  let size = 0;
  let blocks = 0;
  for (const section of sections) {
    const added = blocksOf(section);
    size += sizeOf(added);
    blocks += added.length;
    if (size > MOST_CHARACTERS || blocks > MOST_BLOCKS) break;
    kept.push(section);
  }
  const [first] = sections;
  if (first && kept.length === 0) kept.push({ ...first, lines: fitting(first) });
  if (kept.length < sections.length) kept.push({ lines: [more(sections.length - kept.length)] });
  if (kept.length === 0) kept.push({ lines: [] });
  return { text: textOf(kept.flatMap(({ lines }) => lines)), blocks: kept.flatMap(blocksOf) };
}

/** The first lines of a section that is longer than a message, and a mark. */
function fitting({ lines, buttons = [] }: Section): Line[] {
  let size = sizeOf(blocksOf({ lines: [CUT], buttons }));
  const place = lines.findIndex((line) => {
    size += sizeOf(elementsOf([[], line]));
    return size > MOST_CHARACTERS;
  });
  return [...lines.slice(0, place), CUT];
}

const sizeOf = (value: unknown): number => JSON.stringify(value).length;

const blocksOf = ({ lines, buttons = [] }: Section): KnownBlock[] => [richText(lines), ...actions(buttons)];

const actions = (buttons: readonly Button[]): KnownBlock[] =>
  buttons.length === 0 ? [] : [{ type: 'actions', elements: [...buttons] }];

export function richText(lines: readonly Line[]): RichTextBlock {
  const elements = elementsOf(lines);
  // Slack refuses a section without elements.
  const shown = elements.length > 0 ? elements : elementsOf([CUT]);
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: shown }] };
}

const elementsOf = (lines: readonly Line[]): RichTextElement[] =>
  lines.flatMap((line, place): RichTextElement[] => [
    ...(place === 0 ? [] : [{ type: 'text' as const, text: '\n' }]),
    ...line.flatMap(elementOf),
  ]);

/** Slack refuses a whole message or view for a mention of what is no id of a user. */
const USER_ID = /^[UW][A-Z0-9]{2,20}$/;

function elementOf(part: Part): RichTextElement[] {
  if (typeof part === 'string') return part === '' ? [] : [{ type: 'text', text: shortened(part) }];
  if ('user' in part) return USER_ID.test(part.user) ? [{ type: 'user', user_id: part.user }] : elementOf(part.user);
  if ('channel' in part) return [{ type: 'channel', channel_id: part.channel }];
  const text = 'bold' in part ? part.bold : part.code;
  // Slack refuses an element without text.
  if (text === '') return [];
  return [{ type: 'text', text: shortened(text), style: 'bold' in part ? { bold: true } : { code: true } }];
}

const shortened = (text: string): string =>
  text.length <= LONGEST_PART ? text : `${text.slice(0, LONGEST_PART - 1).toWellFormed()}…`;

/** A notification shows less; Slack takes 40,000 characters. */
const LONGEST_TEXT = 3_000;

const textOf = (lines: readonly Line[]): string =>
  lines
    .map((line) => line.map(wordsOf).join(''))
    .join('\n')
    .slice(0, LONGEST_TEXT)
    .toWellFormed();

function wordsOf(part: Part): string {
  if (typeof part === 'string') return part;
  if ('user' in part) return part.user;
  if ('channel' in part) return part.channel;
  return 'bold' in part ? part.bold : part.code;
}
