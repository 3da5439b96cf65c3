import { monotonicNow, sleep } from '../../base/clock.ts';
import { Wakeup } from '../../base/wakeup.ts';
import type { Queue, QueueSettings } from '../../sqs/queue.ts';
import type { IntakeContext } from './context.ts';
import { Poller } from './poller.ts';
import type { Intake, ResourceKey } from './ports.ts';
import { type QueueSelection, type QueueSelectionOptions, selectQueues } from './select-queues.ts';
import { DRAIN_MS } from './shutdown.ts';

export interface SupervisorOptions extends IntakeContext {
  readonly targets: QueueSelectionOptions;
  readonly openQueue: (settings: QueueSettings) => Queue;
}

/** Changes come in bursts (each status write is one); the targets are worked out once for each burst. */
const SETTLE_MS = 50;
/** Without any change the targets are worked out again, for a poller that could not be started. */
const RECHECK_MS = 30_000;
/** A loop in which nothing has begun or ended for this long is stuck: no request and no wait of theirs takes half as long. */
const STUCK_MS = 5 * 60_000;

/** Runs one poller for each resource that is to be read, and tells of the others why they are not. */
export class Supervisor implements Intake {
  readonly #options: SupervisorOptions;
  readonly #pollers = new Map<ResourceKey, { poller: Poller; identity: string }>();
  /** What was last said of resources that are not read. */
  readonly #said = new Map<ResourceKey, string>();
  readonly #wakeup = new Wakeup();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #turnAt: number;

  /** Starts at once; the cache must be complete. */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#turnAt = monotonicNow(options.clock);
    this.#running = this.#run();
  }

  /** Stops all pollers side by side; resolves when nothing is in flight any more. */
  async stop(deadlineMs: number = DRAIN_MS): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all([...this.#pollers.values()].map(({ poller }) => poller.stop(deadlineMs)));
  }

  async atRest(): Promise<void> {
    await Promise.all([...this.#pollers.values()].map(({ poller }) => poller.atRest()));
  }

  stuck(): string | undefined {
    const idle = monotonicNow(this.#options.clock) - this.#turnAt;
    if (!this.#stopping.signal.aborted && idle > STUCK_MS) {
      return `which queues to read was not looked at for ${Math.round(idle / 1000)} s`;
    }
    for (const [key, { poller }] of this.#pollers) {
      const stalled = poller.stalledMs();
      if (stalled > STUCK_MS)
        return `reading the queue of ${key} has made no progress for ${Math.round(stalled / 1000)} s`;
    }
    return undefined;
  }

  /** For a second signal: ends everything at once. */
  async abort(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#pollers.values()].map(({ poller }) => poller.abort()));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { resources, clock } = this.#options;
    const { signal } = this.#stopping;
    const stopListening = resources.onChange(() => this.#wakeup.notify());
    while (!signal.aborted) {
      this.#turnAt = monotonicNow(clock);
      this.#apply();
      await this.#wakeup.wait(clock, RECHECK_MS, signal);
      await sleep(clock, SETTLE_MS, signal);
    }
    stopListening();
  }

  #apply(): void {
    const { resources, targets: options, log } = this.#options;
    let targets: Map<ResourceKey, QueueSelection>;
    try {
      targets = selectQueues(resources.list(), options);
    } catch (error) {
      log.error({ err: error }, 'could not work out which queues to read');
      return;
    }
    for (const key of new Set([...targets.keys(), ...this.#pollers.keys(), ...this.#said.keys()])) {
      try {
        this.#applyOne(key, targets.get(key));
      } catch (error) {
        // One resource that cannot be started keeps no other from being read.
        log.error({ err: error, resource: key }, 'could not start reading a queue');
      }
    }
  }

  #applyOne(key: ResourceKey, target: QueueSelection | undefined): void {
    const current = this.#pollers.get(key);
    const identity = target?.kind === 'read' ? JSON.stringify([target.uid, target.settings]) : undefined;
    if (current !== undefined && current.identity !== identity) void current.poller.stop();
    if (target?.kind !== 'read') {
      this.#say(key, target);
      return;
    }
    this.#said.delete(key);
    // The one before, if it is still there, is drained first: its end notifies.
    if (current === undefined) this.#start(key, target, identity as string);
  }

  #start(key: ResourceKey, target: QueueSelection & { kind: 'read' }, identity: string): void {
    const { openQueue, log } = this.#options;
    const poller = new Poller(this.#options, { key, uid: target.uid, queue: openQueue(target.settings) });
    this.#pollers.set(key, { poller, identity });
    log.info({ resource: key, queue: target.settings.url }, 'reading a queue');
    void poller.ended.then(() => {
      this.#pollers.delete(key);
      this.#wakeup.notify();
    });
  }

  /** Once for each change; of a resource that is no more there is nothing to say. */
  #say(key: ResourceKey, target: (QueueSelection & { kind: 'off' }) | undefined): void {
    if (target === undefined) {
      this.#said.delete(key);
      return;
    }
    const said = JSON.stringify(target);
    if (this.#said.get(key) === said) return;
    this.#said.set(key, said);
    this.#options.reports.queue(key, target);
    this.#options.log.info({ resource: key, reason: target.reason }, `the queue is not read: ${target.message}`);
  }
}
