import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { getuid } from 'node:process';
import { onPath } from '../cluster/control-plane/build.ts';
import { hierarchies } from './node/cgroups.ts';

/** Where distributions put the CNI plugins: Debian, and everybody else. */
const CNI_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin'];
const CNI_PLUGINS = ['bridge', 'host-local', 'loopback'];

/** Programs by the Debian package that brings each: those of debian-packages.txt, and what builds images. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  'busybox-static': ['busybox'],
  buildah: ['buildah'],
  containerd: ['containerd', 'ctr', 'containerd-shim-runc-v2'],
  git: ['git'],
  iproute2: ['ip'],
  iptables: ['iptables'],
  'openssh-client': ['ssh', 'ssh-keygen'],
  'openssh-server': ['sshd'],
  mmdebstrap: ['mmdebstrap'],
  openssl: ['openssl'],
  procps: ['sysctl'],
  runc: ['runc'],
  'util-linux': ['unshare', 'nsenter', 'mount'],
};

/** A user's PATH may lack them. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** PATH with the folders of programs that only root uses. */
export function systemPath(): string {
  const own = (process.env.PATH ?? '').split(':');
  return [...own, ...SYSTEM_FOLDERS.filter((folder) => !own.includes(folder))].join(':');
}

/** The folder of the CNI plugins; undefined where one of them is missing. */
export const cniFolder = (): string | undefined =>
  CNI_FOLDERS.find((folder) => existsSync(folder) && CNI_PLUGINS.every((name) => readdirSync(folder).includes(name)));

/**
 * Says in one line why no kubelet can run here, and what to do; undefined where nothing is known that stands against
 * it. PATH is expected to be `systemPath()`.
 */
export function whatIsMissing(): string | undefined {
  if (process.platform !== 'linux') return `it takes Linux, and this is ${process.platform}`;
  if (getuid?.() !== 0) return 'it takes root: containers and network namespaces are made (sudo npm run test:e2e)';
  const missing = Object.entries(PROGRAMS)
    .filter(([, programs]) => programs.some((name) => onPath(name) === undefined))
    .map(([name]) => name);
  if (cniFolder() === undefined) missing.push('containernetworking-plugins');
  if (missing.length > 0) return `programs are missing: apt-get install ${missing.join(' ')}`;
  return (
    withoutControlGroups() ??
    refused('namespaces cannot be made', ['true']) ??
    refused('nothing can be mounted in a namespace of its own', ['mount', '-t', 'tmpfs', 'e2e', '/run']) ??
    refused('iptables has no table for addresses to be translated', ['iptables', '-w', '-t', 'nat', '-L', '-n'])
  );
}

function withoutControlGroups(): string | undefined {
  const all = existsSync('/sys/fs/cgroup') ? hierarchies() : [];
  if (all.length === 0) return 'there are no control groups in /sys/fs/cgroup';
  const closed = all.find((folder) => {
    try {
      accessSync(folder, constants.W_OK);
      return false;
    } catch {
      return true;
    }
  });
  return closed && `control groups cannot be made in ${closed} (a container that runs this needs --privileged)`;
}

/** The namespaces that a node lives in. */
export const NAMESPACES = ['--mount', '--net', '--pid', '--ipc', '--uts', '--fork', '--mount-proc'];

function refused(what: string, command: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync('unshare', [...NAMESPACES, ...command], { encoding: 'utf8' });
  if (status === 0) return undefined;
  const words = (stderr || error?.message || '').trim().split('\n').at(-1);
  return `${what}: ${words} (a container that runs this needs --privileged)`;
}
