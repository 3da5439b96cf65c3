import { type Clock, monotonicNow } from '../../base/clock.ts';
import { durationMsOf, holderOf, type Lease, recordText } from './lease.ts';

/** The Lease as one replica sees it, and since when: whether its holder's time is over is judged by that, never by what the record says of time. */
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

  /** @param durationMs where a record does not say. @param onNewHolder told of each holder other than the one before. */
  constructor(clock: Clock, identity: string, durationMs: number, onNewHolder: (identity: string) => void) {
    this.#clock = clock;
    this.#identity = identity;
    this.#durationMs = durationMs;
    this.#onNewHolder = onNewHolder;
  }

  /** As it was seen last; undefined where it was not there. */
  get lease(): Lease | undefined {
    return this.#lease;
  }

  /** The last one: '' where nobody held it. */
  get holder(): string {
    return this.#holder;
  }

  see(lease: Lease | undefined): void {
    this.#lease = lease;
    // One that was deleted ends nobody's term: its holder makes it again, and others wait as long as they would have.
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

  /** A watch may lag behind a look: what it tells then is no news. */
  isOlder({ metadata }: Lease): boolean {
    const known = this.#lease?.metadata;
    const [theirs = '', ours = ''] = [metadata.resourceVersion, known?.resourceVersion];
    // Of one object they are numbers that grow (KEP-5504); where a server has others, each counts as news.
    if (metadata.uid !== known?.uid || !/^\d+$/.test(theirs) || !/^\d+$/.test(ours)) return false;
    return BigInt(theirs) < BigInt(ours);
  }

  /** How much longer another replica's word counts, in milliseconds; 0 or less: nobody's does. */
  heldByAnotherMs(): number {
    if (this.#holder === '' || this.#holder === this.#identity) return 0;
    return this.#changedAt + this.#holderMs - monotonicNow(this.#clock);
  }
}
