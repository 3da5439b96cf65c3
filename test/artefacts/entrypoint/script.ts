import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { eventually } from '../../kit/eventually.ts';

export const ENTRYPOINT = fileURLToPath(new URL('../../../docker/capistrano/entrypoint.sh', import.meta.url));

/** The entrypoint's functions without what it does with them. */
export function functionsOfEntrypoint(): string {
  const [functions, rest] = readFileSync(ENTRYPOINT, 'utf8').split(/^child=.*from here on things are done.*$/m);
  if (functions === undefined || rest === undefined)
    throw new Error(`${ENTRYPOINT}: no line parts the functions from the rest`);
  return functions;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * The entrypoint as a process of this machine, with programs of the test's own in place of cap; all is gone when the
 * test has ended.
 */
export class Entrypoint {
  readonly folder = mkdtempSync(join(tmpdir(), 'capdeployjob-entrypoint-'));
  /** Where its temporary files go. */
  readonly temporary = join(this.folder, 'tmp');
  readonly #programs = join(this.folder, 'bin');
  #child: ChildProcess | undefined;
  output = '';

  constructor() {
    for (const name of ['tmp', 'bin', 'home']) mkdirSync(join(this.folder, name));
    onTestFinished(() => {
      if (this.#child?.exitCode === null) this.#child.kill('SIGKILL');
      rmSync(this.folder, { recursive: true });
    });
  }

  /** Puts a shell script on the PATH. */
  program(name: string, script: string): this {
    writeFileSync(join(this.#programs, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(this.#programs, name), 0o755);
    return this;
  }

  /** Puts a file into the folder of the key. @returns that folder */
  secret(name: string, content: string | Uint8Array): string {
    const folder = join(this.folder, 'ssh');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), content, { mode: 0o400 });
    return folder;
  }

  /**
   * @param env over an environment that says REVISION=v1.0.0 and that no key is needed; undefined takes a variable away
   */
  start(args: readonly string[], env: Record<string, string | undefined> = {}, input = ''): Promise<Ended> {
    const all = {
      PATH: `${this.#programs}:${process.env.PATH}`,
      HOME: join(this.folder, 'home'),
      TMPDIR: this.temporary,
      REVISION: 'v1.0.0',
      SSH_KEY_DIRECTORY: '',
      ...env,
    };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const child = spawn(ENTRYPOINT, args, { cwd: this.folder, env: given as Record<string, string> });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    // A program that reads nothing may end before it has got all.
    child.stdin.on('error', () => undefined).end(input);
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code, signal }));
    });
  }

  async says(words: string): Promise<void> {
    await eventually(`the entrypoint says "${words}"`, () => this.output.includes(words));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }
}

/** Whether a process is there; one that has ended and was not waited for counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
