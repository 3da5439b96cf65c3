import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../base/log.ts';
import { splitKey } from '../../base/object-key.ts';
import { CORE_EVENTS, type KubeClient, type KubeObject } from '../../kube/client.ts';
import { listPages } from '../../kube/list-all.ts';
import type { HangingStart, Warning, Warnings } from '../../lanes/explain-start.ts';
import { quotable } from './quotable.ts';

/** How long a list is used while a start of its namespace is young, and how long a start is young. */
const MIN_MS = 5_000;
const YOUNG_MS = 20_000;
/** How long a list is used at most. */
const MAX_MS = 60_000;

/** A core/v1 Event. client-go's older recorder writes the timestamps, the newer one writes the other times. */
interface CoreEvent extends KubeObject {
  involvedObject?: { uid?: string };
  reason?: string;
  message?: string;
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  series?: { lastObservedTime?: string | null } | null;
}

interface Found {
  event: CoreEvent;
  at: number;
}

/**
 * The newest Warning Events about starts that hang. Only they say that no IP address is left, or that a volume cannot
 * be attached.
 *
 * The API server caches no Events: each list reads all Events of its namespace from etcd. When a registry or a node
 * pool is out, hundreds of starts hang at the same time. So they share one list for each namespace: one at a time,
 * every 5 s at most, and less often the longer the youngest of them hangs. No pass waits for it: slow starts must not
 * delay the deploys of others.
 */
export class WarningEvents implements Warnings {
  readonly #deps: { client: Pick<KubeClient, 'list'>; now: () => number; wake: (key: string) => void; log: Log };
  /** By CapDeployJob. */
  readonly #hanging = new Map<string, readonly HangingStart[]>();
  /** By UID, only for starts that hang and were listed since. */
  readonly #known = new Map<string, Warning | null>();
  /** By namespace: when the last list ended (epoch milliseconds). */
  readonly #listedAt = new Map<string, number>();
  readonly #listing = new Set<string>();

  /** @param deps.wake called with the key of a CapDeployJob when there is news about its starts. */
  constructor(deps: { client: Pick<KubeClient, 'list'>; now: () => number; wake: (key: string) => void; log: Log }) {
    this.#deps = deps;
  }

  /** How many things are kept: CapDeployJobs with starts that hang, Warnings about these, and times of lists. */
  get size(): number {
    return this.#hanging.size + this.#known.size + this.#listedAt.size;
  }

  about(uid: string): Warning | null | undefined {
    return this.#known.get(uid);
  }

  /**
   * Follows these starts of a CapDeployJob from now on, and no others of it. Lists the Events of their namespace if
   * that is due.
   * @returns when to call again (epoch milliseconds); undefined if no start hangs.
   */
  follow(key: string, starts: readonly HangingStart[]): number | undefined {
    const uids = new Set(starts.map(({ uid }) => uid));
    for (const { uid } of this.#hanging.get(key) ?? []) if (!uids.has(uid)) this.#known.delete(uid);
    if (starts.length === 0) {
      this.#hanging.delete(key);
      return undefined;
    }
    this.#hanging.set(key, starts);

    const now = this.#deps.now();
    const [namespace] = splitKey(key);
    const youngest = Math.max(...starts.map(({ since }) => since));
    const listedAt = this.#listedAt.get(namespace);
    // Each start has a period by its own age. The youngest of a namespace has the shortest.
    const dueAt = listedAt === undefined ? now : listedAt + periodMs(listedAt - youngest);
    if (now < dueAt) return dueAt;
    if (!this.#listing.has(namespace)) void this.#list(namespace);
    return now + periodMs(now - youngest);
  }

  async #list(namespace: string): Promise<void> {
    this.#listing.add(namespace);
    try {
      const found = await this.#newest(namespace);
      for (const [key, { uid }] of this.#startsOf(namespace)) {
        const newest = found.get(uid);
        if (newest !== undefined && this.#learn(uid, newest)) this.#deps.wake(key);
      }
    } catch (err) {
      // What is known stays, or the status would change with each failure of the API server.
      this.#deps.log.warn({ err, namespace }, 'Events cannot be listed: starts that hang may go unexplained');
    }
    this.#listing.delete(namespace);
    this.#forgetOld();
    this.#listedAt.set(namespace, this.#deps.now());
  }

  /**
   * Reads page by page. Of all Warnings of a namespace it keeps only the newest about each start that hangs.
   * @returns by UID, for all that hung when the first page came; null: there is no Warning about it.
   * @throws KubeError
   */
  async #newest(namespace: string): Promise<Map<string, Found | null>> {
    const newest = new Map<string, Found | null>();
    const options = { namespace, fieldSelector: 'type=Warning' };
    let isFirst = true;
    for await (const { items } of listPages<CoreEvent>(this.#deps.client, CORE_EVENTS, options)) {
      if (isFirst) for (const [, { uid }] of this.#startsOf(namespace)) newest.set(uid, null);
      isFirst = false;
      for (const event of items) {
        const uid = event.involvedObject?.uid ?? '';
        const before = newest.get(uid);
        if (before === undefined) continue;
        const at = lastTime(event);
        if (before === null || at > before.at) newest.set(uid, { event, at });
      }
    }
    return newest;
  }

  /** @returns whether it is news. */
  #learn(uid: string, found: Found | null): boolean {
    const before = this.#known.get(uid);
    const warning = found && toWarning(found);
    this.#known.set(uid, warning);
    return !isDeepStrictEqual(before, warning);
  }

  #startsOf(namespace: string): [key: string, start: HangingStart][] {
    return [...this.#hanging]
      .filter(([key]) => splitKey(key)[0] === namespace)
      .flatMap(([key, starts]) => starts.map((start): [string, HangingStart] => [key, start]));
  }

  /** A list that is too old to be used is not kept. */
  #forgetOld(): void {
    const now = this.#deps.now();
    for (const [namespace, at] of this.#listedAt) if (now - at > MAX_MS) this.#listedAt.delete(namespace);
  }
}

/** 5 s until a start is 20 s old, 10 s until it is 40 s old, and so on, up to a minute. */
const periodMs = (ageMs: number): number =>
  Math.min(MAX_MS, MIN_MS * 2 ** Math.max(0, 1 + Math.floor(Math.log2(Math.max(1, ageMs) / YOUNG_MS))));

function lastTime({ metadata, firstTimestamp, lastTimestamp, eventTime, series }: CoreEvent): number {
  const moments = [metadata.creationTimestamp, firstTimestamp, lastTimestamp, eventTime, series?.lastObservedTime];
  return Math.max(0, ...moments.map((moment) => Date.parse(moment ?? '')).filter((at) => !Number.isNaN(at)));
}

/**
 * What differs each time a Warning is repeated: the id of the sandbox that was tried, the id of a request to a cloud,
 * and what client-go puts before similar ones (`tools/record/events_cache.go`). It tells people nothing, and each
 * change would be a write.
 */
const PASSING: [pattern: RegExp, replacement: string][] = [
  [/^\(combined from similar events\): /, ''],
  [/(?<![0-9a-z:])[0-9a-f]{64}(?![0-9a-z])/g, '…'],
  [/(request ?id:? ?)[0-9a-f-]{36}/gi, '$1…'],
];

function toWarning({ event: { reason = '', message = '' }, at }: Found): Warning {
  const steady = PASSING.reduce(
    (text, [pattern, replacement]) => text.replace(pattern, replacement),
    quotable(message),
  );
  return { reason: quotable(reason), message: steady, at };
}
