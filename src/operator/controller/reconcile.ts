import { isDeepStrictEqual } from 'node:util';
import { type CapDeployJob, type CapDeployJobStatus, specOf } from '../../api/capdeployjob.ts';
import type { Log } from '../../base/log.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { WorkResult } from '../../kube/work-queue.ts';
import { earliest } from '../../lanes/order.ts';
import { type Observation, type Plan, plan as planResource } from '../../lanes/plan.ts';
import type { Announcer } from './announce.ts';
import { ApplyPlan, isTooLate } from './apply-plan.ts';
import { TemplateChecker } from './check-template.ts';
import { FairShare } from './fair-share.ts';
import type { IntakeReports } from './intake-reports.ts';
import type { Observer } from './observe.ts';
import type { WarningEvents } from './pod-warnings.ts';
import type { ProcessMemory } from './process-memory.ts';
import { PrunedFields } from './pruned-fields.ts';
import { StatusDamping } from './status-damping.ts';
import { WriteBackoff } from './write-backoff.ts';

/** Another client wrote first, often the Job controller with its first status: the next pass looks again, live. */
const AFTER_CONFLICT_MS = 20;
/** After a write the watch brings the next pass. This is for a watch that is down just then. */
const AFTER_WRITE_MS = 2000;
/** How often the memory is searched for Jobs that are gone. */
const SWEEP_MS = 60_000;

export interface ReconcilerDeps {
  client: KubeClient;
  observer: Observer;
  memory: ProcessMemory;
  warnings: WarningEvents;
  reports: IntakeReports;
  announcer: Announcer;
  log: Log;
  now: () => number;
  /** Milliseconds by a clock that is never set. */
  monotonicNow: () => number;
}

/** What is kept of one CapDeployJob from pass to pass. It is lost with the process, and dropped with the resource. */
interface ResourceState {
  readonly template: TemplateChecker;
  readonly statusDamping: StatusDamping;
  readonly writeBackoff: WriteBackoff;
  readonly fairShare: FairShare;
}

/** A plan, and what is to be done with it. */
interface Decision {
  readonly plan: Plan;
  /** A write that changes nothing is not made (invariant 8): it moves no resourceVersion, so it fences nothing. */
  readonly statusChanges: boolean;
  /** Until when a changed status waits if nothing else is to be written (epoch milliseconds). */
  readonly dampedUntil: number | undefined;
  /** The plan asks for something that the observation does not show already and that need not wait. */
  readonly isWork: boolean;
}

/**
 * One pass over one CapDeployJob: observe → plan → claim and record → act. The only writer of its status.
 *
 * The caches decide whether a pass is worth it, so at rest nothing is asked of the API server. Whatever is written
 * rests on a live look, under the resourceVersions of that look. If this process stops at any point, the next pass
 * finds the same world and plans the same again.
 */
