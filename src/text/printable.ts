/**
 * Text from outside (logs, messages, errors) made fit to be shown: no control characters, and of bounded length. Lengths are bytes
 * of UTF-8, for that is what the API server, etcd and terminals pay for. Linear time.
 */

/**
 * ESC sequences (ECMA-48): CSI, OSC and other strings, two-character ones; also CSI as the one character U+009B. The bounds
 * keep an unterminated sequence from swallowing what follows it, and the search linear.
 */
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is here to find
  /(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b[\]PX^_][^\x07\x1b]{0,1024}(?:\x07|\x1b\\)|\x1b[ -/]{0,8}[0-~]/g;

/**
 * C0 and C1 controls but for tab and newline, DEL, what turns the reading direction (U+061C, 200E, 200F, 202A-202E, 2066-2069: text that
 * shows otherwise than it reads), invisible format characters and separators, lone surrogates (no UTF-8 for them).
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
  return head(clean(bounded(text, maxBytes, 'start')), maxBytes);
}

/** Clean, and at most `maxBytes` of its end, for logs: what went wrong stands last. */
export function tail(text: string, maxBytes: number): string {
  const bytes = Buffer.from(clean(bounded(text, maxBytes, 'end')), 'utf8');
  if (bytes.length <= maxBytes) return bytes.toString('utf8');
  let start = bytes.length - Math.max(0, maxBytes);
  while (start < bytes.length && isContinuation(bytes[start])) start += 1;
  return bytes.subarray(start).toString('utf8');
}

function head(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= maxBytes) return text;
  let end = Math.max(0, maxBytes);
  while (end > 0 && isContinuation(bytes[end])) end -= 1;
  return bytes.subarray(0, end).toString('utf8');
}

/** 10xxxxxx: a byte that goes on with a character begun before. */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** Megabytes are not cleaned for the sake of a kilobyte: what is left out here could only count if nearly all the rest were escapes. */
function bounded(text: string, maxBytes: number, keep: 'start' | 'end'): string {
  const most = Math.max(0, maxBytes) * 16 + 4096;
  if (text.length <= most) return text;
  return keep === 'start' ? text.slice(0, most) : text.slice(-most);
}
