import type {
  Claim,
  ConcurrencyPolicy,
  HistoryEntry,
  LaneStatus,
  WaitingEntry,
  Watermark,
} from '../api/capdeployjob.ts';
import { DEFAULT_TASK, isRollback } from '../api/deploy-request.ts';
import { OUTCOME } from '../api/reasons.ts';
import { BoundedMap } from '../base/bounded-map.ts';
import { bounded, boundedKeepingTheEnd } from '../text/truncate.ts';
import { type HangingStart, terminating } from './explain.ts';
import {
  isAlive,
  isFinished,
  isRunning,
  isSuspended,
  isWaiting,
  type Job,
  jobUidOf,
  type Pod,
  type StoredRequest,
  startedAt,
  storedRequest,
} from './job.ts';
import type { LaneView, Removal } from './lane-view.ts';
import { compareTurns, type Turn } from './order.ts';
import type { Outcome } from './outcome.ts';
import { type WindowState, windowState } from './windows.ts';

export type * from './lane-view.ts';

/** How many tasks a lane's watermark remembers: all that a spec can name, and then some of those it named before. */
const WATERMARKS = 50;

/** A lane while it is being planned. The steps that `plan-lane.ts` names change it one after the other. */
export class Lane {
  readonly view: LaneView;
  claim: Claim | undefined;
  /** True once this pass has released, adopted or given up a claim: the next one is made by a pass of its own. */
  claimMoved = false;
  waiting: WaitingEntry[] = [];
  openSince: number | undefined;
  readonly window: WindowState;
  /** By task, the one started last at the end. */
  readonly lastStarted: BoundedMap<string, Watermark>;
  lastSuccessful: LaneStatus['lastSuccessful'];
  lastResult: LaneStatus['lastResult'];
  lastEndedAt: string | undefined;
  readonly ended: HistoryEntry[] = [];
  readonly touch: Job[] = [];
  start: Job | undefined;
  readonly remove: Removal[] = [];
  readonly absent: string[] = [];
  readonly explain: HangingStart[] = [];
  readonly mark: Job[] = [];
  readonly adopted: Job[] = [];
  wakeAt: number | undefined;

  constructor(view: LaneView) {
    this.view = view;
    const { previous } = view;
    this.claim = previous?.active?.[0];
    this.window = windowState(view.environment?.windows, view.now, `spec.environments[${view.name}].windows`);
    this.lastStarted = new BoundedMap(
      WATERMARKS,
      (previous?.lastStarted ?? []).map((mark) => [mark.task, mark]),
    );
    this.lastSuccessful = previous?.lastSuccessful;
    this.lastResult = previous?.lastResult;
    this.lastEndedAt = previous?.lastEndedAt;
  }

  /** The claimed Job, unless it is gone: a Job of its name with another UID is not it. */
  get claimedJob(): Job | undefined {
    const { claim } = this;
    return claim && this.view.jobs.find((job) => job.metadata.uid === claim.uid);
  }

  /** A Pod of this Job has been there: as a suspended Job gets none, its deploy was started. */
  podWasSeen(jobUid: string): boolean {
    return this.view.memory.podWasSeen(jobUid) || this.podsOf(jobUid).length > 0;
  }

  podsOf(jobUid: string): readonly Pod[] {
    return this.view.pods.filter((pod) => jobUidOf(pod) === jobUid);
  }

  /** Suspended and never started, by nobody. */
  isWaiting(job: Job): boolean {
    return isWaiting(job) && !this.podWasSeen(job.metadata.uid);
  }

  /** Started and then suspended by hand: such a deploy is never resumed, for half of it may have happened. */
  isInterrupted(job: Job): boolean {
    const wasStarted = startedAt(job) !== undefined || this.podWasSeen(job.metadata.uid);
    return isSuspended(job) && !isFinished(job) && wasStarted;
  }

  /** True where the id has its history entry, old or of this pass. */
  isRecorded(id: string): boolean {
    return this.view.recorded(id) || this.ended.some((entry) => entry.id === id);
  }

  /** True where the id is the one that was started last in its task: it outlives the history. */
  isWatermark(id: string): boolean {
    return [...this.lastStarted.values()].some((mark) => mark.id === id);
  }

  /** True where the id has had its turn: its end stands in the history, or it is the one that was started last. */
  isKnown(id: string): boolean {
    return this.isRecorded(id) || this.isWatermark(id);
  }

