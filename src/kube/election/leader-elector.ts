/**
 * Leader election on a Lease, as client-go's `tools/leaderelection` does it. The holder of the Lease leads. It renews
 * the Lease every few seconds, and gives up before others may take it. Whether the Lease has expired is measured from
 * when this process last saw the record change: clocks are never compared. Election saves work. It is not needed for
 * safety: the lane protocol holds with two leaders.
 *
 *   stand by ──▶ acquire ──▶ renew every retryMs ──▶ stop: release ('' as holder), and another replica leads at once
 *     ▲  │ watches the Lease, and sends               └─▶ lost: not renewed for renewDeadlineMs, or held by another one
 *     └──┘ nothing while it is renewed
 *
 * Lost is final, because what a former leader remembers may not be true any more: its process ends.
 */

import { type Clock, LONGEST_TIMER_MS, monotonicNow, sleep, systemClock, type TimerHandle } from '../../base/clock.ts';
import { type Log, silentLog } from '../../base/log.ts';
import { keyOf } from '../../base/object-key.ts';
import { Wakeup } from '../../base/wakeup.ts';
import { type KubeClient, LEASES } from '../client.ts';
import { isKubeError } from '../errors.ts';
import { Cache } from '../informer/cache.ts';
import { notLeader, type WriteGuard } from '../write-guard.ts';
import type { Lease, LeaseName } from './lease.ts';
import { LeaseLock, seconds } from './lease-lock.ts';

export interface LeaderElectorOptions {
  /** Best with connections of its own: renewals must not wait behind deploys. */
  client: Pick<KubeClient, 'get' | 'list' | 'watch' | 'create' | 'patch'>;
  lease: LeaseName;
  /** Unique for each start of a process: a process that is started again is not the one that died. */
  identity: string;
  /** How long others wait for a leader that shows no sign of life, in milliseconds. */
  durationMs: number;
  clock?: Clock;
  log?: Log;
  /** Told of each leader other than the one seen before, this replica included. */
  onNewLeader?: (identity: string) => void;
}

/** 15 s make 10 s and 2 s, client-go's defaults. A third is left for requests under way when a leader gives up. */
export const timingsOf = (durationMs: number) => ({
  durationMs,
  renewDeadlineMs: Math.floor((durationMs * 2) / 3),
  retryMs: Math.floor((durationMs * 2) / 15),
});

/** client-go's: failed tries come after 1 to 2.2 times retryMs, so that replicas do not try in step. */
const JITTER = 1.2;
/** How long a stop waits for the request under way, and then for its release; milliseconds. */
const LAST_REQUEST_MS = 300;
const RELEASE_MS = 2000;
/** As `leaderElection` in Kubernetes' own components: a leader that could not renew and has not ended is stuck. */
const TOLERANCE_MS = 20_000;
/** A follower looks at its clock at least so often. It is stuck if it did not for five times as long. */
const LONGEST_WAIT_MS = 60_000;
const STUCK_MS = 5 * 60_000;

export class LeaderElector implements WriteGuard {
  readonly #options: LeaderElectorOptions;
  readonly #timings: ReturnType<typeof timingsOf>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #lock: LeaseLock;
  readonly #stopping = new AbortController();
  /** Aborts the request under way. The release finds out whether it took effect. */
  readonly #request = new AbortController();
  readonly #guard = new AbortController();
  readonly signal = this.#guard.signal;
  readonly #acquired = Promise.withResolvers<void>();
  /** Resolves when this replica leads. */
  readonly acquired = this.#acquired.promise;
  readonly #lost = Promise.withResolvers<Error>();
  /** Resolves with the reason when leadership was lost without a stop. By then nothing is granted any more. */
  readonly lost = this.#lost.promise;
  readonly #wakeup = new Wakeup();
  #state: 'standing by' | 'leading' | 'lost' | 'ended' = 'standing by';
  #running: Promise<void> | undefined;
  #watch: Cache<Lease> | undefined;
  /** When the last renewal that succeeded was sent: no other replica can have seen it earlier. */
  #renewedAt = 0;
  #deadline: TimerHandle;
  #lastFailure: string | undefined;
  #progressAt: number;

