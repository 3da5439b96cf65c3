/**
 * A Pod's files. A process cannot have mounts at any path without being root, so each Pod has a private directory that
 * stands for the root of its file system: a volume mounted at /etc/x is found at `$CAPDEPLOY_LOCAL_ROOT/etc/x`. Nothing
 * rewrites paths in arguments or variables: programs made for the in-memory Kubernetes look below that directory.
 *
 * Written: Secret, ConfigMap, projected (of both, and of downward API fields) and emptyDir volumes, with the modes
 * asked for; whole volumes at a mount, or one file or directory of it by subPath. Files do not follow later changes of
 * their Secret, and `readOnly` is not enforced. Other kinds of volumes are refused.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { KubeObject } from '../objects.ts';
import type { JsonObject } from '../store/json.ts';
import { isObject, listAt, textAt } from '../store/json.ts';
import type { FindData } from './container-env.ts';
import { podField, valuesOf } from './container-env.ts';

export interface VolumeFile {
  path: string;
  content: Buffer;
  mode: number;
}

/** A volume that cannot be had yet: FailedMount, and another try later. */
export class MountFailed extends Error {}

/** A volume that the in-memory Kubernetes never has. */
export class UnsupportedVolume extends Error {}

const DEFAULT_MODE = 0o644;

/** The files of each volume, by volume name. Throws MountFailed for the first that is missing. Pure. */
export function volumeFiles(pod: KubeObject, find: FindData): Map<string, VolumeFile[]> {
  const volumes = new Map<string, VolumeFile[]>();
  for (const volume of listAt(pod, 'spec', 'volumes')) {
    const name = String(volume.name);
    try {
      volumes.set(name, filesOf(volume, pod, find));
    } catch (error) {
      if (!(error instanceof MountFailed)) throw error;
      throw new MountFailed(`MountVolume.SetUp failed for volume "${name}" : ${error.message}`);
    }
  }
  return volumes;
}

function filesOf(volume: JsonObject, pod: KubeObject, find: FindData): VolumeFile[] {
  if (isObject(volume.emptyDir)) return [];
  if (isObject(volume.secret)) return dataFiles('secret', volume.secret, textAt(volume.secret, 'secretName'), find);
  if (isObject(volume.configMap)) {
    return dataFiles('configmap', volume.configMap, textAt(volume.configMap, 'name'), find);
  }
  if (isObject(volume.downwardAPI))
    return fieldFiles(volume.downwardAPI, pod, modeOf(volume.downwardAPI, DEFAULT_MODE));
  if (isObject(volume.projected)) {
    const mode = modeOf(volume.projected, DEFAULT_MODE);
    return listAt(volume.projected, 'sources').flatMap((source) => {
      if (isObject(source.secret)) return dataFiles('secret', source.secret, textAt(source.secret, 'name'), find, mode);
      if (isObject(source.configMap)) {
        return dataFiles('configmap', source.configMap, textAt(source.configMap, 'name'), find, mode);
      }
      if (isObject(source.downwardAPI)) return fieldFiles(source.downwardAPI, pod, mode);
      throw unsupported(source);
    });
  }
  throw unsupported(volume);
}

function unsupported(source: JsonObject): UnsupportedVolume {
  const kinds = Object.keys(source).filter((key) => key !== 'name');
  return new UnsupportedVolume(`the in-memory Kubernetes has no volumes of the kind ${kinds.join(', ')}`);
}

function modeOf(source: JsonObject, otherwise: number): number {
  return typeof source.defaultMode === 'number' ? source.defaultMode : otherwise;
}

function dataFiles(
  kind: 'secret' | 'configmap',
  source: JsonObject,
  name: string | undefined,
  find: FindData,
  inherited = DEFAULT_MODE,
): VolumeFile[] {
  const object = find(kind, name ?? '');
  if (object === undefined) {
    if (source.optional === true) return [];
    throw new MountFailed(`${kind} "${name}" not found`);
  }
  const mode = modeOf(source, inherited);
  const values = valuesOf(object);
  if (!Array.isArray(source.items)) {
    return Object.entries(values).map(([path, content]) => ({ path, content, mode }));
  }
  return listAt(source, 'items').flatMap((item) => {
    const content = values[String(item.key)];
    if (content !== undefined) {
      return [{ path: String(item.path), content, mode: typeof item.mode === 'number' ? item.mode : mode }];
    }
    if (source.optional === true) return [];
    throw new MountFailed(`references non-existent ${kind === 'secret' ? 'secret' : 'config'} key: ${item.key}`);
  });
}

function fieldFiles(source: JsonObject, pod: KubeObject, mode: number): VolumeFile[] {
  return listAt(source, 'items').map((item) => ({
    path: String(item.path),
    content: Buffer.from(podField(pod, textAt(item, 'fieldRef', 'fieldPath') ?? '')),
    mode: typeof item.mode === 'number' ? item.mode : mode,
  }));
}

/** The directory of one Pod. */
export class PodFiles {
  readonly directory: string;
  /** What the process finds in CAPDEPLOY_LOCAL_ROOT. */
  readonly root: string;

  constructor(pod: KubeObject, parent = tmpdir()) {
    this.directory = mkdtempSync(join(parent, `capdeploy-${pod.metadata.name.slice(0, 40)}-`));
    this.root = join(this.directory, 'root');
    for (const name of ['root', 'root/tmp', 'root/root', 'volumes']) {
      mkdirSync(join(this.directory, name), { mode: 0o700 });
    }
  }

  /** A path of the Pod as a path of this machine; it cannot lead out of the Pod's directory. */
  inside(path: string): string {
    return join(this.root, join('/', path));
  }

  /** Puts the volumes where the container mounts them, as links: a volume that is mounted twice is one volume. */
  write(container: JsonObject, volumes: Map<string, VolumeFile[]>): void {
    for (const [name, files] of volumes) {
      const directory = this.#volume(name);
      mkdirSync(directory, { recursive: true });
      for (const file of files) writeFile(join(directory, join('/', file.path)), file);
    }
    const mounts = listAt(container, 'volumeMounts');
    for (const mount of mounts.toSorted((a, b) => String(a.mountPath).length - String(b.mountPath).length)) {
      const source = join(this.#volume(String(mount.name)), join('/', textAt(mount, 'subPath') ?? ''));
      if (!existsSync(source)) mkdirSync(source, { recursive: true });
      const target = this.inside(String(mount.mountPath));
      mkdirSync(dirname(target), { recursive: true });
      rmSync(target, { recursive: true, force: true });
      symlinkSync(source, target);
    }
  }

  #volume(name: string): string {
    return join(this.directory, 'volumes', name);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function writeFile(path: string, { content, mode }: VolumeFile): void {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  writeFileSync(path, content, { mode: 0o600 });
  chmodSync(path, mode);
}
