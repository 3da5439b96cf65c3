/**
 * What the Job controller does about one Job, decided from the Job, its Pods and the time alone
 * (`pkg/controller/job/job_controller.go`, `syncJob`).
 *
 * Not modelled: Indexed Jobs, podFailurePolicy, successPolicy, backoffLimitPerIndex, Jobs without `completions`,
 * managedBy other than the Job controller, ttlSecondsAfterFinished, restarts counted under restartPolicy OnFailure,
 * adoption of Pods without an owner.
 */

import { timestamp } from '../clock.ts';
import type { KubeObject } from '../objects.ts';
import type { JsonObject } from '../store/json.ts';
import { at, clone, isObject, listAt, textAt } from '../store/json.ts';

export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';

export interface JobDecision {
  /**
   * The status with Pods listed as uncounted and interim conditions, to be stored before finalizers go; undefined:
   * nothing to note.
   */
  interim: JsonObject | undefined;
  /** Pods whose tracking finalizer goes: they are counted, or count no more. */
  release: KubeObject[];
  /** The status in the end. */
  status: JsonObject;
  delete: KubeObject[];
  /** How many Pods to create. */
  create: number;
  events: { type: 'Normal' | 'Warning'; reason: string; message: string }[];
  /** Look again at this time, whatever happens. */
  wakeAt: number | undefined;
}

interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
}

const phaseOf = (pod: KubeObject): string => textAt(pod, 'status', 'phase') ?? 'Pending';
const isTerminal = (pod: KubeObject): boolean => ['Succeeded', 'Failed'].includes(phaseOf(pod));
const isDeleted = (pod: KubeObject): boolean => pod.metadata.deletionTimestamp !== undefined;
const isTracked = (pod: KubeObject): boolean => (pod.metadata.finalizers ?? []).includes(TRACKING_FINALIZER);
const isReady = (pod: KubeObject): boolean =>
  listAt(pod, 'status', 'conditions').some((each) => each.type === 'Ready' && each.status === 'True');

export function isTrue(object: KubeObject, type: string): boolean {
  return listAt(object, 'status', 'conditions').some((each) => each.type === type && each.status === 'True');
}

const FIRST_BACKOFF_MS = 10_000;
const LONGEST_BACKOFF_MS = 600_000;

/**
 * @param expected Pods that were decided on before and are not there yet.
 * @param finishesEarly as before Kubernetes 1.31: a Job is over when it is decided that it is, whatever its Pods still
 * do.
 */
export function decideJob(
  job: KubeObject,
  pods: KubeObject[],
  expected: number,
  now: number,
  finishesEarly = false,
): JobDecision {
  const finished = isTrue(job, 'Complete') || isTrue(job, 'Failed');
  const before = isObject(job.status) ? job.status : {};
  if (finished) return { ...nothing(before), release: pods.filter(isTracked) };
  return new Sync(job, pods, expected, now, finishesEarly).decide();
}

function nothing(status: JsonObject): JobDecision {
  return { interim: undefined, release: [], status, delete: [], create: 0, events: [], wakeAt: undefined };
}

class Sync {
  readonly #job: KubeObject;
  readonly #pods: KubeObject[];
  readonly #now: number;
  readonly #expected: number;
  readonly #finishesEarly: boolean;
  readonly #status: JsonObject;
  readonly #onlyFailed: boolean;
  readonly #suspended: boolean;
  readonly #out: JobDecision;

  constructor(job: KubeObject, pods: KubeObject[], expected: number, now: number, finishesEarly: boolean) {
    this.#finishesEarly = finishesEarly;
    this.#job = job;
    this.#pods = pods;
    this.#now = now;
    this.#expected = expected;
    this.#status = clone(isObject(job.status) ? job.status : {});
    this.#onlyFailed = at(job, 'spec', 'podReplacementPolicy') === 'Failed';
    this.#suspended = at(job, 'spec', 'suspend') === true;
    this.#out = nothing(this.#status);
  }

