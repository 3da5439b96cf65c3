/**
 * Leader election on a Lease, as client-go's `tools/leaderelection` does it: whoever holds the Lease leads, renews it every few seconds, and
 * gives up before others may take it. Whether it has expired is judged by when this process saw the record change last, never by
 * comparing clocks. It is for economy, never for safety: the lane protocol holds with two leaders.
 *
 *   stand by ──▶ acquire ──▶ renew every retryMs ──▶ stop: release ('' as holder), and the next one leads at once
 *     ▲  │ the Lease is watched: no request          └─▶ lost: not renewed for renewDeadlineMs, or somebody else's by now; for good,
 *     └──┘ while somebody else renews it                 for whoever led has a head full of what was true then: the process ends
 */

import { type Clock, LONGEST_TIMER_MS, monotonicNow, sleep, systemClock, type TimerHandle } from '../../base/clock.ts';
import { type Log, silentLog } from '../../base/log.ts';
import { Wakeup } from '../../base/wakeup.ts';
import { type KubeClient, LEASES } from '../client.ts';
import { isKubeError } from '../errors.ts';
import { Cache } from '../informer/cache.ts';
import { notLeader, type WriteGuard } from '../write-guard.ts';
import { heldBy, holderOf, type Lease, type LeaseName, released } from './lease.ts';
import { LeaseRequests, type Limit, seconds } from './lease-requests.ts';
import { LeaseView } from './lease-view.ts';

export interface LeaderElectorOptions {
  /** With connections of its own, best: renewals must not wait behind deploys. */
  client: Pick<KubeClient, 'get' | 'list' | 'watch' | 'create' | 'patch'>;
  lease: LeaseName;
  /** Of this start of this process, and of no other: who is started again under an old name is not the one that died. */
  identity: string;
  /** How long others wait for a leader that shows no sign of life, in milliseconds. */
  durationMs: number;
  clock?: Clock;
  log?: Log;
  /** Told whenever another identity leads than the one seen before, this one included. */
  onNewLeader?: (identity: string) => void;
}

/** 15 s make 10 s and 2 s, client-go's defaults. A third of the duration is left for what is under way when a leader gives up. */
export const timingsOf = (durationMs: number) => ({
  durationMs,
  renewDeadlineMs: Math.floor((durationMs * 2) / 3),
  retryMs: Math.floor((durationMs * 2) / 15),
});

/** client-go's: failed tries come after 1 to 2.2 times retryMs, so that replicas do not ask in step. */
const JITTER = 1.2;
/** A stop waits so long for the request under way, then for its release; milliseconds. */
const LAST_REQUEST_MS = 300;
const RELEASE_MS = 2000;
const RELEASE_TRIES = 3;
/** As `leaderElection` in Kubernetes' own components: a leader that could not renew and is still there is stuck. */
const TOLERANCE_MS = 20_000;
/** Standing by, it looks at its clock at least so often, and is stuck where it did not for five times as long. */
const LONGEST_WAIT_MS = 60_000;
const STUCK_MS = 5 * 60_000;

export class LeaderElector implements WriteGuard {
  readonly #options: LeaderElectorOptions;
  readonly #timings: ReturnType<typeof timingsOf>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  /** Ends the request under way: what came of it, the release finds out. */
  readonly #hurry = new AbortController();
  readonly #withdrawn = new AbortController();
  readonly #acquired = Promise.withResolvers<void>();
  readonly #lost = Promise.withResolvers<Error>();
  readonly #wakeup = new Wakeup();
  #state: 'standing by' | 'leading' | 'lost' | 'ended' = 'standing by';
  #running: Promise<void> | undefined;
  #watch: Cache<Lease> | undefined;

  readonly #requests: LeaseRequests;
  readonly #view: LeaseView;
  #looked = false;

  /** When the last renewal that succeeded was sent: before anybody else can have seen it. */
  #renewedAt = 0;
  #deadline: TimerHandle;
  /** A write was sent and nobody knows what came of it: the Lease may be ours. */
  #mayHold = false;
  #trouble: string | undefined;
  #turnAt: number;

