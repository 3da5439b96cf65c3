/** Names whose values are secrets, in log fields and in text. */

/**
 * As the end of a longer name too (DB_PASSWORD, slackToken), and followed by more (token_v2, secret.key). Short words
 * count alone only, because of "passenger", "compass" and "author". PWD is a shell's directory, except in a connection
 * string.
 */
export const SECRET_NAME =
  '(?:password|passwd|passphrase|passcode|(?<![A-Za-z])pass|(?:db|user|admin|root|mysql|smtp|ssh|redis|store|key|require)_?pass' +
  '|(?<=[A-Za-z]_?|[;?&])pwd|secret|token|oauth2-bearer|(?<=[A-Za-z]_)pat(?![a-z])' +
  '|(?:api|access|private|signing|encryption|master|account|license|deterministic)[_-]?key' +
  '|encryption[_-]primary[_-]key|key[_-]derivation[_-]salt|(?<![A-Za-z])pepper' +
  '|credential|authorization|(?<![A-Za-z])auth|masterauth|cookie|session[_-]?id|signature|receipt[_-]?handle)' +
  's?\\d{0,4}(?:key|value|hash|text|data|base64|[_.-][A-Za-z0-9_.-]{0,64})?';

const FIELD = new RegExp(SECRET_NAME, 'i');
/** The place of a secret, not the secret: `secretName`, `tokenFile`. */
const HARMLESS = /(?:name|file|path)$/i;

/** Whether a log field of this name holds a secret. */
export function isSecretName(name: string): boolean {
  const found = FIELD.exec(name);
  if (found === null || HARMLESS.test(name)) return false;
  // In camel case a word ends where no small letter follows: `authHeader` holds one, `author` does not.
  return !/^[a-z]/.test(name.slice(found.index + found[0].length));
}
