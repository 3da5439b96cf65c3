/**
 * Takes secrets out of text before it goes where more people read: the end of a deploy's log into a status.
 *
 * It knows shapes, not secrets: what looks like none of these stays, and to be safe it rather takes too much. Each pattern starts at a
 * fixed word, runs over one class of characters or is bounded, and what that cannot say is done in plain code: time is linear in
 * the text, whatever the text.
 */

import { SECRET_NAME } from './secret-names.ts';
import { clean, tail } from './text.ts';

export { clean, printable, tail } from './text.ts';

const MARK = '[redacted]';

/** The text with everything that looks like a secret replaced by `[redacted]`. Never throws. Escape sequences hide secrets: `clean` first. */
export function redactSecrets(text: string): string {
  let result = redactPrivateKeys(text);
  for (const [pattern, replacement] of SHAPES) result = result.replace(pattern, replacement);
  return redactPairs(
    result.replace(BASE64_RUN, (run: string, at: number, text: string) =>
      looksRandom(run) && !isFingerprint(run, at, text) ? MARK : run,
    ),
  );
}

/**
 * The end of a log, cleaned, redacted, and at most `maxBytes` long. Redacted before it is cut: the second half of a password looks like nothing.
 */
export function redactTail(text: string, maxBytes: number): string {
  return tail(redactSecrets(clean(text.slice(-(Math.max(0, maxBytes) * 16 + 65_536)))), maxBytes);
}

/** Not within a longer word; `\b` would take the underscore for a letter. */
const START = '(?<![A-Za-z0-9])';
const shape = (source: string, flags = 'g'): RegExp => new RegExp(START + source, flags);