  constructor(options: LeaderElectorOptions) {
    const { client, lease, identity, durationMs, clock = systemClock, log = silentLog } = options;
    this.#options = options;
    this.#timings = timingsOf(durationMs);
    this.#clock = clock;
    this.#log = log;
    this.#progressAt = monotonicNow(clock);
    this.#lock = new LeaseLock({
      client,
      lease,
      identity,
      durationMs,
      clock,
      // Half the renew deadline, so that another try fits in.
      limit: { ms: this.#timings.renewDeadlineMs / 2, signal: this.#request.signal },
      onNewHolder: (holder) => {
        options.onNewLeader?.(holder);
        if (holder !== identity) log.info(this.#fields(), 'another replica leads');
      },
    });
  }

  /** Begins to stand by. */
  start(): void {
    this.#progressAt = monotonicNow(this.#clock);
    this.#running ??= this.#run();
  }

  /** Whether it leads, by the time since its last renewal: also right in a process that was paused and just woke up. */
  granted(): boolean {
    if (this.#state !== 'leading') return false;
    if (this.#sinceRenewed() < this.#timings.renewDeadlineMs) return true;
    const why = this.#lastFailure === undefined ? '' : `: ${this.#lastFailure}`;
    this.#lose(`the Lease ${this.#key} was not renewed for ${seconds(this.#sinceRenewed())}${why}`);
    return false;
  }

  /** The Lease was read or written once. Until then it is not known whether this replica could ever lead. */
  get isLeaseKnown(): boolean {
    return this.#lock.isKnown;
  }

  /** The last failure in words, until a request succeeds. */
  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  /** For /healthz: undefined while the loop turns. */
  stuck(): string | undefined {
    if (this.#state === 'leading' && this.#sinceRenewed() > this.#timings.durationMs + TOLERANCE_MS) {
      return `leads, and has not renewed the Lease for ${seconds(this.#sinceRenewed())}`;
    }
    const idle = monotonicNow(this.#clock) - this.#progressAt;
    if (this.#state === 'standing by' && this.#running !== undefined && idle > STUCK_MS) {
      return `has not looked at the Lease for ${seconds(idle)}`;
    }
    return undefined;
  }

  /** Releases the Lease and ends, within 2.5 s. To be called when no write that needs the Lease will follow. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const timer = this.#clock.setTimeout(() => this.#request.abort(), LAST_REQUEST_MS);
    await this.#running;
    this.#clock.clearTimeout(timer);
    const mayHold = this.#state === 'leading' || this.#lock.isUncertain;
    // From here on nothing is granted, even if the release fails.
    this.#end();
    if (mayHold) await this.#release();
    await this.#watch?.stop();
  }

  /** Ends without a release, as in a crash: the Lease expires. */
  async abandon(): Promise<void> {
    this.#stopping.abort();
    this.#request.abort();
    this.#end();
    this.#guard.abort(notLeader());
    await this.#watch?.stop();
  }

  async #run(): Promise<void> {
    this.#watch = this.#follow();
    this.#watch.start();
    const acquired = await this.#standBy();
    // A leader knows the Lease from its own renewals.
    void this.#watch.stop();
    if (!acquired) return;
    this.#state = 'leading';
    this.#armDeadline();
    const { signal } = this.#stopping;
    if (!signal.aborted) {
      this.#log.info(this.#fields(), 'this replica leads now');
      this.#acquired.resolve();
    }
    while (!signal.aborted && this.#state === 'leading') {
      await sleep(this.#clock, this.#timings.retryMs, signal);
      if (!signal.aborted && this.granted()) await this.#renew();
    }
  }

  /** @returns true once it holds the Lease; false if it was stopped first. */
  async #standBy(): Promise<boolean> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#progressAt = monotonicNow(this.#clock);
      const isWatched = this.#watch?.staleMs() === 0;
      const heldMs = this.#lock.view.heldByAnotherMs();
      if (isWatched && heldMs > 0) {
        await this.#wakeup.wait(this.#clock, Math.min(heldMs, LONGEST_WAIT_MS), signal);
        continue;
      }
      const result = await this.#tryToAcquire();
      if (result === 'acquired') return true;
      if (result === 'held' && isWatched) continue;
      await this.#wakeup.wait(this.#clock, this.#timings.retryMs * (1 + JITTER * this.#clock.random()), signal);
    }
    return false;
  }

  async #tryToAcquire(): Promise<'acquired' | 'held' | 'failed'> {
    try {
      const sentAt = await this.#lock.acquire();
      if (sentAt === undefined) return 'held';
      this.#renewed(sentAt);
      // A process that was paused in between for so long begins anew: others may have taken the Lease by now.
      return this.#sinceRenewed() < this.#timings.renewDeadlineMs ? 'acquired' : 'failed';
    } catch (error) {
      // That another follower was faster is no failure.
      const raced = isKubeError(error, 'conflict') || isKubeError(error, 'exists');
      if (!raced) this.#failed(error, 'could not try to lead, trying again');
      return 'failed';
    }
  }

