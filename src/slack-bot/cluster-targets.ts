import { ActionError } from '../actions/action-error.ts';
import { chooseQueue } from '../actions/choose-queue.ts';
import type { CapDeployJob, CapDeployJobStatus } from '../api/capdeployjob.ts';
import { CAPDEPLOYJOBS } from '../api/names.ts';
import { aborted } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { keyOf, splitKey } from '../base/object-key.ts';
import type { Target } from '../chat/target.ts';
import type { KubeClient } from '../kube/client.ts';
import { Cache } from '../kube/informer/cache.ts';
import type { QueueRules } from '../sqs/check-queues.ts';
import type { BotConfig } from './config.ts';
import type { TargetSource } from './context.ts';
import { KeptTargets } from './kept-targets.ts';
import type { OpenQueues } from './queues.ts';
import { targetsOfCluster } from './targets.ts';

export interface ClusterTargetsOptions {
  readonly kube: Pick<KubeClient, 'list' | 'watch'>;
  /** Undefined: all of them, with one watch. */
  readonly namespaces: readonly string[] | undefined;
  readonly config: () => BotConfig;
  readonly rules: QueueRules;
  readonly queues: OpenQueues;
  readonly clock: Clock;
  readonly log: Log;
}

/** The CapDeployJobs of the cluster, kept up to date by a watch. */
export class ClusterTargets implements TargetSource {
  readonly #options: ClusterTargetsOptions;
  readonly #cache: Cache<CapDeployJob>;
  readonly #waiting = new Map<string, Set<() => void>>();
  /** Made of the cache and the configuration, until one of them changes. */
  readonly #targets: KeptTargets;

  constructor(options: ClusterTargetsOptions) {
    this.#options = options;
    const { kube, namespaces, clock, log } = options;
    this.#cache = new Cache<CapDeployJob>({ client: kube, type: CAPDEPLOYJOBS, namespaces, clock, log });
    this.#targets = new KeptTargets(options, (config) => targetsOfCluster(this.#cache.list(), config));
    this.#cache.onEvent(({ object }) => {
      this.#targets.forget();
      for (const wake of this.#waiting.get(keyOf(object)) ?? []) wake();
    });
  }

  start(): void {
    this.#cache.start();
  }

  async stop(): Promise<void> {
    await this.#cache.stop();
  }

  hasSynced(): boolean {
    return this.#cache.hasSynced();
  }

  /** Every resource that this bot sees, also those that are no targets. */
  resources(): readonly CapDeployJob[] {
    return this.#cache.list();
  }

  all(): readonly Target[] {
    return this.#targets.all();
  }

  destination(target: Target) {
    // An older resource with the same queue may not be known yet.
    if (!this.#cache.hasSynced()) throw new ActionError('unavailable', 'the CapDeployJobs are not all listed yet');
    const [namespace, name] = splitKey(target.name);
    const chosen = chooseQueue(this.#cache.list(), { namespace, name }, this.#options.rules);
    const note = chosen.notes.map(({ message }) => message).join('; ');
    return {
      queue: this.#options.queues.get(chosen.settings),
      fifo: chosen.fifo,
      resource: chosen.resource,
      note: note === '' ? undefined : note,
    };
  }

  status(target: Target): CapDeployJobStatus | undefined {
    return this.#cache.get(...splitKey(target.name))?.status;
  }

  async changed(target: Target, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(target.name) ?? new Set();
    this.#waiting.set(target.name, waiting.add(resolve));
    await Promise.race([promise, aborted(signal)]);
    waiting.delete(resolve);
    if (waiting.size === 0) this.#waiting.delete(target.name);
  }

  staleMs(): number {
    return this.#cache.staleMs();
  }
}
