import type { Log } from '../base/log.ts';
import { clean, redactSecrets } from '../text/redact.ts';
import { rfc3339 } from './plan-secret.ts';

/** The log of a run: one line for each target and namespace, and one at the end. No line holds a part of a token. */

type Result = 'created' | 'patched' | 'skipped' | 'failed';

interface Outcome {
  /** `targets[0]` */
  readonly target: string;
  /** Undefined if the whole target failed. */
  readonly namespace?: string;
  readonly secretName: string;
  readonly result: Result;
  readonly message: string;
  /** When the first token that was written expires. */
  readonly expiresAt?: Date;
}

export class Report {
  readonly #log: Log;
  readonly #dryRun: boolean;
  readonly #counts: Record<Result, number> = { created: 0, patched: 0, skipped: 0, failed: 0 };
  /** Tokens of this run in every form that is sent. */
  readonly #hidden = new Set<string>();

  constructor(log: Log, dryRun: boolean) {
    this.#log = log;
    this.#dryRun = dryRun;
  }

  /** From now on no line holds this text, nor its base64. */
  hide({ username, password }: { username: string; password: string }): void {
    const auth = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
    for (const text of [password, auth]) {
      this.#hidden.add(text);
      this.#hidden.add(Buffer.from(text, 'utf8').toString('base64'));
    }
  }

  get failed(): number {
    return this.#counts.failed;
  }

  add({ target, namespace, secretName, result, message, expiresAt }: Outcome): void {
    this.#counts[result] += 1;
    const where = namespace === undefined ? `${target} (${secretName})` : `${target} ${namespace}/${secretName}`;
    const fields = {
      target,
      namespace,
      secretName,
      result,
      expiresAt: expiresAt && rfc3339(expiresAt),
      dryRun: this.#dryRun || undefined,
    };
    const line = `${where}: ${this.#safe(message)}${this.#dryRun && result !== 'failed' ? ' (dry run: nothing was written)' : ''}`;
    if (result === 'failed') this.#log.error(fields, line);
    else if (result === 'skipped') this.#log.warn(fields, line);
    else this.#log.info(fields, line);
  }

  /** The last line of a run. */
  summary(seconds: number): void {
    const { created, patched, skipped, failed } = this.#counts;
    const fields = { created, patched, skipped, failed, seconds: Math.round(seconds * 10) / 10 };
    const done = `${created} created, ${patched} patched, ${skipped} skipped, ${failed} failed`;
    if (failed > 0) this.#log.error(fields, `${done}: where it failed, the old token stays in place until it expires`);
    else this.#log.info(fields, done);
  }

  /** The API server, a webhook or a proxy can quote what it got. */
  #safe(text: string): string {
    let result = clean(text).replaceAll('\n', ' ');
    for (const hidden of this.#hidden) result = result.replaceAll(hidden, '[redacted]');
    return redactSecrets(result);
  }
}
