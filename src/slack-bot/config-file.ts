import { readFileSync } from 'node:fs';
import { type Clock, sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { UsageError } from '../base/usage-error.ts';
import { type BotConfig, parseBotConfig } from './config.ts';

/**
 * The kubelet puts a changed ConfigMap in place by another symbolic link, which watches of a file miss. So the content
 * is compared.
 */
const LOOK_EVERY_MS = 5_000;

/** The configuration file. It is read again when it changes; if it is wrong then, the one before stays. */
export class ConfigFile {
  readonly #path: string;
  readonly #log: Log;
  readonly #onReload: (isGood: boolean) => void;
  #text: string;
  #config: BotConfig;
  /** What is wrong with the file, so that it is said once. */
  #problem: string | undefined;

  /**
   * @param onReload told of each change, and whether it was taken
   * @throws UsageError if the file cannot be read, or is wrong
   */
  constructor(path: string, log: Log, onReload: (isGood: boolean) => void = () => {}) {
    this.#path = path;
    this.#log = log;
    this.#onReload = onReload;
    this.#text = read(path);
    this.#config = parseBotConfig(this.#text, path);
  }

  get current(): BotConfig {
    return this.#config;
  }

  /** Looks every 5 s whether the file has changed, until the signal aborts. */
  async watch(clock: Clock, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(clock, LOOK_EVERY_MS, signal);
      if (!signal.aborted) this.reload();
    }
  }

  /** Reads the file now. */
  reload(): void {
    let text: string;
    try {
      text = read(this.#path);
      if (text === this.#text) return;
      this.#text = text;
      const next = parseBotConfig(text, this.#path);
      const { source, namespaces } = this.#config;
      if (next.source !== source) {
        throw new UsageError(`${this.#path}: another source counts from the next start on; restart the bot`);
      }
      if (String(next.namespaces) !== String(namespaces)) {
        this.#log.warn({ file: this.#path }, 'other namespaces count from the next start on; restart the bot');
      }
      // Whoever takes a person out of a rule in the same edit must not have to wait for a restart.
      this.#config = { ...next, namespaces };
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      // A file that is gone for a moment is tried again, and said once.
      if (error.message !== this.#problem)
        this.#log.error({ problem: error.message }, 'the configuration before stays');
      this.#problem = error.message;
      this.#onReload(false);
      return;
    }
    this.#problem = undefined;
    this.#log.info({ file: this.#path, rules: this.#config.rules.length }, 'the configuration was read again');
    this.#onReload(true);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`--config: ${path} ${code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`}`);
  }
}
