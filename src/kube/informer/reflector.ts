/**
 * Follows one type in one namespace (or all): a complete list, then a watch from the list's resourceVersion, without
 * end. The semantics are client-go's `tools/cache/reflector.go`. It keeps no objects: it hands them to a sink.
 *
 *   list ──▶ watch ──▶ ended by the server, by the stall timer, broken ──▶ watch again from the last resourceVersion
 *     ▲                        │
 *     └──── backoff ◀──────────┴── 410 (that resourceVersion is compacted away), or an error that a watch would meet
 */

import { type Clock, fullJitter, LONGEST_TIMER_MS, sleep, systemClock } from '../../base/clock.ts';
import type { KubeClient, KubeObject, ListOptions, ResourceType, WatchEvent } from '../client.ts';
import { isKubeError } from '../errors.ts';
import { listAll } from '../list-all.ts';

export interface ReflectorSink<T extends KubeObject> {
  /** A complete list: an object that is not in it is gone. */
  replace(objects: T[]): void;
  apply(event: WatchEvent<T>): void;
  /** A request failed; the reflector goes on. */
  failed(error: unknown, step: 'list' | 'watch'): void;
}

export interface ReflectorOptions<T extends KubeObject> {
  client: Pick<KubeClient, 'list' | 'watch'>;
  type: ResourceType;
  sink: ReflectorSink<T>;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  clock?: Clock;
  timings?: Partial<ReflectorTimings>;
}

/** Milliseconds. */
export interface ReflectorTimings {
  /**
   * The server is asked to end a watch after this to twice as long, at random (client-go: 5 to 10 min), so that not all
   * reflectors reconnect in step.
   */
  watchMs: number;
  /** If the server did not end the watch, it is cut this much later: the connection is dead. */
  graceMs: number;
  /**
   * From the first bookmark on, a watch silent for so long is dead: the API server sends one each minute (`cacher.go`,
   * defaultBookmarkFrequency). A socket whose other end vanished would otherwise be noticed only after watchMs.
   */
  silenceMs: number;
  backoffBaseMs: number;
  backoffCapMs: number;
  /** A watch that ends sooner without an event counts as failed: else a broken server would be asked in a busy loop. */
  shortestWatchMs: number;
}

const DEFAULTS: ReflectorTimings = {
  watchMs: 5 * 60_000,
  graceMs: 30_000,
  silenceMs: 3 * 60_000,
  backoffBaseMs: 800,
  backoffCapMs: 30_000,
  shortestWatchMs: 1000,
};

