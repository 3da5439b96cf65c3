import { access, readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** What lies where the deploys went to, read from the disk: neither the operator nor the API is asked. */
export interface DeployedTo {
  environment: string;
  releases: { name: string; commit: string }[];
  /** Name of the release that `current` points to. */
  current: string | undefined;
  revisionsLog: string[];
}

export async function readDeployed(deployRoot: string, environment: string): Promise<DeployedTo> {
  const root = join(deployRoot, environment);
  const names = (await orNothing(readdir(join(root, 'releases')))) ?? [];
  const releases = await Promise.all(
    names.sort().map(async (name) => ({
      name,
      commit: ((await orNothing(readFile(join(root, 'releases', name, 'REVISION'), 'utf8'))) ?? '').trim(),
    })),
  );
  const target = await orNothing(readlink(join(root, 'current')));
  const log = (await orNothing(readFile(join(root, 'revisions.log'), 'utf8'))) ?? '';
  return {
    environment,
    releases,
    current: target && basename(target),
    revisionsLog: log.split('\n').filter((line) => line !== ''),
  };
}

export const exists = async (path: string): Promise<boolean> =>
  (await orNothing(access(path).then(() => true))) ?? false;

/** Undefined where there is no such file: then nothing was deployed there. */
async function orNothing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}
