import { isDeepStrictEqual } from 'node:util';
import { type CapDeployJob, type CapDeployJobStatus, specOf } from '../../api/capdeployjob.ts';
import type { Log } from '../../base/log.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { WorkResult } from '../../kube/work-queue.ts';
import { type Observation, type Plan, plan } from '../../lanes/plan.ts';
import type { Announcer } from './announce.ts';
import { ApplyPlan, isTooLate } from './apply-plan.ts';
import type { TemplateChecker } from './check-template.ts';
import { FairShare } from './fair-share.ts';
import type { IntakeReports } from './intake-reports.ts';
import type { ProcessMemory } from './memory.ts';
import type { Observer } from './observe.ts';
import { PrunedFields } from './pruned-fields.ts';
import { Rewording } from './rewording.ts';
import { StatusDamping } from './status-damping.ts';
import type { WarningEvents } from './warning-events.ts';
import { WriteBackoff } from './write-backoff.ts';

/** Somebody else wrote first, often the Job controller with its first status: looked at again at once, and live. */
const AFTER_CONFLICT_MS = 20;
/** After a write the watch brings the next turn; this is for a watch that is down just then. */
const AFTER_WRITE_MS = 2000;

/** How often what was seen of Jobs is looked through for those that are gone. */
const SWEEP_MS = 60_000;

export interface ReconcilerParts {
  client: KubeClient;
  observer: Observer;
  memory: ProcessMemory;
  warnings: WarningEvents;
  reports: IntakeReports;
  templates: TemplateChecker;
  announcer: Announcer;
  log: Log;
  now: () => number;
  /** Milliseconds by a clock that nobody sets. */
  monotonicNow: () => number;
}