  async #renew(): Promise<void> {
    try {
      const result = await this.#lock.renew(() => this.#state === 'leading');
      if (typeof result === 'number') this.#renewed(result);
      else if (result !== undefined) this.#lose(`the Lease ${this.#key} is held by ${result}`);
    } catch (error) {
      if (this.#state === 'leading') this.#failed(error, 'could not renew the Lease, trying again');
    }
  }

  async #release(): Promise<void> {
    try {
      if (!(await this.#lock.release(RELEASE_MS))) return;
      this.#log.info(this.#fields(), 'released the Lease: another replica may lead');
    } catch (err) {
      this.#log.warn({ ...this.#fields(), err }, 'could not release the Lease: the next one waits until it expires');
    }
  }

  /** Follows the Lease while standing by: a release is seen at once, and a leader that renews costs no request. */
  #follow(): Cache<Lease> {
    const { client, lease } = this.#options;
    const cache = new Cache<Lease>({
      client,
      type: LEASES,
      namespaces: [lease.namespace],
      fieldSelector: `metadata.name=${lease.name}`,
      clock: this.#clock,
      log: this.#log,
    });
    cache.onEvent(({ type, object }) => {
      const { view } = this.#lock;
      if (this.#state !== 'standing by' || object.metadata.name !== lease.name || view.isOlder(object)) return;
      view.see(type === 'DELETED' ? undefined : object);
      if (view.heldByAnotherMs() <= 0) this.#wakeup.notify();
    });
    return cache;
  }

  #renewed(sentAt: number): void {
    this.#lastFailure = undefined;
    this.#renewedAt = sentAt;
    if (this.#state === 'leading') this.#armDeadline();
  }

  #sinceRenewed(): number {
    return monotonicNow(this.#clock) - this.#renewedAt;
  }

  #armDeadline(): void {
    this.#clock.clearTimeout(this.#deadline);
    const left = this.#timings.renewDeadlineMs - this.#sinceRenewed();
    const onDeadline = () => {
      if (this.granted()) this.#armDeadline();
    };
    this.#deadline = this.#clock.setTimeout(onDeadline, Math.min(Math.max(left, 0), LONGEST_TIMER_MS));
  }

  #lose(reason: string): void {
    if (this.#state !== 'leading') return;
    this.#state = 'lost';
    this.#clock.clearTimeout(this.#deadline);
    this.#guard.abort(notLeader());
    this.#lost.resolve(new Error(`leadership lost: ${reason}`));
  }

  #end(): void {
    this.#clock.clearTimeout(this.#deadline);
    if (this.#state !== 'lost') this.#state = 'ended';
  }

  #failed(error: unknown, message: string): void {
    const before = this.#lastFailure;
    this.#lastFailure = error instanceof Error ? error.message : String(error);
    // An outage is told once, not every two seconds.
    this.#log[before === this.#lastFailure ? 'debug' : 'warn']({ ...this.#fields(), err: error }, message);
  }

  get #key(): string {
    return keyOf({ metadata: this.#options.lease });
  }

  #fields(): object {
    const { holder, lease } = this.#lock.view;
    const { identity } = this.#options;
    return { lease: this.#key, identity, holder, transitions: lease?.spec?.leaseTransitions };
  }
}
