import { textAt } from 'in-memory-kubernetes/store/json.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import type { Actor } from './world.ts';

/**
 * What has really happened, by the changes of the store and by who made them, whatever any status says of it. Read in
 * other words than the operator's own, on purpose: labels, names and statuses are what is to be judged.
 */

/** A start of a request: its Job was resumed. */
export interface Start {
  readonly job: JobTruth;
  readonly byHand: boolean;
  /** Version of the store. */
  readonly version: number;
  readonly at: number;
  /** Of a start by an operator: version of the store at which its pass had listed the Jobs. */
  readonly looked: number;
  /** A status knows of it: a claim, or a record. */
  isAcknowledged: boolean;
  /** Of a start by hand: taken back (suspended or deleted) before that. It leaves no trace at all: docs/lanes.md. */
  isUntraceable: boolean;
}

export interface RequestTruth {
  readonly key: string;
  readonly id: string;
  readonly environment: string;
  /** These as its latest Job says: the same id can come with another content once an unlisted Job was deleted. */
  task: string;
  dueAt: number;
  sentAt: number;
  notBefore: number | undefined;
  expiresAt: number | undefined;
  readonly jobs: JobTruth[];
  readonly starts: Start[];
}

export interface JobTruth {
  readonly uid: string;
  readonly name: string;
  /** UID of the CapDeployJob that owns it. */
  readonly owner: string;
  /** `<resource name>/<environment>`: by what was asked for, not by labels. */
  readonly lane: string;
  readonly request: RequestTruth;
  object: KubeObject;
  readonly versions: Version[];
  isPresent: boolean;
  /** Version of the store at which it went. */
  goneVersion: number | undefined;
  isSuspended: boolean;
  finished: 'Complete' | 'Failed' | undefined;
  start: Start | undefined;
  deletedBy: Actor | undefined;
  /** His name, where somebody did. */
  deleter: string | undefined;
  suspendedByHand: boolean;
  /** Somebody deleted it while it stood in the status as waiting: that takes its request out of the lane. */
  wasTakenOut: boolean;
  /** The owner was deleted: what goes on with it is nobody's business any more. */
  abortReason: string | undefined;
  readonly pods: PodTruth[];
}

export interface PodTruth {
  readonly uid: string;
  readonly job: JobTruth;
  /** Version of the store at which it came. */
  readonly version: number;
  isAlive: boolean;
  hasRun: boolean;
  readonly versions: Version[];
  /** How its first container has ended, each time that it ran. */
  readonly ends: FirstEnd[];
  /** How it has ended in its latest run; undefined while it runs. */
  end: FirstEnd | undefined;
}

/** An end of a Pod's first container, as its node knows it. */
export interface FirstEnd {
  readonly code: number;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Nobody had told it to end by then: neither the Pod's deletion nor its own kubelet. */
  readonly byItself: boolean;
}

/** An object from this version of the store on; undefined: it is gone. */
export interface Version {
  readonly version: number;
  readonly object: KubeObject | undefined;
}

/** The object at a version of the store; undefined where it was not there. */
export const atVersion = ({ versions }: { versions: readonly Version[] }, version: number): KubeObject | undefined =>
  versions.findLast((each) => each.version <= version)?.object;

export interface ResourceTruth {
  readonly uid: string;
  readonly name: string;
  object: KubeObject;
  /** Version of the store at which somebody asked for its end; undefined while it lives. */
  endVersion: number | undefined;
  endedAt: number | undefined;
  isPresent: boolean;
  /**
   * `<environment>|<id>` of what stood in its status once, with what it was then: an id can be sent with several
   * contents.
   */
  readonly listed: Map<string, Set<string>>;
  /** MessageIds of recorded rejections. */
  readonly rejected: Set<string>;
  /** Rejections that were counted by a write that showed no more than the newest five. */
  uncertainRejections: number;
  /** Environments that were taken out of its spec at some time. */
  readonly removedEnvironments: Set<string>;
}

/** A claim as it was stored: by whom, and from what. */
export interface ClaimTruth {
  readonly since: number;
  readonly basis: KubeObject;
  readonly version: number;
  /** Version of the store at which each process last wrote a status with it, by its name. */
  readonly writers: Map<string, number>;
}

/** Name of the resource whose Job it is. */
export const resourceOf = ({ lane }: JobTruth): string => lane.split('/')[0] ?? '';

export const isJobAlive = (job: JobTruth): boolean => job.isPresent && !job.isSuspended && job.finished === undefined;
export const isDeployAlive = (job: JobTruth): boolean => isJobAlive(job) || job.pods.some((pod) => pod.isAlive);

export const isLater = (a: { dueAt: number; id: string }, b: { dueAt: number; id: string }): boolean =>
  a.dueAt !== b.dueAt ? a.dueAt > b.dueAt : a.id > b.id;

const isRollback = (task: string): boolean => /(^|:)rollback$/.test(task);

/** The start of the one says that the other must not start after it, if that was due before. */
export const rulesOut = (started: { task: string }, other: { task: string }): boolean =>
  started.task === other.task || isRollback(started.task) || (isRollback(other.task) && started.task === 'deploy');

/** The place that a start has: one that somebody resumed before its time took its turn then. */
export function placeOf({ job: { request }, at, byHand }: Start): { dueAt: number; id: string } {
  const { notBefore, sentAt, dueAt, id } = request;
  const isEarly = byHand && notBefore !== undefined && at < notBefore + 8_000;
  return { dueAt: isEarly ? Math.min(sentAt, dueAt) : dueAt, id };
}

export const finishedAs = (object: KubeObject): 'Complete' | 'Failed' | undefined => {
  const { conditions = [] } = (object.status ?? {}) as { conditions?: { type: string; status: string }[] };
  const found = conditions.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');
  return found?.type as 'Complete' | 'Failed' | undefined;
};

export const annotationOf = (object: KubeObject, name: string): string | undefined =>
  object.metadata.annotations?.[`capdeployjob.dev/${name}`];

export const isPodAlive = (pod: KubeObject): boolean =>
  !['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase') ?? '');

/** What freezes an environment, by a resource's spec and annotations at one moment; undefined where nothing does. */
export function frozenBy({ spec, metadata }: KubeObject, environment: string): string | undefined {
  const { suspend, environments } = spec as {
    suspend?: boolean;
    environments: { name: string; suspend?: boolean }[];
  };
  if (suspend === true) return 'the resource is suspended';
  if (environments.find(({ name }) => name === environment)?.suspend === true) return 'the environment is suspended';
  const isFrozen = metadata.annotations?.[`freeze.capdeployjob.dev/${environment}`] !== undefined;
  return isFrozen ? 'the environment is frozen' : undefined;
}

/** Why a request may not start, by a resource's spec and annotations at one moment; undefined where it may. */
export function whyNot(request: RequestTruth, job: KubeObject, resource: KubeObject, at: number): string | undefined {
  const spec = resource.spec as { environments: { name: string; requireApproval?: boolean; windows?: unknown[] }[] };
  const environment = spec.environments.find(({ name }) => name === request.environment);
  if (environment === undefined) return 'its environment is not in the spec';
  const frozen = frozenBy(resource, request.environment);
  if (frozen !== undefined) return frozen;
  if (environment.windows !== undefined && new Date(at).getUTCMinutes() % 10 >= 5) return 'no window is open';
  if (environment.requireApproval === true && !annotationOf(job, 'approved-by')) return 'nobody has approved it';
  if (request.notBefore !== undefined && at < request.notBefore) return 'its time has not come';
  if (request.expiresAt !== undefined && at >= request.expiresAt) return 'it has expired';
  return undefined;
}
