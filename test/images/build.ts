/**
 * The images of this project, built here: `docker/capistrano`, `docker/operator`, the sample project's and, for tests,
 * one of the older shape. The Dockerfiles are taken as they are; what their FROM lines name is made of Debian's
 * packages under the same name, for no registry of images is asked.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onPath } from '../cluster/control-plane/build.ts';
import { heldFolder, letGo } from '../cluster/processes.ts';
import { Buildah, run } from './buildah.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** An image in an archive that `ctr images import` and `docker load` read, and the name that it has then. */
export interface Image {
  readonly tag: string;
  readonly archive: string;
}

/**
 * `sample` is examples/capistrano-app on top of `capistrano`. `older` is what teams had before: root, `bundle exec` by
 * command, a key at /root/.ssh (test/images/older).
 */
export type ImageName = 'capistrano' | 'operator' | 'sample' | 'older';

export interface BuildOptions {
  /** Keeps base and archives; default: `images` in the cache directory of the other tests. */
  cacheDirectory?: string;
  /** Told what is being built, which takes a minute each. */
  onBuild?: (what: string) => void;
}

const CAPISTRANO = ['Dockerfile', 'entrypoint.sh', 'result.rake', 'ssh_config'].map(
  (name) => `docker/capistrano/${name}`,
);

/** What each is made of: a change of any of these is another image. Paths from the root of the checkout. */
const INPUTS: Record<ImageName, readonly string[]> = {
  capistrano: CAPISTRANO,
  operator: [
    'docker/operator',
    'src',
    'package.json',
    'package-lock.json',
    '.npmrc',
    'tsconfig.json',
    '.dockerignore',
    'test/images/stand-ins',
  ],
  sample: [...CAPISTRANO, 'examples/capistrano-app'],
  older: ['test/images/older'],
};

const DOCKERFILE: Record<ImageName, { context: string; file: string }> = {
  capistrano: { context: 'docker/capistrano', file: 'docker/capistrano/Dockerfile' },
  operator: { context: '.', file: 'docker/operator/Dockerfile' },
  sample: { context: 'examples/capistrano-app', file: 'examples/capistrano-app/Dockerfile' },
  older: { context: 'test/images/older', file: 'test/images/older/Dockerfile' },
};

/** For who builds it by himself. */
export const OPERATOR = { context: root, file: join(root, DOCKERFILE.operator.file) };

export const DEBIAN = 'docker.io/library/debian:bookworm-slim';
export const NODE = 'docker.io/library/node:26-slim';

/** As debian:bookworm-slim leaves these out. */
const SLIM = ['man', 'doc', 'locale', 'info'].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`);

export const defaultCache = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'capdeployjob', 'images');

/**
 * Builds what the cache lacks; 2 to 3 minutes from nothing on two cores, milliseconds where all is there.
 * Takes root, the packages in debian-packages.txt, npm, and the package registries of Debian and npm.
 * @throws Error with what buildah or mmdebstrap said last
 */
export async function buildImages(options: BuildOptions = {}): Promise<Record<ImageName, Image>> {
  const cache = options.cacheDirectory ?? defaultCache();
  mkdirSync(cache, { recursive: true });
  const names = Object.keys(INPUTS) as ImageName[];
  const images = Object.fromEntries(names.map((name) => [name, imageOf(name, cache)])) as Record<ImageName, Image>;
  const missing = names.filter((name) => !existsSync(images[name].archive));
  if (missing.length > 0) await buildMissing(missing, images, cache, options.onBuild);
  return images;
}

function imageOf(name: ImageName, cache: string): Image {
  const key = digest([baseKey(), ...INPUTS[name].map((path) => contentOf(path))]);
  return { tag: `localhost/capdeployjob-${name}:${key}`, archive: join(cache, `${name}-${key}.tar`) };
}

async function buildMissing(
  missing: readonly ImageName[],
  images: Record<ImageName, Image>,
  cache: string,
  onBuild: BuildOptions['onBuild'],
): Promise<void> {
  const builder = new Buildah(cache);
  try {
    await prepareBases(builder, cache, missing.includes('operator'), onBuild);
    for (const name of missing) {
      onBuild?.(`the image "${name}"`);
      const { tag, archive } = images[name];
      const { context, file } = DOCKERFILE[name];
      const base: Record<string, string> = {};
      if (name === 'sample') {
        base.BASE_IMAGE = images.capistrano.tag;
        if (!missing.includes('capistrano')) await builder.load(images.capistrano.archive);
      }
      await builder.build(join(root, context), join(root, file), tag, { arguments: base, ...npmCache(name, cache) });
      // Appears whole, by a rename; another process that builds the same at the same time does the same work twice, and
      // no harm.
      const part = `${archive}.${process.pid}`;
      const drop = heldFolder(part);
      await builder.save(tag, part);
      renameSync(part, archive);
      drop();
      sweep(cache, name, archive);
    }
  } finally {
    await builder.remove();
  }
}

/** Puts stand-ins for the base images into the builder's storage, under the names that the Dockerfiles ask for. */
export async function prepareBases(
  builder: Buildah,
  cache: string,
  withNode: boolean,
  onBuild: BuildOptions['onBuild'] = undefined,
): Promise<void> {
  await builder.importTar(await debianArchive(cache, onBuild), DEBIAN, '/bin/bash');
  if (withNode) await prepareNode(builder, cache, onBuild);
}

/**
 * Kept as an archive, once it was made: it changes with the Node of package-lock.json alone, the operator with every
 * commit.
 */
async function prepareNode(builder: Buildah, cache: string, onBuild: BuildOptions['onBuild']): Promise<void> {
  const npm = npmFolder();
  const manifests = [join(npm, 'package.json'), join(root, 'node_modules/node/package.json')];
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  const parts = [...manifests, certificates].map((file) => readFileSync(file, 'utf8'));
  const key = digest([baseKey(), contentOf('test/images/stand-ins'), ...parts]);
  const archive = join(cache, `node-${key}.tar`);
  if (existsSync(archive)) return builder.load(archive);
  onBuild?.('Debian with Node');
  const context = join(cache, `.node-${process.pid}-${crypto.randomUUID()}`);
  const drop = heldFolder(context);
  try {
    mkdirSync(context);
    // The Node that the tests run with is the one that package-lock.json names.
    copyFileSync(join(root, 'node_modules/node/bin/node'), join(context, 'node'));
    copyFileSync(certificates, join(context, 'ca-certificates.crt'));
    cpSync(npm, join(context, 'npm'), { recursive: true });
    await builder.build(context, here('stand-ins/node.Dockerfile'), NODE);
    const part = join(context, 'archive');
    await builder.save(NODE, part);
    renameSync(part, archive);
  } finally {
    drop();
  }
}

/** What npm has downloaded once need not be downloaded again for each commit; it checks what it takes from there. */
function npmCache(name: ImageName, cache: string): { volumes?: Record<string, string> } {
  if (name !== 'operator') return {};
  const folder = join(cache, 'npm');
  mkdirSync(folder, { recursive: true });
  return { volumes: { [folder]: '/root/.npm' } };
}

function npmFolder(): string {
  const program = onPath('npm');
  const folder = program && join(dirname(realpathSync(program)), '..');
  if (folder && existsSync(join(folder, 'bin/npm-cli.js')) && existsSync(join(folder, 'node_modules'))) return folder;
  throw new Error(
    `npm with its own node_modules is needed, as Node's packages bring it; found ${folder ?? 'none on the PATH'}`,
  );
}

