import type { RegistryLogin } from './registry-login.ts';

/**
 * The content of a pull Secret: a Docker config.json. Other people's registries may stand in it, and keys that this program does not know
 * (credHelpers, HttpHeaders); only the entries of the given hosts are changed. Pure.
 */

type Json = Record<string, unknown>;

/** The content is not what a Docker config.json may be. The message never quotes it. */
export class DockerConfigError extends Error {
  override readonly name = 'DockerConfigError';
}

/**
 * The config with the logins put in.
 * @param text the config as it is; undefined where there is none yet.
 * @throws DockerConfigError where it is not an object with an object `auths`: nothing of it could be kept for sure.
 */
export function withLogins(text: string | undefined, logins: readonly RegistryLogin[]): string {
  const config = text === undefined ? {} : parse(text);
  const auths = config.auths ?? {};
  if (!isObject(auths)) throw new DockerConfigError('"auths" is no object');
  return JSON.stringify({ ...config, auths: { ...auths, ...Object.fromEntries(logins.map(entryOf)) } });
}

/** The hosts that the config has entries for; none where it cannot be read. */
export function hostsOf(text: string): string[] {
  try {
    const { auths } = parse(text);
    return isObject(auths) ? Object.keys(auths) : [];
  } catch {
    return [];
  }
}

/** As `kubectl create secret docker-registry` writes them. The whole entry is replaced: an old identitytoken in it would win over the password. */
function entryOf({ host, username, password }: RegistryLogin): [string, Json] {
  return [host, { username, password, auth: Buffer.from(`${username}:${password}`, 'utf8').toString('base64') }];
}

function parse(text: string): Json {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    // The parser's own message quotes what it stumbled over.
    throw new DockerConfigError('it is not valid JSON');
  }
  if (!isObject(config)) throw new DockerConfigError('it is no JSON object');
  return config;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
