import type { CreateFailure } from '../ports.ts';
import type { ResourceContext } from '../resource-context.ts';

/** Reports why Jobs cannot be created, once for each change. */
export class CreateFailureReport {
  readonly #context: ResourceContext;
  #reported: string | undefined;

  constructor(context: ResourceContext) {
    this.#context = context;
  }

  set(failure: CreateFailure): void {
    const reported = JSON.stringify(failure);
    if (reported === this.#reported) return;
    this.#reported = reported;
    const { reports, key, log } = this.#context;
    reports.createFailure(key, failure);
    log.warn({ reason: failure.reason }, `Jobs cannot be created, receiving stops: ${failure.message}`);
  }

  clear(): void {
    if (this.#reported === undefined) return;
    this.#reported = undefined;
    this.#context.reports.createFailure(this.#context.key, undefined);
  }
}
