import { MAX_TEXT_LENGTH } from '../api/deploy-request.ts';
import { clean, redactSecrets } from './redact.ts';

/** Text that came in a message, made fit for people: in annotations, status, Events, logs and chat. Pure. */

/**
 * One line of at most 256 UTF-16 units, without secrets, escape sequences, control characters and what reorders or
 * hides text.
 * @returns undefined if nothing is left.
 */
export function cleanText(text: string): string | undefined {
  const line = redactSecrets(clean(text.slice(0, MAX_TEXT_LENGTH * 16))).replace(/\s+/g, ' ');
  return cut(line.trim(), MAX_TEXT_LENGTH).trim() || undefined;
}

/**
 * The text without secrets, for `escapeText`. Escape sequences stay in it, unless they hid a secret.
 * @param max UTF-16 units that will be shown. More is read, so that a secret is recognised before it is cut.
 */
export function withoutSecrets(text: string, max: number): string {
  const start = text.slice(0, max * 16 + 4096);
  const plain = clean(start);
  const redacted = redactSecrets(plain);
  return redacted === plain ? start : redacted;
}

/** Makes every character of a text visible by escapes like JSON's. Cut to at most `max` UTF-16 units of output. */
export function escapeText(text: string, max: number): string {
  let out = '';
  for (const character of text) {
    const piece = character === '\\' ? '\\\\' : escapeUnfit(character);
    if (out.length + piece.length > max - 1) return `${out}…`;
    out += piece;
  }
  return out;
}

function escapeUnfit(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  if (character === '\r') return '\\r';
  if (!/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u.test(character)) return character;
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** Names a value of a message in an error text: strings quoted, escaped and cut, everything else by its kind only. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return `"${escapeText(withoutSecrets(value, 80), 80)}"`;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return String(value);
}

/** The first `max` UTF-16 units, never ending within a surrogate pair. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = text.charCodeAt(max - 1);
  return text.slice(0, end >= 0xd800 && end <= 0xdbff ? max - 1 : max);
}
