import { chmodSync, chownSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerOptions, ImageConfig } from './container.ts';

/**
 * What kubelet and containerd make of a Pod template, for a container of runc. A field that is not known here is an
 * error, so that no example passes because something in it was passed over.
 */

// biome-ignore lint/suspicious/noExplicitAny: a Pod template is looked into at any depth
type Any = any;

/** containerd's, for a container that drops none. */
const DEFAULT_CAPABILITIES = [
  ...['CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID', 'SETFCAP', 'SETPCAP'],
  ...['NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE'],
].map((name) => `CAP_${name}`);

export interface Surroundings {
  /** Of the image that the container names. */
  image: ImageConfig;
  /** Where volumes are made. */
  folder: string;
  /** By name, then by key. */
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * @param template the Pod template of a Job
 * @returns how its one container is run
 * @throws Error where the kubelet would not start it, or where the template has what is not known here
 */
export function containerOf(template: Any, { image, folder, secrets }: Surroundings): ContainerOptions {
  const { containers, securityContext: pod = {}, volumes = [], ...podRest } = template.spec;
  none('spec', without(podRest, { restartPolicy: 'Never', automountServiceAccountToken: false }));
  const [container, ...others] = containers;
  if (others.length > 0) throw new Error('one container is run here, and the template has several');
  const { name: _, image: __, terminationMessagePolicy: ___, resources: ____, ...own } = container;
  const { command, args, env = [], workingDir, volumeMounts = [], securityContext: its = {}, ...rest } = own;
  none('containers[0]', rest);

  const { runAsNonRoot, runAsUser, runAsGroup, fsGroup, seccompProfile: _____, ...security } = { ...pod, ...its };
  const { allowPrivilegeEscalation = true, readOnlyRootFilesystem = false, capabilities = {}, ...more } = security;
  none('securityContext', more);
  if (runAsNonRoot && (runAsUser ?? Number((image.User || '0').split(':')[0])) === 0) {
    throw new Error('container has runAsNonRoot and image will run as root');
  }
  const all = capabilities.drop?.includes('ALL') === true;
  none('securityContext.capabilities', { ...capabilities, drop: all ? undefined : capabilities.drop });

  const mounts: Record<string, string> = {};
  const writable: Record<string, string> = {};
  for (const { name, mountPath, readOnly, ...unknown } of volumeMounts) {
    none('volumeMounts', unknown);
    const volume = volumes.find((each: Any) => each.name === name);
    (readOnly ? mounts : writable)[mountPath] = volumeOf(
      volume,
      mkdtempSync(join(folder, 'volume-')),
      secrets,
      fsGroup,
    );
  }
  return {
    command,
    args,
    env: Object.fromEntries(env.map(variable)),
    workingDir,
    runAsUser,
    runAsGroup,
    fsGroup,
    mounts,
    writable,
    readOnlyRootFilesystem,
    allowPrivilegeEscalation,
    capabilities: all ? [] : DEFAULT_CAPABILITIES,
  };
}

function variable({ name, value, ...unknown }: Any): [string, string] {
  none(`env ${name}`, unknown);
  if (String(value).includes('$(')) throw new Error(`env ${name}: references are not known here`);
  return [name, value ?? ''];
}

/**
 * Fills the folder of a volume as the kubelet does: its owner is root, fsGroup gets what it may have
 * (SetVolumeOwnership in its pkg/volume).
 */
function volumeOf(
  { name, projected, emptyDir, ...unknown }: Any,
  folder: string,
  secrets: Surroundings['secrets'],
  fsGroup: number | undefined,
): string {
  none(`volume ${name}`, unknown);
  chmodSync(folder, 0o777);
  if (emptyDir) {
    none(`volume ${name}`, emptyDir);
  } else {
    const { defaultMode = 0o644, sources, ...more } = projected;
    none(`volume ${name}`, more);
    for (const { secret, ...other } of sources) {
      none(`volume ${name}`, other);
      for (const { key, path, ...item } of secret.items) {
        none(`volume ${name}, ${key}`, item);
        const content = secrets[secret.name]?.[key];
        if (content === undefined && secret.optional) continue;
        if (content === undefined) throw new Error(`references non-existent secret key: ${key}`);
        writeFileSync(join(folder, path), content);
        chownSync(join(folder, path), 0, fsGroup ?? 0);
        chmodSync(join(folder, path), defaultMode | (fsGroup === undefined ? 0 : 0o440));
      }
    }
  }
  if (fsGroup !== undefined) {
    chownSync(folder, 0, fsGroup);
    chmodSync(folder, 0o2777);
  }
  return folder;
}

/** @throws Error where a field is left that is not known here */
function none(where: string, rest: object): void {
  const names = Object.entries(rest).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (names.length > 0) throw new Error(`${where}: not known here: ${names.join(', ')}`);
}

/** Takes away the fields that have the expected value. */
const without = (object: Any, expected: Record<string, unknown>): object =>
  Object.fromEntries(Object.entries(object).filter(([name, value]) => expected[name] !== value));
