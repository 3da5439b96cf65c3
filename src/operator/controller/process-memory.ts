import { BoundedMap } from '../../base/bounded-map.ts';
import { containerHasStarted } from '../../lanes/explain-start.ts';
import { aborterOf, isRunning, type Job, jobUidOf, type Pod } from '../../lanes/job.ts';
import { defined, type Memory } from '../../lanes/lane.ts';
import { endOfGonePod, mergePodEnd, type PodEnd, podEnd } from '../../lanes/pod-end.ts';
import { redactTail } from '../../text/redact.ts';
import { keysOf } from './caches.ts';
import { quotable, quotableJob } from './quotable.ts';

/** Longest log tail that a history entry carries, in bytes. */
const LOG_TAIL_BYTES = 1024;
/** Of one Job. It has one Pod, and more only after somebody orphaned a Pod or resumed the Job by hand. */
const MAX_PODS = 10;
/** How many Jobs are remembered: far more than can run at once, and a bound for a process that runs for months. */
const MAX_JOBS = 5000;

interface Notes {
  /** `<namespace>/<name>` of the CapDeployJob that the Job or Pod named. */
  resource: string | undefined;
  podSeen: boolean;
  containerSeen: boolean;
  absentSince: number | undefined;
  lastSeen: Job | undefined;
  abortedBy: string | undefined;
  /** By Pod UID, in the order in which they came. */
  pods: Map<string, SeenPod>;
  /** The last sweep did not know its Job, and it was not asked for since. */
  stale: boolean;
}

interface SeenPod {
  end: PodEnd;
  /** When its first container was first seen to have exited by itself, by a clock that is never set (milliseconds). */
  exitedSince: number | undefined;
}

/**
 * What this process has seen of Jobs and Pods and no object shows any more. It may be lost at any moment: after a
 * restart an absence is timed again, and a vanished deploy is Unknown instead of Aborted.
 */
export class ProcessMemory implements Memory {
  /** By Job UID, the one used last at the end. */
  readonly #notes = new BoundedMap<string, Notes>(MAX_JOBS);
  readonly #monotonicNow: () => number;

  /** @param monotonicNow milliseconds by a clock that is never set. */
  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow;
  }

  /** @param isGone it was deleted, and this is its last state. */
  seePod(pod: Pod, isGone = false): void {
    const uid = jobUidOf(pod);
    if (uid === undefined) return;
    const notes = this.#of(uid);
    notes.resource = keysOf(pod)[0];
    notes.podSeen = true;
    if (containerHasStarted(pod)) notes.containerSeen = true;
    this.#seeEnd(notes, pod, isGone);
  }

  #seeEnd(notes: Notes, pod: Pod, isGone: boolean): void {
    const { uid } = pod.metadata;
    const before = notes.pods.get(uid);
    const now = podEnd(pod);
    const next = mergePodEnd(before?.end, redacted(now));
    const isAnew = next.restarts !== before?.end.restarts;
    const exitedSince = next.exit && ((isAnew ? undefined : before?.exitedSince) ?? this.#monotonicNow());
    notes.pods.set(uid, { end: isGone ? endOfGonePod(next) : next, exitedSince });
  }

  /** A Job that runs again is not absent, and may get another Pod. */
  seeResumed(job: Job): void {
    const notes = this.#notes.get(job.metadata.uid);
    if (notes) Object.assign(notes, { podSeen: false, containerSeen: false, absentSince: undefined });
  }

  /**
   * Keeps the last state of a Job whose deletion was watched: it tells an abort from a deploy that had ended before.
   * @param isMissed the deletion was not watched: a later list did not show the Job. Its last state may have been
   * another one, so the name on it may not be the name of the person who deleted it.
   */
  seeDeleted(job: Job, isMissed = false): void {
    const abortedBy = isMissed ? undefined : aborterOf(job);
    Object.assign(this.#of(job.metadata.uid), { lastSeen: quotableJob(job), resource: keysOf(job)[0], abortedBy });
  }

  /** To be called with what a live look did not show, and never with what is missing in a cache. */
  noteAbsent(jobUids: readonly string[], now: number): void {
    for (const uid of jobUids) this.#of(uid).absentSince ??= now;
  }

  /** What a live look shows: Pods, and Jobs that are there after all. */
  seeLive(jobs: readonly Job[], pods: readonly Pod[]): void {
    for (const pod of pods) this.seePod(pod);
    for (const job of jobs) {
      const notes = this.#notes.get(job.metadata.uid);
      if (notes && isRunning(job)) notes.absentSince = undefined;
    }
  }

  /**
   * Forgets Jobs that are gone and hold no lane: their ends are in the history. A Job is forgotten only after two
   * sweeps that did not know it, because a cache can be late.
   * @param isKnown a Job or Pod of it is there, or a status says that its request waits or runs.
   */
  sweep(isKnown: (jobUid: string) => boolean): void {
    for (const [uid, notes] of this.#notes) {
      if (isKnown(uid)) notes.stale = false;
      else if (notes.stale) this.#notes.delete(uid);
      else notes.stale = true;
    }
  }

  /** The CapDeployJob is gone, and its Jobs are not asked for any more. */
  forget(resource: string): void {
    for (const [uid, notes] of this.#notes) if (notes.resource === resource) this.#notes.delete(uid);
  }

  /** How many Jobs are remembered. */
  get size(): number {
    return this.#notes.size;
  }

  podWasSeen = (jobUid: string): boolean => this.#notes.get(jobUid)?.podSeen ?? false;
  containerWasSeen = (jobUid: string): boolean => this.#notes.get(jobUid)?.containerSeen ?? false;
  absentSince = (jobUid: string): number | undefined => this.#notes.get(jobUid)?.absentSince;
  lastSeen = (jobUid: string): Job | undefined => this.#notes.get(jobUid)?.lastSeen;
  abortedBy = (jobUid: string): string | undefined => this.#notes.get(jobUid)?.abortedBy;
  podEnds = (jobUid: string): readonly PodEnd[] =>
    [...(this.#notes.get(jobUid)?.pods.values() ?? [])].map(({ end }) => end);
  exitedSince = (jobUid: string): number | undefined => {
    const moments = [...(this.#notes.get(jobUid)?.pods.values() ?? [])].map((pod) => pod.exitedSince);
    const known = moments.filter((moment) => moment !== undefined);
    return known.length > 0 && known.length === moments.length ? Math.max(...known) : undefined;
  };

  #of(jobUid: string): Notes {
    const notes: Notes = this.#notes.get(jobUid) ?? {
      resource: undefined,
      podSeen: false,
      containerSeen: false,
      absentSince: undefined,
      lastSeen: undefined,
      abortedBy: undefined,
      pods: new BoundedMap(MAX_PODS),
      stale: false,
    };
    notes.stale = false;
    this.#notes.delete(jobUid);
    this.#notes.set(jobUid, notes);
    return notes;
  }
}

/** Before it is kept: a log is hostile, and a status has more readers than a log. */
function redacted(end: PodEnd): PodEnd {
  const { words, log, sidecarFailed } = end;
  const texts = {
    words: words && quotable(words),
    sidecarFailed: sidecarFailed && quotable(sidecarFailed),
    log: log && redactTail(log, LOG_TAIL_BYTES),
  };
  return { ...end, ...defined(texts) };
}
