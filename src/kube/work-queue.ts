/**
 * A work queue with client-go's semantics (`util/workqueue`: queue.go, delaying_queue.go) and controller-runtime's loop around it.
 *
 * - A key that waits is not queued twice.
 * - A key that is being worked on is never worked on a second time meanwhile: added then, it is `dirty` and runs once more afterwards.
 *   So whatever changed before an `add` is seen by a run that begins after it.
 * - Keys that failed come back with backoff, each key by its own count.
 */

import { type Clock, fullJitter, LONGEST_TIMER_MS, systemClock, type TimerHandle } from '../base/clock.ts';
import { type Log, silentLog } from '../base/log.ts';
import { isKubeError } from './errors.ts';

/** When the key should be looked at again though nothing happens (milliseconds from now). */
export interface WorkResult {
  requeueAfterMs?: number | undefined;
  /** What the key stands for is gone: no look that was asked for earlier is worth waiting for, be it days away. */
  gone?: boolean;
}

export interface WorkQueueOptions {
  /** Does the work for one key. A rejection means: again, with backoff. */
  work: (key: string) => Promise<WorkResult | undefined> | Promise<void>;
  /** Keys worked on at once. Default 4. */
  workers?: number;
  clock?: Clock;
  log?: Log;
  /** Told of each failed run (for metrics); it is logged already. */
  onError?: (key: string, error: unknown) => void;
  /** Backoff of a key that failed n times: anywhere in 0..min(cap, base·2^n). Defaults 5 ms and 5 min (client-go: 5 ms and 1000 s). */
  backoffBaseMs?: number;
  backoffCapMs?: number;
}

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #workers: number;
  /** Waiting for a worker, in order; always dirty and never in processing. */
  readonly #ready = new Set<string>();
  /** To be worked on: waiting, or added while in processing. */
  readonly #dirty = new Set<string>();
  readonly #processing = new Set<string>();
  readonly #delayed = new Map<string, { dueAt: number; timer: TimerHandle }>();
  readonly #failures = new Map<string, number>();
  #idleWaiters: (() => void)[] = [];
  #state: 'new' | 'running' | 'draining' | 'stopped' = 'new';
  #progressAt: number;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLog;
    this.#workers = options.workers ?? 4;
    this.#progressAt = this.#clock.now();
  }

  /** Begins to work; keys added before were kept. */
  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    this.#progressAt = this.#clock.now();
    this.#fill();
  }

  /** As soon as a worker is free. Ignored once stopping. */
  add(key: string): void {
    if (this.#state === 'draining' || this.#state === 'stopped' || this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (this.#processing.has(key)) return;
    if (this.#ready.size === 0 && this.#processing.size === 0) this.#progressAt = this.#clock.now();
    this.#ready.add(key);
    this.#fill();
  }

  /** In `ms` milliseconds, however many; of several pending delays of a key the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#state === 'draining' || this.#state === 'stopped') return;
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

  /** Later by the key's own exponential backoff, and counts one more failure. For callers outside: `work` itself throws, and a run that does not, forgets. */
  addRateLimited(key: string): void {
    this.addAfter(key, this.#nextBackoff(key));
  }

  /** The key is well again: its next failure backs off from the start. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** How often the key failed since it was last well. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Keys that wait for a worker; delayed ones do not count. */
  get length(): number {
    return this.#ready.size;
  }

  /** When a run last began or ended, in milliseconds since the epoch. */
  get lastProgressAt(): number {
    return this.#progressAt;
  }

  /** For /healthz: how long nothing has begun or ended although there is work; 0 if there is none. Milliseconds. */
  stalledMs(): number {
    if (this.#dirty.size === 0 && this.#processing.size === 0) return 0;
    return Math.max(0, this.#clock.now() - this.#progressAt);
  }

  /** Resolves when no key waits and none is being worked on (delayed keys may be pending). */
  idle(): Promise<void> {
    if (this.#dirty.size === 0 && this.#processing.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Takes nothing new, works off what waits, then stops. Delayed keys are dropped. */
  async drain(): Promise<void> {
    if (this.#state !== 'running') return this.stop();
    this.#state = 'draining';
    this.#dropDelayed();
    await this.idle();
    this.#state = 'stopped';
  }

  /** Begins nothing more and resolves when what is being worked on is done. What waited is dropped: it is found again at the next start. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#dropDelayed();
    this.#ready.clear();
    this.#dirty.clear();
    await this.idle();
  }

  #fill(): void {
    while (this.#state === 'running' || this.#state === 'draining') {
      if (this.#processing.size >= this.#workers) return;
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
      // A microtask later: `add` never runs the work within itself.
      await null;
      const result = await this.#options.work(key);
      this.forget(key);
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
      const again = Math.max(Math.min(asked, LONGEST_TIMER_MS), this.#nextBackoff(key));
      this.addAfter(key, again);
      this.#log.warn(
        { err, key, againInMs: Math.round(again), failures: this.failures(key) },
        'work failed, trying again',
      );
      this.#options.onError?.(key, err);
    } catch {
      // A logger or metric that throws must not cost us the worker.
    }
  }

  #nextBackoff(key: string): number {
    const failures = this.failures(key);
    this.#failures.set(key, failures + 1);
    const { backoffBaseMs = 5, backoffCapMs = 5 * 60_000 } = this.#options;
    return fullJitter(this.#clock, backoffBaseMs, backoffCapMs, failures);
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

  #dropDelayed(): void {
    for (const { timer } of this.#delayed.values()) this.#clock.clearTimeout(timer);
    this.#delayed.clear();
  }
}
