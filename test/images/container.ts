import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { heldFolder, type Running, scratchFolder, startProcess, untilReady } from '../cluster/processes.ts';
import type { Image } from './build.ts';
import { run } from './buildah.ts';

/** What an image says of itself, as `docker inspect` shows it under Config. */
export interface ImageConfig {
  User?: string;
  Env?: string[];
  Entrypoint?: string[] | null;
  Cmd?: string[] | null;
  WorkingDir?: string;
  Labels?: Record<string, string>;
}

export interface ContainerOptions {
  /** In place of the image's, as in a Pod. */
  command?: readonly string[];
  args?: readonly string[];
  env?: Record<string, string>;
  workingDir?: string;
  /** Default: the image's. */
  runAsUser?: number;
  /** Default: that of the user in the image's list of users, 0 where it is in none. */
  runAsGroup?: number;
  /** A further group, the one that a Secret's files would belong to. */
  fsGroup?: number;
  /** Folders and files of this machine, mounted read-only. */
  mounts?: Readonly<Record<string, string>>;
  /** The same, to be written to. */
  writable?: Readonly<Record<string, string>>;
  /** Default true. */
  readOnlyRootFilesystem?: boolean;
  /** Those of Linux; default none. */
  capabilities?: readonly string[];
  /** Default false. */
  allowPrivilegeEscalation?: boolean;
  /** An emptyDir at /tmp; default none. */
  tmp?: boolean;
  /** Default false: only a loopback of its own. */
  hostNetwork?: boolean;
}

/**
 * An image unpacked into a folder, to run containers of it with runc: as Pod Security "restricted" would have them,
 * unless told otherwise.
 */
export class UnpackedImage {
  readonly folder: string;
  readonly config: ImageConfig;
  /** Digests of its layers, the lowest first. */
  readonly layers: readonly string[];
  readonly #remove: () => void;
  readonly #containers: Container[] = [];

  private constructor(folder: string, remove: () => void, config: ImageConfig, layers: readonly string[]) {
    this.folder = folder;
    this.config = config;
    this.layers = layers;
    this.#remove = remove;
  }

  static async of(image: Image): Promise<UnpackedImage> {
    const { path, remove } = scratchFolder('image');
    const [archive, root] = [join(path, 'archive'), join(path, 'root')];
    const options = { logFile: join(path, 'log') };
    for (const folder of [archive, root, join(path, 'state')]) mkdirSync(folder);
    await run('tar', ['-xf', image.archive, '-C', archive], options);
    const json = (name: string) => JSON.parse(readFileSync(join(archive, name), 'utf8'));
    const [manifest] = json('manifest.json') as [{ Config: string; Layers: string[] }];
    const { config, rootfs } = json(manifest.Config) as { config: ImageConfig; rootfs: { diff_ids: string[] } };
    // What an upper layer deletes (.wh.) is left where it is: it does no harm to what is run here.
    for (const layer of manifest.Layers) {
      await run('tar', ['-xpf', join(archive, layer), '-C', root, '--exclude=.wh.*'], options);
    }
    return new UnpackedImage(path, remove, config, rootfs.diff_ids);
  }

  get root(): string {
    return join(this.folder, 'root');
  }

  /**
   * The group that a runtime gives to a user for whom no group is asked: the one in the image's list of users, else
   * root's.
   */
  groupOf(user: number): number {
    const lines = readFileSync(join(this.root, 'etc/passwd'), 'utf8').split('\n');
    const [, , , group] = lines.map((line) => line.split(':')).find(([, , uid]) => uid === String(user)) ?? [];
    return Number(group ?? 0);
  }

  /** Starts a container. It, and what runs in it, is gone after `remove`. */
  start(options: ContainerOptions = {}): Container {
    const container = new Container(this, options);
    this.#containers.push(container);
    return container;
  }

  /** Runs a container to its end. */
  async run(options: ContainerOptions = {}): Promise<{ code: number | undefined; output: string }> {
    const container = this.start(options);
    await container.ended;
    return { code: container.code, output: container.output };
  }

  async remove(): Promise<void> {
    await Promise.all(this.#containers.map((container) => container.remove()));
    this.#remove();
  }
}

export class Container {
  readonly #bundle: string;
  readonly #release: () => void;
  readonly #id = `capdeployjob-test-${crypto.randomUUID()}`;
  readonly #state: string;
  readonly #process: Running;