/** The archive of a minimal Debian, made once and kept. */
async function debianArchive(cache: string, onBuild: BuildOptions['onBuild']): Promise<string> {
  const archive = join(cache, `debian-${baseKey()}.tar`);
  if (existsSync(archive)) return archive;
  onBuild?.('a minimal Debian');
  const folder = join(cache, `.debian-${process.pid}-${crypto.randomUUID()}`);
  const drop = heldFolder(folder);
  try {
    mkdirSync(folder);
    const part = join(folder, 'debian.tar');
    await run('mmdebstrap', ['--variant=minbase', '--mode=root', ...SLIM, 'bookworm', part, ...debianSources()], {
      logFile: join(folder, 'log'),
      env: { TMPDIR: folder, SOURCE_DATE_EPOCH: '0' },
    });
    renameSync(part, archive);
    return archive;
  } finally {
    drop();
  }
}

/** Where this machine's apt gets Debian from; without such a list, Debian's own servers. */
function debianSources(): string[] {
  const files = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'].filter(
    (file) => existsSync(file) && /bookworm/.test(readFileSync(file, 'utf8')),
  );
  if (files[0] !== undefined) return [files[0]];
  const debian = 'http://deb.debian.org/debian';
  return [
    `deb ${debian} bookworm main`,
    `deb ${debian} bookworm-updates main`,
    `deb ${debian}-security bookworm-security main`,
  ];
}

const baseKey = (): string =>
  digest([...SLIM, ...debianSources().map((source) => (existsSync(source) ? readFileSync(source, 'utf8') : source))]);

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}

/** Names, modes and contents of a file or of all files in a folder, as a digest. */
function contentOf(path: string): string {
  const absolute = join(root, path);
  const files = statSync(absolute).isFile()
    ? [absolute]
    : readdirSync(absolute, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort();
  return digest(
    files.flatMap((file) => [
      relative(root, file),
      String(statSync(file).mode & 0o111),
      createHash('sha256').update(readFileSync(file)).digest('hex'),
    ]),
  );
}

const KEPT_MS = 2 * 86_400_000;

/** Each change of the sources is another archive: those of older sources go when nobody has used them for two days. */
function sweep(cache: string, name: ImageName, current: string): void {
  utimesSync(current, new Date(), new Date());
  for (const file of readdirSync(cache)) {
    const path = join(cache, file);
    if (file.startsWith(`${name}-`) && path !== current && Date.now() - statSync(path).mtimeMs > KEPT_MS) {
      rmSync(path, { force: true });
    }
  }
}

if (import.meta.main) {
  const start = performance.now();
  const images = await buildImages({ onBuild: (what) => console.log(`== building ${what}`) });
  for (const { tag, archive } of Object.values(images)) {
    console.log(`${tag}  ${archive}  ${(statSync(archive).size / 1024 / 1024).toFixed(0)} MiB`);
  }
  console.log(`== images: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  await letGo();
}
