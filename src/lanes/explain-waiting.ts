import type { WaitingEntry } from '../api/capdeployjob.ts';
import { ANNOTATION } from '../api/names.ts';
import { bounded } from '../text/truncate.ts';
import { isBeingDeleted, isRunning, type Job } from './job.ts';
import { type Lane, requestOf } from './lane.ts';
import { compareTurns } from './order.ts';

/** Something that keeps a request from starting, and when it ends by itself, if that is known (epoch milliseconds). */
interface Cause {
  readonly words: string;
  readonly until?: number | undefined;
}

/** Sorts the waiting requests, and writes for each what it waits for and until when. */
export function explainWaiting(lane: Lane): void {
  lane.waiting.sort(compareTurns);
  const ofLane = causesOfLane(lane);
  let ahead = 0;
  lane.waiting = lane.waiting.map((entry) => {
    const job = lane.view.jobs.find(({ metadata }) => metadata.name === entry.job);
    const outOfTurn = job && whyOutOfTurn(lane, job);
    if (outOfTurn !== undefined) return { ...entry, why: outOfTurn };
    const own = causesOfRequest(lane, entry, job);
    const all = [...own, ...ofLane];
    const words = all.length > 0 ? all.map((cause) => cause.words).join('; and ') : whatIsAhead(lane);
    // A request that waits for a reason of its own delays no other.
    const place = own.length === 0 && ahead > 0 ? `; ${ahead} ahead of it in the lane` : '';
    if (own.length === 0) ahead += 1;
    const until = all.length > 0 && all.every((cause) => cause.until !== undefined);
    return {
      ...entry,
      why: bounded(`${words}${place}`, 512),
      ...(until ? { until: new Date(Math.max(...all.map((cause) => cause.until ?? 0))).toISOString() } : {}),
    };
  });
}

function causesOfRequest(lane: Lane, entry: WaitingEntry, job: Job | undefined): Cause[] {
  const request = requestOf(entry, lane.view.name);
  const causes: Cause[] = [];
  if (!lane.isDue(request)) {
    causes.push({ words: `not before ${entry.notBefore}`, until: Date.parse(entry.notBefore ?? '') });
  }
  if (lane.lacksApproval(request)) {
    const waitsUntil = Date.parse(entry.dueAt) + lane.view.spec.waitingDeadlineSeconds * 1000;
    const missedAt = Math.min(waitsUntil, entry.expiresAt === undefined ? waitsUntil : Date.parse(entry.expiresAt));
    const inNamespace = job ? ` -n ${job.metadata.namespace}` : '';
    const command = `kubectl${inNamespace} annotate job ${entry.job} ${ANNOTATION.approvedBy}=<you>`;
    const deadline = new Date(missedAt).toISOString();
    causes.push({ words: `waits for an approval: ${command}; without one it is Missed at ${deadline}` });
  }
  return causes;
}

function causesOfLane({ frozen, window }: Lane): Cause[] {
  return [
    ...(frozen === undefined ? [] : [{ words: `frozen: ${frozen}` }]),
    ...(window.closed === undefined ? [] : [{ words: `closed: ${window.closed}`, until: window.until }]),
  ];
}

function whatIsAhead({ claim, occupant }: Lane): string {
  if (!claim) return occupant ?? 'starts next';
  const ending = claim.ending ? `, and is being ended (${claim.ending.reason})` : '';
  return `${claim.job} (${claim.revision ?? claim.task}) has the lane${ending}`;
}

function whyOutOfTurn(lane: Lane, job: Job): string | undefined {
  if (isRunning(job)) return 'resumed by hand: it runs, and holds the lane';
  if (isBeingDeleted(job)) return 'its Job is being deleted';
  if (lane.isInterrupted(job))
    return 'suspended by hand after its start: it is recorded as aborted once its Pod is gone';
  return undefined;
}
