import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { KubeClient, KubeObject, Preconditions, ResourceType } from '../kube/client.ts';
import { isKubeError, undefinedIfGone } from '../kube/errors.ts';
import { expired, type LedgerEntry, parseEntry } from './ledger.ts';

export const CONFIG_MAPS: ResourceType = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };

/** The ledger of one CapDeployJob: a ConfigMap in the notifier's namespace, with a key for each deploy. */
export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/** Marks the ConfigMaps of the ledger. Its value is the uid of the CapDeployJob. */
export const FEED_LABEL = 'capdeployjob.dev/feed-of';
/** @param uid of the CapDeployJob, which a resource of the same name has not */
export const feedName = (uid: string): string => `feed-${createHash('sha256').update(uid).digest('hex').slice(0, 32)}`;

/** What is made of an entry; undefined: what is there allows no change. */
export type Change = (entry: LedgerEntry) => LedgerEntry | undefined;

export interface FeedOptions {
  readonly kube: Pick<KubeClient, 'get' | 'create' | 'patch'>;
  /** The notifier's own. */
  readonly namespace: string;
  /** Of the CapDeployJob. */
  readonly uid: string;
  /** `<namespace>/<name>` of the CapDeployJob, for people who look into the ConfigMap. */
  readonly resource: string;
  /** Whether the status of the CapDeployJob names the deploy. */
  readonly isThere: (job: string) => boolean;
  readonly clock: Clock;
}

interface Pending {
  readonly job: string;
  readonly change: Change;
  readonly settle?: (wasMade: boolean) => void;
  readonly fail?: (error: unknown) => void;
}

const EMPTY: LedgerEntry = { places: {} };
/** What need not be known after a crash is written at most this often. Milliseconds. */
const WRITE_EVERY_MS = 1_000;

/**
 * The entries of one ConfigMap. It has one write under way at a time, under the resourceVersion that was read: two
 * notifiers at work cannot both make a claim.
 */
export class Feed {
  readonly #options: FeedOptions;
  #entries = new Map<string, LedgerEntry>();
  /** Undefined: it is to be read before the next write. */
  #version: Preconditions | undefined;
  #isNew = false;
  #pending: Pending[] = [];
  #writing: Promise<void> | undefined;
  #timer: unknown;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** What is known of a deploy, changes that are not written yet included. */
  get(job: string): LedgerEntry {
    const entry = this.#entries.get(job) ?? EMPTY;
    return this.#pending.reduce((known, each) => (each.job === job ? (each.change(known) ?? known) : known), entry);
  }

  /**
   * Changes an entry, and waits until that is stored.
   * @returns false if the change was refused by what another notifier has written
   * @throws KubeError if it could not be stored. It may be stored after all: the next write reads first
   */
  async change(job: string, change: Change): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.#pending.push({ job, change, settle: resolve, fail: reject });
    this.#write();
    return await promise;
  }

  /** Changes an entry, and stores it soon: what is lost with this process is found out again. */
  note(job: string, change: Change): void {
    this.#pending.push({ job, change });
    this.#later();
  }

  /** Nothing more is written. */
  stop(): void {
    this.#options.clock.clearTimeout(this.#timer);
  }

  #later(): void {
    const { clock } = this.#options;
    this.#timer ??= clock.setTimeout(() => {
      this.#timer = undefined;
      this.#write();
    }, WRITE_EVERY_MS);
  }

  #write(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      // What came while it ended.
      if (this.#pending.some(({ settle }) => settle)) this.#write();
      else if (this.#pending.length > 0) this.#later();
    });
  }

  async #writeAll(): Promise<void> {
    const batch = [...this.#pending];
    try {
      // A batch that meets another's write is made of what that has written.
      for (let settled = false; !settled; ) settled = await this.#writeOnce(batch);
    } catch (error) {
      // Whether it was stored is not known.
      this.#version = undefined;
      const waited = batch.filter(({ settle }) => settle);
      this.#pending = this.#pending.filter((each) => !waited.includes(each));
      for (const { fail } of waited) fail?.(error);
    }
  }

  /** @returns false after a conflict */
  async #writeOnce(batch: readonly Pending[]): Promise<boolean> {
    await this.#read();
    const next = new Map(this.#entries);
    const made = batch.map(({ job, change }) => {
      const entry = change(next.get(job) ?? EMPTY);
      if (entry) next.set(job, entry);
      return entry !== undefined;
    });
    for (const job of expired(next, this.#options.isThere, this.#options.clock.now())) next.delete(job);
    const data = difference(this.#entries, next);
    try {
      if (this.#isNew || Object.keys(data).length > 0) this.#adoptVersion(await this.#store(data));
    } catch (error) {
      const isPatch = this.#version !== undefined;
      this.#version = undefined;
      this.#isNew = false;
      if (isKubeError(error, 'exists') || (isPatch && (isKubeError(error, 'conflict') || isKubeError(error, 'gone')))) {
        return false;
      }
      throw error;
    }
    this.#entries = next;
    this.#pending = this.#pending.slice(batch.length);
    for (const [place, { settle }] of batch.entries()) settle?.(made[place] ?? false);
    return true;
  }

  async #read(): Promise<void> {
    if (this.#version || this.#isNew) return;
    const { kube, namespace, uid } = this.#options;
    const found = await undefinedIfGone(kube.get<ConfigMap>(CONFIG_MAPS, namespace, feedName(uid)));
    // Somebody has deleted it. What it held is still known here.
    this.#isNew = found === undefined;
    if (!found) return;
    this.#adoptVersion(found);
    this.#entries = entriesOf(found);
  }

  #store(data: Record<string, string | null>): Promise<KubeObject> {
    const { kube, namespace, uid, resource } = this.#options;
    const name = feedName(uid);
    if (this.#version) return kube.patch(CONFIG_MAPS, namespace, name, this.#version, { data });
    const metadata = {
      name,
      namespace,
      labels: { [FEED_LABEL]: uid },
      annotations: { 'capdeployjob.dev/feed-of-resource': resource },
    };
    // After a deletion by somebody all of it is to be written, not the difference alone.
    const whole = Object.fromEntries([...this.#entries].map(([job, entry]) => [job, JSON.stringify(entry)]));
    const all = Object.fromEntries(Object.entries({ ...whole, ...data }).filter(([, text]) => text !== null));
    return kube.create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: all });
  }

  #adoptVersion({ metadata: { uid = '', resourceVersion = '' } }: KubeObject): void {
    this.#version = { uid, resourceVersion };
    this.#isNew = false;
  }
}

function entriesOf({ data = {} }: ConfigMap): Map<string, LedgerEntry> {
  return new Map(
    Object.entries(data).flatMap(([job, text]) => {
      const entry = parseEntry(text);
      return entry ? [[job, entry] as const] : [];
    }),
  );
}

/** As a merge patch of `data`. */
function difference(
  before: ReadonlyMap<string, LedgerEntry>,
  after: ReadonlyMap<string, LedgerEntry>,
): Record<string, string | null> {
  const changed = [...after].flatMap(([job, entry]) => {
    const text = JSON.stringify(entry);
    return JSON.stringify(before.get(job)) === text ? [] : [[job, text] as const];
  });
  const gone = [...before.keys()].filter((job) => !after.has(job)).map((job) => [job, null] as const);
  return Object.fromEntries([...changed, ...gone]);
}
