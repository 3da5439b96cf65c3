import { monotonicNow, sleep } from '../../base/clock.ts';
import type { ObjectKey } from '../../base/object-key.ts';
import { Wakeup } from '../../base/wakeup.ts';
import type { Queue, QueueSettings } from '../../sqs/queue.ts';
import type { IntakeContext } from './context.ts';
import { Poller } from './poller.ts';
import type { Intake } from './ports.ts';
import { type QueueSelection, type QueueSelectionOptions, selectQueues } from './select-queues.ts';
import { DRAIN_MS } from './shutdown.ts';

export interface SupervisorOptions extends IntakeContext {
  readonly selection: QueueSelectionOptions;
  readonly openQueue: (settings: QueueSettings) => Queue;
}

/** Changes come in bursts, because each status write is one. Queues are selected once for each burst. Milliseconds. */
const SETTLE_MS = 50;
/** Queues are also selected without a change, for a poller that could not be started. Milliseconds. */
const RECHECK_MS = 30_000;
/** A loop without progress for so long is stuck: no request and no wait takes half of it. Milliseconds. */
const STUCK_MS = 5 * 60_000;

/** Runs one poller for each queue that is read, and reports why others are not. */
export class Supervisor implements Intake {
  readonly #options: SupervisorOptions;
  readonly #pollers = new Map<ObjectKey, { poller: Poller; identity: string }>();
  /** What was last reported of resources that are not read. */
  readonly #reported = new Map<ObjectKey, string>();
  readonly #wakeup = new Wakeup();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #selectedAt: number;

  /** Starts at once; the cache must be complete. */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#selectedAt = monotonicNow(options.clock);
    this.#running = this.#run();
  }

  async stop(deadlineMs: number = DRAIN_MS): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all([...this.#pollers.values()].map(({ poller }) => poller.stop(deadlineMs)));
  }

  async atRest(): Promise<void> {
    await Promise.all([...this.#pollers.values()].map(({ poller }) => poller.atRest()));
  }

  stuck(): string | undefined {
    const idle = monotonicNow(this.#options.clock) - this.#selectedAt;
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
      this.#selectedAt = monotonicNow(clock);
      this.#apply();
      await this.#wakeup.wait(clock, RECHECK_MS, signal);
      await sleep(clock, SETTLE_MS, signal);
    }
    stopListening();
  }

  #apply(): void {
    const { resources, selection, log } = this.#options;
    let selected: Map<ObjectKey, QueueSelection>;
    try {
      selected = selectQueues(resources.list(), selection);
    } catch (error) {
      log.error({ err: error }, 'could not work out which queues to read');
      return;
    }
    for (const key of new Set([...selected.keys(), ...this.#pollers.keys(), ...this.#reported.keys()])) {
      try {
        this.#applyOne(key, selected.get(key));
      } catch (error) {
        // It must not prevent the reading of other queues.
        log.error({ err: error, resource: key }, 'could not start reading a queue');
      }
    }
  }

  #applyOne(key: ObjectKey, target: QueueSelection | undefined): void {
    const current = this.#pollers.get(key);
    const identity = target?.kind === 'read' ? JSON.stringify([target.uid, target.settings]) : undefined;
    if (current !== undefined && current.identity !== identity) void current.poller.stop();
    if (target?.kind !== 'read') {
      this.#report(key, target);
      return;
    }
    this.#reported.delete(key);
    // A poller that is being stopped ends first. Its end notifies.
    if (current === undefined) this.#start(key, target, identity as string);
  }

  #start(key: ObjectKey, target: QueueSelection & { kind: 'read' }, identity: string): void {
    const { openQueue, log } = this.#options;
    const poller = new Poller(this.#options, { key, uid: target.uid, queue: openQueue(target.settings) });
    this.#pollers.set(key, { poller, identity });
    log.info({ resource: key, queue: target.settings.url }, 'reading a queue');
    void poller.ended.then(() => {
      this.#pollers.delete(key);
      this.#wakeup.notify();
    });
  }

  /** Once for each change, and nothing of a resource that is gone. */
  #report(key: ObjectKey, target: (QueueSelection & { kind: 'off' }) | undefined): void {
    if (target === undefined) {
      this.#reported.delete(key);
      return;
    }
    const reported = JSON.stringify(target);
    if (this.#reported.get(key) === reported) return;
    this.#reported.set(key, reported);
    this.#options.reports.queue(key, target);
    this.#options.log.info({ resource: key, reason: target.reason }, `the queue is not read: ${target.message}`);
  }
}
