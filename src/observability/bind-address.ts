import { isIP } from 'node:net';

/**
 * Not in health.ts: `capdeploy controller --help` needs this too, and `node:http` alone costs a start some 90 ms.
 *
 * Reads an address as controller-runtime writes it: `:8080` (all interfaces), `127.0.0.1:8080`, `localhost:8080`,
 * `[::1]:8080`. Port 0 takes a free port.
 * @returns undefined for '0', which turns the server off.
 * @throws Error that names the flag.
 */
export function parseBindAddress(
  flag: string,
  address: string,
): { host: string | undefined; port: number } | undefined {
  if (address === '0') return undefined;
  const [, host = '', digits = ''] = /^(\[[^[\]]*\]|[^:[\]]*):(\d{1,5})$/.exec(address) ?? [];
  const port = Number(digits);
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  const named = host === '' || (host.startsWith('[') ? isIP(bare) === 6 : /^[A-Za-z0-9.-]+$/.test(host));
  if (digits === '' || port > 65_535 || !named) {
    throw new Error(
      `${flag}: "${address}" is no address: write ":8080", "127.0.0.1:8080", "[::1]:8080", or "0" for none`,
    );
  }
  return { host: bare || undefined, port };
}