/**
 * One pass over one CapDeployJob: observe → plan → claim and record → act. The only writer of its status.
 *
 * The caches decide whether a pass is worth it, and at rest nothing else is asked; whatever is written rests on a live look, under the
 * resourceVersions of that look. If this process stops at any point, the next pass finds the same world and plans the same again.
 */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #applyPlan: ApplyPlan;
  readonly #statusDamping = new StatusDamping();
  readonly #rewording = new Rewording();
  readonly #writeBackoff = new WriteBackoff();
  readonly #fairShare = new FairShare();
  readonly #dropped = new PrunedFields();
  #sweptAt = 0;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#applyPlan = new ApplyPlan(parts);
  }

  /** @throws KubeError where the API server could not be asked: the key is then tried again with backoff. */
  async reconcile(key: string): Promise<WorkResult> {
    const { observer, memory, warnings, announcer, now } = this.#parts;
    const resource = observer.resource(key);
    this.#sweep();
    if (!resource) {
      this.#forget(key);
      return { gone: true };
    }
    // One that is being deleted starts nothing and writes nothing: its Jobs go with it.
    if (resource.metadata.deletionTimestamp) return {};

    const restsUntil = this.#fairShare.until(key, now());
    if (restsUntil !== undefined) return { requeueAfterMs: restsUntil - now() };

    const { template, again: templateAgain } = await this.#template(key, resource);
    const dueAt = earlier(templateAgain, this.#parts.reports.rejectionsDueAt(key, now()));
    let seen = observer.cached(key, template);
    if (!seen) return {};
    let next = this.#plan(key, seen);
    const again = earlier(dueAt, warnings.follow(key, next.explain));

    if (this.#isWork(key, seen, next)) {
      const heldUntil = this.#writeBackoff.until(key, now());
      if (heldUntil !== undefined) return wakeAfter(next, earlier(again, heldUntil), now());
      seen = await observer.live(key, template);
      if (!seen || seen.resource.metadata.deletionTimestamp) return {};
      // Deleted and created again: what is known of the template is the earlier one's. The cache will tell.
      if (seen.resource.metadata.uid !== resource.metadata.uid) return { requeueAfterMs: AFTER_WRITE_MS };
      next = this.#plan(key, seen);
      memory.noteAbsent(next.absent, this.#parts.monotonicNow());
      if (this.#isWork(key, seen, next)) {
        // First, so that counters begin at 0 however this ends.
        announcer.lanes(key, seen.resource.status ?? {}, seen.spec);
        const outcome = await this.#carry(key, seen, next);
        return wakeAfter(next, again, now(), outcome === 'conflict' ? AFTER_CONFLICT_MS : AFTER_WRITE_MS);
      }
    }
    announcer.lanes(key, next.status, seen.spec);
    const writesAt = this.#statusChanges(seen, next) ? this.#writesAt(key, seen, next) : undefined;
    return wakeAfter(next, earlier(again, earlier(writesAt, this.#tryAgainAt())), now());
  }

  #plan(key: string, seen: Observation): Plan {
    const begun = this.#parts.now();
    const planned = plan({ ...seen, definitionProblem: this.#dropped.problem });
    const ended = this.#parts.now();
    this.#fairShare.spent(key, ended - begun, ended);
    return planned;
  }

  /** True where the plan asks for anything that the observation does not already show, and nothing speaks for waiting with it. */
  #isWork(key: string, seen: Observation, next: Plan): boolean {
    return (
      next.mark.length +
        next.touch.length +
        next.start.length +
        next.remove.length +
        next.absent.length +
        seen.rejections.length >
        0 ||
      (this.#statusChanges(seen, next) && this.#writesAt(key, seen, next) === undefined)
    );
  }

  /** A write that changes nothing is not made (invariant 8), and would fence nobody. */
  #statusChanges(seen: Observation, next: Plan): boolean {
    return !isDeepStrictEqual(seen.resource.status, this.#dropped.stored(next.status, this.#parts.now()));
  }

  #compare(key: string, sent: CapDeployJobStatus, stored: CapDeployJobStatus | undefined): void {
    if (!this.#dropped.compare(sent, stored, this.#parts.now())) return;
    const { problem } = this.#dropped;
    if (problem) this.#parts.log.warn({ resource: key }, problem);
    else this.#parts.log.info({ resource: key }, 'the CustomResourceDefinition knows every field of the status now');
  }

  #tryAgainAt(): number | undefined {
    return this.#dropped.problem === undefined ? undefined : this.#dropped.tryAgainAt;
  }

  /** A status that differs in words alone can wait. */
  #writesAt(key: string, seen: Observation, next: Plan): number | undefined {
    const stored = this.#dropped.stored(next.status, seen.now);
    return (
      this.#statusDamping.waitsUntil(key, seen.resource.status, stored, seen.now) ??
      this.#rewording.waitsUntil(key, seen.resource.status, stored, seen.now)
    );
  }

  async #carry(key: string, seen: Observation, next: Plan): Promise<'done' | 'conflict'> {
    try {
      await this.#applyPlan.applyPlan(key, seen, next, this.#statusChanges(seen, next), ({ status }) =>
        this.#compare(key, next.status, status),
      );
      this.#statusDamping.said(key, next.status, this.#parts.now());
      this.#rewording.stored(key, seen.resource.status, next.status, this.#parts.now());
      this.#writeBackoff.forget(key);
      return 'done';
    } catch (error) {
      if (!isTooLate(error)) {
        this.#writeBackoff.failed(key, error, this.#parts.now());
        throw error;
      }
      this.#parts.log.debug({ resource: key, reason: error.reason }, 'somebody else wrote first, looking again');
      return 'conflict';
    }
  }

  async #template(key: string, resource: CapDeployJob) {
    const parsed = specOf(resource);
    if (!('spec' in parsed)) return { template: undefined, again: undefined };
    const { createFailure } = this.#parts.reports.of(key, this.#parts.now());
    const { check, again } = await this.#parts.templates.check(
      key,
      resource,
      parsed.spec,
      createFailure?.template === true,
    );
    return { template: check, again };
  }

  /** What is remembered of Jobs that are long gone is forgotten. */
  #sweep(): void {
    const { memory, observer, now } = this.#parts;
    if (now() - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now();
    const known = observer.knownJobs();
    memory.sweep((uid) => known.has(uid));
  }

  #forget(key: string): void {
    this.#parts.reports.forget(key);
    this.#parts.templates.forget(key);
    this.#parts.announcer.forget(key);
    this.#statusDamping.forget(key);
    this.#rewording.forget(key);
    this.#writeBackoff.forget(key);
    this.#fairShare.forget(key);
    this.#parts.memory.forget(key);
    this.#parts.warnings.follow(key, []);
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function wakeAfter(next: Plan, again: number | undefined, now: number, soonMs?: number): WorkResult {
  const moments = [next.wakeAt, again]
    .filter((moment) => moment !== undefined)
    .map((moment) => Math.max(moment - now, 1));
  if (soonMs !== undefined) moments.push(soonMs);
  return moments.length > 0 ? { requeueAfterMs: Math.min(...moments) } : {};
}
