import type { Target } from '../chat/target.ts';
import type { BotConfig } from './config.ts';
import type { OpenQueues } from './queues.ts';

/** The targets that were made last, kept until the configuration changes or something else says so. */
export class KeptTargets {
  readonly #config: () => BotConfig;
  readonly #queues: Pick<OpenQueues, 'keep'>;
  readonly #make: (config: BotConfig) => readonly Target[];
  #kept: { of: BotConfig; list: readonly Target[] } | undefined;

  constructor(
    options: { readonly config: () => BotConfig; readonly queues: Pick<OpenQueues, 'keep'> },
    make: (config: BotConfig) => readonly Target[],
  ) {
    this.#config = options.config;
    this.#queues = options.queues;
    this.#make = make;
  }

  /** The queues of targets that are gone are closed. */
  all(): readonly Target[] {
    const config = this.#config();
    if (this.#kept?.of === config) return this.#kept.list;
    const list = this.#make(config);
    this.#kept = { of: config, list };
    this.#queues.keep(new Set(list.map(({ name }) => name)));
    return list;
  }

  forget(): void {
    this.#kept = undefined;
  }
}
