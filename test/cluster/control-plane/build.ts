import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { heldFolder, startProcess } from '../processes.ts';

/** The programs of a control plane and what belongs to it, by the Go package of each. */
const PACKAGES = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
  kubelet: 'k8s.io/kubernetes/cmd/kubelet',
} as const;

export type Component = keyof typeof PACKAGES;

/** What the suite on a real control plane runs. */
export const CONTROL_PLANE = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;

export interface Binaries {
  /** As the API server reports it: v1.36.3. */
  version: string;
  /** 1.36 */
  kubernetes: string;
  /** Holds them all. */
  folder: string;
  /** The path of one of those that were asked for. */
  path(component: Component): string;
  /** Where they came from, for a person. */
  source: string;
}

export interface FindOptions {
  /** The minor, as 1.36; default: the newest that has a folder here. */
  kubernetes?: string | undefined;
  components?: readonly Component[];
  /** Told once that a build begins, which takes minutes. */
  onBuild?: (what: string) => void;
}

const here = fileURLToPath(new URL('.', import.meta.url));

/** The minors that can be built, the oldest first: the folders beside this file. */
export function minors(): string[] {
  const names = readdirSync(here).filter((name) => /^1\.\d+$/.test(name));
  return names.sort((a, b) => Number(a.slice(2)) - Number(b.slice(2)));
}

/**
 * The programs of one Kubernetes minor: those in KUBEBUILDER_ASSETS where that is set (controller-runtime's name for
 * such a folder), else those in the cache, `$XDG_CACHE_HOME/capdeployjob` or `~/.cache/capdeployjob`, after building
 * what it lacks.
 * @throws Error that says what to do: for a minor or program that is not there, without Go, and for a build that fails
 */
export async function findBinaries(options: FindOptions = {}): Promise<Binaries> {
  const components = options.components ?? CONTROL_PLANE;
  const assets = process.env.KUBEBUILDER_ASSETS;
  if (assets) return given(assets, components, options.kubernetes);
  const known = minors();
  const kubernetes = options.kubernetes ?? (known.at(-1) as string);
  if (!known.includes(kubernetes)) {
    throw new Error(`no Kubernetes ${kubernetes} here; there are ${known.join(' and ')} (test/cluster/control-plane)`);
  }
  return built(kubernetes, components, options.onBuild);
}

function given(folder: string, components: readonly Component[], wanted: string | undefined): Binaries {
  const missing = components.filter((name) => !isProgram(join(folder, name)));
  // Any recent kubectl will do; envtest brings one, other folders may not.
  const kubectl = missing.includes('kubectl') ? onPath('kubectl') : join(folder, 'kubectl');
  const needed = missing.filter((name) => name !== 'kubectl' || kubectl === undefined);
  if (needed.length > 0) {
    throw new Error(
      `KUBEBUILDER_ASSETS is ${folder}, which lacks ${needed.join(', ')}. (envtest's archives have no kube-controller-manager.) ` +
        'Put what is missing there, in the version of its kube-apiserver, or unset KUBEBUILDER_ASSETS and have it all built with Go.',
    );
  }
  const { status, stdout, error } = spawnSync(join(folder, 'kube-apiserver'), ['--version'], { encoding: 'utf8' });
  const version = /v1\.\d+\.\d+\S*/.exec(stdout ?? '')?.[0];
  if (status !== 0 || version === undefined) {
    throw new Error(`${join(folder, 'kube-apiserver')} --version says no version: ${error?.message ?? stdout}`);
  }
  const kubernetes = minorOf(version);
  if (wanted !== undefined && wanted !== kubernetes) {
    throw new Error(
      `KUBEBUILDER_ASSETS is ${folder}, which holds Kubernetes ${version}, and --kubernetes is ${wanted}`,
    );
  }
  const path = (name: Component): string => (name === 'kubectl' ? (kubectl as string) : join(folder, name));
  return { version, kubernetes, folder, path, source: `KUBEBUILDER_ASSETS, ${folder}` };
}

async function built(
  kubernetes: string,
  components: readonly Component[],
  onBuild: FindOptions['onBuild'],
): Promise<Binaries> {
  const module = join(here, kubernetes);
  const goMod = readFileSync(join(module, 'go.mod'), 'utf8');
  const version = /^\s*k8s\.io\/kubernetes (v[\w.-]+)/m.exec(goMod)?.[1];
  if (version === undefined) throw new Error(`${module}/go.mod requires no k8s.io/kubernetes`);
  const flags = ['-trimpath', '-ldflags', linkerFlags(version)];
  const key = createHash('sha256')
    .update(
      JSON.stringify([goMod, readFileSync(join(module, 'go.sum'), 'utf8'), flags, process.platform, process.arch]),
    )
    .digest('hex');
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'capdeployjob', 'control-plane');
  const folder = join(cache, `${version}-${key.slice(0, 12)}`);
  const missing = components.filter((name) => !isProgram(join(folder, name)));
  if (missing.length > 0) {
    refuseWithoutGo();
    onBuild?.(`${missing.join(', ')} of Kubernetes ${version} with Go; minutes, once`);
    mkdirSync(folder, { recursive: true });
    await build(module, folder, missing, flags);
  }
  return { version, kubernetes, folder, path: (name) => join(folder, name), source: folder };
}

/**
 * Another one that builds the same at the same time does the same work twice, and no harm: each program appears whole,
 * by a rename.
 */
async function build(module: string, folder: string, components: readonly Component[], flags: string[]): Promise<void> {
  const temporary = mkdtempSync(join(folder, '.building-'));
  const remove = heldFolder(temporary);
  try {
    const go = startProcess({
      name: 'go build',
      command: 'go',
      args: ['build', ...flags, '-o', `${temporary}/`, ...components.map((name) => PACKAGES[name])],
      cwd: module,
      // GOFLAGS and a go.work of the user's own may be meant for another project.
      env: {
        CGO_ENABLED: '0',
        GOFLAGS: '-buildvcs=false -mod=readonly',
        GOWORK: 'off',
        GOOS: undefined,
        GOARCH: undefined,
      },
      logFile: join(temporary, 'log'),
    });
    const end = await go.ended;
    await go.stop();
    if (go.code !== 0) throw new Error(`go build ${end}, in ${module}:\n${go.tail()}`);
    for (const name of components) renameSync(join(temporary, binaryOf(PACKAGES[name])), join(folder, name));
  } finally {
    remove();
  }
}

function refuseWithoutGo(): void {
  if (onPath('go') !== undefined) return;
  throw new Error(
    'building a control plane takes Go (https://go.dev/dl, or "apt-get install golang"), and there is no "go" on the PATH; or set ' +
      'KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver, kube-controller-manager and kubectl',
  );
}

/** Without these the API server calls itself v0.0.0-master, which clients take for an old one. */
function linkerFlags(version: string): string {
  const [major, minor] = minorOf(version).split('.');
  const set = { gitVersion: version, gitMajor: major, gitMinor: minor };
  return [
    '-s -w',
    ...Object.entries(set).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`),
  ].join(' ');
}

/** The name that `go build` gives to a program: the last element of its package's path that is no major version. */
function binaryOf(path: string): string {
  return path
    .split('/')
    .filter((element) => !/^v\d+$/.test(element))
    .at(-1) as string;
}

function minorOf(version: string): string {
  return /\d+\.\d+/.exec(version)?.[0] as string;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where a shell would find a program; undefined where it would not. */
export function onPath(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isProgram);
}
