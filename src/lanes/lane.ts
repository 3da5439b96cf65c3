import type {
  Claim,
  ConcurrencyPolicy,
  HistoryEntry,
  LaneStatus,
  WaitingEntry,
  Watermark,
} from '../api/capdeployjob.ts';
import { DEFAULT_TASK, isRollback } from '../api/deploy-request.ts';
import { frozenText } from '../api/freeze.ts';
import { OUTCOME } from '../api/reasons.ts';
import { BoundedMap } from '../base/bounded-map.ts';
import { bounded, boundedKeepingTheEnd } from '../text/truncate.ts';
import type { HangingStart } from './explain-start.ts';
import {
  isFinished,
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
import { compareTurns, earliest, type Turn } from './order.ts';
import type { Outcome } from './outcome.ts';
import { type WindowState, windowState } from './windows.ts';

export type * from './lane-view.ts';

/** How many tasks a lane's watermark remembers: all that a spec can name, and some that it named before. */
const WATERMARKS = 50;

/** A lane while it is being planned. The steps that `plan-lane.ts` names change it one after the other. */
export class Lane {
  readonly view: LaneView;
  claim: Claim | undefined;
  /** True once this pass has released, adopted or given up a claim: the next claim needs a pass of its own. */
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

  /** The claimed Job, unless it is gone: a Job of its name with another UID is a different one. */
  get claimedJob(): Job | undefined {
    const { claim } = this;
    return claim && this.view.jobs.find((job) => job.metadata.uid === claim.uid);
  }

  /** A Pod of this Job exists or existed. A suspended Job gets no Pod, so its deploy was started. */
  podWasSeen(jobUid: string): boolean {
    return this.view.memory.podWasSeen(jobUid) || this.podsOf(jobUid).length > 0;
  }

  podsOf(jobUid: string): readonly Pod[] {
    return this.view.pods.filter((pod) => jobUidOf(pod) === jobUid);
  }

  /** Suspended and never started, by the operator or by hand. */
  isWaiting(job: Job): boolean {
    return isWaiting(job) && !this.podWasSeen(job.metadata.uid);
  }

  /** Started and then suspended by hand. Such a deploy is never resumed, because half of it may have happened. */
  isInterrupted(job: Job): boolean {
    const wasStarted = startedAt(job) !== undefined || this.podWasSeen(job.metadata.uid);
    return isSuspended(job) && !isFinished(job) && wasStarted;
  }

  /** True if the id has its history entry, an old one or one of this pass. */
  isRecorded(id: string): boolean {
    return this.view.recorded(id) || this.ended.some((entry) => entry.id === id);
  }

  /** True if the id is the one that was started last in its task. That outlives the history. */
  isWatermark(id: string): boolean {
    return [...this.lastStarted.values()].some((mark) => mark.id === id);
  }

  /** True if the id has had its turn: its end is in the history, or it was started last. */
  isKnown(id: string): boolean {
    return this.isRecorded(id) || this.isWatermark(id);
  }

  /**
   * Nothing of this task that was due before this starts. It is the latest of what was started last and what is
   * claimed:
   * - of the task itself;
   * - of rollbacks, because a rollback is about all that was asked for before it;
   * - for a rollback also of deploys, because it must not undo a deploy that was asked for after it.
   *
   * A claim whose Job is still seen to wait has started nothing. It may be given up, and nothing may be dropped because
   * of it.
   */
  watermark(task: string): Turn | undefined {
    const { claim, claimedJob } = this;
    const isRelated = (other: { task: string }) =>
      other.task === task || isRollback(other.task) || (isRollback(task) && other.task === DEFAULT_TASK);
    const started: (Turn & { task: string })[] = [...this.lastStarted.values()];
    if (claim && !(claimedJob && this.isWaiting(claimedJob))) {
      started.push({ task: claim.task, id: claim.id, dueAt: placeWhenStarted(claim, claim.since) });
    }
    return started.filter(isRelated).toSorted(compareTurns).at(-1);
  }

  /** Ends a request. The caller has checked `isRecorded`, so a lane records each end once. */
  end(request: StoredRequest, job: string, outcome: Outcome, startedAt?: string): void {
    const { result, reason, message, freeAt = outcome.finishedAt, deployed } = outcome;
    // A container's exit has the time of its node's clock, which may be behind the time of the start, or in the future.
    const finishedAt = later(startedAt, earlier(outcome.finishedAt, freeAt));
    const abortedBy = reason === OUTCOME.jobDeleted ? request.abortedBy : undefined;
    this.ended.push({
      ...summary({ ...request, abortedBy }, job),
      environment: this.view.name,
      result,
      reason,
      ...defined({ message: message && messageWithAborter(message, abortedBy), startedAt }),
      finishedAt,
      ...deployed,
    });
    if (startedAt === undefined) return;
    this.#promoteWatermark(request, startedAt);
    this.lastResult = result;
    this.lastEndedAt = freeAt;
    if (result === 'Succeeded') {
      const { revision, requestedBy, task } = request;
      this.lastSuccessful = { ...defined({ revision, requestedBy }), task, job, finishedAt, ...deployed };
    }
  }

  /** Forward only: a late record must not let an older revision start. */
  #promoteWatermark(request: StoredRequest, startedAt: string): void {
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

  /** A moment that has passed changes nothing any more, and must not hide a later one. */
  wake(at: number | undefined): void {
    if (at !== undefined && at > this.view.now) this.wakeAt = earliest(this.wakeAt, at);
  }

  /** Everything that froze the lane: each cause has to be undone. */
  get frozen(): string | undefined {
    const { spec, environment, name, freeze } = this.view;
    const suspended = { resource: spec.suspend, environment: environment?.suspend === true };
    const text = frozenText(name, suspended, freeze);
    return text === undefined ? undefined : bounded(text, 256);
  }

  /** People and windows allow a deploy here, whether the lane is busy or not. */
  get isOpen(): boolean {
    return this.view.environment !== undefined && this.frozen === undefined && this.window.open;
  }

  get policy(): ConcurrencyPolicy {
    return this.view.environment?.concurrencyPolicy ?? this.view.spec.concurrencyPolicy;
  }

  /** The environment asks for an approval, and there is none. */
  lacksApproval(request: StoredRequest): boolean {
    return this.view.environment?.requireApproval === true && request.approvedBy === undefined;
  }

  /** Its notBefore has passed. A sentAt in the future does not count: the sender's clock is wrong then. */
  isDue({ notBefore }: StoredRequest): boolean {
    return notBefore === undefined || Date.parse(notBefore) <= this.view.now;
  }

  /** Could start now if nothing else had the lane. A request that could not start delays and drops no other. */
  isStartable(request: StoredRequest): boolean {
    return this.isOpen && this.isDue(request) && !this.lacksApproval(request);
  }
}

/** What a status says of a request, in the order in which a reader wants it. */
export function summary(request: StoredRequest, job: string) {
  const { id, repository, task, revision, requestedBy, senderId, sentAt, notBefore, expiresAt } = request;
  const { requestReason, slack, approvedBy, abortedBy } = request;
  return {
    job,
    id,
    repository,
    task,
    ...defined({ revision, requestedBy, requestReason, slack, senderId }),
    sentAt,
    ...defined({ notBefore, expiresAt, approvedBy, abortedBy }),
  };
}

/** The claim with this reason for its delay, or with none. */
export const withWhy = ({ why: _, ...claim }: Claim, why: string | undefined): Claim =>
  why === undefined ? claim : { ...claim, why: bounded(why, 512) };

/** The request that a status entry tells of, for a Job that is gone. */
export function requestOf(entry: Claim | WaitingEntry, environment: string): StoredRequest {
  const { id, repository, task, revision, requestedBy, senderId, sentAt, notBefore, expiresAt, dueAt } = entry;
  const { requestReason, slack, approvedBy, abortedBy } = entry;
  const request = { id, environment, repository, task, revision, requestedBy, senderId, sentAt, notBefore, expiresAt };
  return { ...request, requestReason, slack, approvedBy, abortedBy, dueAt };
}

/** The request of a Job with its place in the order. */
export function inTurn(jobs: readonly Job[]): { job: Job; request: StoredRequest }[] {
  return jobs
    .map((job) => ({ job, request: storedRequest(job) }))
    .sort((a, b) => compareTurns(a.request, b.request) || (a.job.metadata.uid < b.job.metadata.uid ? -1 : 1));
}

/** When a deploy started: as the patch that resumed it says, or, if resumed by hand, when the Job controller saw it. */
export function startOf(job: Job, claim: Claim | undefined): string {
  return startedAt(job) ?? job.status?.startTime ?? claim?.since ?? job.metadata.creationTimestamp;
}

/**
 * The place of a request that has started. If it was scheduled for later and resumed by hand, it took its turn then: a
 * request that was due before the scheduled time is not out of order.
 */
function placeWhenStarted(
  request: { sentAt: string; notBefore?: string | undefined; dueAt: string },
  startedAt: string,
): string {
  const { sentAt, notBefore, dueAt } = request;
  if (notBefore === undefined || Date.parse(notBefore) <= Date.parse(startedAt)) return dueAt;
  return Date.parse(sentAt) > Date.parse(startedAt) ? sentAt : startedAt;
}

/** The name comes first: an Event and a list show the beginning, and a long text is cut in the middle. */
function messageWithAborter(message: string, abortedBy: string | undefined): string {
  const who = abortedBy === undefined ? '' : `aborted by ${abortedBy}: `;
  return `${who}${boundedKeepingTheEnd(message, 2048 - who.length)}`;
}

const earlier = (a: string, b: string): string => (Date.parse(a) <= Date.parse(b) ? a : b);
const later = (a: string | undefined, b: string): string => (a !== undefined && Date.parse(a) > Date.parse(b) ? a : b);

export const iso = (lane: Lane): string => new Date(lane.view.now).toISOString();

/** Without the fields that are undefined: a status must not hold them. */
export const defined = <T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
