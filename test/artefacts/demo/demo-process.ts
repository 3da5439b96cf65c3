import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * `npm run demo` as a process of its own, with a temporary directory of its own: what it leaves there, or leaves
 * running, shows.
 */
export class Demo {
  readonly child: ChildProcess;
  readonly directory: string;
  readonly ended: Promise<number | string>;
  output = '';
  readonly #waiters = new Set<() => void>();

  private constructor(directory: string, args: string[]) {
    this.directory = directory;
    const main = fileURLToPath(new URL('../../../dev/demo/main.ts', import.meta.url));
    this.child = spawn(process.execPath, [main, ...args], {
      env: { PATH: process.env.PATH, TMPDIR: directory },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        for (const check of this.#waiters) check();
      });
    }
    this.ended = once(this.child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  }

  static async start(...args: string[]): Promise<Demo> {
    return new Demo(await mkdtemp(join(tmpdir(), 'capdeployjob-test-')), args);
  }

  /** Resolves when the output matches. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    const check = () => {
      const match = pattern.exec(this.output);
      if (match) resolve(match);
    };
    this.#waiters.add(check);
    this.ended.then((code) => reject(new Error(`ended with ${code} and never said ${pattern}:\n${this.output}`)));
    check();
    return promise.finally(() => this.#waiters.delete(check));
  }

  /** Files and processes that are still there. */
  async leftBehind(): Promise<string[]> {
    return [...(await readdir(this.directory)), ...this.#processes()];
  }

  /**
   * Those whose command line or environment names the directory: the operator has its kubeconfig there, a Pod its
   * files.
   */
  #processes(): string[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => ['cmdline', 'environ'].some((file) => read(`/proc/${pid}/${file}`).includes(this.directory)))
      .map((pid) => `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`);
  }

  async remove(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.ended;
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A process may end while we look at it. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
