import type { CreateFailure } from '../ports.ts';
import type { ResourceContext } from '../resource-context.ts';

/** Says what keeps Jobs from being created, once for each change of it. */
export class CreateFailureReport {
  readonly #context: ResourceContext;
  #said: string | undefined;

  constructor(context: ResourceContext) {
    this.#context = context;
  }

  set(failure: CreateFailure): void {
    const said = JSON.stringify(failure);
    if (said === this.#said) return;
    this.#said = said;
    const { reports, key, log } = this.#context;
    reports.createFailure(key, failure);
    log.warn({ reason: failure.reason }, `Jobs cannot be created, receiving stops: ${failure.message}`);
  }

  clear(): void {
    if (this.#said === undefined) return;
    this.#said = undefined;
    this.#context.reports.createFailure(this.#context.key, undefined);
  }
}
