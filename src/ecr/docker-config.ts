import type { RegistryLogin } from './registry-login.ts';

/**
 * The content of a pull Secret: a Docker config.json. It can have entries of other registries, and keys that this
 * program does not know (credHelpers, HttpHeaders): only the entries of the given hosts are changed. Pure.
 */

type Json = Record<string, unknown>;

/**
 * The config with the logins in it.
 * @param text the config as it is; undefined if there is none yet.
 * @returns a problem, without quoting the text, if it is not an object with an object `auths`: then its other content
 * could be lost.
 */
export function withLogins(
  text: string | undefined,
  logins: readonly RegistryLogin[],
): { text: string } | { problem: string } {
  const read = readConfig(text ?? '{}');
  if ('problem' in read) return read;
  const auths = { ...read.auths, ...Object.fromEntries(logins.map(entryOf)) };
  return { text: JSON.stringify({ ...read.config, auths }) };
}

/** The hosts that the config has entries for; none if it cannot be read. */
export function hostsOf(text: string): string[] {
  const read = readConfig(text);
  return 'problem' in read ? [] : Object.keys(read.auths);
}

/**
 * As `kubectl create secret docker-registry` writes it. All of it: an old identitytoken would win over the password.
 */
function entryOf({ host, username, password }: RegistryLogin): [string, Json] {
  return [host, { username, password, auth: Buffer.from(`${username}:${password}`, 'utf8').toString('base64') }];
}

function readConfig(text: string): { config: Json; auths: Json } | { problem: string } {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    return { problem: 'it is not valid JSON' };
  }
  if (!isObject(config)) return { problem: 'it is no JSON object' };
  const auths = config.auths ?? {};
  return isObject(auths) ? { config, auths } : { problem: '"auths" is no object' };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
