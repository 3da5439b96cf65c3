import type { RejectionEntry } from '../../api/capdeployjob.ts';
import { unlessAborted } from '../../base/abort.ts';
import { BoundedMap } from '../../base/bounded-map.ts';
import type { ObjectKey } from '../../base/object-key.ts';
import type { CreateFailure, QueueState } from '../../lanes/conditions.ts';
import { HandedOver, type Reports } from '../intake/ports.ts';

/** Each status write moves the resourceVersion that claims need, so a flood of bad messages writes only this often. */
const REJECTION_WRITE_MS = 1000;
/** How many recorded MessageIds are remembered for each resource, so that a redelivery is counted once. */
const REMEMBERED_REJECTIONS = 1000;
/** If a queue is read again after this long a silence, a condition may change. */
const READ_AGAIN_MS = 60_000;

interface Pending {
  rejection: RejectionEntry;
  /** Of the resource whose spec the message was judged by. */
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

/** What intake reports of each resource, until the status has it. If the process ends, intake reports it again. */
export class IntakeReports implements Reports {
  readonly #entries = new Map<ObjectKey, Entry>();
  readonly #now: () => number;
  /** Asks for a reconcile of the resource after this many milliseconds. */
  readonly #wake: (key: ObjectKey, inMs: number) => void;
  #closed = false;

  constructor(now: () => number, wake: (key: ObjectKey, inMs: number) => void) {
    this.#now = now;
    this.#wake = wake;
  }

  rejected(key: ObjectKey, rejection: RejectionEntry, signal: AbortSignal, uid?: string): Promise<void> {
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

  queue(key: ObjectKey, state: QueueState): void {
    const entry = this.#entry(key);
    const before = entry.queue;
    entry.queue = state;
    if (isNews(before, state)) this.#wake(key, 0);
  }

  createFailure(key: ObjectKey, failure: CreateFailure | undefined): void {
    // The end of a failure of a resource that is gone. An entry made now would never be deleted.
    if (failure === undefined && !this.#entries.has(key)) return;
    const entry = this.#entry(key);
    const changed =
      entry.createFailure?.reason !== failure?.reason || entry.createFailure?.message !== failure?.message;
    entry.createFailure = failure;
    if (changed) this.#wake(key, 0);
  }

  /**
   * What a plan needs of the reports. Rejections are included only when their write is due, and only those of the
   * resource of this uid. What an earlier resource of this name refused may be a good request to this one.
   */
  of(key: ObjectKey, now: number, uid?: string) {
    const entry = this.#entries.get(key);
    const due = entry !== undefined && now - entry.writtenAt >= REJECTION_WRITE_MS;
    return {
      queue: entry?.queue,
      createFailure: entry?.createFailure,
      rejections: due ? [...entry.pending.values()].filter(isOf(uid)).map(({ rejection }) => rejection) : [],
    };
  }

  /** This uid lives. What an earlier resource of this name refused is recorded nowhere; its message comes again. */
  discardOthers(key: ObjectKey, uid: string): void {
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
   * When rejections that wait can be written (epoch milliseconds); undefined if none has to wait. Each pass asks for
   * this. Of several wakes of a resource only the earliest counts, and it may come too early for them.
   */
  rejectionsDueAt(key: ObjectKey, now: number): number | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.pending.size === 0) return undefined;
    const dueAt = entry.writtenAt + REJECTION_WRITE_MS;
    return dueAt > now ? dueAt : undefined;
  }

  /** The status now holds these: their messages may be settled. */
  recorded(key: ObjectKey, rejections: readonly RejectionEntry[]): void {
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

  /** The resource is gone: nothing of it can be recorded any more. */
  forget(key: ObjectKey): void {
    for (const { settle } of this.#entries.get(key)?.pending.values() ?? []) {
      settle.reject(new Error(`CapDeployJob ${key} is gone: its rejections cannot be recorded`));
    }
    this.#entries.delete(key);
  }

  /** Nothing will be recorded here any more: the callers that wait for a record get an error. */
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

  #entry(key: ObjectKey): Entry {
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

/** Each successful read is reported. Only what can change a condition is worth a pass. */
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
