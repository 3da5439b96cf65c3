import { z } from 'zod';

/** https://docs.slack.dev/reference/block-kit/blocks/rich-text-block */
const element = z.object({
  type: z.string(),
  user_id: z.string().optional(),
  elements: z.array(z.unknown()).optional(),
});
const richText = z.object({
  type: z.literal('rich_text'),
  elements: z.array(z.object({ type: z.string(), elements: z.array(z.unknown()).optional() })),
});

/** A quote in Slack's markup: https://docs.slack.dev/messaging/formatting-message-text#quotes */
const QUOTE = /^(?:&gt;|>).*$/gm;
/** What follows `>>>` is quoted to the end. */
const LONG_QUOTE = /^(?:&gt;|>){3}[\s\S]*/m;
const PREFORMATTED = /```[\s\S]*?(?:```|$)/g;

/**
 * What a person says to the bot in a message: its text without quotes and without the mentions of the bot.
 * @param text `text` of the event
 * @param blocks `blocks` of the event: clients send what was typed as `rich_text`
 * @param bot the bot's user id
 * @returns undefined if the bot is mentioned nowhere else than in quotes, in preformatted text, or in what the message
 * forwards
 */
export function typedText(text: string, blocks: readonly unknown[] | undefined, bot: string): string | undefined {
  const mention = new RegExp(`<@${bot}(?:\\|[^<>]*)?>`, 'g');
  const said = text.replace(LONG_QUOTE, '').replace(QUOTE, '');
  const isMentioned = mention.test(said.replace(PREFORMATTED, ''));
  if (!isMentioned || isMentionedInQuotesOnly(blocks ?? [], bot)) return undefined;
  return said.replace(mention, ' ').trim();
}

/** Whether clients show no mention of the bot outside quotes. False if there is no rich text to tell. */
function isMentionedInQuotesOnly(blocks: readonly unknown[], bot: string): boolean {
  const parts = blocks.flatMap((block) => richText.safeParse(block).data?.elements ?? []);
  if (parts.length === 0) return false;
  const said = parts.filter(({ type }) => type === 'rich_text_section' || type === 'rich_text_list');
  return !said.some((part) => mentions(part.elements ?? [], bot));
}

function mentions(elements: readonly unknown[], bot: string): boolean {
  return elements.some((one) => {
    const read = element.safeParse(one).data;
    if (read === undefined) return false;
    return (read.type === 'user' && read.user_id === bot) || mentions(read.elements ?? [], bot);
  });
}
