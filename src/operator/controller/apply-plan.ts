import type { CapDeployJob } from '../../api/capdeployjob.ts';
import { ANNOTATION, CAPDEPLOYJOBS } from '../../api/names.ts';
import { JOBS, type KubeClient, type KubeObject } from '../../kube/client.ts';
import { isKubeError, type KubeError } from '../../kube/errors.ts';
import type { Job } from '../../lanes/job.ts';
import type { Removal } from '../../lanes/lane.ts';
import type { Observation, Plan } from '../../lanes/plan.ts';
import type { Announcer } from './announce.ts';
import type { IntakeReports } from './intake-reports.ts';

interface ApplyPlanDeps {
  readonly client: KubeClient;
  readonly reports: IntakeReports;
  readonly announcer: Announcer;
  readonly now: () => number;
}

/**
 * Applies a plan in the order that makes each crash harmless: first what must be refused elsewhere, then the record and
 * the claims, then what follows from them. Each write names the uid and the resourceVersion that the plan was made
 * from.
 */
export class ApplyPlan {
  readonly #deps: ApplyPlanDeps;

  constructor(deps: ApplyPlanDeps) {
    this.#deps = deps;
  }

  /**
   * @param onStored gets the resource as the API server stored it, if its status is written.
   * @throws KubeError; what was done until then stands, and the next pass goes on from it.
   */
  async apply(
    key: string,
    observation: Observation,
    plan: Plan,
    writeStatus: boolean,
    onStored: (stored: CapDeployJob) => void = () => {},
  ): Promise<void> {
    // Resumed by hand. Without the mark, a Job that is suspended later would look as if it could still be started.
    for (const job of plan.mark) await this.#mark(job);
    // A claim is given up. Once its Job has moved, a resume that is under way elsewhere is refused.
    for (const job of plan.touch) await this.#touch(job);
    // The claim is the lock, and the record comes before the delete: if this process stops right after, both stand.
    if (writeStatus) onStored(await this.#storeStatus(observation.resource, plan));
    this.#deps.reports.recorded(key, observation.rejections);
    this.#deps.announcer.recorded(key, observation, plan);
    const errors: (KubeError | undefined)[] = [];
    for (const job of plan.start) errors.push(await this.#start(key, observation.resource, job));
    for (const removal of plan.remove) {
      const error = await this.#remove(key, removal);
      errors.push(error);
      // No answer: hundreds of Jobs, each with its own time-out, would keep the resource for as long.
      if (error?.status === 0) break;
    }
    const worst = errors.find((error) => error && !isTooLate(error)) ?? errors.find((error) => error);
    if (worst) throw worst;
  }

  async #mark(job: Job): Promise<void> {
    const startedAt = job.status?.startTime ?? new Date(this.#deps.now()).toISOString();
    await this.#patch(job, { metadata: { annotations: startedMark(startedAt) } });
  }

  async #touch(job: Job): Promise<void> {
    await this.#patch(job, {
      metadata: { annotations: { [ANNOTATION.unclaimedAt]: new Date(this.#deps.now()).toISOString() } },
    });
  }

  async #storeStatus(resource: CapDeployJob, plan: Plan): Promise<CapDeployJob> {
    const written = { ...resource, status: plan.status } as unknown as KubeObject;
    return (await this.#deps.client.replaceStatus(CAPDEPLOYJOBS, written)) as unknown as CapDeployJob;
  }

  /** One patch resumes the Job and marks it as started: no moment lies between the two. */
  async #start(key: string, resource: CapDeployJob, job: Job): Promise<KubeError | undefined> {
    const startedAt = new Date(this.#deps.now()).toISOString();
    const refused = await refusal(
      this.#patch(job, { spec: { suspend: false }, metadata: { annotations: startedMark(startedAt) } }),
    );
    if (!refused) this.#deps.announcer.started(key, resource, job);
    return refused;
  }

  async #remove(key: string, { job, reason }: Removal): Promise<KubeError | undefined> {
    const { namespace, name, uid, resourceVersion } = job.metadata;
    const refused = await refusal(this.#deps.client.delete(JOBS, namespace, name, { uid, resourceVersion }));
    if (!refused) this.#deps.announcer.removed(key, job, reason);
    return refused;
  }

  async #patch(job: Job, patch: Record<string, unknown>): Promise<void> {
    const { namespace, name, uid, resourceVersion } = job.metadata;
    await this.#deps.client.patch(JOBS, namespace, name, { uid, resourceVersion }, patch);
  }
}

/**
 * The mark of a started deploy. It takes the name of an aborter off the Job. That person meant to abort a request that
 * waited, and the delete is now refused. Without this a later delete by somebody else would be taken for that person's.
 */
const startedMark = (startedAt: string) => ({ [ANNOTATION.startedAt]: startedAt, [ANNOTATION.abortedBy]: null });

/** A Job that moved or is gone must not delay other lanes' Jobs: its refusal is reported after their turn. */
async function refusal(write: Promise<void>): Promise<KubeError | undefined> {
  try {
    await write;
    return undefined;
  } catch (error) {
    if (isKubeError(error)) return error;
    throw error;
  }
}

/** Not a failure: an object changed between the live look and the write, so the write was refused. */
export const isTooLate = (error: unknown): error is KubeError =>
  isKubeError(error, 'conflict') || isKubeError(error, 'gone');