  /**
   * Nothing of this task that was due before this starts: the latest of what was started last and what is claimed, of the task itself or a
   * rollback, which is about all that was asked for before it; for a rollback also of deploys, for it must not undo one that was asked for
   * after it. A claim whose Job is seen to wait still has started nothing: it may be given
   * up, and nothing must then have been dropped for its sake.
   */
  watermark(task: string): (Turn & { task: string }) | undefined {
    const { claim, claimedJob } = this;
    const counts = (started: { task: string }) =>
      started.task === task || isRollback(started.task) || (isRollback(task) && started.task === DEFAULT_TASK);
    const marks = [...this.lastStarted.values()].filter(counts);
    const latest = marks.reduce<(Turn & { task: string }) | undefined>(
      (last, mark) => (last && compareTurns(last, mark) >= 0 ? last : mark),
      undefined,
    );
    if (!claim || !counts(claim) || (claimedJob && this.isWaiting(claimedJob))) return latest;
    const claimed = { task: claim.task, id: claim.id, dueAt: placeWhenStarted(claim, claim.since) };
    return latest && compareTurns(latest, claimed) > 0 ? latest : claimed;
  }

  /** Puts an end to a request. A lane sees each end once: who calls this has asked `isRecorded`. */
  end(request: StoredRequest, job: string, outcome: Outcome, startedAt?: string): void {
    const { freeAt = outcome.finishedAt } = outcome;
    // The node's clock says when a container exited: it may be a little behind that of the start, or ahead of everybody's.
    const finishedAt = latest(startedAt, earliest(outcome.finishedAt, freeAt));
    const abortedBy = outcome.reason === OUTCOME.jobDeleted ? request.abortedBy : undefined;
    this.ended.push({
      ...summary({ ...request, abortedBy }, job),
      environment: this.view.name,
      result: outcome.result,
      reason: outcome.reason,
      ...(outcome.message === undefined ? {} : { message: inWords(outcome.message, abortedBy) }),
      ...(startedAt === undefined ? {} : { startedAt }),
      finishedAt,
    });
    if (startedAt === undefined) return;
    this.promoteWatermark(request, startedAt);
    this.lastResult = outcome.result;
    this.lastEndedAt = freeAt;
    if (outcome.result === 'Succeeded') {
      const { revision, requestedBy, task } = request;
      this.lastSuccessful = { ...defined({ revision, requestedBy }), task, job, finishedAt };
    }
  }

  /** Forward only: a record that comes late must not open the way for an older revision. */
  private promoteWatermark(request: StoredRequest, startedAt: string): void {
    const { task, id, repository, revision } = request;
    const dueAt = placeWhenStarted(request, startedAt);
    const last = this.lastStarted.get(task);
    if (last && compareTurns(last, { id, dueAt }) >= 0) return;
    this.lastStarted.delete(task);
    this.lastStarted.set(task, { task, id, repository, ...defined({ revision }), dueAt });
  }

  release(): void {
    this.claim = undefined;
    this.claimMoved = true;
  }

  /** What has passed already changes nothing any more, and must not hide what is still to come. */
  wake(at: number | undefined): void {
    if (at === undefined || at <= this.view.now) return;
    this.wakeAt = this.wakeAt === undefined ? at : Math.min(this.wakeAt, at);
  }

  /**
   * What keeps the lane from a new deploy although nothing is claimed: an unfinished Job that is not suspended or a Pod that is not
   * finished, whoever owns it. This is what stops a deploy beside a Job resumed by hand, an orphaned Pod, or one on a lost node. And, beside
   * a claim that has not been started yet, a Job that somebody resumed and suspended again: a Pod of it may still come, and it has had its turn.
   */
  get occupant(): string | undefined {
    const job = [...this.view.jobs, ...this.view.foreignJobs].find(isRunning);
    if (job) return `Job ${job.metadata.name} runs in this lane`;
    const pod = this.view.pods.find(isAlive);
    if (!pod) return this.interruptedBeside;
    return pod.metadata.deletionTimestamp ? terminating(pod) : `Pod ${pod.metadata.name} runs in this lane`;
  }

  private get interruptedBeside(): string | undefined {
    const job = this.view.jobs.find(
      (other) =>
        other.metadata.uid !== this.claim?.uid &&
        this.isInterrupted(other) &&
        !this.isRecorded(storedRequest(other).id),
    );
    return job && `Job ${job.metadata.name} was suspended after its start, and is to be recorded first`;
  }

