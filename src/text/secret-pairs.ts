/**
 * Secrets that have a name: `name=`, `name: `, `"name": `, `:name => `, `\"name\":` (JSON in JSON), `--name value`.
 * `secret-names.ts` has the names. This file has the forms of name and value, and what only looks like one.
 */

import { SECRET_NAME } from './secret-names.ts';
import { endOfValue, endWithinQuotes, isNoSecret, MARK, quoteBefore, redactPair } from './secret-values.ts';

/** Bundler's credentials have the host for a name: https://bundler.io/man/bundle-config.1.html */
const BUNDLE = '(?<![A-Za-z0-9_])BUNDLE_[A-Z0-9_]{2,128}';
const NAME = new RegExp(
  `(${SECRET_NAME}|${BUNDLE})(?:\\\\{0,7}["'\`])?(?:[ \\t]{0,8}(?:=>|:=|[=:])[ \\t]{0,8}|([ \\t]{1,8}))`,
  'gi',
);

/** The text with the values of such names replaced. Linear time. */
export function redactPairs(text: string): string {
  const parts: string[] = [];
  let position = 0;
  NAME.lastIndex = 0;
  for (let found = NAME.exec(text); found !== null; found = NAME.exec(text)) {
    const start = NAME.lastIndex;
    const [, name = '', onlySpace] = found;
    const before = text.slice(Math.max(0, found.index - 66), found.index);
    if (/^BUNDLE_/i.test(name) && !isHostOfBundler(name)) {
      // Its end may be a name of a secret: BUNDLE_GITHUB_TOKEN.
      NAME.lastIndex = found.index + 'BUNDLE_'.length;
      continue;
    }
    if (onlySpace !== undefined && !isFlag(before)) continue;
    // Before the end of the value is searched, which may be far away.
    if (isHarmless(name, before, found[0], text.slice(start, start + 64), onlySpace !== undefined)) continue;
    const end = endOf(text, start, name, before, found.index);
    if (end === start) continue;
    const value = text.slice(start, end);
    if (isNoSecret(value)) continue;
    parts.push(text.slice(position, start), isHostOfBundler(name) ? redactCredentials(value) : MARK);
    position = end;
    NAME.lastIndex = end;
  }
  parts.push(text.slice(position));
  return parts.join('');
}

/** `BUNDLE_GEMS__EXAMPLE__COM`: two underscores are a dot of the host, three are a hyphen. */
const isHostOfBundler = (name: string): boolean =>
  /^BUNDLE_(?!(?:BUILD|LOCAL|MIRROR|GEM|PLUGINS)__)/i.test(name) && /[A-Z0-9]__[A-Z0-9]/i.test(name);

/** `user:password`, or a token. The quotes stay. */
export function redactCredentials(value: string): string {
  const [, opening = '', inner = '', closing = ''] = /^(["'`]?)([^"'`]*)(["'`]?)/.exec(value) ?? [];
  const colon = inner.indexOf(':');
  if (colon === -1) return opening + MARK + closing;
  return opening + redactPair(inner.slice(0, colon), ':', inner.slice(colon + 1)) + closing;
}

/** Whether the word that ends here begins like a flag, or like npm's name of a registry's setting. */
const isFlag = (before: string): boolean => /(?:(?:^|[\s"'`=])--?[A-Za-z0-9-]{0,64}|:_[A-Za-z]{0,32})$/.test(before);

