import type { WaitingEntry } from '../api/capdeployjob.ts';
import { ANNOTATION } from '../api/names.ts';
import { bounded } from '../text/truncate.ts';
import { isBeingDeleted, isRunning, type Job } from './job.ts';
import { type Lane, requestOf } from './lane.ts';
import { type Cause, occupantOf } from './occupant.ts';
import { compareTurns } from './order.ts';

/** Sorts the waiting requests, and writes for each what it waits for and until when, in words and as reasons. */
export function explainWaiting(lane: Lane): void {
  lane.waiting.sort(compareTurns);
  const ofLane = causesOfLane(lane);
  let ahead = 0;
  lane.waiting = lane.waiting.map((entry) => {
    const job = lane.view.jobs.find(({ metadata }) => metadata.name === entry.job);
    const outOfTurn = job && whyOutOfTurn(lane, job);
    if (outOfTurn !== undefined) return explained(entry, [outOfTurn], 0);
    const own = causesOfRequest(lane, entry, job);
    const all = [...own, ...ofLane];
    const causes = all.length > 0 ? all : [whatIsAhead(lane, ahead)];
    // A request that waits for a reason of its own delays no other.
    if (own.length > 0) return explained(entry, causes, 0);
    ahead += 1;
    return explained(entry, causes, ahead - 1);
  });
}

/** @param ahead how many requests of the lane come before it. */
function explained(entry: WaitingEntry, causes: readonly Cause[], ahead: number): WaitingEntry {
  const words = causes.map((cause) => cause.words).join('; and ');
  const place = ahead > 0 ? `; ${ahead} ahead of it in the lane` : '';
  const isKnown = causes.every(({ until }) => until !== undefined);
  return {
    ...entry,
    reasons: causes.map(({ reason }) => reason),
    why: bounded(`${words}${place}`, 512),
    ...(isKnown ? { until: new Date(Math.max(...causes.map(({ until = 0 }) => until))).toISOString() } : {}),
  };
}

function causesOfRequest(lane: Lane, entry: WaitingEntry, job: Job | undefined): Cause[] {
  const request = requestOf(entry, lane.view.name);
  const causes: Cause[] = [];
  if (!lane.isDue(request)) {
    const until = Date.parse(entry.notBefore ?? '');
    causes.push({ reason: 'NotDue', words: `not before ${entry.notBefore}`, until });
  }
  if (lane.lacksApproval(request)) {
    const waitsUntil = Date.parse(entry.dueAt) + lane.view.spec.waitingDeadlineSeconds * 1000;
    const missedAt = Math.min(waitsUntil, entry.expiresAt === undefined ? waitsUntil : Date.parse(entry.expiresAt));
    const inNamespace = job ? ` -n ${job.metadata.namespace}` : '';
    const command = `kubectl${inNamespace} annotate job ${entry.job} ${ANNOTATION.approvedBy}=<you>`;
    const deadline = new Date(missedAt).toISOString();
    const words = `waits for an approval: ${command}; without one it is Missed at ${deadline}`;
    causes.push({ reason: 'ApprovalMissing', words });
  }
  return causes;
}

function causesOfLane({ frozen, window }: Lane): Cause[] {
  const causes: Cause[] = [];
  if (frozen !== undefined) causes.push({ reason: 'Frozen', words: `frozen: ${frozen}` });
  if (window.closed !== undefined) {
    causes.push({ reason: 'Closed', words: `closed: ${window.closed}`, until: window.until });
  }
  return causes;
}

/** What an open lane waits for before it starts a request that could start. */
function whatIsAhead(lane: Lane, ahead: number): Cause {
  const { claim } = lane;
  if (claim) {
    const ending = claim.ending ? `, and is being ended (${claim.ending.reason})` : '';
    return { reason: 'LaneBusy', words: `${claim.job} (${claim.revision ?? claim.task}) has the lane${ending}` };
  }
  const turn: Cause =
    ahead > 0 ? { reason: 'LaneBusy', words: 'waits for its turn' } : { reason: 'Next', words: 'starts next' };
  return occupantOf(lane) ?? turn;
}

/** Its Job is not as a Job that waits: the request does not wait for its turn, but for its record. */
function whyOutOfTurn(lane: Lane, job: Job): Cause | undefined {
  if (isRunning(job)) return { reason: 'HandResumed', words: 'resumed by hand: it runs, and holds the lane' };
  if (isBeingDeleted(job)) return { reason: 'BeingDeleted', words: 'its Job is being deleted' };
  if (!lane.isInterrupted(job)) return undefined;
  const words = 'suspended by hand after its start: it is recorded as aborted once its Pod is gone';
  return { reason: 'Interrupted', words };
}
