import type { CapDeployJob, RejectionEntry } from '../api/capdeployjob.ts';
import type { CreateTrouble, QueueState } from '../lanes/conditions.ts';

export type { CreateTrouble, QueueState };

/** What intake needs of the rest of the operator. It never writes a status: it reports, and reconcile records. */

/** `<namespace>/<name>` of a CapDeployJob. */
export type ResourceKey = string;

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
   * the message may be settled; rejects where the signal aborts first or the resource is gone.
   */
  rejected(key: ResourceKey, rejection: RejectionEntry, signal: AbortSignal): Promise<void>;
  queue(key: ResourceKey, state: QueueState): void;
  createTrouble(key: ResourceKey, trouble: CreateTrouble | undefined): void;
}
