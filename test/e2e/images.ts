import { chmodSync, cpSync, existsSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from '../cluster/control-plane/build.ts';
import { heldFolder } from '../cluster/processes.ts';
import { buildImages, defaultCache, type Image, type ImageName } from '../images/build.ts';
import { Buildah } from '../images/buildah.ts';
import { run } from './node/commands.ts';

/**
 * What the node gets: of the project's images those that run there, and the one that holds the namespaces of each Pod.
 */
export type Images = Record<Extract<ImageName, 'capistrano' | 'operator' | 'older'> | 'pause', Image>;

/** Builds what the cache lacks. @param onBuild told what is being built, a minute each */
export async function findImages(onBuild: (what: string) => void): Promise<Images> {
  const { capistrano, operator, older } = await buildImages({ onBuild });
  return { capistrano, operator, older, pause: await pauseImage() };
}

/** What the shell of a test's Pod may call. */
const APPLETS = ['sh', 'sleep', 'tail', 'touch'];

/**
 * Stands in for registry.k8s.io/pause. containerd stops it by SIGKILL, and each container of a Pod has processes of its
 * own, so that there is nothing to do but to be there. It has a shell, too: the smallest image for Pods that need no
 * more.
 */
async function pauseImage(): Promise<Image> {
  const tag = 'localhost/capdeployjob-pause:2';
  const cache = defaultCache();
  const archive = join(cache, 'pause-2.tar');
  if (existsSync(archive)) return { tag, archive };
  mkdirSync(cache, { recursive: true });
  const root = join(cache, `.pause-${process.pid}`);
  const layer = `${root}.tar`;
  const part = `${archive}.${process.pid}`;
  const drop = [root, layer, part].map(heldFolder);
  const builder = new Buildah(cache);
  try {
    // runc mounts into all but the first.
    for (const folder of ['bin', 'dev', 'etc', 'proc', 'sys']) mkdirSync(join(root, folder), { recursive: true });
    mkdirSync(join(root, 'tmp'));
    // Whoever the user is.
    chmodSync(join(root, 'tmp'), 0o1777);
    cpSync(onPath('busybox') as string, join(root, 'bin/busybox'), { dereference: true });
    for (const name of APPLETS) symlinkSync('busybox', join(root, 'bin', name));
    await run('tar', ['--create', '--owner=0', '--group=0', '--file', layer, '--directory', root, '.']);
    await builder.importTar(layer, tag, '/bin/sleep 1000000000');
    await builder.save(tag, part);
    renameSync(part, archive);
  } finally {
    await builder.remove();
    for (const each of drop) each();
  }
  return { tag, archive };
}
