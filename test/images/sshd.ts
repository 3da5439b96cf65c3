import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { type Running, scratchFolder, startProcess, untilReady } from '../cluster/processes.ts';

/** A real sshd of this machine on loopback, for the user that runs the tests. */
export class Sshd {
  readonly port: number;
  readonly folder: string;
  readonly #process: Running;
  readonly #remove: () => void;

  private constructor(port: number, folder: string, process: Running, remove: () => void) {
    this.port = port;
    this.folder = folder;
    this.#process = process;
    this.#remove = remove;
  }

  /** @param authorizedKey the public key that may log in */
  static async start(authorizedKey: string): Promise<Sshd> {
    const { path, remove } = scratchFolder('sshd');
    const file = (name: string) => join(path, name);
    const port = await freePort();
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file('host_key')]);
    writeFileSync(file('authorized_keys'), authorizedKey);
    const settings = [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${file('host_key')}`,
      `AuthorizedKeysFile ${file('authorized_keys')}`,
      'PidFile none',
      'PasswordAuthentication no',
      // The folder is below one that all may write to.
      'StrictModes no',
      'UsePAM no',
      // The start-up files of the person who runs the tests stay out of it.
      `SetEnv HOME=${path}`,
    ];
    writeFileSync(file('config'), `${settings.join('\n')}\n`);
    // Where sshd shuts itself in before anybody is known; Debian's own start script makes it.
    mkdirSync('/run/sshd', { recursive: true });
    const logFile = file('log');
    const sshd = startProcess({
      name: 'sshd',
      command: '/usr/sbin/sshd',
      args: ['-D', '-e', '-f', file('config')],
      logFile,
    });
    const server = new Sshd(port, path, sshd, remove);
    await untilReady(sshd, () => accepts(port), 20_000);
    return server;
  }

  /** Its line of known_hosts. */
  get knownHosts(): string {
    return `[127.0.0.1]:${this.port} ${readFileSync(join(this.folder, 'host_key.pub'), 'utf8')}`;
  }

  get log(): string {
    return this.#process.tail(1000);
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    this.#remove();
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    const say = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.on('connect', () => say(true)).on('error', () => say(false));
  });