  decide(): JobDecision {
    const active = this.#pods.filter((pod) => !isTerminal(pod) && !isDeleted(pod));
    const counted = {
      succeeded: Number(this.#status.succeeded ?? 0),
      failed: Number(this.#status.failed ?? 0),
    };
    const fresh = this.#pods.filter(isTracked);
    const succeeded = counted.succeeded + fresh.filter((pod) => phaseOf(pod) === 'Succeeded').length;
    const newFailures = fresh.filter((pod) => this.#isFailed(pod)).length;
    if (!this.#suspended && this.#status.startTime === undefined) this.#status.startTime = timestamp(this.#now);
    const ending = this.#endingOf(counted.failed, newFailures, active.length);
    if (ending === undefined) this.#manage(active, succeeded, counted.failed + newFailures);
    else this.#out.delete = active;
    const leaving = this.#out.delete;
    const terminating = this.#pods.filter((pod) => !isTerminal(pod) && isDeleted(pod)).length + leaving.length;
    const left = active.length - leaving.length;
    // Already what is noted before finalizers go says who is active.
    Object.assign(this.#status, {
      ...numbers({ active: left + this.#expected + this.#out.create }),
      ready: active.filter((pod) => isReady(pod) && !leaving.includes(pod)).length,
      terminating,
    });
    this.#count(counted, ending);
    this.#out.status = { ...this.#status };
    const complete = succeeded >= this.#completions() && left === 0 && this.#expected === 0 ? SUCCESS : undefined;
    const final = ending ?? complete;
    if (final !== undefined && this.#expected === 0) this.#finish(final, terminating);
    return this.#out;
  }

  #completions(): number {
    return Number(at(this.#job, 'spec', 'completions') ?? 1);
  }

  /**
   * A Pod that is being deleted counts as failed at once, unless the Job replaces only Pods that have failed to the
   * end.
   */
  #isFailed(pod: KubeObject): boolean {
    if (phaseOf(pod) === 'Failed') return true;
    return !this.#onlyFailed && isDeleted(pod) && phaseOf(pod) !== 'Succeeded';
  }

  /** Why the Job fails or succeeds, decided before or now; undefined while it goes on. */
  #endingOf(failedBefore: number, newFailures: number, active: number): Condition | undefined {
    for (const type of ['FailureTarget', 'SuccessCriteriaMet']) {
      const earlier = listAt(this.#status, 'conditions').find((each) => each.type === type && each.status === 'True');
      if (earlier !== undefined) return earlier as unknown as Condition;
    }
    const limit = Number(at(this.#job, 'spec', 'backoffLimit') ?? 6);
    const parallelism = Number(at(this.#job, 'spec', 'parallelism') ?? 1);
    if (newFailures > 0 && active !== parallelism && failedBefore + newFailures > limit) return TOO_MANY_FAILURES;
    const seconds = at(this.#job, 'spec', 'activeDeadlineSeconds');
    const start = textAt(this.#status, 'startTime');
    if (typeof seconds !== 'number' || start === undefined || this.#suspended) return undefined;
    const deadline = Date.parse(start) + seconds * 1000;
    if (this.#now >= deadline) return TOO_LATE;
    this.#out.wakeAt = deadline;
    return undefined;
  }

  /** Suspends, resumes, and brings the number of Pods to what it should be. */
  #manage(active: KubeObject[], succeeded: number, failed: number): void {
    if (isDeleted(this.#job)) return;
    const complete = succeeded >= this.#completions() && active.length === 0;
    if (this.#suspended) {
      this.#out.delete = active;
      // What a suspended Job stops is neither success nor failure: such Pods lose their finalizer uncounted.
      this.#out.release = active.filter(isTracked);
      if (complete) return;
      if (this.#setCondition('Suspended', 'True', 'JobSuspended', 'Job suspended')) {
        this.#out.events.push({ type: 'Normal', reason: 'Suspended', message: 'Job suspended' });
      }
      delete this.#status.startTime;
      return;
    }
    const wanted = Math.min(
      Number(at(this.#job, 'spec', 'parallelism') ?? 1),
      Math.max(0, this.#completions() - succeeded),
    );
    const terminating = this.#pods.filter((pod) => !isTerminal(pod) && isDeleted(pod)).length;
    const have = active.length + this.#expected;
    if (have > wanted) {
      this.#out.delete = active.slice(0, have - wanted);
      this.#out.release = this.#out.delete.filter(isTracked);
    } else if (wanted - have - (this.#onlyFailed ? terminating : 0) > 0) {
      const ready = this.#backoffEnd(failed);
      if (ready > this.#now) this.#out.wakeAt = Math.min(ready, this.#out.wakeAt ?? ready);
      else this.#out.create = wanted - have - (this.#onlyFailed ? terminating : 0);
    }
    if (complete) return;
    const suspended = listAt(this.#status, 'conditions').some((each) => each.type === 'Suspended');
    if (suspended && this.#setCondition('Suspended', 'False', 'JobResumed', 'Job resumed')) {
      this.#out.events.push({ type: 'Normal', reason: 'Resumed', message: 'Job resumed' });
      this.#status.startTime = timestamp(this.#now);
      const seconds = at(this.#job, 'spec', 'activeDeadlineSeconds');
      if (typeof seconds === 'number') this.#out.wakeAt = Date.parse(String(this.#status.startTime)) + seconds * 1000;
    }
  }

  /** After a failure the next Pod waits: 10 s, doubled with each. */
  #backoffEnd(failed: number): number {
    if (failed === 0) return 0;
    const ends = this.#pods.filter((pod) => this.#isFailed(pod)).map(endOf);
    const delay = Math.min(FIRST_BACKOFF_MS * 2 ** (failed - 1), LONGEST_BACKOFF_MS);
    return ends.length === 0 ? 0 : Math.max(...ends) + delay;
  }

  /**
   * Pods that are over are first listed as uncounted, then lose their finalizer, then are counted: none is lost or
   * counted twice.
   */
  #count(counted: { succeeded: number; failed: number }, ending: Condition | undefined): void {
    const uncounted: { succeeded: string[]; failed: string[] } = { succeeded: [], failed: [] };
    const all = ending !== undefined || isDeleted(this.#job);
    const skipped = new Set(this.#out.release);
    for (const pod of this.#pods) {
      if (!isTracked(pod) || skipped.has(pod)) continue;
      const failed = this.#isFailed(pod);
      if (!all && !failed && phaseOf(pod) !== 'Succeeded') continue;
      this.#out.release.push(pod);
      const uid = pod.metadata.uid ?? '';
      if (phaseOf(pod) === 'Succeeded') uncounted.succeeded.push(uid);
      else if (failed || (ending !== undefined && ending.type !== 'SuccessCriteriaMet')) uncounted.failed.push(uid);
    }
    const some = uncounted.succeeded.length + uncounted.failed.length > 0;
    const newEnding = ending !== undefined && this.#setCondition(ending.type, 'True', ending.reason, ending.message);
    if (some || newEnding) {
      const lists = Object.entries(uncounted).filter(([, uids]) => uids.length > 0);
      this.#out.interim = { ...clone(this.#status), uncountedTerminatedPods: Object.fromEntries(lists) };
    }
    Object.assign(
      this.#status,
      numbers({
        succeeded: counted.succeeded + uncounted.succeeded.length,
        failed: counted.failed + uncounted.failed.length,
      }),
      { uncountedTerminatedPods: {} },
    );
  }

  /** The last condition comes when the last Pod is over. */
  #finish(ending: Condition, terminating: number): void {
    const { reason, message } = ending;
    const { status } = this.#out;
    this.#setCondition(ending.type, 'True', reason, message);
    if (ending.type === 'SuccessCriteriaMet' && this.#out.interim !== undefined) {
      this.#out.interim.conditions = clone(this.#status.conditions);
    }
    status.conditions = this.#status.conditions;
    if (terminating > 0 && !this.#finishesEarly) return;
    const succeeded = ending.type === 'SuccessCriteriaMet';
    this.#setCondition(succeeded ? 'Complete' : 'Failed', 'True', reason, message);
    status.conditions = this.#status.conditions;
    if (succeeded) status.completionTime = timestamp(this.#now);
    this.#out.events.push(
      succeeded
        ? { type: 'Normal', reason: 'Completed', message: 'Job completed' }
        : { type: 'Warning', reason, message },
    );
    this.#out.wakeAt = undefined;
  }

  #setCondition(type: string, status: string, reason: string, message: string): boolean {
    const conditions = listAt(this.#status, 'conditions');
    const earlier = conditions.find((each) => each.type === type);
    if (earlier?.status === status) return false;
    const time = timestamp(this.#now);
    const condition = { type, status, lastProbeTime: time, lastTransitionTime: time, reason, message };
    this.#status.conditions = [...conditions.filter((each) => each !== earlier), condition];
    return true;
  }
}

const SUCCESS: Condition = {
  type: 'SuccessCriteriaMet',
  status: 'True',
  reason: 'CompletionsReached',
  message: 'Reached expected number of succeeded pods',
};
const TOO_MANY_FAILURES: Condition = {
  type: 'FailureTarget',
  status: 'True',
  reason: 'BackoffLimitExceeded',
  message: 'Job has reached the specified backoff limit',
};
const TOO_LATE: Condition = {
  type: 'FailureTarget',
  status: 'True',
  reason: 'DeadlineExceeded',
  message: 'Job was active longer than specified deadline',
};

/** Counters of zero are left out, as Go's omitempty does. */
function numbers(counts: Record<string, number>): Record<string, number | undefined> {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count === 0 ? undefined : count]));
}

function endOf(pod: KubeObject): number {
  const ends = listAt(pod, 'status', 'containerStatuses').map((each) =>
    textAt(each, 'state', 'terminated', 'finishedAt'),
  );
  // Of a Pod that is still being deleted, the moment of its deletion.
  const deletion = pod.metadata.deletionTimestamp ?? '';
  const deleted = Date.parse(deletion) - 1000 * Number(pod.metadata.deletionGracePeriodSeconds ?? 0) || 0;
  const begun = Date.parse(pod.metadata.creationTimestamp ?? '');
  return Math.max(begun, deleted, ...ends.map((end) => Date.parse(end ?? '') || 0));
}
