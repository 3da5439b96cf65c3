const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * Plain text as Slack's `text` carries it: no part of it is a mention, a link or a command to notify everybody.
 * Not `escapeText` of src/text, which makes invisible characters visible.
 * https://docs.slack.dev/messaging/formatting-message-text#escaping
 */
export const escapeEntities = (text: string): string =>
  text.replace(/[&<>]/g, (character) => ENTITIES[character] as string);
