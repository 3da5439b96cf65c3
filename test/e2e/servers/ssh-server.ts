import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Running, startProcess, untilReady } from '../../cluster/processes.ts';
import { run } from '../node/commands.ts';
import { NODE_FOLDER } from '../node/machine.ts';
import { createServerNamespace, serverAddress } from '../node/network.ts';

/** Of the user that logs in, on each server. */
const USER_ID = 20_001;

/**
 * A machine with sshd: a network namespace on the servers' bridge and, in a mount namespace, this machine's own files
 * under a layer that takes what is written. So everything that ever happened there can be read from the layer.
 */
export class SshServer {
  readonly name: string;
  readonly address: string;
  readonly user: string;
  readonly #folder: string;
  #running: Running | undefined;

  private constructor(name: string, address: string, user: string) {
    this.name = name;
    this.address = address;
    this.user = user;
    this.#folder = join(NODE_FOLDER, 'servers', name);
  }

  /**
   * @param role the beginning of its name, up to five letters
   * @param user who may log in
   * @param authorizedKey with which key
   */
  static async start(role: string, user: string, authorizedKey: string): Promise<SshServer> {
    const number = takeNumber();
    const server = new SshServer(`${role}-${number}`, serverAddress(number), user);
    await server.#install(authorizedKey);
    await createServerNamespace(server.name, `v${number}`, server.address);
    await server.start();
    return server;
  }

  /** Its line for known_hosts. */
  get knownHost(): string {
    return `${this.address} ${readFileSync(join(this.#layer, 'etc/ssh/host_key.pub'), 'utf8').split(' ').slice(0, 2).join(' ')}`;
  }

  get home(): string {
    return `/home/${this.user}`;
  }

  /** Where a file of the server lies that was written there; not one that was there from the beginning. */
  path(file: string): string {
    return file.startsWith('/tmp/') ? join(this.#folder, file) : join(this.#layer, file);
  }

  read(file: string): string {
    return readFileSync(this.path(file), 'utf8');
  }

  has(file: string): boolean {
    return existsSync(this.path(file));
  }

  list(folder: string): string[] {
    return this.has(folder) ? readdirSync(this.path(folder)).sort() : [];
  }

  /** Every file that was written there since it is there, sshd's own and those of `install` among them. */
  written(): string[] {
    const below = (folder: string): string[] =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file));
    return [this.#layer, join(this.#folder, 'tmp')].flatMap(below);
  }

  /** Of what `written` names; '' for what is no plain file. */
  contentOf(file: string): string {
    return lstatSync(file).isFile() ? readFileSync(file, 'latin1') : '';
  }

  /** What sshd said: who came in, from where, with which key. */
  log(): string {
    return readFileSync(join(this.#folder, 'sshd.log'), 'utf8');
  }

  async start(): Promise<void> {
    this.#running = startProcess({
      name: `sshd of ${this.name}`,
      command: 'nsenter',
      args: [
        `--net=/run/netns/${this.name}`,
        ...['unshare', '--mount', '--uts', '--propagation', 'private', 'bash', '-euc', ENTER, 'enter'],
        ...[this.#folder, this.name],
      ],
      logFile: join(this.#folder, 'sshd.log'),
    });
    await untilReady(this.#running, () => listens(this.address), 30_000);
  }

  /** Nobody gets in any more; who is in stays. */
  async stop(): Promise<void> {
    await this.#running?.stop({ signal: 'SIGKILL' });
  }

  get #layer(): string {
    return join(this.#folder, 'upper');
  }

  async #install(authorizedKey: string): Promise<void> {
    for (const folder of ['work', 'root', 'tmp', 'upper/etc/ssh', `upper${this.home}`, 'upper/var/www', 'upper/run']) {
      mkdirSync(join(this.#folder, folder), { recursive: true });
    }
    chmodSync(join(this.#folder, 'tmp'), 0o1777);
    for (const folder of [this.home, '/var/www']) chownSync(this.path(folder), USER_ID, USER_ID);
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(this.#layer, 'etc/ssh/host_key')]);
    const etc = (name: string, text: string, mode = 0o644) =>
      writeFileSync(join(this.#layer, 'etc', name), text, { mode });
    const others = (name: string) =>
      readFileSync(join('/etc', name), 'utf8').replaceAll(new RegExp(`^${this.user}:.*\n`, 'gm'), '');
    etc('passwd', `${others('passwd')}${this.user}:x:${USER_ID}:${USER_ID}::${this.home}:/bin/bash\n`);
    etc('group', `${others('group')}${this.user}:x:${USER_ID}:\n`);
    etc('shadow', `${others('shadow')}${this.user}:*:19000:0:99999:7:::\n`, 0o600);
    etc('ssh/authorized_keys', `${authorizedKey}\n`);
    etc('ssh/sshd_config', configuration(this.address, this.user));
  }
}

/** In a mount namespace of its own: $1 the server's folder, $2 its name. */
const ENTER = `
hostname "$2"
cd "$1"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" server root
mount --rbind /dev root/dev
mount -t proc proc root/proc
mount -t tmpfs tmpfs root/run
mkdir root/run/sshd
mount --bind tmp root/tmp
exec chroot root /usr/sbin/sshd -D -e -f /etc/ssh/sshd_config
`;

const configuration = (address: string, user: string): string => `
Port 22
ListenAddress ${address}
HostKey /etc/ssh/host_key
PidFile none
AuthorizedKeysFile /etc/ssh/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
AllowUsers ${user}
AllowAgentForwarding yes
LogLevel VERBOSE
MaxStartups 100
`;

/** A number that no other server has, whichever test process starts it. */
function takeNumber(): number {
  const folder = join(NODE_FOLDER, 'numbers');
  mkdirSync(folder, { recursive: true });
  for (let number = 1; ; number++) {
    try {
      mkdirSync(join(folder, String(number)));
      return number;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function listens(address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(22, address);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
