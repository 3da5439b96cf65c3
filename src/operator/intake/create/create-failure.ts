import type { CreateTrouble } from '../ports.ts';
import type { ResourceContext } from '../resource-context.ts';

/** Says what keeps Jobs from being created, once for each change of it. */
export class TroubleReport {
  readonly #context: ResourceContext;
  #said: string | undefined;

  constructor(context: ResourceContext) {
    this.#context = context;
  }

  set(trouble: CreateTrouble): void {
    const said = JSON.stringify(trouble);
    if (said === this.#said) return;
    this.#said = said;
    const { reports, key, log } = this.#context;
    reports.createTrouble(key, trouble);
    log.warn({ reason: trouble.reason }, `Jobs cannot be created, receiving stops: ${trouble.message}`);
  }

  clear(): void {
    if (this.#said === undefined) return;
    this.#said = undefined;
    this.#context.reports.createTrouble(this.#context.key, undefined);
  }
}
