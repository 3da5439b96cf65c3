/**
 * Rules for `rich_text`: text that nothing in it is parsed of.
 *
 * @see https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
 */
import { boolean, type Check, enumeration, integer, list, matching, object, string, typed } from './check.ts';
import { LIMITS } from './limits.ts';

const MANY = 1000;
const style = object({}, { bold: boolean, italic: boolean, strike: boolean, code: boolean, underline: boolean });
const mentionStyle = object(
  {},
  { bold: boolean, italic: boolean, strike: boolean, highlight: boolean, unlink: boolean },
);

const inline = typed({
  text: object({ text: string(LIMITS.text) }, { style }),
  link: object({ url: string(LIMITS.buttonUrl) }, { text: string(LIMITS.text), unsafe: boolean, style }),
  emoji: object({ name: matching(/^[a-z0-9_+'-]+$/, 'emoji name') }, { unicode: string(100), style: mentionStyle }),
  user: object({ user_id: matching(/^[UW][A-Z0-9]{2,20}$/, 'user id') }, { style: mentionStyle }),
  usergroup: object({ usergroup_id: matching(/^S[A-Z0-9]{2,20}$/, 'user group id') }, { style: mentionStyle }),
  channel: object({ channel_id: matching(/^[CG][A-Z0-9]{2,20}$/, 'channel id') }, { style: mentionStyle }),
  broadcast: object({ range: enumeration('here', 'channel', 'everyone') }),
  date: object(
    { timestamp: integer(0, 99_999_999_999), format: string(200) },
    { url: string(LIMITS.buttonUrl), fallback: string(LIMITS.text) },
  ),
});

const border = integer(0, 1);
const section = object({ elements: list(inline, MANY) });
const quote = object({ elements: list(inline, MANY) }, { border });

export const richText: Check = typed({
  rich_text_section: section,
  rich_text_quote: quote,
  rich_text_preformatted: quote,
  rich_text_list: object(
    { elements: list(typed({ rich_text_section: section }), MANY), style: enumeration('bullet', 'ordered') },
    { indent: integer(0, 8), offset: integer(0, MANY), border },
  ),
});

export const richTextElements = list(richText, MANY);
