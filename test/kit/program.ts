import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The program in a process of its own: what it logs, and how it ends. */
export class Program {
  readonly #child: ChildProcess;
  /** Each line of stdout: a JSON object. */
  readonly log: Record<string, unknown>[] = [];
  stderr = '';
  readonly ended: Promise<number | string>;
  readonly #waiters = new Set<() => void>();

  /** @param main the file that is run */
  constructor(main: string, args: string[], env: Record<string, string> = {}) {
    this.#child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    createInterface(this.#child.stdout!).on('line', (line) => {
      this.log.push(JSON.parse(line) as Record<string, unknown>);
      for (const check of this.#waiters) check();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = once(this.#child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Resolves with the first log line whose message matches; rejects when the program ends without one. */
  async logged(message: RegExp): Promise<Record<string, unknown>> {
    const find = () => this.log.find(({ msg }) => message.test(String(msg)));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => find() && resolve();
    this.#waiters.add(check);
    this.ended.then((code) => reject(new Error(`ended with ${code} and never logged ${message}: ${this.stderr}`)));
    check();
    await promise;
    this.#waiters.delete(check);
    return find() as Record<string, unknown>;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}
