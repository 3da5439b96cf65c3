import type { Check, Evidence } from './evidence.ts';
import { notAtRest, unhealthy } from './health.ts';
import { outOfOrder, overlapping, stillRunning, tooEarly } from './lanes.ts';
import { droppedForNothing, lost, ranTwice, recordedTwice, twoPodsOfOneJob, unasked, untrue } from './ledger.ts';
import { leftInQueues, poisonNotKept, poisonNotRecorded, strayDeadLetters } from './queues.ts';

export const CHECKS: Readonly<Record<string, Check>> = {
  lost,
  recordedTwice,
  ranTwice,
  twoPodsOfOneJob,
  unasked,
  untrue,
  droppedForNothing,
  overlapping,
  outOfOrder,
  tooEarly,
  stillRunning,
  leftInQueues,
  strayDeadLetters,
  poisonNotKept,
  poisonNotRecorded,
  notAtRest,
  unhealthy,
};

/**
 * The same for every scenario, whatever was done. @returns a sentence for each piece of damage; none where all is well
 */
export function audit(evidence: Evidence): string[] {
  return Object.entries(CHECKS).flatMap(([name, check]) => check(evidence).map((finding) => `${name}: ${finding}`));
}

/** For people: how much was looked at. */
export function summary({ requests, poison, runs, entries }: Evidence): string {
  const results = Object.entries(Object.groupBy(entries, ({ result }) => result))
    .map(([result, those = []]) => `${those.length} ${result}`)
    .sort();
  return `${requests.length} requests and ${poison.length} poison: ${runs.length} ran; ${results.join(', ')}`;
}
