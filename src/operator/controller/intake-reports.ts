import type { RejectionEntry } from '../../api/capdeployjob.ts';
import { unlessAborted } from '../../base/abort.ts';
import { BoundedMap } from '../../base/bounded-map.ts';
import type { CreateFailure, QueueState } from '../../lanes/conditions.ts';
import { HandedOver, type Reports, type ResourceKey } from '../intake/ports.ts';

/** Each status write moves the resourceVersion that claims need: a flood of poison writes no more often than this. */
const REJECTION_WRITE_MS = 1000;
/** How many recorded MessageIds are remembered for each resource, so that a redelivery is counted once. */
const REMEMBERED_REJECTIONS = 1000;
/** A queue that was silent for this long and is read again may have turned a condition: look. */
const READ_AGAIN_MS = 60_000;

interface Pending {
  rejection: RejectionEntry;
  /** Of the resource whose spec it was judged by. */
  uid: string | undefined;
  settle: PromiseWithResolvers<void>;
}

interface Entry {
  queue: QueueState | undefined;
  createFailure: CreateFailure | undefined;
  pending: Map<string, Pending>;
  recorded: Map<string, true>;
  writtenAt: number;
}

/** What intake tells of each resource, until reconcile has written it into the status. Lost with the process: intake tells it again. */
export class IntakeReports implements Reports {
  readonly #entries = new Map<ResourceKey, Entry>();
  readonly #now: () => number;
  /** Asks for a reconcile of the resource, in so many milliseconds. */
  readonly #wake: (key: ResourceKey, inMs: number) => void;
  #closed = false;

  constructor(now: () => number, wake: (key: ResourceKey, inMs: number) => void) {
    this.#now = now;
    this.#wake = wake;
  }

  rejected(key: ResourceKey, rejection: RejectionEntry, signal: AbortSignal, uid?: string): Promise<void> {
    const entry = this.#entry(key);
    if (entry.recorded.has(rejection.messageId)) return Promise.resolve();
    if (this.#closed) return Promise.reject(handedOver());
    let pending = entry.pending.get(rejection.messageId);
    if (!pending) {
      pending = { rejection, uid, settle: Promise.withResolvers<void>() };
      pending.settle.promise.catch(() => {});
      entry.pending.set(rejection.messageId, pending);
      this.#wake(key, Math.max(0, entry.writtenAt + REJECTION_WRITE_MS - this.#now()));
    }
    return unlessAborted(pending.settle.promise, signal);
  }

  queue(key: ResourceKey, state: QueueState): void {
    const entry = this.#entry(key);
    const before = entry.queue;
    entry.queue = state;
    if (isNews(before, state)) this.#wake(key, 0);
  }

  createFailure(key: ResourceKey, failure: CreateFailure | undefined): void {
    // The end of a trouble that nobody knows of any more: the resource is gone, and nothing would ever take a new entry away.
    if (failure === undefined && !this.#entries.has(key)) return;
    const entry = this.#entry(key);
    const changed =
      entry.createFailure?.reason !== failure?.reason || entry.createFailure?.message !== failure?.message;
    entry.createFailure = failure;
    if (changed) this.#wake(key, 0);
  }

  /**
   * What a plan needs of it; rejections only where their turn to be written has come, and of the resource of this uid only: what an earlier one
   * of its name refused may be a good request to this one.
   */
  of(key: ResourceKey, now: number, uid?: string) {
    const entry = this.#entries.get(key);
    const due = entry !== undefined && now - entry.writtenAt >= REJECTION_WRITE_MS;
    return {
      queue: entry?.queue,
      createFailure: entry?.createFailure,
      rejections: due ? [...entry.pending.values()].filter(isOf(uid)).map(({ rejection }) => rejection) : [],
    };
  }

  /** A live look shows the resource of this uid: what an earlier one of its name refused is recorded nowhere, and its message comes again. */
  live(key: ResourceKey, uid: string): void {
    const { pending } = this.#entries.get(key) ?? {};
    for (const [messageId, entry] of pending ?? []) {
      if (isOf(uid)(entry)) continue;
      entry.settle.reject(
        new Error(`CapDeployJob ${key} was deleted and created again: its rejections cannot be recorded`),
      );
      pending?.delete(messageId);
    }
  }

  /**
   * When rejections that wait for their turn can be written, in epoch milliseconds; undefined where none waits for that. Each pass asks for it:
   * of several wakes of a resource only the earliest counts, and that one may come too early for them.
   */
  rejectionsDueAt(key: ResourceKey, now: number): number | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.pending.size === 0) return undefined;
    const dueAt = entry.writtenAt + REJECTION_WRITE_MS;
    return dueAt > now ? dueAt : undefined;
  }

  /** The status now holds these: their messages may be settled. */
  recorded(key: ResourceKey, rejections: readonly RejectionEntry[]): void {
    const entry = this.#entries.get(key);
    if (!entry || rejections.length === 0) return;
    entry.writtenAt = this.#now();
    for (const { messageId } of rejections) {
      entry.recorded.set(messageId, true);
      entry.pending.get(messageId)?.settle.resolve();
      entry.pending.delete(messageId);
    }
    if (entry.pending.size > 0) this.#wake(key, REJECTION_WRITE_MS);
  }

  /** The resource is gone: nobody can record anything of it any more. */
  forget(key: ResourceKey): void {
    for (const { settle } of this.#entries.get(key)?.pending.values() ?? []) {
      settle.reject(new Error(`CapDeployJob ${key} is gone: its rejections cannot be recorded`));
    }
    this.#entries.delete(key);
  }

  /** Nothing will be recorded here any more: who waits for that is told so. */
  close(): void {
    this.#closed = true;
    for (const { pending } of this.#entries.values()) {
      for (const { settle } of pending.values()) settle.reject(handedOver());
      pending.clear();
    }
  }

  /** How many resources something is known of. */
  get size(): number {
    return this.#entries.size;
  }

  #entry(key: ResourceKey): Entry {
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = {
        queue: undefined,
        createFailure: undefined,
        pending: new Map(),
        recorded: new BoundedMap(REMEMBERED_REJECTIONS),
        writtenAt: 0,
      };
      this.#entries.set(key, entry);
    }
    return entry;
  }
}

const isOf =
  (uid: string | undefined) =>
  (entry: Pending): boolean =>
    uid === undefined || entry.uid === undefined || entry.uid === uid;

const handedOver = () => new HandedOver('this operator records no rejections any more: another one does');

/** Each successful read is told; only what can turn a condition is worth a look. */
function isNews(before: QueueState | undefined, state: QueueState): boolean {
  if (before?.kind !== state.kind) return true;
  if (state.kind === 'reading' && before.kind === 'reading') {
    return (
      before.lastReadAt === 0 || before.since !== state.since || state.lastReadAt - before.lastReadAt > READ_AGAIN_MS
    );
  }
  return !(
    'reason' in state &&
    'reason' in before &&
    state.reason === before.reason &&
    state.message === before.message
  );
}
