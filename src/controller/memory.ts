import { containerHasStarted } from '../lanes/explain.ts';
import { isRunning, type Job, jobUidOf, type Pod } from '../lanes/job.ts';
import type { Memory } from '../lanes/lane.ts';
import { terminationMessage } from '../lanes/outcome.ts';
import { redactTail } from '../observability/redact.ts';
import { keysOf } from './caches.ts';

/** Longest log tail that a history entry carries, in bytes. */
const LOG_TAIL_BYTES = 1024;
/** How many Jobs are remembered: far more than can run at once, and a bound on what a long life collects. */
const MOST_JOBS = 5000;

interface Notes {
  /** `<namespace>/<name>` of the CapDeployJob that the Job or Pod named. */
  resource: string | undefined;
  podSeen: boolean;
  containerSeen: boolean;
  absentSince: number | undefined;
  lastSeen: Job | undefined;
  logTail: string | undefined;
  /** Nothing asked for it between two sweeps, the last of which did not know its Job. */
  stale: boolean;
}

/**
 * What this process has seen of Jobs and Pods that no object says any more. All of it may be lost at any moment: after a restart an absence
 * is timed anew and a vanished deploy is Unknown instead of Aborted.
 */
export class ProcessMemory implements Memory {
  /** By Job UID, the one used last at the end. */
  readonly #notes = new Map<string, Notes>();

  seePod(pod: Pod): void {
    const uid = jobUidOf(pod);
    if (uid === undefined) return;
    const notes = this.#of(uid);
    notes.resource = keysOf(pod)[0];
    notes.podSeen = true;
    if (containerHasStarted(pod)) notes.containerSeen = true;
    const message = terminationMessage(pod);
    // Redacted before it is kept: a log is hostile, and a status is read by more people than a log.
    if (message) notes.logTail = redactTail(message, LOG_TAIL_BYTES);
  }

  /** A Job that runs again is not absent, and may get another Pod. */
  seeResumed(job: Job): void {
    const notes = this.#notes.get(job.metadata.uid);
    if (notes) Object.assign(notes, { podSeen: false, containerSeen: false, absentSince: undefined });
  }

  /** Keeps the last state of a Job whose deletion was watched: it tells an abort from a deploy that had ended before. */
  seeDeleted(job: Job): void {
    Object.assign(this.#of(job.metadata.uid), { lastSeen: job, resource: keysOf(job)[0] });
  }

  /** To be called with what a live look did not show, and never with what a cache does not know. */
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
   * Forgets Jobs that are no more and hold no lane any more: their ends stand in the history. Only what two sweeps did not know goes, for a
   * cache can be late.
   * @param isKnown a Job or Pod of it is there, or a claim names it.
   */
  sweep(isKnown: (jobUid: string) => boolean): void {
    for (const [uid, notes] of this.#notes) {
      if (isKnown(uid)) notes.stale = false;
      else if (notes.stale) this.#notes.delete(uid);
      else notes.stale = true;
    }
  }

  /** The CapDeployJob is gone: nobody asks for its Jobs any more. */
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
  logTail = (jobUid: string): string | undefined => this.#notes.get(jobUid)?.logTail;

  #of(jobUid: string): Notes {
    const notes: Notes = this.#notes.get(jobUid) ?? {
      resource: undefined,
      podSeen: false,
      containerSeen: false,
      absentSince: undefined,
      lastSeen: undefined,
      logTail: undefined,
      stale: false,
    };
    notes.stale = false;
    this.#notes.delete(jobUid);
    this.#notes.set(jobUid, notes);
    if (this.#notes.size > MOST_JOBS) {
      const [oldest] = this.#notes.keys();
      if (oldest !== undefined) this.#notes.delete(oldest);
    }
    return notes;
  }
}
