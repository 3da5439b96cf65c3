import type {
  CapDeployJobSpec,
  Claim,
  ConcurrencyPolicy,
  Environment,
  HistoryEntry,
  LaneStatus,
  WaitingEntry,
  Watermark,
} from '../api/capdeployjob.ts';
import { isRollback } from '../api/deploy-request.ts';
import type { JobEvent } from './explain.ts';
import { terminating } from './explain.ts';
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
import { compareTurns, type Turn } from './order.ts';
import type { Outcome } from './outcome.ts';
import { bounded, boundedKeepingTheEnd } from './text.ts';
import { type WindowState, windowState } from './windows.ts';

/** One lane at one moment: everything that `planLane` looks at. */
export interface LaneView {
  readonly name: string;
  /** Undefined where the environment was removed from the spec. */
  readonly environment: Environment | undefined;
  readonly spec: CapDeployJobSpec;
  /** Who froze the lane by an annotation of the resource, and why. */
  readonly freeze: string | undefined;
  /** When the CapDeployJob was created: its lanes cannot have been open before (epoch milliseconds). */
  readonly createdAt: number;
  /** What the status says of the lane; undefined for a new lane, and where the status was lost. */
  readonly previous: LaneStatus | undefined;
  /** The resource's own Jobs of this lane. */
  readonly jobs: readonly Job[];
  /** Jobs that carry the lane's labels but belong to somebody else, for example to an earlier resource of this name. */
  readonly strangers: readonly Job[];
  /** Pods that carry the lane's labels, whoever owns them. */
  readonly pods: readonly Pod[];
  /** True where the history knows the id in this lane. */
  readonly recorded: (id: string) => boolean;
  readonly memory: Memory;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * What this process has seen and no object says any more. It may be lost at any time: then more time passes, or a result becomes Unknown,
 * but nothing unsafe follows.
 */
export interface Memory {
  /** A Pod of this Job was seen once: as Jobs here have one Pod, none can appear later. */
  podWasSeen(jobUid: string): boolean;
  /** The first container of the Job's Pod was seen running or finished. */
  containerWasSeen(jobUid: string): boolean;
  /** Since when a live look has shown that this Job is gone or suspended (epoch milliseconds). */
  absentSince(jobUid: string): number | undefined;
  /** The Job as it was when its deletion was watched. */
  lastSeen(jobUid: string): Job | undefined;
  /** The end of the deploy's log, redacted and bounded. */
  logTail(jobUid: string): string | undefined;
  /** FailedCreate and the like, about the Job or its Pod, oldest first. */
  events(jobUid: string): readonly JobEvent[];
}

/** Why a Job is to be deleted; every reason but `abort` means that its outcome stands in the history. */
export type RemovalReason = 'recorded' | 'abort' | 'history limit' | 'ttl';

export interface Removal {
  readonly job: Job;
  readonly reason: RemovalReason;
}

/** What is to become of a lane: its status, and what follows once that status is stored. */
export interface LanePlan {
  /** Undefined: the lane is to be forgotten. */
  readonly status: LaneStatus | undefined;
  /** New history entries, in the order in which they ended. */
  readonly ended: readonly HistoryEntry[];
  /** To be written BEFORE the status: the Job of a claim that is given up, so that a late resume of it is refused. */
  readonly touch: readonly Job[];
  /** To be resumed after the status, which holds its claim, is stored. */
  readonly start: Job | undefined;
  /** To be deleted after the status is stored. */
  readonly remove: readonly Removal[];
  /** Jobs (by UID) whose absence must be timed, beginning with a live look. */
  readonly absent: readonly string[];
  /** Started Jobs (by UID) without a container: their Events tell why. */
  readonly explain: readonly string[];
  /**
   * To be marked with `started-at` BEFORE the status is stored: Jobs that somebody resumed by hand. Without it one that is suspended later
   * would look as if it had never been started, and be started again.
   */
  readonly mark: readonly Job[];
  /** Jobs that run without a claim and are claimed now. */
  readonly adopted: readonly Job[];
  /** When to look again even if nothing is heard (epoch milliseconds). */
  readonly wakeAt: number | undefined;
  /** A window of the lane that cannot be read. */
  readonly windowProblem: string | undefined;
}

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
  readonly lastStarted: Map<string, Watermark>;
  lastSuccessful: LaneStatus['lastSuccessful'];
  lastResult: LaneStatus['lastResult'];
  lastEndedAt: string | undefined;
  readonly ended: HistoryEntry[] = [];
  readonly touch: Job[] = [];
  start: Job | undefined;
  readonly remove: Removal[] = [];
  readonly absent: string[] = [];
  readonly explain: string[] = [];
  readonly mark: Job[] = [];
  readonly adopted: Job[] = [];
  wakeAt: number | undefined;

