import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { buildImages, defaultCache, type Image, type ImageName } from '../images/build.ts';
import { Buildah } from '../images/buildah.ts';
import { onPath } from '../real/control-plane/build.ts';
import { heldFolder } from '../real/processes.ts';
import { run } from './node/commands.ts';

/** What the node gets: of the project's images those that run there, and the one that holds the namespaces of each Pod. */
export type Images = Record<Extract<ImageName, 'capistrano' | 'operator' | 'older'> | 'pause', Image>;

/** Builds what the cache lacks. @param onBuild told what is being built, a minute each */
export async function findImages(onBuild: (what: string) => void): Promise<Images> {
  const { capistrano, operator, older } = await buildImages({ onBuild });
  return { capistrano, operator, older, pause: await pauseImage() };
}

/**
 * Stands in for registry.k8s.io/pause. containerd stops it by SIGKILL, and each container of a Pod has processes of its own, so that there is
 * nothing to do but to be there.
 */
async function pauseImage(): Promise<Image> {
  const tag = 'localhost/capdeployjob-pause:1';
  const cache = defaultCache();
  const archive = join(cache, 'pause-1.tar');
  if (existsSync(archive)) return { tag, archive };
  mkdirSync(cache, { recursive: true });
  const layer = join(cache, `.pause-${process.pid}.tar`);
  const part = `${archive}.${process.pid}`;
  const drop = [layer, part].map(heldFolder);
  const builder = new Buildah(cache);
  try {
    const busybox = onPath('busybox') as string;
    await run('tar', ['--create', '--dereference', '--file', layer, '--transform', 's,.*,pause/sleep,', busybox]);
    await builder.importTar(layer, tag, '/pause/sleep 1000000000');
    await builder.save(tag, part);
    renameSync(part, archive);
  } finally {
    await builder.remove();
    for (const each of drop) each();
  }
  return { tag, archive };
}
