import type { CapDeployJobSpec, Environment, HistoryEntry, LaneStatus } from '../api/capdeployjob.ts';
import type { HangingStart, Warnings } from './explain-start.ts';
import type { Job, Pod } from './job.ts';
import type { PodEnd } from './pod-end.ts';

/** One lane at one moment: everything that `planLane` reads. */
export interface LaneView {
  readonly name: string;
  /** Undefined if the environment was removed from the spec. */
  readonly environment: Environment | undefined;
  readonly spec: CapDeployJobSpec;
  /** Who froze the lane by an annotation of the resource, and why. */
  readonly freeze: string | undefined;
  /** When the CapDeployJob was created: its lanes cannot have been open before (epoch milliseconds). */
  readonly createdAt: number;
  /** What the status says of the lane; undefined for a new lane, and if the status was lost. */
  readonly previous: LaneStatus | undefined;
  /** The resource's own Jobs of this lane. */
  readonly jobs: readonly Job[];
  /** Jobs that carry the lane's labels but have another owner, for example an earlier resource of this name. */
  readonly foreignJobs: readonly Job[];
  /** Pods that carry the lane's labels, whatever owns them. */
  readonly pods: readonly Pod[];
  /** True if the history has the id in this lane. */
  readonly recorded: (id: string) => boolean;
  readonly memory: Memory;
  readonly warnings: Warnings;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Milliseconds by a clock that is never set: it measures what must have passed before an absence counts. */
  readonly monotonicNow: number;
}

/**
 * What this process has seen and no object shows any more. It may be lost at any time: then more time passes, or a
 * result becomes Unknown, but nothing unsafe follows.
 */
export interface Memory {
  /** A Pod of this Job was seen once. Jobs here have one Pod, so none can appear later. */
  podWasSeen(jobUid: string): boolean;
  /** The first container of the Job's Pod was seen running or finished. */
  containerWasSeen(jobUid: string): boolean;
  /** Since when a live look has shown that this Job is gone or suspended (milliseconds of `monotonicNow`). */
  absentSince(jobUid: string): number | undefined;
  /** The Job as it was when its deletion was watched. */
  lastSeen(jobUid: string): Job | undefined;
  /** The name that this Job carried in the state in which its deletion was watched. */
  abortedBy(jobUid: string): string | undefined;
  /** How each Pod of this Job ended that was ever seen, in the order of coming. Texts are redacted and bounded. */
  podEnds(jobUid: string): readonly PodEnd[];
  /** Since when the first containers of all these Pods are known to have exited (milliseconds of `monotonicNow`). */
  exitedSince(jobUid: string): number | undefined;
}

/** Why a Job is to be deleted. Every reason but `abort` means that its outcome is in the history. */
export type RemovalReason = 'recorded' | 'abort' | 'history limit' | 'ttl';

export interface Removal {
  readonly job: Job;
  readonly reason: RemovalReason;
}

/** What is to be done for a lane: its status, and what follows once that status is stored. */
export interface LanePlan {
  /** Undefined: the lane is to be forgotten. */
  readonly status: LaneStatus | undefined;
  /** New history entries, in the order in which they ended. */
  readonly ended: readonly HistoryEntry[];
  /** To be written BEFORE the status: the Job of a claim that is given up, so that a late resume of it is refused. */
  readonly touch: readonly Job[];
  /** To be resumed after the status, which holds its claim, is stored. */
  readonly start: Job | undefined;
  /** To be deleted after the status is stored, which holds the end of each or announces its abort. */
  readonly remove: readonly Removal[];
  /** Jobs (by UID) whose absence must be timed, beginning with a live look. */
  readonly absent: readonly string[];
  /** Started deploys without a container that only Events can explain. */
  readonly explain: readonly HangingStart[];
  /**
   * To be marked with `started-at` BEFORE the status is stored: Jobs that were resumed by hand. Without the mark, a Job
   * that is suspended later would look as if it had never been started, and be started again.
   */
  readonly mark: readonly Job[];
  /** Jobs that run without a claim and are claimed now. */
  readonly adopted: readonly Job[];
  /** When to look again if no change comes before (epoch milliseconds). */
  readonly wakeAt: number | undefined;
  /** A window of the lane that cannot be read. */
  readonly windowProblem: string | undefined;
}
