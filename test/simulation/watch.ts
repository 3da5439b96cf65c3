import type { TimerHandle } from 'in-memory-kubernetes/clock.ts';
import { kubeErrorOf } from '../../dev/in-process-client.ts';
import type { KubeObject, ResourceType, WatchEvent, WatchOptions } from '../../src/kube/client.ts';
import { KubeError } from '../../src/kube/errors.ts';
import { Call, type Task } from './call.ts';
import { lostRequest } from './kube-port.ts';
import type { Incarnation } from './replica.ts';
import type { World } from './world.ts';

const BOOKMARK_MS = 60_000;
/** Nothing answers for this long: the client gives up. */
const TIMEOUT_MS = 30_000;

type Item = { event: WatchEvent } | { error: KubeError } | 'end';

/**
 * One watch: events wait here until the scheduler delivers them, one or all; so a cache is as stale as the scheduler
 * wants.
 */
export class Watch implements AsyncIterable<WatchEvent>, AsyncIterator<WatchEvent>, Task {
  readonly incarnation: Incarnation;
  readonly type: ResourceType;
  /** Delivers nothing before this (world time): a cache that is stale. */
  stalledUntil = 0;
  isOpen = false;
  readonly #world: World;
  readonly #options: WatchOptions;
  readonly #buffer: Item[] = [];
  readonly #timers: TimerHandle[] = [];
  #close: (() => void) | undefined;
  #reader: PromiseWithResolvers<IteratorResult<WatchEvent>> | undefined;
  /** How many items may be delivered without being asked again. */
  #credit = 0;
  #isListed = false;
  #isOver = false;
  /** A connection that is dead, and nobody knows: nothing comes any more, no end either. */
  #isDead = false;

  constructor(world: World, incarnation: Incarnation, type: ResourceType, options: WatchOptions) {
    this.#world = world;
    this.incarnation = incarnation;
    this.type = type;
    this.#options = options;
    incarnation.onDeath(() => this.#finish());
    options.signal?.addEventListener('abort', () => this.#abort(), { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<WatchEvent>> {
    if (!this.isOpen && !this.#isOver) this.#open();
    this.#reader = Promise.withResolvers<IteratorResult<WatchEvent>>();
    const { promise } = this.#reader;
    this.#deliver();
    return promise;
  }

  return(): Promise<IteratorResult<WatchEvent>> {
    this.#finish();
    return Promise.resolve({ done: true, value: undefined });
  }

  // ---- As a task of the scheduler
  // -------------------------------------------------------------------------------------------------

  isBlocked(): boolean {
    return this.incarnation.isPaused || this.#world.clock.now() < this.stalledUntil;
  }

  /** Delivers all that there is. */
  advance(): boolean {
    this.#credit = this.#buffer.length;
    this.#deliver();
    return false;
  }

  /** Delivers one event only. @returns whether there are more. */
  deliverOne(): boolean {
    this.#credit = 1;
    this.#deliver();
    this.#credit = 0;
    return this.#buffer.length > 0;
  }

  describe(): string {
    return `${this.incarnation.name} hears of ${this.type.plural}`;
  }

  // ---- What can happen to it
  // ----------------------------------------------------------------------------------------------------------

  /** The server, or the network, ends it. */
  end(error?: KubeError): void {
    if (this.#isDead || this.#isOver) return;
    this.#stopFollowing();
    this.#push(error ? { error } : 'end');
  }

  /** The connection is dead without a word. */
  goSilent(): void {
    this.#isDead = true;
    this.#stopFollowing();
    this.#world.silentWatches.push(this);
  }

  /** The network is back, and says that there is no such connection. */
  beReset(): void {
    this.#isDead = false;
    this.end(lostRequest('ECONNRESET'));
  }

  #open(): void {
    this.isOpen = true;
    const { signal, ...query } = this.#options;
    void signal;
    const call = new Call(this.#world, this.incarnation, {
      port: 'kube',
      verb: 'watch',
      what: `${this.type.plural} from ${query.resourceVersion}`,
      lost: lostRequest,
      timeoutMs: TIMEOUT_MS,
      perform: () => {
        if (!this.#isOver) this.#follow();
      },
    });
    call.promise.catch((error: unknown) => {
      this.#stopFollowing();
      this.#push({ error: error as KubeError });
      this.advance();
    });
  }

  #follow(): void {
    const { signal: _, timeoutSeconds, ...query } = this.#options;
    try {
      this.#close = this.#world.store.watch(this.type, query, {
        event: (event) => this.#push({ event: event as WatchEvent }),
        ended: () => this.end(),
      });
    } catch (error) {
      throw kubeErrorOf(error);
    }
    this.#world.watches.add(this);
    this.#bookmark();
    if (timeoutSeconds !== undefined)
      this.#timers.push(this.#world.clock.setTimeout(() => this.end(), timeoutSeconds * 1000));
  }

  #bookmark(): void {
    const timer = this.#world.clock.setTimeout(() => {
      if (this.#close === undefined) return;
      const metadata = { name: '', resourceVersion: String(this.#world.store.version) };
      const object: KubeObject = { apiVersion: this.type.version, kind: this.type.kind, metadata };
      this.#push({ event: { type: 'BOOKMARK', object } });
      this.#bookmark();
    }, BOOKMARK_MS);
    this.#timers.push(timer);
  }

  #push(item: Item): void {
    if (this.#isOver) return;
    this.#buffer.push(item);
    if (this.#isListed) return;
    this.#isListed = true;
    this.#world.tasks.push(this);
  }

  /** The scheduler took it off its list. */
  unlisted(): void {
    this.#isListed = this.#buffer.length > 0 && !this.#isOver;
    if (this.#isListed) this.#world.tasks.push(this);
  }

  #deliver(): void {
    if (this.#reader === undefined || this.#credit <= 0) return;
    const item = this.#buffer.shift();
    if (item === undefined) return;
    this.#credit -= 1;
    const reader = this.#reader;
    this.#reader = undefined;
    if (item === 'end') {
      this.#finish();
      reader.resolve({ done: true, value: undefined });
    } else if ('error' in item) {
      this.#finish();
      reader.reject(item.error);
    } else {
      const { type, object } = item.event;
      if (this.type.plural === 'pods' && type !== 'BOOKMARK') this.incarnation.hasSeen(object);
      if (this.type.plural === 'jobs' && type === 'DELETED') this.incarnation.hasHeardOfDeletion(object);
      this.#world.trace.note(`${this.incarnation.name} ${type}`, () => {
        return `${this.incarnation.name} hears: ${type} ${object.kind} ${object.metadata.name} (${object.metadata.resourceVersion})`;
      });
      reader.resolve({ done: false, value: item.event });
    }
  }

  #abort(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#finish();
    reader?.reject(lostRequest('AbortError'));
  }

  #stopFollowing(): void {
    this.#close?.();
    this.#close = undefined;
    for (const timer of this.#timers.splice(0)) this.#world.clock.clearTimeout(timer);
    this.#world.watches.delete(this);
  }

  #finish(): void {
    this.#stopFollowing();
    this.#isOver = true;
    this.#buffer.length = 0;
  }
}

/** The API server says that the watch's resourceVersion is compacted away. */
export const expiredWatch = (): KubeError =>
  new KubeError('gone', { status: 410, reason: 'Expired', message: 'Expired: too old resource version' });
