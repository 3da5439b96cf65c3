/**
 * Text from outside (logs, messages, errors) made fit to be shown: no control characters, bounded length. Lengths are
 * bytes of UTF-8, because the API server and etcd count these. Linear time.
 */

/**
 * ESC sequences (ECMA-48): CSI, OSC and other strings, two-character ones; also CSI as the one character U+009B. The
 * bounds keep the search linear, and keep an unterminated sequence from taking what follows it.
 */
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is here to find
  /(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b[\]PX^_][^\x07\x1b]{0,1024}(?:\x07|\x1b\\)|\x1b[ -/]{0,8}[0-~]/g;

/**
 * C0 and C1 controls except tab and newline, DEL, what changes the reading direction (U+061C, 200E, 200F, 202A-202E,
 * 2066-2069), invisible format characters and separators, lone surrogates (UTF-8 has no form for them).
 */
const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is here to find
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}|[\u{e0000}-\u{e007f}]/gu;

/** Without control characters, escape sequences and direction overrides; line ends become `\n`. Not cut. */
export function clean(text: string): string {
  return text.replace(ESCAPES, '').replace(/\r\n?/g, '\n').replace(UNPRINTABLE, '');
}

/** Clean, and at most `maxBytes` of its start, ending on a character's boundary. */
export function printable(text: string, maxBytes: number): string {
  return cutToBytes(clean(excerpt(text, maxBytes, 'start')), maxBytes);
}

/** Clean, and at most `maxBytes` of its end. For logs: the error is at the end. */
export function tail(text: string, maxBytes: number): string {
  const bytes = Buffer.from(clean(excerpt(text, maxBytes, 'end')), 'utf8');
  let start = Math.max(0, bytes.length - Math.max(0, maxBytes));
  while (start < bytes.length && isContinuation(bytes[start])) start += 1;
  return bytes.subarray(start).toString('utf8');
}

/** The start of a text, never ending within a character. */
export function cutToBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text, 'utf8');
  let end = Math.max(0, maxBytes);
  while (end > 0 && isContinuation(bytes[end])) end -= 1;
  return bytes.subarray(0, end).toString('utf8');
}

/** 10xxxxxx: not the first byte of a character. */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** Megabytes are not cleaned to show a kilobyte. The rest would count only if nearly all of this were escapes. */
function excerpt(text: string, maxBytes: number, keep: 'start' | 'end'): string {
  const most = Math.max(0, maxBytes) * 16 + 4096;
  if (text.length <= most) return text;
  return keep === 'start' ? text.slice(0, most) : text.slice(-most);
}
