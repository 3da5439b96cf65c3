import { type Check, clock, laneAndTaskOf, laneOf, named } from './evidence.ts';

/** What may not happen within a lane, judged by when containers ran. (Invariants 3 and 4.) */

/**
 * A run that has not ended overlaps everything that starts after it. Of two Pods of one Job `twoPodsOfOneJob` tells.
 */
export const overlapping: Check = ({ runs }) => {
  const found: string[] = [];
  for (const [lane, inLane] of Map.groupBy(runs, laneOf)) {
    const byStart = inLane.toSorted((a, b) => a.startedAt - b.startedAt);
    // Not only neighbours: a long one may overlap several.
    for (const [index, one] of byStart.entries()) {
      for (const other of byStart.slice(index + 1)) {
        if (other.job === one.job || other.startedAt >= (one.endedAt ?? Number.POSITIVE_INFINITY)) continue;
        found.push(
          `${lane}: ${one.revision} (${clock(one.startedAt)} to ${clock(one.endedAt)}) and ${other.revision} ` +
            `(from ${clock(other.startedAt)}) ran at the same time`,
        );
      }
    }
  }
  return found;
};

export const outOfOrder: Check = ({ requests, runs }) => {
  const dueAt = new Map(requests.map((asked) => [named(asked), asked.dueAt]));
  const found: string[] = [];
  for (const [key, started] of Map.groupBy(runs, laneAndTaskOf)) {
    let newest: { revision: string; due: number } | undefined;
    for (const run of started.toSorted((a, b) => a.startedAt - b.startedAt)) {
      const due = dueAt.get(named(run));
      // Who was not asked for is found elsewhere.
      if (due === undefined) continue;
      if (newest !== undefined && due < newest.due) {
        found.push(
          `${key}: ${run.revision} (due ${clock(due)}) started after ${newest.revision} (due ${clock(newest.due)})`,
        );
      }
      if (newest === undefined || due > newest.due) newest = { revision: run.revision, due };
    }
  }
  return found;
};

export const tooEarly: Check = ({ requests, runs }) => {
  const dueAt = new Map(requests.map((asked) => [named(asked), asked.dueAt]));
  return runs
    .filter((run) => run.startedAt < (dueAt.get(named(run)) ?? 0))
    .map(
      (run) =>
        `${named(run)} started at ${clock(run.startedAt)} and was not due before ${clock(dueAt.get(named(run)))}`,
    );
};

export const stillRunning: Check = ({ runs }) =>
  runs
    .filter(({ endedAt }) => endedAt === undefined)
    .map((run) => `${named(run)}: its container still runs (${run.pod})`);