  constructor(image: UnpackedImage, options: ContainerOptions) {
    this.#bundle = mkdtempSync(join(image.folder, 'container-'));
    this.#release = heldFolder(this.#bundle);
    this.#state = join(image.folder, 'state');
    writeFileSync(join(this.#bundle, 'config.json'), JSON.stringify(runtimeSpec(image, options)));
    this.#process = startProcess({
      name: 'runc',
      command: 'runc',
      args: ['--root', this.#state, 'run', '--bundle', this.#bundle, this.#id],
      logFile: this.#log,
    });
  }

  get #log(): string {
    return join(this.#bundle, 'log');
  }

  /** Resolves when its first process has ended. */
  get ended(): Promise<string> {
    return this.#process.ended;
  }

  /** What the first process ended with; 128 + signal where a signal ended it. */
  get code(): number | undefined {
    return this.#process.code;
  }

  /** stdout and stderr. */
  get output(): string {
    return readFileSync(this.#log, 'utf8');
  }

  /** @throws Error where it ends first, or does not say it within 60 s */
  async says(words: string): Promise<void> {
    await untilReady(this.#process, async () => this.output.includes(words), 60_000, `saying "${words}"`);
  }

  /** Sends a signal to its first process, as the kubelet does. */
  async signal(name: 'TERM' | 'INT' | 'HUP' | 'KILL'): Promise<void> {
    await this.#runc('kill', this.#id, name);
  }

  /** The command lines of the processes in it. */
  async processes(): Promise<string[]> {
    const table = await this.#runc('ps', this.#id, '-eo', 'pid,args');
    return table.trim().split('\n');
  }

  /** Runs one more program in it. */
  async exec(...args: string[]): Promise<string> {
    return this.#runc('exec', this.#id, ...args);
  }

  async remove(): Promise<void> {
    await this.#runc('delete', '--force', this.#id);
    await this.#process.stop();
    this.#release();
  }

  #runc(...args: string[]): Promise<string> {
    return run('runc', ['--root', this.#state, ...args], {
      logFile: join(this.#bundle, `runc-${crypto.randomUUID()}`),
    });
  }
}

const bind = (mounts: ContainerOptions['mounts'] = {}, access: 'ro' | 'rw') =>
  Object.entries(mounts).map(([destination, source]) => ({
    destination,
    type: 'bind',
    source,
    options: ['rbind', access],
  }));

/** As containerd makes it of a Pod; no seccomp filter, which is the runtime's own affair. */
function runtimeSpec(image: UnpackedImage, options: ContainerOptions): object {
  const { config } = image;
  const [imageUser = '0', imageGroup = '0'] = (config.User ?? '').split(':');
  const uid = options.runAsUser ?? Number(imageUser);
  const gid =
    options.runAsGroup ?? (options.runAsUser === undefined ? Number(imageGroup) : image.groupOf(options.runAsUser));
  const command = options.command ?? config.Entrypoint ?? [];
  const args = options.args ?? (options.command ? [] : (config.Cmd ?? []));
  const env = [...(config.Env ?? []), ...Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`)];
  // Of a user other than root they only bound what it may get.
  const bounding = options.capabilities ?? [];
  const own = uid === 0 ? bounding : [];
  const tmpfs = (destination: string, mode: string) => ({
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'nodev', `mode=${mode}`, 'size=65536k'],
  });
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid, gid, additionalGids: options.fsGroup === undefined ? [] : [options.fsGroup] },
      args: [...command, ...args],
      env,
      cwd: options.workingDir ?? (config.WorkingDir || '/'),
      capabilities: { bounding, effective: own, permitted: own, inheritable: [], ambient: [] },
      noNewPrivileges: !options.allowPrivilegeEscalation,
    },
    root: { path: image.root, readonly: options.readOnlyRootFilesystem ?? true },
    hostname: 'web-production-0',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { ...tmpfs('/dev', '755'), options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['newinstance', 'ptmxmode=0666', 'mode=0620'],
      },
      tmpfs('/dev/shm', '1777'),
      ...(options.tmp ? [tmpfs('/tmp', '1777')] : []),
      ...bind(options.mounts, 'ro'),
      ...bind(options.writable, 'rw'),
    ],
    linux: {
      namespaces: ['pid', 'ipc', 'uts', 'mount', ...(options.hostNetwork ? [] : ['network'])].map((type) => ({ type })),
    },
  };
}
