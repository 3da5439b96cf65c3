import { type Clock, monotonicNow } from '../../base/clock.ts';
import { durationMsOf, holderOf, type Lease, recordText } from './lease.ts';

/**
 * The Lease as one replica saw it last, and when it changed. Whether its holder's time is over is measured from that
 * change. The times in the record are those of another clock.
 */
export class LeaseView {
  readonly #clock: Clock;
  readonly #identity: string;
  readonly #durationMs: number;
  readonly #onNewHolder: (identity: string) => void;
  #lease: Lease | undefined;
  #text = '';
  #changedAt = 0;
  #holder = '';
  #holderMs = 0;

  /** @param durationMs of a record without one. @param onNewHolder told of each holder other than the one before. */
  constructor(clock: Clock, identity: string, durationMs: number, onNewHolder: (identity: string) => void) {
    this.#clock = clock;
    this.#identity = identity;
    this.#durationMs = durationMs;
    this.#onNewHolder = onNewHolder;
  }

  /** As it was seen last; undefined if there was none. */
  get lease(): Lease | undefined {
    return this.#lease;
  }

  /** Of the last record; '' if that had none. */
  get holder(): string {
    return this.#holder;
  }

  see(lease: Lease | undefined): void {
    this.#lease = lease;
    // A deletion does not end the holder's time: the holder creates the Lease again, and others wait as before.
    if (lease === undefined) return;
    const text = recordText(lease);
    if (text === this.#text) return;
    this.#text = text;
    this.#changedAt = monotonicNow(this.#clock);
    this.#holderMs = durationMsOf(lease, this.#durationMs);
    const before = this.#holder;
    this.#holder = holderOf(lease);
    if (this.#holder !== before && this.#holder !== '') this.#onNewHolder(this.#holder);
  }

  /** Whether this version is older than the one seen last: a watch may lag behind a read. */
  isOlder({ metadata }: Lease): boolean {
    const known = this.#lease?.metadata;
    const [theirs = '', ours = ''] = [metadata.resourceVersion, known?.resourceVersion];
    // The versions of one object are numbers that grow (KEP-5504). A server may have others: each then counts as newer.
    if (metadata.uid !== known?.uid || !/^\d+$/.test(theirs) || !/^\d+$/.test(ours)) return false;
    return BigInt(theirs) < BigInt(ours);
  }

  /** How much longer another replica may lead, in milliseconds; 0 or less if none may. */
  heldByAnotherMs(): number {
    if (this.#holder === '' || this.#holder === this.#identity) return 0;
    return this.#changedAt + this.#holderMs - monotonicNow(this.#clock);
  }
}