export class Reconciler {
  readonly #deps: ReconcilerDeps;
  readonly #applyPlan: ApplyPlan;
  readonly #states = new Map<string, ResourceState>();
  readonly #prunedFields = new PrunedFields();
  #sweptAt = 0;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
    this.#applyPlan = new ApplyPlan(deps);
  }

  /** @throws KubeError if the API server could not be asked: the key is then tried again with backoff. */
  async reconcile(key: string): Promise<WorkResult> {
    const { observer, memory, warnings, reports, announcer, now, monotonicNow } = this.#deps;
    const resource = observer.resource(key);
    this.#sweep();
    if (!resource) {
      this.#forget(key);
      return { gone: true };
    }
    // A resource that is being deleted starts nothing and writes nothing: its Jobs go with it.
    if (resource.metadata.deletionTimestamp) return {};

    const state = this.#stateOf(key);
    const restsUntil = state.fairShare.until(now());
    if (restsUntil !== undefined) return requeueAt(now(), restsUntil);

    const { check: template, again: templateAt } = await this.#checkTemplate(key, state, resource);
    const rejectionsAt = reports.rejectionsDueAt(key, now());
    let observation = observer.cached(key, template);
    if (!observation) return {};
    let decision = this.#decide(state, observation);
    const again = earliest(templateAt, rejectionsAt, warnings.follow(key, decision.plan.explain));

    if (decision.isWork) {
      const backoffUntil = state.writeBackoff.until(now());
      if (backoffUntil !== undefined) return requeueAt(now(), decision.plan.wakeAt, again, backoffUntil);
      observation = await observer.live(key, template);
      if (!observation || observation.resource.metadata.deletionTimestamp) return {};
      // Deleted and created again: what is known of the template is about the earlier resource. The cache will tell.
      if (observation.resource.metadata.uid !== resource.metadata.uid) return { requeueAfterMs: AFTER_WRITE_MS };
      decision = this.#decide(state, observation);
      memory.noteAbsent(decision.plan.absent, monotonicNow());
      if (decision.isWork) {
        // First, so that counters begin at 0 however the writes end.
        announcer.lanes(key, observation.resource.status ?? {}, observation.spec);
        const isApplied = await this.#apply(key, state, observation, decision);
        const lookAgainAt = now() + (isApplied ? AFTER_WRITE_MS : AFTER_CONFLICT_MS);
        return requeueAt(now(), decision.plan.wakeAt, again, lookAgainAt);
      }
    }
    announcer.lanes(key, decision.plan.status, observation.spec);
    return requeueAt(now(), decision.plan.wakeAt, again, decision.dampedUntil, this.#prunedFields.tryAgainAt);
  }

  #decide(state: ResourceState, observation: Observation): Decision {
    const begun = this.#deps.now();
    const plan = planResource({ ...observation, definitionProblem: this.#prunedFields.problem });
    const ended = this.#deps.now();
    state.fairShare.spent(ended - begun, ended);

    const before = observation.resource.status;
    const status = this.#prunedFields.stored(plan.status, ended);
    const statusChanges = !isDeepStrictEqual(before, status);
    const dampedUntil = statusChanges ? state.statusDamping.waitsUntil(before, status, observation.now) : undefined;
    const { mark, touch, start, remove, absent } = plan;
    const isWork =
      [mark, touch, start, remove, absent, observation.rejections].some(({ length }) => length > 0) ||
      (statusChanges && dampedUntil === undefined);
    return { plan, statusChanges, dampedUntil, isWork };
  }

  /** @returns false if another client wrote first. @throws KubeError */
  async #apply(
    key: string,
    state: ResourceState,
    observation: Observation,
    { plan, statusChanges }: Decision,
  ): Promise<boolean> {
    const { log, now } = this.#deps;
    try {
      await this.#applyPlan.apply(key, observation, plan, statusChanges, ({ status }) =>
        this.#followPrunedFields(key, plan.status, status),
      );
    } catch (error) {
      if (!isTooLate(error)) {
        state.writeBackoff.failed(error, now());
        throw error;
      }
      log.debug({ resource: key, reason: error.reason }, 'another client wrote first, looking again');
      return false;
    }
    state.statusDamping.written(observation.resource.status, plan.status, now());
    state.writeBackoff.reset();
    return true;
  }

  #followPrunedFields(key: string, sent: CapDeployJobStatus, stored: CapDeployJobStatus | undefined): void {
    if (!this.#prunedFields.compare(sent, stored, this.#deps.now())) return;
    const { problem } = this.#prunedFields;
    if (problem) this.#deps.log.warn({ resource: key }, problem);
    else this.#deps.log.info({ resource: key }, 'the CustomResourceDefinition knows every field of the status now');
  }

  async #checkTemplate(key: string, { template }: ResourceState, resource: CapDeployJob) {
    const parsed = specOf(resource);
    if (!('spec' in parsed)) return { check: undefined, again: undefined };
    const { createFailure } = this.#deps.reports.of(key, this.#deps.now());
    return template.check(resource, parsed.spec, createFailure?.template === true);
  }

  #stateOf(key: string): ResourceState {
    let state = this.#states.get(key);
    if (!state) {
      state = {
        template: new TemplateChecker(this.#deps.client, this.#deps.now),
        statusDamping: new StatusDamping(),
        writeBackoff: new WriteBackoff(),
        fairShare: new FairShare(),
      };
      this.#states.set(key, state);
    }
    return state;
  }

  /**
   * Besides the state these are stores of their own, because others write to them between passes: intake its reports,
   * the watches what they see of Jobs and Pods, a list of Events what it finds in a whole namespace.
   */
  #forget(key: string): void {
    this.#states.delete(key);
    this.#deps.reports.forget(key);
    this.#deps.memory.forget(key);
    this.#deps.warnings.follow(key, []);
    this.#deps.announcer.forget(key);
  }

  #sweep(): void {
    const { memory, observer, now } = this.#deps;
    if (now() - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now();
    const known = observer.knownJobs();
    memory.sweep((uid) => known.has(uid));
  }
}

function requeueAt(now: number, ...moments: (number | undefined)[]): WorkResult {
  const at = earliest(...moments);
  return at === undefined ? {} : { requeueAfterMs: Math.max(at - now, 1) };
}
