import type { CapDeployJob, RejectionEntry } from '../../api/capdeployjob.ts';
import type { ObjectKey } from '../../base/object-key.ts';
import type { CreateFailure, QueueState } from '../../lanes/conditions.ts';

export type { CreateFailure, QueueState };

/** What intake needs of the rest of the operator. It never writes a status: it reports, and reconcile records. */

/** The key of a CapDeployJob. */
export type ResourceKey = ObjectKey;

/** The operator's cached view of the CapDeployJobs. What it says may be old; nothing is deleted on its word. */
export interface Resources {
  get(key: ResourceKey): CapDeployJob | undefined;
  list(): CapDeployJob[];
  /** Calls back after each change of any CapDeployJob. Returns the function that ends it. */
  onChange(listener: (key: ResourceKey) => void): () => void;
}

/** Where intake reports to; the controller implements it and wakes the resource's reconcile. */
export interface Reports {
  /**
   * Hands a rejection over. Resolves once it is recorded in the status of the resource (or was recorded before, by its messageId), so that
   * the message may be settled; rejects where the signal aborts first or the resource is gone, and with HandedOver where this operator
   * records nothing any more.
   * @param uid of the resource whose spec refused it: where another one has its name by now, nothing is recorded, and the message comes again.
   */
  rejected(key: ResourceKey, rejection: RejectionEntry, signal: AbortSignal, uid?: string): Promise<void>;
  queue(key: ResourceKey, state: QueueState): void;
  createFailure(key: ResourceKey, failure: CreateFailure | undefined): void;
}

/** Another operator records from now on: whatever is not recorded yet goes back to the queue, for it to find. */
export class HandedOver extends Error {
  override readonly name = 'HandedOver';
}

/** Reads queues until it is stopped, as the rest of the operator sees it. */
export interface Intake {
  /** Receives nothing more, lets open polls return, works off what is in flight; bounded. Resolves when nothing is in flight any more. */
  stop(): Promise<void>;
  /** Ends everything at once; messages in flight come again when their visibility ends. */
  abort(): Promise<void>;
  /** Resolves when all that is in flight now is worked off: polls that are still open do not count. */
  atRest(): Promise<void>;
  /** For /healthz: which loop has made no progress for how long; undefined while all of them turn. */
  stuck(): string | undefined;
}
