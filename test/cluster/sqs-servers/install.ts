import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { onPath } from '../control-plane/build.ts';

const run = promisify(execFile);

/** Downloads of a first run, on a slow line. */
const STEP_TIMEOUT_MS = 10 * 60_000;

export interface Installation {
  /** The name of its directory begins with it. */
  readonly name: string;
  /** Of the server, for people; what decides is the pins' content. */
  readonly version: string;
  /** The file with the pinned versions: another content is another directory. */
  readonly pins: string;
  /** Commands that it takes, each with what to do where it is missing. */
  readonly needs: readonly { readonly command: string; readonly remedy: string }[];
  /** What makes the same pins another installation, as the version of the interpreter does. */
  readonly alsoKeyedBy?: () => Promise<string>;
  /**
   * The commands that install into a directory. They must not write its path into what they install: it is renamed at
   * the end.
   */
  readonly steps: (directory: string) => readonly (readonly [command: string, ...args: string[]])[];
}

/**
 * Installs once into `${XDG_CACHE_HOME:-~/.cache}/capdeployjob/sqs-servers`, under a temporary name that becomes the
 * final one only when all is there: an installation that was interrupted, or another one at the same time, does no
 * harm.
 *
 * @returns the directory.
 * @throws Error in one line where a command is missing; with the end of its output where a step failed.
 */
export async function install(installation: Installation): Promise<string> {
  const { name, version, needs } = installation;
  for (const { command, remedy } of needs) {
    if (onPath(command) === undefined) throw new Error(`${name} needs ${command}, which is not on the PATH: ${remedy}`);
  }
  const key = createHash('sha256')
    .update(await readFile(installation.pins))
    .update((await installation.alsoKeyedBy?.()) ?? '')
    .digest('hex')
    .slice(0, 12);
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'capdeployjob', 'sqs-servers');
  const directory = join(cache, `${name}-${version}-${key}`);
  if (existsSync(directory)) return directory;

  const temporary = `${directory}.${process.pid}.${Date.now()}.tmp`;
  await mkdir(dirname(temporary), { recursive: true });
  try {
    for (const [command, ...args] of installation.steps(temporary)) await step(name, command, args);
    await rename(temporary, directory).catch((error: NodeJS.ErrnoException) => {
      // Somebody else was quicker.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return directory;
}

async function step(name: string, command: string, args: readonly string[]): Promise<void> {
  try {
    await run(command, [...args], { timeout: STEP_TIMEOUT_MS, maxBuffer: 64 << 20 });
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n');
    throw new Error(`${name} cannot be installed: ${[command, ...args].join(' ')}: ${said || message}`);
  }
}