  constructor(options: LeaderElectorOptions) {
    this.#options = options;
    this.#timings = timingsOf(options.durationMs);
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLog;
    this.#turnAt = monotonicNow(this.#clock);
    const { client, lease, identity, durationMs } = options;
    // Half the renew deadline: so that another try fits in.
    const limit = { ms: this.#timings.renewDeadlineMs / 2, hurry: this.#hurry.signal };
    this.#requests = new LeaseRequests(client, lease, this.#clock, limit);
    this.#view = new LeaseView(this.#clock, identity, durationMs, (holder) => {
      options.onNewLeader?.(holder);
      if (holder !== identity) this.#log.info(this.#about(), 'another replica leads');
    });
  }

  /** Begins to stand by. */
  start(): void {
    this.#turnAt = monotonicNow(this.#clock);
    this.#running ??= this.#run();
  }

  /** Resolves when this replica leads. */
  get acquired(): Promise<void> {
    return this.#acquired.promise;
  }

  /** Resolves with the reason when it leads no more and did not want to stop. By then nothing is granted any more. */
  get lost(): Promise<Error> {
    return this.#lost.promise;
  }

  get signal(): AbortSignal {
    return this.#withdrawn.signal;
  }

  /** Whether it leads, by the time since its last renewal: right also in a process that has been stopped for a while and just woke up. */
  granted(): boolean {
    if (this.#state !== 'leading') return false;
    if (this.#sinceRenewed() < this.#timings.renewDeadlineMs) return true;
    this.#loseUnrenewed();
    return false;
  }

  /** It leads no more, or never will. */
  get isOver(): boolean {
    return this.#state === 'lost' || this.#state === 'ended' || this.#stopping.signal.aborted;
  }

  /** The Lease was read or made once: before that nobody knows whether this replica could ever lead. */
  get hasLooked(): boolean {
    return this.#looked;
  }

  /** The last failure in words, as long as it lasts. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** For /healthz: undefined while the loop turns. */
  stuck(): string | undefined {
    if (this.#state === 'leading' && this.#sinceRenewed() > this.#timings.durationMs + TOLERANCE_MS) {
      return `leads, and has not renewed the Lease for ${seconds(this.#sinceRenewed())}`;
    }
    const idle = monotonicNow(this.#clock) - this.#turnAt;
    if (this.#state === 'standing by' && this.#running !== undefined && idle > STUCK_MS) {
      return `has not looked at the Lease for ${seconds(idle)}`;
    }
    return undefined;
  }

  /** Ends standing by or leading. Releases the Lease: call it only when nothing that needs it will be written any more. Takes 2.5 s at most. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const hurry = this.#clock.setTimeout(() => this.#hurry.abort(), LAST_REQUEST_MS);
    await this.#running;
    this.#clock.clearTimeout(hurry);
    const held = this.#state === 'leading' || this.#mayHold;
    this.#clock.clearTimeout(this.#deadline);
    // From here on nothing is granted, whatever comes of the release.
    if (this.#state !== 'lost') this.#state = 'ended';
    if (held) await this.#release();
    await this.#watch?.stop();
  }

  /** Ends without a word to anybody, as in a crash: the Lease expires. */
  async abandon(): Promise<void> {
    this.#stopping.abort();
    this.#hurry.abort();
    this.#clock.clearTimeout(this.#deadline);
    if (this.#state !== 'lost') this.#state = 'ended';
    this.#withdrawn.abort(notLeader());
    await this.#watch?.stop();
  }

  async #run(): Promise<void> {
    this.#watch = this.#follow();
    this.#watch.start();
    const acquired = await this.#standBy();
    // The leader knows from its own renewals how the Lease is.
    void this.#watch.stop();
    if (!acquired) return;
    this.#state = 'leading';
    this.#armDeadline();
    if (!this.#stopping.signal.aborted) {
      this.#log.info(this.#about(), 'this replica leads now');
      this.#acquired.resolve();
    }
    const over = this.#stopping.signal;
    while (!over.aborted && this.#state === 'leading') {
      await sleep(this.#clock, this.#timings.retryMs, over);
      if (!over.aborted && this.granted()) await this.#renew();
    }
  }

  /** @returns true once it holds the Lease; false where it was stopped first. */
  async #standBy(): Promise<boolean> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#turnAt = monotonicNow(this.#clock);
      const watched = this.#watch?.staleMs() === 0;
      const heldMs = this.#view.heldByAnotherMs();
      if (watched && heldMs > 0) {
        await this.#wakeup.wait(this.#clock, Math.min(heldMs, LONGEST_WAIT_MS), signal);
        continue;
      }
      const outcome = await this.#tryToAcquire();
      if (outcome === 'acquired') return true;
      if (outcome === 'held' && watched) continue;
      await this.#wakeup.wait(this.#clock, this.#timings.retryMs * (1 + JITTER * this.#clock.random()), signal);
    }
    return false;
  }

  async #tryToAcquire(): Promise<'acquired' | 'held' | 'failed'> {
    try {
      await this.#look();
      if (this.#view.heldByAnotherMs() > 0) return 'held';
      await this.#write(this.#view.lease, this.#view.lease);
      // Stopped for so long in between that others may have given up on it already: it begins anew.
      return this.#sinceRenewed() < this.#timings.renewDeadlineMs ? 'acquired' : 'failed';
    } catch (error) {
      // Another follower was faster: an everyday matter.
      const raced = isKubeError(error, 'conflict') || isKubeError(error, 'exists');
      if (!raced) this.#failed(error, 'could not try to lead, trying again');
      return 'failed';
    }
  }

  async #renew(): Promise<void> {
    try {
      await this.#renewOnce();
    } catch (error) {
      if (this.#state === 'leading') this.#failed(error, 'could not renew the Lease, trying again');
    }
  }

  async #renewOnce(): Promise<void> {
    const mine = this.#view.lease;
    try {
      // On the word of the last answer, without asking first.
      return await this.#write(mine, mine);
    } catch (error) {
      if (!isKubeError(error) || !['conflict', 'exists', 'gone'].includes(error.kind)) throw error;
    }
    // Somebody else wrote, or an earlier try took effect though nobody answered.
    await this.#look();
    if (this.#state !== 'leading') return;
    const holder = holderOf(this.#view.lease);
    if (holder !== '' && holder !== this.#options.identity) {
      return this.#lose(`the Lease ${this.#where()} is held by ${holder}`);
    }
    // Deleted, perhaps: its count and its beginning go on.
    await this.#write(this.#view.lease, this.#view.lease ?? mine);
  }

  /** Reads the Lease, live. @throws KubeError where that fails. */
  async #look(limit?: Limit): Promise<void> {
    this.#view.see(await this.#requests.get(limit));
    this.#looked = true;
    // What it shows counts, whatever a write before did.
    this.#mayHold = false;
  }

  /**
   * Writes this replica into the Lease: in place of that very version of it, or as a new one. Throws KubeError.
   * @param current what is replaced; undefined: there is none. @param before whose beginning and count go on.
   */
  async #write(current: Lease | undefined, before: Lease | undefined): Promise<void> {
    const { identity, durationMs } = this.#options;
    const sentAt = monotonicNow(this.#clock);
    this.#mayHold = true;
    this.#view.see(await this.#requests.put(current, heldBy(identity, before?.spec, durationMs, this.#clock.now())));
    this.#mayHold = false;
    this.#looked = true;
    this.#trouble = undefined;
    this.#renewedAt = sentAt;
    if (this.#state === 'leading') this.#armDeadline();
  }

  async #release(): Promise<void> {
    const end = monotonicNow(this.#clock) + RELEASE_MS;
    for (let tries = 1; tries <= RELEASE_TRIES && monotonicNow(this.#clock) < end; tries += 1) {
      try {
        const limit = { ms: end - monotonicNow(this.#clock) };
        if (tries > 1 || this.#mayHold) await this.#look(limit);
        const { lease } = this.#view;
        if (lease === undefined || holderOf(lease) !== this.#options.identity) return;
        await this.#requests.put(lease, released(lease.spec, this.#clock.now()), limit);
        this.#log.info(this.#about(), 'released the Lease: another replica may lead');
        return;
      } catch (error) {
        // Somebody wrote meanwhile: a renewal of our own that was given up, say.
        if (tries < RELEASE_TRIES && isKubeError(error, 'conflict')) continue;
        this.#log.warn(
          { ...this.#about(), err: error },
          'could not release the Lease: the next one waits until it expires',
        );
        return;
      }
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
      if (this.#state !== 'standing by' || object.metadata.name !== lease.name) return;
      if (this.#view.isOlder(object)) return;
      this.#view.see(type === 'DELETED' ? undefined : object);
      if (this.#view.heldByAnotherMs() <= 0) this.#wakeup.notify();
    });
    return cache;
  }

  #sinceRenewed(): number {
    return monotonicNow(this.#clock) - this.#renewedAt;
  }

  #armDeadline(): void {
    this.#clock.clearTimeout(this.#deadline);
    const left = this.#timings.renewDeadlineMs - this.#sinceRenewed();
    this.#deadline = this.#clock.setTimeout(
      () => {
        if (this.granted()) this.#armDeadline();
      },
      Math.min(Math.max(left, 0), LONGEST_TIMER_MS),
    );
  }

  #loseUnrenewed(): void {
    const because = this.#trouble === undefined ? '' : `: ${this.#trouble}`;
    this.#lose(`the Lease ${this.#where()} was not renewed for ${seconds(this.#sinceRenewed())}${because}`);
  }

  #lose(reason: string): void {
    if (this.#state !== 'leading') return;
    this.#state = 'lost';
    this.#clock.clearTimeout(this.#deadline);
    this.#withdrawn.abort(notLeader());
    this.#lost.resolve(new Error(`leadership lost: ${reason}`));
  }

  #failed(error: unknown, message: string): void {
    const before = this.#trouble;
    this.#trouble = error instanceof Error ? error.message : String(error);
    // An outage is told once, not every two seconds.
    this.#log[before === this.#trouble ? 'debug' : 'warn']({ ...this.#about(), err: error }, message);
  }

  #where = (): string => `${this.#options.lease.namespace}/${this.#options.lease.name}`;

  #about = (): object => ({
    lease: this.#where(),
    identity: this.#options.identity,
    holder: this.#view.holder,
    transitions: this.#view.lease?.spec?.leaseTransitions,
  });
}
