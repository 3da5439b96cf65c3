import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A key and its certificate, in files that only their owner reads. */
export interface KeyPair {
  /** PEM file. */
  key: string;
  /** PEM file. */
  certificate: string;
}

/**
 * The certificates of one control plane: an authority of its own that is valid for 30 days and for nothing else. By the
 * `openssl` command, for node:crypto reads X.509 certificates but signs none.
 */
export class Certificates {
  readonly #folder: string;
  readonly authority: KeyPair;

  /** @param folder for the files; it exists, and only its owner may enter it */
  constructor(folder: string) {
    this.#folder = folder;
    this.authority = this.#pair('ca');
  }

  /** To be called first. @throws Error that says what to do, where there is no openssl */
  async createAuthority(): Promise<void> {
    const { key, certificate } = this.authority;
    // An own configuration: without one, openssl takes the machine's, which may demand or add anything.
    const config = this.#write(
      'ca.cnf',
      '[req]\ndistinguished_name=name\nx509_extensions=ca\n[name]\n[ca]\nbasicConstraints=critical,CA:true\n' +
        'keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n',
    );
    newKey(key);
    await openssl(
      'req',
      '-x509',
      '-new',
      '-config',
      config,
      '-key',
      key,
      '-subj',
      '/CN=capdeployjob-test',
      ...DAYS,
      '-out',
      certificate,
    );
  }

  /** For a server. @param names as openssl writes them: `DNS:localhost`, `IP:127.0.0.1` */
  server(commonName: string, names: readonly string[]): Promise<KeyPair> {
    return this.#sign(
      commonName,
      `/CN=${commonName}`,
      `extendedKeyUsage=serverAuth\nsubjectAltName=${names.join(',')}\n`,
    );
  }

  /** For a client: the API server takes the common name for the user's name and organizations for groups. */
  client(user: string, groups: readonly string[] = []): Promise<KeyPair> {
    const subject = [...groups.map((group) => `/O=${group}`), `/CN=${user}`].join('');
    return this.#sign(user.replaceAll(':', '-'), subject, 'extendedKeyUsage=clientAuth\n');
  }

  /** For the tokens of ServiceAccounts: signed with the first, checked with the second. */
  serviceAccountKey(): { key: string; publicKey: string } {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    return {
      key: this.#write('service-account.key', privateKey.export({ type: 'pkcs8', format: 'pem' })),
      publicKey: this.#write('service-account.pub', publicKey.export({ type: 'spki', format: 'pem' })),
    };
  }

  async #sign(name: string, subject: string, extensions: string): Promise<KeyPair> {
    const pair = this.#pair(name);
    newKey(pair.key);
    const config = this.#write(`${name}.cnf`, '[req]\ndistinguished_name=name\n[name]\n');
    const request = join(this.#folder, `${name}.csr`);
    await openssl('req', '-new', '-config', config, '-key', pair.key, '-subj', subject, '-out', request);
    const { key, certificate } = this.authority;
    const serial = `0x${crypto.randomUUID().replaceAll('-', '').slice(1)}`;
    const extensionFile = this.#write(`${name}.ext`, `basicConstraints=critical,CA:false\n${extensions}`);
    await openssl(
      ...['x509', '-req', '-in', request, '-CA', certificate, '-CAkey', key, '-set_serial', serial, ...DAYS],
      ...['-extfile', extensionFile, '-out', pair.certificate],
    );
    return pair;
  }

  #pair(name: string): KeyPair {
    return { key: join(this.#folder, `${name}.key`), certificate: join(this.#folder, `${name}.crt`) };
  }

  #write(name: string, text: string | Buffer): string {
    const file = join(this.#folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }
}

const DAYS = ['-sha256', '-days', '30'];

function newKey(file: string): void {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
}

async function openssl(...args: string[]): Promise<void> {
  try {
    await run('openssl', args);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new Error(
        'the certificates of a control plane take the "openssl" command, which is not on the PATH (apt-get install openssl)',
      );
    }
    throw new Error(`openssl ${args[0]}: ${(error as { stderr?: string }).stderr?.trim() || (error as Error).message}`);
  }
}

/** Who talks to which API server, in one file that needs no other. */
export function kubeconfig(server: string, authority: KeyPair, client: KeyPair): string {
  const base64 = (file: string): string => readFileSync(file).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(authority.certificate) } }],
    users: [
      {
        name: 'test',
        user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) },
      },
    ],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}
