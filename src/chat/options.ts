import { createHash } from 'node:crypto';
import type { PlainTextOption } from '@slack/types';

/**
 * What a menu offers. Text, description and value each have 75 characters (@slack/types; Slack's page names 150 for the
 * value), and names may be longer. https://docs.slack.dev/reference/block-kit/composition-objects/option-object
 */
const MOST = 75;
const CUT = '…';

/**
 * @param text one that is longer goes on in the description; what both do not hold is missing in its middle, with a mark
 * @param about the description of a text that fits
 */
export function option(text: string, value: string, about = ''): PlainTextOption {
  const rest = text.length > MOST ? CUT + text.slice(MOST - 1).slice(1 - MOST) : about;
  return {
    text: plainText(text.length > MOST ? text.slice(0, MOST - 1) + CUT : text),
    value,
    ...(rest === '' ? {} : { description: plainText(rest.length > MOST ? rest.slice(0, MOST - 1) + CUT : rest) }),
  };
}

/** @returns the name itself, or something short that stands for it; no name of ours begins with `#` */
export const optionValue = (name: string): string =>
  name.length <= MOST ? name : `#${createHash('sha256').update(name).digest('hex').slice(0, 40)}`;

const plainText = (text: string) => ({ type: 'plain_text' as const, text: text.toWellFormed(), emoji: false });
