/**
 * A work queue with client-go's semantics (`util/workqueue`: queue.go, delaying_queue.go) and controller-runtime's
 * loop.
 *
 * - A key that waits is not queued twice.
 * - A key never has two runs at once. If it is added during a run, it is `dirty` and runs once more afterwards. So
 *   whatever changed before an `add` is seen by a run that begins after it.
 * - Keys that failed come back with backoff, each key by its own count.
 */

import { type Clock, fullJitter, LONGEST_TIMER_MS, systemClock, type TimerHandle } from '../base/clock.ts';
import { type Log, silentLog } from '../base/log.ts';
import { isKubeError } from './errors.ts';

export interface WorkResult {
  /** When the key is to run again even if nothing happens, in milliseconds from now. */
  requeueAfterMs?: number | undefined;
  /** The key's object is gone: a delayed run of it is dropped. */
  gone?: boolean;
}

export interface WorkQueueOptions {
  /** Does the work for one key. If it rejects, the key runs again, with backoff. */
  work: (key: string) => Promise<WorkResult | undefined> | Promise<void>;
  /** Runs at once. Default 4. */
  workers?: number;
  clock?: Clock;
  log?: Log;
  /** Told of each failed run, for metrics: it is logged already. */
  onError?: (key: string, error: unknown) => void;
  /** Backoff after n failures: anywhere in 0..min(cap, base·2^n). Default 5 ms, 5 min (client-go: 5 ms, 1000 s). */
  backoffBaseMs?: number;
  backoffCapMs?: number;
}

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #workers: number;
  /** Keys that wait for a worker, in order; always dirty and never in processing. */
  readonly #ready = new Set<string>();
  /** Keys that are to run: waiting, or added while in processing. */
  readonly #dirty = new Set<string>();
  readonly #processing = new Set<string>();
  readonly #delayed = new Map<string, { dueAt: number; timer: TimerHandle }>();
  readonly #failures = new Map<string, number>();
  #idleWaiters: (() => void)[] = [];
  #state: 'new' | 'running' | 'stopped' = 'new';
  #progressAt: number;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLog;
    this.#workers = options.workers ?? 4;
    this.#progressAt = this.#clock.now();
  }

  /** Begins to work, also on keys that were added before. */
  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    this.#progressAt = this.#clock.now();
    this.#fill();
  }

  /** Runs the key as soon as a worker is free. Ignored after `stop`. */
  add(key: string): void {
    if (this.#state === 'stopped' || this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (this.#processing.has(key)) return;
    if (this.#ready.size === 0 && this.#processing.size === 0) this.#progressAt = this.#clock.now();
    this.#ready.add(key);
    this.#fill();
  }

  /** Runs the key in `ms` milliseconds. Of several delays of a key the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#state === 'stopped') return;
    if (!(ms > 0)) {
      this.add(key);
      return;
    }
    const dueAt = this.#clock.now() + ms;
    const pending = this.#delayed.get(key);
    if (pending !== undefined) {
      if (pending.dueAt <= dueAt) return;
      this.#clock.clearTimeout(pending.timer);
    }
    this.#delay(key, dueAt);
  }

  /** How often the key has failed since its last success. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** For /healthz: how long no run has begun or ended although there is work, in milliseconds; 0 if there is none. */
  stalledMs(): number {
    if (this.#dirty.size === 0 && this.#processing.size === 0) return 0;
    return Math.max(0, this.#clock.now() - this.#progressAt);
  }

  /** Resolves when no key waits and none runs. Delayed keys may be pending. */
  idle(): Promise<void> {
    if (this.#dirty.size === 0 && this.#processing.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Begins no run any more. Resolves when the current ones end. Keys that wait are dropped: a new start finds them. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    for (const key of [...this.#delayed.keys()]) this.#dropDelay(key);
    this.#ready.clear();
    this.#dirty.clear();
    await this.idle();
  }

  #fill(): void {
    while (this.#state === 'running' && this.#processing.size < this.#workers) {
      const [key] = this.#ready;
      if (key === undefined) return;
      this.#ready.delete(key);
      this.#dirty.delete(key);
      this.#processing.add(key);
      this.#progressAt = this.#clock.now();
      void this.#process(key);
    }
  }

  async #process(key: string): Promise<void> {
    try {
      // `add` must return before the work begins.
      await null;
      const result = await this.#options.work(key);
      this.#failures.delete(key);
      if (result?.gone) this.#dropDelay(key);
      if (result?.requeueAfterMs !== undefined) this.addAfter(key, result.requeueAfterMs);
    } catch (error) {
      this.#failed(key, error);
    }
    this.#processing.delete(key);
    this.#progressAt = this.#clock.now();
    if (this.#dirty.has(key)) this.#ready.add(key);
    this.#fill();
    if (this.#dirty.size === 0 && this.#processing.size === 0) {
      for (const resolve of this.#idleWaiters.splice(0)) resolve();
    }
  }

  #failed(key: string, err: unknown): void {
    try {
      const asked = isKubeError(err) ? (err.retryAfterSeconds ?? 0) * 1000 : 0;
      const failures = this.failures(key);
      this.#failures.set(key, failures + 1);
      const { backoffBaseMs = 5, backoffCapMs = 5 * 60_000 } = this.#options;
      const backoff = fullJitter(this.#clock, backoffBaseMs, backoffCapMs, failures);
      const again = Math.max(Math.min(asked, LONGEST_TIMER_MS), backoff);
      this.addAfter(key, again);
      const fields = { err, key, againInMs: Math.round(again), failures: failures + 1 };
      this.#log.warn(fields, 'work failed, trying again');
      this.#options.onError?.(key, err);
    } catch {
      // A logger or metric that throws must not end the worker.
    }
  }

  #delay(key: string, dueAt: number): void {
    const left = Math.max(1, dueAt - this.#clock.now());
    const timer = this.#clock.setTimeout(
      () => {
        if (this.#clock.now() < dueAt) return this.#delay(key, dueAt);
        this.#delayed.delete(key);
        this.add(key);
      },
      Math.min(Math.ceil(left), LONGEST_TIMER_MS),
    );
    this.#delayed.set(key, { dueAt, timer });
  }

  #dropDelay(key: string): void {
    const pending = this.#delayed.get(key);
    if (pending === undefined) return;
    this.#clock.clearTimeout(pending.timer);
    this.#delayed.delete(key);
  }
}
