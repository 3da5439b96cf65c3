import { type Clock, monotonicNow } from '../../base/clock.ts';
import { keyOf } from '../../base/object-key.ts';
import { type KubeClient, LEASES } from '../client.ts';
import { isKubeError, KubeError, undefinedIfGone } from '../errors.ts';
import { heldBy, holderOf, type Lease, type LeaseName, type LeaseRecord, released } from './lease.ts';
import { LeaseView } from './lease-view.ts';

const RELEASE_TRIES = 3;

/** How long a request may take (milliseconds), whatever time-out the client has, and a signal that ends it sooner. */
interface Limit {
  ms: number;
  signal?: AbortSignal | undefined;
}

export interface LeaseLockOptions {
  client: Pick<KubeClient, 'get' | 'create' | 'patch'>;
  lease: LeaseName;
  identity: string;
  durationMs: number;
  clock: Clock;
  /** Of each request but those of a release. */
  limit: Limit;
  /** Told of each holder other than the one before, this replica included. */
  onNewHolder: (identity: string) => void;
}

/** The Lease as a lock (client-go's `resourcelock`): takes, renews and releases it for one identity. */
export class LeaseLock {
  readonly view: LeaseView;
  readonly #options: LeaseLockOptions;
  #isKnown = false;
  #isUncertain = false;

  constructor(options: LeaseLockOptions) {
    this.#options = options;
    this.view = new LeaseView(options.clock, options.identity, options.durationMs, options.onNewHolder);
  }

  /** The Lease was read or written once. Until then it is not known whether this replica could ever lead. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** A write was sent and its result is not known: this replica may hold the Lease. */
  get isUncertain(): boolean {
    return this.#isUncertain;
  }

  /**
   * Takes the Lease if the time of its holder is over.
   * @returns when the write was sent, by the monotonic clock; undefined if another replica holds it.
   * @throws KubeError; `conflict` or `exists` if another replica was faster.
   */
  async acquire(): Promise<number | undefined> {
    await this.#read();
    if (this.view.heldByAnotherMs() > 0) return undefined;
    return this.#write(this.view.lease, this.view.lease);
  }

  /**
   * Writes this replica's sign of life: one request, unless the Lease has changed.
   * @param isLeading asked again before a second write.
   * @returns when the write was sent, by the monotonic clock; the identity of another holder; or undefined if this
   * replica does not lead any more. @throws KubeError
   */
  async renew(isLeading: () => boolean): Promise<number | string | undefined> {
    const mine = this.view.lease;
    try {
      return await this.#write(mine, mine);
    } catch (error) {
      if (!isKubeError(error) || !['conflict', 'exists', 'gone'].includes(error.kind)) throw error;
    }
    // Another client wrote, or an earlier write of ours took effect without an answer.
    await this.#read();
    if (!isLeading()) return undefined;
    const holder = holderOf(this.view.lease);
    if (holder !== '' && holder !== this.#options.identity) return holder;
    // If the Lease was deleted, its transitions and acquireTime go on.
    return this.#write(this.view.lease, this.view.lease ?? mine);
  }

  /** @returns whether the Lease was released; false if this replica does not hold it. @throws KubeError */
  async release(withinMs: number): Promise<boolean> {
    const { clock, identity } = this.#options;
    const end = monotonicNow(clock) + withinMs;
    for (let tries = 1; tries <= RELEASE_TRIES && monotonicNow(clock) < end; tries += 1) {
      try {
        const limit = { ms: end - monotonicNow(clock) };
        if (tries > 1 || this.#isUncertain) await this.#read(limit);
        const { lease } = this.view;
        if (lease === undefined || holderOf(lease) !== identity) return false;
        await this.#put(lease, released(lease.spec, clock.now()), limit);
        return true;
      } catch (error) {
        // Another write came first, for example a renewal of our own that was given up.
        if (tries === RELEASE_TRIES || !isKubeError(error, 'conflict')) throw error;
      }
    }
    return false;
  }

  /** Reads the Lease, live. */
  async #read(limit?: Limit): Promise<void> {
    const { client, lease } = this.#options;
    const found = await undefinedIfGone(
      this.#within(limit, (signal) => client.get<Lease>(LEASES, lease.namespace, lease.name, { signal })),
    );
    this.#see(found);
  }

  /**
   * Writes this replica into the Lease: in place of `current`, or as a new Lease if that is undefined.
   * @param before whose acquireTime and transitions go on.
   */
  async #write(current: Lease | undefined, before: Lease | undefined): Promise<number> {
    const { clock, identity, durationMs } = this.#options;
    const sentAt = monotonicNow(clock);
    this.#isUncertain = true;
    this.#see(await this.#put(current, heldBy(identity, before?.spec, durationMs, clock.now())));
    return sentAt;
  }

  #see(lease: Lease | undefined): void {
    this.view.see(lease);
    this.#isKnown = true;
    this.#isUncertain = false;
  }

  /** Writes the record in place of exactly this version of the Lease, or creates the Lease. */
  #put(current: Lease | undefined, spec: LeaseRecord, limit?: Limit): Promise<Lease> {
    const { client, lease } = this.#options;
    return this.#within(limit, (signal) => {
      if (current === undefined) {
        const created: Lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...lease }, spec };
        return client.create<Lease>(LEASES, created, { signal });
      }
      const { uid = '', resourceVersion = '' } = current.metadata;
      // A merge patch: what others keep in the Lease (labels, preferredHolder) stays.
      return client.patch<Lease>(LEASES, lease.namespace, lease.name, { uid, resourceVersion }, { spec }, { signal });
    });
  }

  async #within<T>({ ms, signal }: Limit = this.#options.limit, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, lease } = this.#options;
    const request = new AbortController();
    const late = Promise.withResolvers<never>();
    const giveUp = () => {
      const message = `no answer about the Lease ${keyOf({ metadata: lease })} within ${seconds(ms)}`;
      const error = new KubeError('retryable', { status: 0, reason: 'Timeout', message });
      request.abort(error);
      late.reject(error);
    };
    const timer = clock.setTimeout(giveUp, ms);
    if (signal?.aborted) giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([send(request.signal), late.promise]);
    } finally {
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    }
  }
}

export const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;