  constructor(view: LaneView) {
    this.view = view;
    const { previous } = view;
    this.claim = previous?.active?.[0];
    this.window = windowState(view.environment?.windows, view.now, `spec.environments[${view.name}].windows`);
    this.lastStarted = new Map((previous?.lastStarted ?? []).map((mark) => [mark.task, mark]));
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
    return this.view.memory.podWasSeen(jobUid) || this.view.pods.some((pod) => jobUidOf(pod) === jobUid);
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
   * rollback, which is about all that was asked for before it. A claim whose Job is seen to wait still has started nothing: it may be given
   * up, and nothing must then have been dropped for its sake.
   */
  watermark(task: string): (Turn & { task: string }) | undefined {
    const { claim, claimedJob } = this;
    const marks = [...this.lastStarted.values()].filter((mark) => mark.task === task || isRollback(mark.task));
    const latest = marks.reduce<(Turn & { task: string }) | undefined>(
      (last, mark) => (last && compareTurns(last, mark) >= 0 ? last : mark),
      undefined,
    );
    const counts = claim && (claim.task === task || isRollback(claim.task));
    if (!counts || (claimedJob && this.isWaiting(claimedJob))) return latest;
    return latest && compareTurns(latest, claim) > 0 ? latest : { task: claim.task, id: claim.id, dueAt: claim.dueAt };
  }

  /** Puts an end to a request. A lane sees each end once: who calls this has asked `isRecorded`. */
  end(request: StoredRequest, job: string, outcome: Outcome, startedAt?: string): void {
    this.ended.push({
      ...summary(request, job),
      environment: this.view.name,
      result: outcome.result,
      reason: bounded(outcome.reason, 64),
      ...(outcome.message === undefined ? {} : { message: boundedKeepingTheEnd(outcome.message, 2048) }),
      ...(startedAt === undefined ? {} : { startedAt }),
      finishedAt: outcome.finishedAt,
    });
    if (startedAt === undefined) return;
    this.promoteWatermark(request);
    this.lastResult = outcome.result;
    this.lastEndedAt = outcome.finishedAt;
    if (outcome.result === 'Succeeded') {
      const { revision, requestedBy, task } = request;
      this.lastSuccessful = { ...defined({ revision, requestedBy }), task, job, finishedAt: outcome.finishedAt };
    }
  }

  /** Forward only: a record that comes late must not open the way for an older revision. */
  private promoteWatermark(request: StoredRequest): void {
    const { task, id, dueAt, repository, revision } = request;
    const last = this.lastStarted.get(task);
    if (last && compareTurns(last, request) >= 0) return;
    this.lastStarted.delete(task);
    this.lastStarted.set(task, { task, id, repository, ...defined({ revision }), dueAt });
    const [oldest] = this.lastStarted.keys();
    if (this.lastStarted.size > WATERMARKS && oldest !== undefined) this.lastStarted.delete(oldest);
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
   * finished, whoever owns it. This is what stops a deploy beside a Job resumed by hand, an orphaned Pod, or one on a lost node.
   */
  get occupant(): string | undefined {
    const job = [...this.view.jobs, ...this.view.strangers].find(isRunning);
    if (job) return `Job ${job.metadata.name} runs in this lane`;
    const pod = this.view.pods.find(isAlive);
    if (!pod) return undefined;
    return pod.metadata.deletionTimestamp ? terminating(pod) : `Pod ${pod.metadata.name} runs in this lane`;
  }

  /** Who or what froze the lane; all of them, for each has to be undone. */
  get frozen(): string | undefined {
    const { spec, environment, name, freeze } = this.view;
    const causes = [
      freeze,
      ...(spec.suspend ? ['spec.suspend is true'] : []),
      ...(environment?.suspend ? [`spec.environments[${name}].suspend is true`] : []),
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
  const { id, repository, task, revision, requestedBy, senderId, sentAt, notBefore, expiresAt, approvedBy } = request;
  return {
    job,
    id,
    repository,
    task,
    ...defined({ revision, requestedBy, senderId }),
    sentAt,
    ...defined({ notBefore, expiresAt, approvedBy }),
  };
}

/** The request that a status entry tells of, for a Job that is gone. */
export function requestOf(entry: Claim | WaitingEntry, environment: string): StoredRequest {
  const { id, repository, task, revision, requestedBy, senderId, sentAt, notBefore, expiresAt, approvedBy, dueAt } =
    entry;
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
    approvedBy,
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

export const iso = (lane: Lane): string => new Date(lane.view.now).toISOString();

function defined<T extends Record<string, string | undefined>>(fields: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string;
  };
}