/** Their values are several words. */
const HEADER_NAME = /authorization|cookie/i;
const REST_OF_LINE = /[^\r\n]+/y;
/** One parameter of a URL; one part of a connection string. */
const PARAMETER = /[^\s&#"'`<>]+/y;
const PART = /[^\s;"'`]+/y;

function endOf(text: string, start: number, name: string, before: string, at: number): number {
  const prefix = /[A-Za-z0-9_.-]*$/.exec(before)?.[0] ?? '';
  const separator = before.charAt(before.length - prefix.length - 1);
  if (separator === '?' || separator === '&') return endOfValue(text, start, PARAMETER);
  if (separator === ';') return endOfValue(text, start, PART);
  if (!HEADER_NAME.test(name)) return endOfValue(text, start);
  // -H 'Authorization: …' https://host: the quotes are the header's, unless its name alone has them.
  const around = quoteBefore(text, at - prefix.length);
  const isNameQuoted = around !== undefined && /["'`]/.test(text.slice(at + name.length, start));
  if (around && !isNameQuoted && !/["'`\\]/.test(text.charAt(start))) {
    return endWithinQuotes(text, start, around.quote, around.backslashes);
  }
  return endOfValue(text, start, REST_OF_LINE);
}

/** The place, owner or kind of a secret. */
const ABOUT_A_SECRET =
  /(?:files?|paths?|names?|[_.-](?:dir|stdin|user|type|helper|ttl|expir[a-z_]*|length|ecr-login|desktop|osxkeychain|secretservice|gcr))$/i;
const SOURCE_FILE =
  /\.(?:rb|rake|erb|haml|slim|jbuilder|py|js|mjs|cjs|jsx|ts|tsx|go|rs|java|php|sh|ex|exs|pl|cap|scss)$/i;
/** Error texts about a file, a login or a field whose name ends like a secret's. */
const ERROR_WORDS =
  /^(?:no such file|permission denied|is a directory|not a directory|file exists|operation not permitted|read-only file|command not found|not found|executable file not|input\/output error|connection refused|authentication (?:failed|required|token|failure)|access denied|unauthorized|forbidden|(?:invalid|required|duplicate|unsupported) value|too (?:long|many|few)|internal error|server message)/i;
/** https://guides.rubyonrails.org/security.html#custom-credentials */
const RAILS_COMMAND = /^(?:edit|show|diff|fetch|setup|help)(?![A-Za-z0-9])/;

/**
 * Whether it only looks like name and value: a source file with its line, an error class, a command, a bare flag.
 * @param all name and separator, as they were found.
 * @param value the first 64 characters of what follows.
 */
function isHarmless(name: string, before: string, all: string, value: string, isFlagged: boolean): boolean {
  const separator = all.slice(name.length);
  if (ABOUT_A_SECRET.test(name) || SOURCE_FILE.test(name) || ERROR_WORDS.test(value)) return true;
  if (isFlagged) return /(?:^|[\s"'`=])--no-[a-z-]*$/.test(before) || /^(?:-[A-Za-z-]|[<>|;&]|id=)/.test(value);
  if (separator === ':') {
    // `Token::Error`, `config/secrets.yml:12:in`, `credentials:edit`
    if (value.startsWith(':') || (/\.[a-z]{2,5}$/i.test(name) && /^\d+(?::|\s|$)/.test(value))) return true;
    if (/^(?:credential|secret)s?$/i.test(name) && RAILS_COMMAND.test(value)) return true;
  }
  // The user of a URL whose password has been redacted: x-access-token.
  if (separator === ':' && value.startsWith(`${MARK}@`) && /:\/\/[^\s/@]*$/.test(before)) return true;
  // A count: requested: secrets=1
  if (/^(?:secret|token|cookie|signature)(?:s|_count)$/i.test(name) && /^\d{1,6}(?![^\s,;)}\]])/.test(value))
    return true;
  if (/^auths/.test(name) && value.startsWith('{')) return true;
  // A sentence about a Kubernetes object: deploy/web-pull-secret: created, good until …
  const isObject = /(?:^|[\s"'`(])[a-z0-9-]{1,63}\/[a-z0-9.-]*$/.test(before) && /^[A-Za-z]+[,:]? \S/.test(value);
  if (separator === ': ' && isObject) return true;
  // A class of errors and its message.
  const isClass =
    /^[A-Z]/.test(name) &&
    /(?:::|^|[^A-Za-z:])(?:[A-Z][A-Za-z]*::|(?:Expired|Invalid|Missing|Malformed|Unknown|Unexpected))[A-Za-z]*$/.test(
      before,
    );
  return (separator === ': ' && isClass) || /(?:unexpected|requires?) $/i.test(before);
}
