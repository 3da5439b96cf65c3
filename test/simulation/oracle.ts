import type { Change } from 'in-memory-kubernetes/store/collection.ts';
import type { CapDeployJobStatus } from '../../src/api/capdeployjob.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import { checkNameOnJob } from './check-aborts.ts';
import { checkOverlap, checkRemoval, checkResume, lookedAt } from './check-lanes.ts';
import { checkMessageDeleted } from './check-messages.ts';
import { checkStatus } from './check-status.ts';
import { checkTextsOfJob } from './check-texts.ts';
import { podChanged } from './follow-pods.ts';
import { type Look, NO_LOOK } from './looks.ts';
import type { Sent } from './messages.ts';
import { Quarrel } from './quarrel.ts';
import { Incarnation } from './replica.ts';
import { NAMESPACE } from './setting.ts';
import type { QueueModel } from './sqs-model.ts';
import { Thaws } from './thaws.ts';
import {
  annotationOf,
  type ClaimTruth,
  type FirstEnd,
  finishedAs,
  isJobAlive,
  type JobTruth,
  type PodTruth,
  type RequestTruth,
  type ResourceTruth,
  type Start,
} from './truth.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

/**
 * Sees everything and takes part in nothing. It follows each change of the store and each delete of a message as it
 * happens, knows who made it, and holds it against the invariants of the architecture. What it finds is kept until the
 * step is over.
 */
export class Oracle {
  readonly world: World;
  readonly sent: Sent[] = [];
  readonly requests = new Map<string, RequestTruth>();
  readonly jobs = new Map<string, JobTruth>();
  readonly pods = new Map<string, PodTruth>();
  readonly resources = new Map<string, ResourceTruth>();
  /** By UID of the Job. */
  readonly claims = new Map<string, ClaimTruth>();
  /** Pairs of Jobs that are alive at once by somebody's doing, not the operator's. */
  readonly excused = new Set<string>();
  readonly receivedAt = new Map<string, number>();
  /** Messages that were deleted when their request stood in a status. */
  readonly settled = new Set<Sent['message']>();
  /** What the pass had seen that sent the request being carried out, by `<namespace>/<name>` of the resource. */
  seen: ReadonlyMap<string, Look> = new Map();
  found: Error | undefined;
  readonly #quarrel = new Quarrel();
  readonly #thaws = new Thaws();

  constructor(world: World) {
    this.world = world;
    world.store.onChange((type, change) => {
      try {
        const isJob = type.storage === 'batch/jobs';
        if (isJob || type.storage === '/pods') this.#quarrel.somethingMoved();
        if (isJob) this.#jobChanged(change);
        else if (type.storage === '/pods') podChanged(this, change);
        else if (type.storage === 'capdeployjob.dev/capdeployjobs') this.#resourceChanged(change);
        else if (type.storage === '/events' && this.operator) this.#thaws.told(this.operator.name, change.object);
      } catch (error) {
        this.found ??= error as Error;
      }
    });
  }

  get version(): number {
    return this.world.store.version;
  }

  /** The replica that makes the change, or undefined where somebody or the cluster does. */
  get operator(): Incarnation | undefined {
    const { actor } = this.world;
    return actor instanceof Incarnation ? actor : undefined;
  }

  /** What the pass that acts now has seen of this resource. */
  look(resource: string): Look {
    return this.seen.get(`${NAMESPACE}/${resource}`) ?? NO_LOOK;
  }

  /** Word from a node, which the API server will have later. */
  firstContainerEnded(podUid: string, end: FirstEnd): void {
    const pod = this.pods.get(podUid);
    pod?.ends.push(end);
    if (pod) pod.end = end;
  }

  firstContainerStarted(podUid: string): void {
    const pod = this.pods.get(podUid);
    if (pod) pod.end = undefined;
  }

  messageSent(sent: Sent): void {
    this.sent.push(sent);
  }

  messageReceived(messageId: string, incarnation: Incarnation): void {
    this.receivedAt.set(`${incarnation.name} ${messageId}`, this.version);
  }

  messageDeleted(queue: QueueModel, handle: string, incarnation: Incarnation): void {
    try {
      checkMessageDeleted(this, queue, handle.slice(0, handle.lastIndexOf('#')), incarnation);
    } catch (error) {
      this.found ??= error as Error;
    }
  }

