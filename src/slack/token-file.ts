import { readFileSync } from 'node:fs';
import { type Clock, monotonicNow } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { UsageError } from '../base/usage-error.ts';

/** https://docs.slack.dev/authentication/tokens */
const KINDS = {
  app: { flag: '--app-token-file', what: 'an app-level token', prefix: 'xapp-' },
  bot: { flag: '--bot-token-file', what: 'a bot token', prefix: 'xoxb-' },
} as const;
const REST = /^[A-Za-z0-9-]{10,500}$/;

/** A Secret's mount is a chain of symbolic links that kubelet swaps, so the content is compared, not a file watched. */
const READ_AGAIN_MS = 10_000;

/**
 * A token in a file. It is read again when it is asked for and 10 s have passed, so that a new token counts without a
 * restart. The token never stands in an error or a log line.
 */
export class TokenFile {
  readonly #path: string;
  readonly #kind: (typeof KINDS)[keyof typeof KINDS];
  readonly #clock: Clock;
  readonly #log: Log;
  #token: string;
  #readAt: number;
  /** Why the file could not be read the last time, so that it is said once. */
  #problem: string | undefined;

  /** @throws UsageError if the file holds no token of this kind */
  constructor(options: { path: string; kind: keyof typeof KINDS; clock: Clock; log: Log }) {
    this.#path = options.path;
    this.#kind = KINDS[options.kind];
    this.#clock = options.clock;
    this.#log = options.log;
    this.#token = this.#read();
    this.#readAt = monotonicNow(this.#clock);
  }

  current(): string {
    if (monotonicNow(this.#clock) - this.#readAt >= READ_AGAIN_MS) this.reload();
    return this.#token;
  }

  /**
   * Reads the file now, for example because Slack refused the token. A file that is missing or holds no token leaves
   * the one that was known.
   * @returns whether the token is another one
   */
  reload(): boolean {
    this.#readAt = monotonicNow(this.#clock);
    try {
      const token = this.#read();
      const isNew = token !== this.#token;
      if (isNew) this.#log.info({ file: this.#path }, `${this.#kind.flag} holds a new token`);
      this.#token = token;
      this.#problem = undefined;
      return isNew;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      if (error.message !== this.#problem) this.#log.warn({}, `${error.message}; the token from before is used`);
      this.#problem = error.message;
      return false;
    }
  }

  #read(): string {
    const { flag, what, prefix } = this.#kind;
    let token: string;
    try {
      token = readFileSync(this.#path, 'utf8').trim();
    } catch (error) {
      throw new UsageError(`${flag} "${this.#path}" cannot be read: ${(error as NodeJS.ErrnoException).code}`);
    }
    if (token.startsWith(prefix) && REST.test(token.slice(prefix.length))) return token;
    const other = Object.values(KINDS).find((kind) => token.startsWith(kind.prefix) && kind.prefix !== prefix);
    const found = token === '' ? 'it is empty' : other ? `it holds ${other.what}` : 'it holds something else';
    throw new UsageError(`${flag} "${this.#path}" must hold ${what} (${prefix}…): ${found}`);
  }
}