export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #timings: ReflectorTimings;
  readonly #clock: Clock;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  #failures = 0;
  #seesBookmarks = false;
  #synced = false;
  #inTouchAt: number | undefined;
  #failing = false;
  #watchingSince: number | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#timings = { ...DEFAULTS, ...options.timings };
    this.#clock = options.clock ?? systemClock;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when the sink will not be called any more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  /** The first complete list reached the sink. */
  hasSynced(): boolean {
    return this.#synced;
  }

  /**
   * 0 while list and watch work, else the milliseconds since they last did; Infinity before the first list. After a
   * failure, the next event or a watch that has lasted for `graceMs` counts as working: the headers of an answer are
   * not seen here.
   */
  staleMs(): number {
    const now = this.#clock.now();
    if (this.#inTouchAt === undefined) return Number.POSITIVE_INFINITY;
    if (!this.#failing) return 0;
    if (this.#watchingSince !== undefined && now - this.#watchingSince > this.#timings.graceMs) return 0;
    return now - this.#inTouchAt;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    let resourceVersion: string | undefined;
    while (!signal.aborted) {
      const step = resourceVersion === undefined ? 'list' : 'watch';
      try {
        resourceVersion = resourceVersion === undefined ? await this.#list() : await this.#watch(resourceVersion);
      } catch (error) {
        if (signal.aborted) return;
        this.#failing = true;
        this.#options.sink.failed(error instanceof WatchFailure ? error.cause : error, step);
        resourceVersion = error instanceof WatchFailure ? error.resumeFrom : undefined;
        await this.#backOff(error instanceof WatchFailure ? error.cause : error);
      }
    }
  }

  async #list(): Promise<string> {
    const list = await listAll<T>(this.#options.client, this.#options.type, {
      ...this.#selection(),
      signal: this.#stopped.signal,
    });
    if (this.#stopped.signal.aborted) return '';
    this.#options.sink.replace(list.items);
    this.#synced = true;
    this.#inTouch();
    return list.metadata.resourceVersion;
  }

  /** @returns the resourceVersion from which to go on. @throws WatchFailure if the watch did not end as it should. */
  async #watch(from: string): Promise<string> {
    const cut = new AbortController();
    const stop = (): void => cut.abort();
    this.#stopped.signal.addEventListener('abort', stop, { once: true });
    const timeoutMs = this.#timings.watchMs * (1 + this.#clock.random());
    const begun = this.#clock.now();
    const stall = new StallTimer(this.#clock, () => cut.abort());
    let last = from;
    try {
      stall.arm(timeoutMs + this.#timings.graceMs);
      const events = this.#options.client.watch<T>(this.#options.type, {
        ...this.#selection(),
        resourceVersion: from,
        timeoutSeconds: Math.ceil(timeoutMs / 1000),
        signal: cut.signal,
      });
      this.#watchingSince = begun;
      for await (const event of events) {
        if (cut.signal.aborted) break;
        this.#inTouch();
        this.#failures = 0;
        if (event.type === 'BOOKMARK') this.#seesBookmarks = true;
        else this.#options.sink.apply(event);
        last = event.object.metadata.resourceVersion ?? last;
        if (this.#seesBookmarks) stall.arm(Math.min(this.#timings.silenceMs, timeoutMs + this.#timings.graceMs));
      }
      if (last === from && this.#clock.now() - begun < this.#timings.shortestWatchMs) {
        throw new Error('the API server ended the watch at once and sent nothing');
      }
      this.#failures = 0;
      this.#inTouch();
    } catch (error) {
      // A cut by the stall timer is an ordinary end: the next watch, from the same version, shows if the server lives.
      if (cut.signal.aborted) return last;
      throw new WatchFailure(error, isKubeError(error) && error.kind !== 'retryable' ? undefined : last);
    } finally {
      this.#watchingSince = undefined;
      stall.disarm();
      this.#stopped.signal.removeEventListener('abort', stop);
      cut.abort();
    }
    return last;
  }

  #inTouch(): void {
    this.#inTouchAt = this.#clock.now();
    this.#failing = false;
  }

  async #backOff(error: unknown): Promise<void> {
    const { backoffBaseMs, backoffCapMs } = this.#timings;
    const asked = isKubeError(error) ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const ms = Math.max(asked, fullJitter(this.#clock, backoffBaseMs, backoffCapMs, this.#failures));
    this.#failures += 1;
    await sleep(this.#clock, ms, this.#stopped.signal);
  }

  #selection(): Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'> {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return { namespace, labelSelector, fieldSelector };
  }
}

/** A watch that failed. `resumeFrom` is undefined if only a new list helps. */
class WatchFailure extends Error {
  readonly resumeFrom: string | undefined;

  constructor(cause: unknown, resumeFrom: string | undefined) {
    super('the watch failed', { cause });
    this.resumeFrom = resumeFrom;
  }
}

/** Calls once, if it is not armed again within the time that it was armed with. */
class StallTimer {
  readonly #clock: Clock;
  readonly #call: () => void;
  #dueAt = 0;
  #timer: unknown;

  constructor(clock: Clock, call: () => void) {
    this.#clock = clock;
    this.#call = call;
  }

  /** Moves only the due time. The running timer notices it when it fires, so that an event of a watch sets no timer. */
  arm(ms: number): void {
    const earlier = this.#clock.now() + ms < this.#dueAt;
    this.#dueAt = this.#clock.now() + ms;
    if (earlier) this.disarm();
    if (this.#timer === undefined) this.#sleep();
  }

  disarm(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #sleep(): void {
    const left = this.#dueAt - this.#clock.now();
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#timer = undefined;
        if (this.#clock.now() >= this.#dueAt) this.#call();
        else this.#sleep();
      },
      Math.min(Math.max(left, 1), LONGEST_TIMER_MS),
    );
  }
}