  operatorFailed(error: unknown): void {
    this.found ??= new Violation(
      'the operator failed',
      error instanceof Error ? (error.stack ?? error.message) : String(error),
    );
  }

  /** @throws what was found in this step. */
  check(): void {
    if (this.found !== undefined) throw this.found;
  }

  jobsIn(lane: string): JobTruth[] {
    return [...this.jobs.values()].filter((job) => job.lane === lane);
  }

  #resourceChanged({ type, object, previous, version }: Change): void {
    const uid = object.metadata.uid ?? '';
    let truth = this.resources.get(uid);
    if (truth === undefined) {
      truth = {
        uid,
        name: object.metadata.name,
        object,
        endVersion: undefined,
        endedAt: undefined,
        isPresent: true,
        listed: new Map(),
        rejected: new Set(),
        uncertainRejections: 0,
        removedEnvironments: new Set(),
      };
      this.resources.set(uid, truth);
    }
    const before = truth.object;
    truth.object = object;
    if (object.metadata.deletionTimestamp !== undefined || type === 'DELETED') {
      truth.endVersion ??= version;
      truth.endedAt ??= this.world.clock.now();
    }
    if (type === 'DELETED') truth.isPresent = false;
    for (const name of environmentsOf(before)) {
      if (!environmentsOf(object).includes(name)) truth.removedEnvironments.add(name);
    }
    if (type === 'MODIFIED' && previous !== undefined && previous.status !== object.status && this.operator) {
      checkStatus(this, truth, previous, object);
      this.#thaws.written(this.operator.name, previous, object);
      this.#quarrel.said(this.operator.name, uid, (object.status ?? {}) as CapDeployJobStatus, this.world.clock.now());
    } else this.#quarrel.somethingMoved();
  }

  #jobChanged({ type, object, previous, version }: Change): void {
    const uid = object.metadata.uid ?? '';
    if (type === 'ADDED') return void this.#jobAdded(object, version);
    const job = this.jobs.get(uid);
    if (job === undefined) return;
    const wasAlive = isJobAlive(job);
    const wasSuspended = job.isSuspended;
    const wasDeleting = previous?.metadata.deletionTimestamp !== undefined;
    const isDeletion = type === 'DELETED' || object.metadata.deletionTimestamp !== undefined;
    if (isDeletion && !wasDeleting) {
      if (this.operator) checkRemoval(this, job);
      job.deletedBy = this.world.actor;
      job.deleter = this.world.person;
      job.wasTakenOut = this.world.actor === 'somebody' && this.#isListed(job);
    }
    if (this.operator && !isDeletion) checkNameOnJob(job, object);
    job.object = object;
    job.versions.push({ version, object: type === 'DELETED' ? undefined : object });
    job.isPresent = type !== 'DELETED';
    if (type === 'DELETED') job.goneVersion = version;
    job.isSuspended = (object.spec as { suspend?: boolean }).suspend === true;
    job.finished = finishedAs(object);
    const { start } = job;
    for (const each of job.request.starts) {
      if (each.job !== job || !each.byHand || each.isAcknowledged) continue;
      // The mark is written on the Job: it outlives a suspension, and goes with the Job.
      const isMarked = annotationOf(object, 'started-at') !== undefined;
      if (isDeletion || (each === start && job.isSuspended && !wasSuspended && !isMarked)) each.isUntraceable = true;
    }
    if (job.isSuspended && !wasSuspended && this.world.actor === 'somebody') job.suspendedByHand = true;
    if (wasSuspended && !job.isSuspended && job.isPresent) this.#resumed(job, version);
    if (!wasAlive && isJobAlive(job)) checkOverlap(this, job, 'resumed');
  }

  #resumed(job: JobTruth, version: number): void {
    const byHand = this.operator === undefined;
    const start: Start = {
      job,
      byHand,
      version,
      at: this.world.clock.now(),
      looked: byHand ? version : lookedAt(this, job),
      isAcknowledged: !byHand,
      // Its end is recorded, and what is done with its Job after that changes nothing.
      isUntraceable: byHand && this.isRecorded(job),
    };
    if (!byHand) checkResume(this, start);
    job.start = start;
    job.request.starts.push(start);
  }

  #isListed({ owner, uid }: JobTruth): boolean {
    const { environments = [] } = (this.resources.get(owner)?.object.status ?? {}) as CapDeployJobStatus;
    return environments.some(({ waiting = [] }) => waiting.some((entry) => entry.uid === uid));
  }

  /** The end of its request stands in the history. */
  isRecorded({ owner, request }: JobTruth): boolean {
    const { history = [] } = (this.resources.get(owner)?.object.status ?? {}) as {
      history?: { id: string; environment: string }[];
    };
    return history.some(({ id, environment }) => id === request.id && environment === request.environment);
  }

  #jobAdded(object: KubeObject, version: number): void {
    const owner = object.metadata.ownerReferences?.find(({ controller }) => controller);
    const resource = this.resources.get(owner?.uid ?? '');
    const id = annotationOf(object, 'id') ?? '';
    const args = containerOf(object).args ?? [];
    const [cap, environment = '', task = ''] = args;
    const revision = (containerOf(object).env ?? []).find(({ name }) => name === 'REVISION')?.value;
    const asked = this.sent.filter(
      ({ place, intent }) => place.name === owner?.name && intent?.id === id && intent.environment === environment,
    );
    const match = asked.find(({ intent }) => intent?.task === task && intent.revision === revision);
    if (cap !== 'cap' || args.length !== 3 || match?.intent === undefined || resource === undefined) {
      throw new Violation(
        'invariant 5',
        `Job ${object.metadata.name} runs what nobody asked for: ${JSON.stringify({ args, revision, id })}`,
      );
    }
    const sentAt = Date.parse(annotationOf(object, 'sent-at') ?? '');
    if (!asked.some(({ intent }) => intent?.sentAt === sentAt)) {
      throw new Violation('invariant 5', `Job ${object.metadata.name} was sent at ${sentAt}, which nobody said`);
    }
    checkTextsOfJob(object, asked);
    const key = `${owner?.uid}/${environment}/${id}`;
    const notBefore = momentOf(annotationOf(object, 'not-before'));
    const content = {
      task,
      sentAt,
      notBefore,
      expiresAt: momentOf(annotationOf(object, 'expires-at')),
      dueAt: Math.max(sentAt, notBefore ?? sentAt),
    };
    const request: RequestTruth = this.requests.get(key) ?? { key, id, environment, ...content, jobs: [], starts: [] };
    if (request.starts.every((start) => start.isUntraceable)) Object.assign(request, content);
    this.requests.set(key, request);
    const job: JobTruth = {
      uid: object.metadata.uid ?? '',
      name: object.metadata.name,
      owner: owner?.uid ?? '',
      lane: `${owner?.name}/${environment}`,
      request,
      object,
      versions: [{ version, object }],
      isPresent: true,
      goneVersion: undefined,
      isSuspended: (object.spec as { suspend?: boolean }).suspend === true,
      finished: undefined,
      start: undefined,
      deletedBy: undefined,
      deleter: undefined,
      suspendedByHand: false,
      wasTakenOut: false,
      abortReason: undefined,
      pods: [],
    };
    request.jobs.push(job);
    this.jobs.set(job.uid, job);
    if (!job.isSuspended) throw new Violation('invariant 3', `Job ${job.name} is created running`);
    const twin = request.jobs.find((other) => other !== job && other.isPresent);
    if (twin) throw new Violation('invariant 1', `request ${id} has two Jobs at once: ${twin.name} and ${job.name}`);
  }
}

const momentOf = (stamp: string | undefined): number | undefined =>
  stamp === undefined ? undefined : Date.parse(stamp);

export const environmentsOf = (resource: KubeObject): string[] =>
  ((resource.spec as { environments?: { name: string }[] }).environments ?? []).map(({ name }) => name);

interface Container {
  args?: string[];
  env?: { name: string; value?: string }[];
}

function containerOf(job: KubeObject): Container {
  const { template } = job.spec as { template: { spec: { containers: Container[] } } };
  return template.spec.containers[0] ?? {};
}
