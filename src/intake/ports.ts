import type { CapDeployJob, RejectionEntry } from '../api/capdeployjob.ts';

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

/** How the queue of a resource is being read, for the condition QueueReachable. */
export type QueueState =
  /** Not read on purpose, or refused: suspended, invalid template, shared queue, origin not allowed, … */
  | { kind: 'off'; reason: string; message: string }
  /** Being read; `lastReadAt` is when a receive last succeeded (epoch milliseconds), 0 before the first. `since`: when reading began. */
  | { kind: 'reading'; since: number; lastReadAt: number }
  /** The last receive failed: `reason` is AWS's error code or the transport's. */
  | { kind: 'failing'; since: number; lastReadAt: number; reason: string; message: string };

/** Why Jobs cannot be created just now, with the API server's words; undefined while they can. */
export interface CreateTrouble {
  reason: string;
  message: string;
  /** The API server refuses the template itself (422): the dry run is to be repeated. */
  template: boolean;
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
