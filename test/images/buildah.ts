import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { heldFolder, startProcess } from '../cluster/processes.ts';

/**
 * Images without a registry and without a daemon: buildah with a storage of its own. Isolation is chroot and the
 * network is the host's, because any other network would leave firewall rules behind on the machine.
 */
export class Buildah {
  readonly #folder: string;
  readonly #release: () => void;

  /** @param parent an existing folder; the storage in it lives until `remove`, or until this process ends. */
  constructor(parent: string) {
    this.#folder = mkdtempSync(join(parent, '.building-'));
    // Where layers are unpacked; others need to read none of it.
    chmodSync(this.#folder, 0o700);
    this.#release = heldFolder(this.#folder);
    mkdirSync(join(this.#folder, 'tmp'));
  }

  /** @throws Error with the end of what buildah said, where it fails */
  async run(...args: string[]): Promise<string> {
    const [root, runRoot] = [join(this.#folder, 'root'), join(this.#folder, 'run')];
    return run('buildah', ['--root', root, '--runroot', runRoot, ...args], {
      logFile: join(this.#folder, `log-${crypto.randomUUID()}`),
      env: { TMPDIR: join(this.#folder, 'tmp') },
    });
  }

  /** An image of one layer out of a tar archive. */
  async importTar(archive: string, tag: string, command: string): Promise<void> {
    const container = 'base';
    await this.run('from', '--name', container, 'scratch');
    await this.run('add', '--quiet', container, archive, '/');
    await this.run('config', '--cmd', command, container);
    await this.run('commit', '--quiet', '--rm', container, tag);
  }

  /**
   * @param dockerfile built as it is: what its FROM lines name must be there under that very name
   * Files are dated 1970, so that the same inputs give the same layers.
   * @param options.arguments for ARG lines
   * @param options.volumes folders of this machine, by path, and where RUN lines find them
   */
  async build(
    context: string,
    dockerfile: string,
    tag: string,
    options: { arguments?: Readonly<Record<string, string>>; volumes?: Readonly<Record<string, string>> } = {},
  ): Promise<void> {
    const how = ['--isolation', 'chroot', '--network', 'host', '--pull-never', '--timestamp', '0'];
    const given = Object.entries(options.arguments ?? {}).flatMap(([name, value]) => [
      '--build-arg',
      `${name}=${value}`,
    ]);
    const mounts = Object.entries(options.volumes ?? {}).flatMap(([from, to]) => ['--volume', `${from}:${to}:rw`]);
    await this.run(
      'bud',
      ...how,
      ...given,
      ...mounts,
      '--format',
      'docker',
      '--tag',
      tag,
      '--file',
      dockerfile,
      context,
    );
  }

  /** Writes what `ctr images import` and `docker load` read. */
  async save(tag: string, archive: string): Promise<void> {
    await this.run('push', '--quiet', tag, `docker-archive:${archive}:${tag}`);
  }

  /** Takes an image out of an archive that `save` wrote, under the name that it had. */
  async load(archive: string): Promise<void> {
    await this.run('pull', '--quiet', `docker-archive:${archive}`);
  }

  /** The digests of an image's layers, the lowest first. */
  async layers(tag: string): Promise<string[]> {
    const digests = '{{range .OCIv1.RootFS.DiffIDs}}{{.}} {{end}}';
    return (await this.run('inspect', '--type', 'image', '--format', digests, tag)).match(/sha256:[0-9a-f]{64}/g) ?? [];
  }

  async remove(): Promise<void> {
    // Takes the mounts away; the folder goes afterwards, whatever came of it.
    await this.run('rm', '--all').catch(() => undefined);
    this.#release();
  }
}

/**
 * Runs a program to its end.
 * @param options.logFile gets all that it prints
 * @returns what it printed
 * @throws Error with its last lines, where it exits with anything but 0
 */
export async function run(
  command: string,
  args: string[],
  options: { logFile: string; env?: Record<string, string>; cwd?: string },
): Promise<string> {
  const program = startProcess({ name: command, command, args, ...options });
  const end = await program.ended;
  await program.stop();
  if (program.code !== 0) {
    const missing = end.includes('ENOENT') ? ` It is a Debian package: see test/images/debian-packages.txt.` : '';
    throw new Error(`${command} ${args.join(' ')} ${end}.${missing}\n${program.tail(60)}`);
  }
  return program.tail(Number.MAX_SAFE_INTEGER);
}
