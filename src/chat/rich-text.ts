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
/** With a row of buttons each. */
const MOST_SECTIONS = 20;
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

/** @returns as many sections as a message holds, and a mark if there were more; what is the most important comes first */
export function answerOf(sections: readonly Section[]): Answer {
  const kept: Section[] = [];
  let left = MOST_CHARACTERS;
  for (const section of sections) {
    const { buttons = [] } = section;
    left -= sizeOf(actions(buttons));
    const lines = fitting(section.lines, left);
    left -= sizeOf(richText(lines));
    const isCut = lines.length < section.lines.length;
    if (kept.length >= MOST_SECTIONS || (isCut && kept.length > 0 && lines.length === 0)) {
      kept.push({ lines: [CUT] });
      break;
    }
    kept.push({ lines: isCut ? [...lines, CUT] : lines, buttons });
    if (isCut) break;
  }
  return { text: textOf(kept.flatMap(({ lines }) => lines)), blocks: kept.flatMap(blocksOf) };
}

/** The first lines that together take no more characters of blocks than are left. */
function fitting(lines: readonly Line[], left: number): readonly Line[] {
  let size = sizeOf(richText([]));
  const place = lines.findIndex((line) => {
    size += sizeOf(elementsOf([[], line]));
    return size > left;
  });
  return place < 0 ? lines : lines.slice(0, place);
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

function elementOf(part: Part): RichTextElement[] {
  if (typeof part === 'string') return part === '' ? [] : [{ type: 'text', text: shortened(part) }];
  if ('user' in part) return [{ type: 'user', user_id: part.user }];
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
