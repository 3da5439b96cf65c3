import type { CapDeployJob, RejectionEntry } from '../../api/capdeployjob.ts';
import type { ObjectKey } from '../../base/object-key.ts';
import type { CreateFailure, QueueState } from '../../lanes/conditions.ts';

export type { CreateFailure, QueueState };

/**
 * What intake needs of the rest of the operator. It never writes a status: it reports, and the controller records. Keys
 * are those of CapDeployJobs.
 */

/** The cache of CapDeployJobs. It can be old: it is never enough to delete something. */
export interface Resources {
  get(key: ObjectKey): CapDeployJob | undefined;
  list(): CapDeployJob[];
  /** Calls back after each change of any CapDeployJob. @returns the function that ends it. */
  onChange(listener: (key: ObjectKey) => void): () => void;
}

/** Implemented by the controller, which wakes the reconcile of the resource. */
export interface Reports {
  /**
   * Resolves when the rejection is recorded in the status of the resource, or was before, by its messageId: then the
   * message may be settled. Rejects if the signal aborts first or the resource is gone, and with HandedOver if this
   * operator records nothing any more.
   * @param uid of the resource whose spec refused it. If another one has its name by now, nothing is recorded, and the
   * message comes again.
   */
  rejected(key: ObjectKey, rejection: RejectionEntry, signal: AbortSignal, uid?: string): Promise<void>;
  queue(key: ObjectKey, state: QueueState): void;
  createFailure(key: ObjectKey, failure: CreateFailure | undefined): void;
}

/** Another operator records from now on: messages without a record go back to the queue, where it finds them. */
export class HandedOver extends Error {
  override readonly name = 'HandedOver';
}

/** Reads queues until it is stopped, as the rest of the operator sees it. */
export interface Intake {
  /** Receives nothing more, and resolves when nothing is in flight any more. Bounded in time. */
  stop(): Promise<void>;
  /** Ends everything at once; messages in flight come again when their visibility ends. */
  abort(): Promise<void>;
  /** Resolves when no message of now is in flight any more. Open receives do not count. */
  atRest(): Promise<void>;
  /** For /healthz: which loop has made no progress for how long; undefined if all do. */
  stuck(): string | undefined;
}