const SHAPES: [pattern: RegExp, replacement: string][] = [
  // scheme://user:password@host, to the last @ before the path. The user stays: it says who could not log in.
  [/(:\/\/[^\s/:@"'<>]{0,256}):[^\s/"'<>]{1,512}(?=@)/g, `$1:${MARK}`],
  // scheme://token@host
  [/(:\/\/)[A-Za-z0-9_.~-]{20,512}(?=@)/g, `$1${MARK}`],
  [shape('(bearer\\s{1,8})[A-Za-z0-9+/=_.~:-]{6,}', 'gi'), `$1${MARK}`],
  // base64 of `user:password`; "basic authentication" in plain words has no capital and no digit.
  [shape('([Bb]asic\\s{1,8})(?=[a-z+/]{0,512}[A-Z0-9=])[A-Za-z0-9+/]{6,}={0,2}'), `$1${MARK}`],
  // AWS access key ids (IAM user guide, "unique ID prefixes"), and session tokens of STS.
  [shape('(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}'), MARK],
  [shape('(?:FwoG|IQoJ|FQoG|AQoD)[A-Za-z0-9+/=_%-]{40,}'), MARK],
  // GitHub, GitLab, Slack, npm, Stripe, Google, Docker Hub, PyPI, RubyGems, and others of the `sk-` kind.
  [shape('(?:gh[oprsu]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})'), MARK],
  [shape('gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas)-[A-Za-z0-9_.-]{10,}'), MARK],
  [shape('(?:xox[a-z]|xapp)-[A-Za-z0-9.-]{8,}'), MARK],
  [/(hooks\.slack\.com\/)[A-Za-z0-9/_-]{8,}/g, `$1${MARK}`],
  [shape('(?:npm_|[rs]k_live_|[rs]k_test_|sk-|AIza|ya29\\.|dckr_pat_|pypi-|rubygems_)[A-Za-z0-9_-]{16,}'), MARK],
  // JSON Web Tokens: base64url of `{"`. Parts may be missing where it was cut off.
  [shape('eyJ[A-Za-z0-9_-]{8,}(?:\\.[A-Za-z0-9_-]*){0,4}'), MARK],
];

/** AWS secret access keys have 40 characters and no prefix; lines of a PEM block 64 and more. */
const BASE64_RUN = /[A-Za-z0-9+/]{40,}={0,2}/g;

/** 32 bytes in base64 without padding: the last of the 43 characters has two bits to spare. */
const DIGEST = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$/;
const OPENSSH = 'SHA256:';

/** Of a public key, as OpenSSH writes it: what somebody whose deploy failed for a changed host key has to compare. */
const isFingerprint = (run: string, at: number, text: string): boolean =>
  DIGEST.test(run) &&
  /(?<![A-Za-z0-9_+/=.-])SHA256:$/.test(text.slice(Math.max(0, at - OPENSSH.length - 1), at)) &&
  !/[A-Za-z0-9_+/=-]/.test(text.charAt(at + run.length));

/** Mixed as only chance mixes: digests (hexadecimal), long words and paths are not. */
function looksRandom(run: string): boolean {
  const slashes = run.split('/').length - 1;
  return /[A-Z]/.test(run) && /[a-z]/.test(run) && /[0-9]/.test(run) && slashes * 13 <= run.length;
}

/** Characters between the lines of a PEM block; beyond that its END belongs to something else. The largest RSA keys in use have 13 KB. */
const LONGEST_KEY = 32_768;
const KEY_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const KEY_END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const KEY_LINE = /(?:Proc-Type|DEK-Info|Version|Comment|Hash): [^\n]{0,200}|[A-Za-z0-9+/=\\]+|\s+/y;

/** Whole blocks, whatever a logger put before each line; of a block that is cut off, what can be base64. What has lost its BEGIN is left to BASE64_RUN. */
function redactPrivateKeys(text: string): string {
  const parts: string[] = [];
  let position = 0;
  KEY_BEGIN.lastIndex = 0;
  KEY_END.lastIndex = 0;
  let end: RegExpExecArray | null | undefined;
  for (let begin = KEY_BEGIN.exec(text); begin !== null; begin = KEY_BEGIN.exec(text)) {
    const body = KEY_BEGIN.lastIndex;
    // Each END is looked for once, however many BEGINs stand before it.
    while (end !== null && (end === undefined || end.index < body)) end = KEY_END.exec(text);
    const whole = end !== null && end !== undefined && end.index - body <= LONGEST_KEY;
    parts.push(text.slice(position, begin.index), MARK);
    position = whole ? end!.index + end![0].length : endOfBase64(text, body);
    KEY_BEGIN.lastIndex = position;
  }
  parts.push(text.slice(position));
  return parts.join('');
}

function endOfBase64(text: string, from: number): number {
  let position = from;
  for (;;) {
    KEY_LINE.lastIndex = position;
    if (!KEY_LINE.test(text)) return position;
    position = KEY_LINE.lastIndex;
  }
}

/**
 * A name that says what its value is, and what stands between them: `name=`, `name: `, `"name": `, `:name => `, `\"name\":` in JSON within JSON;
 * with nothing but space for `--name value`.
 */
const NAME = new RegExp(
  `(${SECRET_NAME})(?:\\\\{0,7}["'\`])?(?:[ \\t]{0,8}(?:=>|:=|[=:])[ \\t]{0,8}|([ \\t]{1,8}))`,
  'gi',
);
/** Their values are several words. */
const HEADER_NAME = /authorization|cookie/i;

function redactPairs(text: string): string {
  const parts: string[] = [];
  let position = 0;
  NAME.lastIndex = 0;
  for (let found = NAME.exec(text); found !== null; found = NAME.exec(text)) {
    const start = NAME.lastIndex;
    const [, name = '', onlySpace] = found;
    if (onlySpace !== undefined && !isLongFlag(text, found.index)) continue;
    const end = endOfValue(text, start, name);
    if (end === start) continue;
    parts.push(text.slice(position, start), MARK);
    position = end;
    NAME.lastIndex = end;
  }
  parts.push(text.slice(position));
  return parts.join('');
}

/** Whether the word around `index` begins with two dashes. */
function isLongFlag(text: string, index: number): boolean {
  const before = /(?:^|[\s"'`=])--[A-Za-z0-9-]*$/.exec(text.slice(Math.max(0, index - 66), index));
  return before !== null;
}

const WORD = /\S+/y;
const REST_OF_LINE = /[^\r\n]+/y;
const QUOTE = /(\\*)(["'`])/y;

/** Where the value that begins at `start` ends. A quoted one keeps no quotes: nobody can tell them from the value's own. */
function endOfValue(text: string, start: number, name: string): number {
  QUOTE.lastIndex = start;
  const quote = QUOTE.exec(text);
  if (quote !== null) {
    const [opening, backslashes = '', character = ''] = quote;
    const end = endOfQuoted(text, start + opening.length, character, backslashes.length);
    // 'it'\''s': the shell glues pieces together.
    return text[end] === '\\' && backslashes === '' ? match(WORD, text, end) : end;
  }
  return match(HEADER_NAME.test(name) ? REST_OF_LINE : WORD, text, start);
}

/**
 * After the closing quote, or at the end of the line where there is none. A string that is itself escaped n times has `2^n - 1` backslashes before
 * its quotes; one of k backslashes closes it if k, taken modulo twice that and two, is the number before the opening one: each layer
 * doubles them.
 */
function endOfQuoted(text: string, start: number, quote: string, backslashes: number): number {
  let run = 0;
  for (let index = start; index < text.length; index += 1) {
    const character = text[index];
    if (character === '\n') return index;
    if (character === quote && run % (2 * (backslashes + 1)) === backslashes) return index + 1;
    run = character === '\\' ? run + 1 : 0;
  }
  return text.length;
}

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