  /** Who or what froze the lane; all of them, for each has to be undone. */
  get frozen(): string | undefined {
    const { spec, environment, name, freeze } = this.view;
    // What people wrote comes last: it is what is cut where all of it does not fit.
    const causes = [
      ...(spec.suspend ? ['spec.suspend is true'] : []),
      ...(environment?.suspend ? [`spec.environments[${name}].suspend is true`] : []),
      freeze,
    ].filter((cause) => cause !== undefined);
    return causes.length > 0 ? bounded(causes.join('; '), 256) : undefined;
  }

  /** A deploy may start here as far as people and windows are concerned, be the lane busy or not. */
  get isOpen(): boolean {
    return this.view.environment !== undefined && this.frozen === undefined && this.window.open;
  }

  get policy(): ConcurrencyPolicy {
    return this.view.environment?.concurrencyPolicy ?? this.view.spec.concurrencyPolicy;
  }

  /** The environment asks for an approval, and nobody has given one. */
  lacksApproval(request: StoredRequest): boolean {
    return this.view.environment?.requireApproval === true && request.approvedBy === undefined;
  }

  /**
   * Its time has come. Of sent-at alone this is not asked: a message that was sent in the future comes from a clock that is wrong, and must
   * not wait for ours.
   */
  isDue({ notBefore }: StoredRequest): boolean {
    return notBefore === undefined || Date.parse(notBefore) <= this.view.now;
  }

  /** Could start now if nothing else had the lane. What cannot, holds nobody back and drops nobody. */
  isStartable(request: StoredRequest): boolean {
    return this.isOpen && this.isDue(request) && !this.lacksApproval(request);
  }
}

/** What a status says of a request, in the order in which a reader wants it. */
export function summary(request: StoredRequest, job: string) {
  const { id, repository, task, revision, requestedBy, senderId, sentAt, notBefore, expiresAt } = request;
  const { approvedBy, abortedBy } = request;
  return {
    job,
    id,
    repository,
    task,
    ...defined({ revision, requestedBy, senderId }),
    sentAt,
    ...defined({ notBefore, expiresAt, approvedBy, abortedBy }),
  };
}

/** The request that a status entry tells of, for a Job that is gone. */
export function requestOf(entry: Claim | WaitingEntry, environment: string): StoredRequest {
  const { id, repository, task, revision, requestedBy, senderId, sentAt, notBefore, expiresAt, dueAt } = entry;
  return {
    id,
    environment,
    repository,
    task,
    revision,
    requestedBy,
    senderId,
    sentAt,
    notBefore,
    expiresAt,
    approvedBy: entry.approvedBy,
    abortedBy: entry.abortedBy,
    dueAt,
  };
}

/** The request of a Job with its place in the order. */
export function inTurn(jobs: readonly Job[]): { job: Job; request: StoredRequest }[] {
  return jobs
    .map((job) => ({ job, request: storedRequest(job) }))
    .sort((a, b) => compareTurns(a.request, b.request) || (a.job.metadata.uid < b.job.metadata.uid ? -1 : 1));
}

/** When a deploy started: the patch that resumed it says so; one that was resumed by hand started when its Job controller saw it. */
export function startOf(job: Job, claim: Claim | undefined): string {
  return startedAt(job) ?? job.status?.startTime ?? claim?.since ?? job.metadata.creationTimestamp;
}

/**
 * The place of a request that has started. One that was scheduled for later and resumed by hand took its turn then: nothing is out of order
 * for being due before the time that it did not wait for.
 */
function placeWhenStarted(
  request: { sentAt: string; notBefore?: string | undefined; dueAt: string },
  startedAt: string,
): string {
  const { sentAt, notBefore, dueAt } = request;
  if (notBefore === undefined || Date.parse(notBefore) <= Date.parse(startedAt)) return dueAt;
  return Date.parse(sentAt) > Date.parse(startedAt) ? sentAt : startedAt;
}

/** The name stands first: an Event and a list show the beginning, and of a long text the middle is what is cut. */
function inWords(message: string, abortedBy: string | undefined): string {
  const who = abortedBy === undefined ? '' : `aborted by ${abortedBy}: `;
  return `${who}${boundedKeepingTheEnd(message, 2048 - who.length)}`;
}

const earliest = (a: string, b: string): string => (Date.parse(a) <= Date.parse(b) ? a : b);
const latest = (a: string | undefined, b: string): string => (a !== undefined && Date.parse(a) > Date.parse(b) ? a : b);

export const iso = (lane: Lane): string => new Date(lane.view.now).toISOString();

/** Without the fields that are undefined: a status must not hold them. */
export function defined<T extends Record<string, string | undefined>>(fields: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string;
  };
}
