/** Where the value of a secret ends, and which values are no secrets. Linear time: a value is read once. */

export const MARK = '[redacted]';

const WORD = /\S+/y;
/** What opens a quoted value. Within a string, as JSON in JSON, it has backslashes before it. */
const QUOTE = /(\\*)(["'`])/y;

/** Where the value that begins at `start` ends, quotes included: after the closing quote, or at the first blank. */
export function endOfValue(text: string, start: number, unquoted = WORD): number {
  QUOTE.lastIndex = start;
  const quote = QUOTE.exec(text);
  if (quote !== null) {
    const [opening, backslashes = '', character = ''] = quote;
    const end = endOfQuoted(text, start + opening.length, character, backslashes.length);
    // 'it'\''s': the shell joins pieces.
    return text[end] === '\\' && backslashes === '' ? match(WORD, text, end) : end;
  }
  return match(unquoted, text, start);
}

/**
 * After the closing quote, or at the end of the line if there is none. A string that is itself escaped n times has
 * b = 2^n - 1 backslashes before its quotes, because each layer doubles them. A quote after k backslashes closes it if
 * k modulo 2 (b + 1) is b.
 */
export function endOfQuoted(text: string, start: number, quote: string, backslashes: number): number {
  let run = 0;
  for (let index = start; index < text.length; index += 1) {
    const character = text[index];
    if (character === '\n') return index;
    if (character === quote && run % (2 * (backslashes + 1)) === backslashes) return index + 1;
    run = character === '\\' ? run + 1 : 0;
  }
  return text.length;
}

/** Before the closing quote of the string that was opened right before `at` with so many backslashes. */
export function endWithinQuotes(text: string, at: number, quote: string, backslashes: number): number {
  const end = endOfQuoted(text, at, quote, backslashes);
  return text[end - 1] === quote ? end - 1 - backslashes : end;
}

/** Where a sticky pattern's match at `at` ends; `at` itself if it does not match. */
export function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/** The quote that ends right before `at`, and the number of backslashes before it; undefined if there is none. */
export function quoteBefore(text: string, at: number): { quote: string; backslashes: number } | undefined {
  const found = /(\\{0,7})(["'`])$/.exec(text.slice(Math.max(0, at - 8), at));
  return found ? { quote: found[2] as string, backslashes: (found[1] as string).length } : undefined;
}

/** No secrets: null, booleans, what another program redacted, a shell variable's name, states such as "expired". */
const NO_SECRET =
  /^(?:true|false|nil|null|none|undefined|yes|no|expired|invalid|valid|missing|found|loaded|required|denied|enabled|disabled|done|ok|\*+|x{5,}|<[a-z_ -]{1,32}>|\[(?:redacted|filtered|masked|hidden)\]|\$\{?[A-Z_][A-Z0-9_]{0,63}\}?)$/i;

export const isNoSecret = (value: string): boolean =>
  value.length <= 80 && NO_SECRET.test(value.replace(/^\\{0,7}["'`]|\\{0,7}["'`),.;}]{1,8}$/g, ''));

/** What stands in place of a password if the user name is the token: GitHub's words, and others. */
const NO_PASSWORD = /^(?:x-oauth-basic|x-oauth-token|oauth2?|x|unused|api_token|pat)$/i;

/** Not a person's name: hexadecimal, Azure DevOps' base 32, or a random mix. */
const isTokenLike = (user: string): boolean =>
  /^(?:[0-9a-f]{32,}|[a-z2-7]{52}|[A-Za-z0-9_-]{20,})$/.test(user) &&
  (!/[g-zG-Z_-]/.test(user) || user.length === 52 || (/[A-Z]/.test(user) && /[a-z]/.test(user) && /\d/.test(user)));

/**
 * `user:password` with the secret of the two replaced. The user stays: it tells who could not log in. It is the secret
 * if it is a token and the password is a placeholder.
 * @param separator `:`, or `,` and `%` for some programs.
 */
export function redactPair(user: string, separator: string, password: string): string {
  if (password === '' ? user.length >= 16 : NO_PASSWORD.test(password)) return `${MARK}${separator}${password}`;
  if (password === '' || isNoSecret(password)) return `${user}${separator}${password}`;
  return `${isTokenLike(user) ? MARK : user}${separator}${MARK}`;
}

/** Whether `https://<user>@host` shows a token. */
export const isTokenAlone = (scheme: string, user: string): boolean => /^https?$/i.test(scheme) || isTokenLike(user);
