/**
 * Undoes what Slack, keyboards and clipboards do to a line that a person typed, so that a command means what the person
 * sees. Pure.
 */

/**
 * `<…>` of Slack's text: a link, a mention, a channel. Typed `<` and `>` come as entities.
 * https://docs.slack.dev/messaging/formatting-message-text
 */
const SLACK_TOKEN = /<([^<>|]*)(?:\|([^<>]*))?>/g;

const ENTITIES: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };

/** Zero-width characters, soft hyphens, changes of direction, variation selectors: present, and not seen. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

const CONTROLS = /\p{Cc}/gu;

/** U+0085 and U+1680 are blanks that NFKC leaves as they are, and U+0085 is none to `\s`. */
const BLANKS = /[\s\u0085]+/gu;

const DOUBLE_QUOTES = /[“”„‟«»〝〞〟]/g;
const SINGLE_QUOTES = /[‘’‚‛‹›]/g;

/**
 * What stands at the start of a word for one hyphen or two: dashes, the minus sign, the Japanese prolonged sound mark
 * (no word starts with it; a Japanese keyboard makes it of the hyphen key).
 */
const DASHES_AT_START = /(?<=^|\s)[-‐‑‒–—―−ー⸺⸻]+(?=(.?.?))/gu;

/** Two letters after a single dash: a long option of which an editor made one dash of two hyphens. */
const TWO_LETTERS = /^[A-Za-z]{2}/;

/**
 * @param text as Slack's events and slash commands carry it
 * @returns one line of plain text: Slack's marks replaced by what they show, invisible characters removed, full-width
 * forms, quotes and dashes as
 *   ASCII. Letters such as `é` stay.
 */
export function fold(text: string): string {
  return foldTyped(withoutMarks(text));
}

/** Replaces Slack's marks and entities by what a reader sees. */
function withoutMarks(text: string): string {
  return text
    .replace(SLACK_TOKEN, (token, target: string, label: string | undefined) => {
      if (label) return label;
      // A mention without a name: only Slack knows whom it shows.
      return /^[@#!]/.test(target) ? token : target;
    })
    .replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity] as string);
}

function foldTyped(text: string): string {
  return (
    text
      .toWellFormed()
      .replace(INVISIBLE, '')
      // Full-width forms, half-width kana, U+00A0 and U+3000 as the plain characters
      // (https://unicode.org/reports/tr15/).
      .normalize('NFKC')
      .replace(INVISIBLE, '')
      .replace(BLANKS, ' ')
      .replace(CONTROLS, '')
      .replaceAll('`', '')
      .replace(DOUBLE_QUOTES, '"')
      .replace(SINGLE_QUOTES, "'")
      .trim()
      .replace(DASHES_AT_START, (dashes, next: string) => {
        if (/^-+$/.test(dashes)) return dashes;
        return [...dashes].length > 1 || dashes === '⸺' || TWO_LETTERS.test(next) ? '--' : '-';
      })
  );
}
