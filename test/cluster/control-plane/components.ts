import { join } from 'node:path';
import { type Running, startProcess, untilReady } from '../processes.ts';
import type { Binaries, Component as Program } from './build.ts';

/**
 * One process of a control plane, which can be stopped and started again on the same ports and with the same data while
 * the others run.
 */
export class Component {
  readonly #binaries: Binaries;
  readonly #folder: string;
  readonly #flags: readonly string[];
  readonly #ready: () => Promise<boolean>;
  readonly name: Program;
  #running: Running | undefined;

  /**
   * @param name of the program
   * @param flags without their dashes; a flag that is undefined is not given
   * @param ready whether it does its work; asked until it does
   * @param folder of the control plane: for the log, and working directory
   */
  constructor(
    name: Program,
    flags: Record<string, string | number | boolean | undefined>,
    ready: () => Promise<boolean>,
    { binaries, folder }: { binaries: Binaries; folder: string },
  ) {
    this.name = name;
    this.#binaries = binaries;
    this.#folder = folder;
    this.#flags = Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}=${value}`]));
    this.#ready = ready;
  }

  /** Of the process that runs, or ran last. */
  get pid(): number | undefined {
    return this.#running?.pid;
  }

  /** Where it logs, all its starts in one file. */
  get log(): string {
    return join(this.#folder, `${this.name}.log`);
  }

  /**
   * Resolves when it is ready.
   * @throws PortTaken when somebody else has its port; Error with the end of its log when it ends, or is not ready
   * within a minute
   */
  async start(): Promise<void> {
    if (this.#running !== undefined && this.#running.end === undefined) throw new Error(`${this.name} runs already`);
    const running = startProcess({
      name: this.name,
      command: this.#binaries.path(this.name),
      args: this.#flags,
      cwd: this.#folder,
      logFile: this.log,
      // What a shell of the user's has for a proxy or for etcd is not meant for this.
      env: { HTTP_PROXY: undefined, HTTPS_PROXY: undefined, http_proxy: undefined, https_proxy: undefined },
    });
    this.#running = running;
    try {
      await untilReady(running, this.#ready, START_LIMIT_MS);
    } catch (error) {
      await this.stop('SIGKILL');
      if (/address already in use|bind: /.test(running.tail(50))) throw new PortTaken((error as Error).message);
      throw error;
    }
  }

  /** Resolves when it is gone. @param signal SIGKILL for a crash; default SIGTERM, and SIGKILL 10 s later */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#running?.stop({ signal });
  }

  /** Resolves when it is ready again. @param signal as for `stop` */
  async restart(signal?: NodeJS.Signals): Promise<void> {
    await this.stop(signal);
    await this.start();
  }
}

/** A loaded machine of two cores takes its time; an idle one needs two seconds. */
const START_LIMIT_MS = 60_000;

/** Somebody took a port between our finding it free and the process's listening on it. */
export class PortTaken extends Error {}
