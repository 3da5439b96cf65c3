/**
 * Where a value ends that is to be taken out of a text, and which values are none. Linear time: a value is walked over once.
 */

export const MARK = '[redacted]';

const WORD = /\S+/y;
/** What opens a quoted value: within JSON, within a string, it has backslashes before it. */
const QUOTE = /(\\*)(["'`])/y;

/** Where the value that begins at `start` ends, quotes included: at the closing quote, or else at the first blank. */
export function endOfValue(text: string, start: number, unquoted = WORD): number {
  QUOTE.lastIndex = start;
  const quote = QUOTE.exec(text);
  if (quote !== null) {
    const [opening, backslashes = '', character = ''] = quote;
    const end = endOfQuoted(text, start + opening.length, character, backslashes.length);
    // 'it'\''s': the shell glues pieces together.
    return text[end] === '\\' && backslashes === '' ? match(WORD, text, end) : end;
  }
  return match(unquoted, text, start);
}

/**
 * After the closing quote, or at the end of the line where there is none. A string that is itself escaped n times has `2^n - 1` backslashes before
 * its quotes; one of k backslashes closes it if k, taken modulo twice that and two, is the number before the opening one: each layer
 * doubles them.
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

/** Where a sticky pattern's match at `at` ends; `at` itself where it does not match. */
export function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/** The quote, and how many backslashes stand before it, that ends right before `at`; undefined where none does. */
export function quoteBefore(text: string, at: number): { quote: string; backslashes: number } | undefined {
  const found = /(\\{0,7})(["'`])$/.exec(text.slice(Math.max(0, at - 8), at));
  return found ? { quote: found[2] as string, backslashes: (found[1] as string).length } : undefined;
}

/**
 * No secret: nothing and truth, what somebody else took out already, a shell's variable (it names a secret, and holds none), and a word that says
 * what is wrong with one.
 */
const NO_SECRET =
  /^(?:true|false|nil|null|none|undefined|yes|no|expired|invalid|valid|missing|found|loaded|required|denied|enabled|disabled|done|ok|\*+|x{5,}|<[a-z_ -]{1,32}>|\[(?:redacted|filtered|masked|hidden)\]|\$\{?[A-Z_][A-Z0-9_]{0,63}\}?)$/i;

export const isNoSecret = (value: string): boolean =>
  value.length <= 80 && NO_SECRET.test(value.replace(/^\\{0,7}["'`]|\\{0,7}["'`),.;}]{1,8}$/g, ''));

/** What stands for a password where the user name is the token: GitHub's, and what others write there. */
const NO_PASSWORD = /^(?:x-oauth-basic|x-oauth-token|oauth2?|x|unused|api_token|pat)$/i;

/** As only machines name users: in hexadecimal, in Azure DevOps' base 32, or mixed as only chance mixes. */
const isTokenLike = (user: string): boolean =>
  /^(?:[0-9a-f]{32,}|[a-z2-7]{52}|[A-Za-z0-9_-]{20,})$/.test(user) &&
  (!/[g-zG-Z_-]/.test(user) || user.length === 52 || (/[A-Z]/.test(user) && /[a-z]/.test(user) && /\d/.test(user)));

/**
 * `user:password` with the secret of the two replaced. The user stays: it says who could not log in. Where it is a token, and what follows is there
 * because something has to be, it is the secret.
 * @param separator what stands between them: `:`, or `,` and `%` for some programs.
 */
export function redactPair(user: string, separator: string, password: string): string {
  if (password === '' ? user.length >= 16 : NO_PASSWORD.test(password)) return `${MARK}${separator}${password}`;
  if (password === '' || isNoSecret(password)) return `${user}${separator}${password}`;
  return `${isTokenLike(user) ? MARK : user}${separator}${MARK}`;
}

/** Whether `https://<user>@host` shows a token. */
export const isTokenAlone = (scheme: string, user: string): boolean => /^https?$/i.test(scheme) || isTokenLike(user);
