import {
  type CapDeployJobSpec,
  HISTORY_LIMIT,
  HISTORY_LIMIT_WITH_JOBS,
  type HistoryEntry,
} from '../api/capdeployjob.ts';
import type { Result } from '../api/reasons.ts';
import { finishedAt, isBeingDeleted, isFinished, type Job, storedRequest } from './job.ts';
import type { Removal } from './lane.ts';
import { earliest } from './order.ts';

/** Which finished Jobs of one lane are to be deleted, and when the next one is due. */
export interface Retention {
  readonly remove: readonly Removal[];
  readonly wakeAt: number | undefined;
}

/**
 * Keeps the newest finished Jobs of a lane, as CronJob does, and deletes the rest once they are recorded (invariant 6).
 * An entry stays as long as its Job exists, or the Job would be recorded a second time. So a Job whose entry is too old
 * for the status to carry is deleted too.
 * @param recordOf what the history says of an id: its place, 0 for the newest, and how it ended; undefined if it is not
 * there.
 */
export function retain(
  jobs: readonly Job[],
  spec: CapDeployJobSpec,
  recordOf: (environment: string, id: string) => { place: number; result: Result } | undefined,
  now: number,
): Retention {
  const remove: Removal[] = [];
  let wakeAt: number | undefined;
  const kept = { succeeded: 0, failed: 0 };
  const limit = { succeeded: spec.successfulJobsHistoryLimit, failed: spec.failedJobsHistoryLimit };
  const recorded = jobs
    .filter((job) => isFinished(job) && !isBeingDeleted(job))
    .flatMap((job) => {
      const { environment, id } = storedRequest(job);
      const record = recordOf(environment, id);
      if (!record) return [];
      // The recorded result, not the Job's: a side-car that fails makes the Job of a good deploy a failed one.
      const type: keyof typeof kept = record.result === 'Succeeded' ? 'succeeded' : 'failed';
      return [{ job, place: record.place, endedAt: Date.parse(finishedAt(job)), type }];
    })
    // A Job tells its end in whole seconds. Within one second the history has the order.
    .sort((a, b) => b.endedAt - a.endedAt || a.place - b.place);
  for (const { job, place, endedAt, type } of recorded) {
    const expiry = spec.ttlSecondsAfterFinished == null ? undefined : endedAt + spec.ttlSecondsAfterFinished * 1000;
    if (expiry !== undefined && expiry <= now) remove.push({ job, reason: 'ttl' });
    else if (place >= HISTORY_LIMIT_WITH_JOBS || kept[type] >= limit[type])
      remove.push({ job, reason: 'history limit' });
    else {
      kept[type] += 1;
      wakeAt = earliest(wakeAt, expiry);
    }
  }
  return { remove, wakeAt };
}

/** Newest first; the newest 50, and older ones for as long as their Jobs exist. */
export function trimHistory(history: readonly HistoryEntry[], jobExists: (name: string) => boolean): HistoryEntry[] {
  return history.filter((entry, index) => index < HISTORY_LIMIT || jobExists(entry.job));
}
