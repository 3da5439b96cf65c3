import type { CapDeployJob } from '../api/capdeployjob.ts';
import { DEFAULT_TASK, type DeployRequest, dueAtOf, ID_PATTERN, MOST_DAYS_AHEAD } from '../api/deploy-request.ts';
import { ANNOTATION, KIND, LABEL, MANAGED_BY } from '../api/names.ts';
import { momentOf } from '../api/rfc3339.ts';
import { sameContent } from '../requests/find-in-status.ts';
import { bounded, plain } from '../text/truncate.ts';

/** A batch/v1 Job as far as lanes look at it; whatever else it holds stays untouched. */
export interface Job {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    creationTimestamp: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
    [field: string]: unknown;
  };
  spec: { suspend?: boolean; [field: string]: unknown };
  status?: {
    startTime?: string;
    completionTime?: string;
    active?: number;
    conditions?: { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }[];
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** What a kubelet says of a container. */
export interface ContainerStatus {
  name: string;
  /** Its startup probe and its postStart hook have succeeded, where it has any. */
  started?: boolean;
  state?: ContainerState;
  lastState?: ContainerState;
}

export interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: { exitCode: number; reason?: string; message?: string; finishedAt?: string; signal?: number };
}

export interface ContainerStatus {
  name: string;
  restartCount?: number;
  state?: ContainerState;
  lastState?: ContainerState;
}

/** A v1 Pod as far as lanes look at it. */
export interface Pod {
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    creationTimestamp: string;
    /** When the grace period ends, so the order to end came `deletionGracePeriodSeconds` before. */
    deletionTimestamp?: string;
    deletionGracePeriodSeconds?: number;
    finalizers?: string[];
    labels?: Record<string, string>;
    ownerReferences?: { kind: string; name: string; uid: string; controller?: boolean }[];
    [field: string]: unknown;
  };
  spec?: {
    nodeName?: string;
    initContainers?: { name: string; restartPolicy?: string }[];
    containers?: { name: string }[];
    [field: string]: unknown;
  };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    /** When a kubelet took it up. */
    startTime?: string;
    conditions?: { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** The controller owner reference that says whose a Job is. */
export function ownerOf(job: Job): { kind: string; name: string; uid: string } | undefined {
  return job.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** Ours is what this very resource owns, by UID: a resource of the same name that was deleted before is another one. */
export function isOwnedBy(job: Job, resource: Pick<CapDeployJob, 'metadata'>): boolean {
  return ownerOf(job)?.uid === resource.metadata.uid;
}

/** The condition that ends a Job: Complete or Failed. (SuccessCriteriaMet and FailureTarget come before its Pods have ended.) */
export function finishedCondition(job: Job) {
  return job.status?.conditions?.find(
    (condition) => (condition.type === 'Complete' || condition.type === 'Failed') && condition.status === 'True',
  );
}

export const isFinished = (job: Job): boolean => finishedCondition(job) !== undefined;
export const isSuspended = (job: Job): boolean => job.spec.suspend === true;
export const isBeingDeleted = (object: Job | Pod): boolean => object.metadata.deletionTimestamp !== undefined;
/** When a finished Job finished, RFC 3339. */
export function finishedAt(job: Job): string {
  const end =
    job.status?.completionTime ?? finishedCondition(job)?.lastTransitionTime ?? job.metadata.creationTimestamp;
  const start = startedAt(job);
  // Jobs tell their end in whole seconds: none ended before it started.
  return start !== undefined && Date.parse(start) > Date.parse(end) ? start : end;
}
/** Written by the patch that resumes a Job; on a suspended Job it means that somebody suspended a started deploy. */
export function startedAt(job: Job): string | undefined {
  const stamp = job.metadata.annotations?.[ANNOTATION.startedAt];
  // That it is there says more than what it says: a deploy whose stamp somebody spoilt was started all the same.
  return stamp === undefined ? undefined : (moment(stamp) ?? job.metadata.creationTimestamp);
}
/** Not suspended and not finished: its Pod runs, or may come at any moment. */
export const isRunning = (job: Job): boolean => !isSuspended(job) && !isFinished(job);
/** Suspended and never started, and not on its way out. */
export const isWaiting = (job: Job): boolean =>
  isSuspended(job) && !isFinished(job) && !isBeingDeleted(job) && startedAt(job) === undefined;

/** A Pod that may still run something on the servers. */
export const isAlive = (pod: Pod): boolean => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';

/** Name of the container that runs Capistrano. */
export const firstContainerName = (pod: Pod): string =>
  pod.spec?.containers?.[0]?.name ?? pod.status?.containerStatuses?.[0]?.name ?? '';

/**
 * What the kubelet says of a Pod's first container. Found by name: the kubelet sorts its list by name, and a side-car must not be taken for
 * the deploy.
 */
export const firstContainerStatus = (pod: Pod): ContainerStatus | undefined =>
  pod.status?.containerStatuses?.find(({ name }) => name === firstContainerName(pod));

/**
 * Names of a Pod's native side-cars: init containers that run beside the ordinary ones.
 * https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
 */
export const nativeSidecars = ({ spec }: Pod): string[] =>
  (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name);

/** UID of the Job that a Pod belongs to: its controller's, else the label that the Job controller sets (a Pod orphaned by people keeps it). */
export function jobUidOf(pod: Pod): string | undefined {
  return (
    pod.metadata.ownerReferences?.find((reference) => reference.kind === 'Job')?.uid ??
    pod.metadata.labels?.['batch.kubernetes.io/controller-uid']
  );
}

/** A request as its Job remembers it: what history and status say of it, and what decides its turn. */
export interface StoredRequest {
  readonly id: string;
  readonly environment: string;
  readonly task: string;
  readonly repository: string;
  readonly revision: string | undefined;
  readonly requestedBy: string | undefined;
  readonly senderId: string | undefined;
  /** RFC 3339, UTC. */
  readonly sentAt: string;
  /** RFC 3339, UTC. */
  readonly notBefore: string | undefined;
  /** RFC 3339, UTC. */
  readonly expiresAt: string | undefined;
  /** Who approved it, as its Job says now. */
  readonly approvedBy: string | undefined;
  /** Who aborted it, where its Job is being deleted and says so. */
  readonly abortedBy: string | undefined;
  /** RFC 3339, UTC. */
  readonly dueAt: string;
}

/**
 * Reads a request back from its Job. Annotations can be edited by people: what is missing or spoilt gets a value that harms nothing (a Job
 * without a sent-at counts from its creation), and nothing gets longer than the status schema allows, for a status that is refused
 * records nothing at all.
 */
export function storedRequest(job: Job): StoredRequest {
  let request = readRequests.get(job);
  if (request === undefined) {
    request = readRequest(job);
    readRequests.set(job, request);
  }
  return request;
}

/** Jobs are never changed in place, and each is asked about several times in a pass: a thousand that wait are read once. */
const readRequests = new WeakMap<Job, StoredRequest>();

function readRequest(job: Job): StoredRequest {
  const annotations = job.metadata.annotations ?? {};
  const text = (key: string, max: number) => {
    const value = annotations[key];
    return value === undefined ? undefined : bounded(value, max);
  };
  const id = annotations[ANNOTATION.id];
  const sentAt = moment(annotations[ANNOTATION.sentAt]) ?? job.metadata.creationTimestamp;
  const notBefore = annotations[ANNOTATION.notBefore];
  const expiresAt = annotations[ANNOTATION.expiresAt];
  // A bound that somebody spoilt must not be one that was never set: it holds to the last day, or has passed.
  const bounds = {
    notBefore: notBefore === undefined ? undefined : (moment(notBefore) ?? daysAfter(sentAt, MOST_DAYS_AHEAD)),
    expiresAt: expiresAt === undefined ? undefined : (moment(expiresAt) ?? sentAt),
  };
  return {
    id: id !== undefined && ID_PATTERN.test(id) ? id : job.metadata.uid,
    environment: job.metadata.labels?.[LABEL.environment] ?? '',
    task: text(ANNOTATION.task, 100) ?? DEFAULT_TASK,
    repository: text(ANNOTATION.repository, 140) ?? '',
    revision: text(ANNOTATION.revision, 244),
    requestedBy: text(ANNOTATION.requestedBy, 256),
    senderId: text(ANNOTATION.senderId, 256),
    sentAt,
    ...bounds,
    // An empty one approves nothing: it is what a template or a script leaves behind that had no name to put there.
    approvedBy: plain(annotations[ANNOTATION.approvedBy] ?? '', 256) || undefined,
    // As long as nobody deletes the Job, the name says only that somebody may be about to.
    abortedBy: isBeingDeleted(job) ? aborterOf(job) : undefined,
    dueAt: dueAtOf({ sentAt, ...bounds }),
  };
}

/** Whose name stands on a Job as that of the one who deletes it. It counts only in the state in which the Job was deleted. */
export const aborterOf = (job: Job): string | undefined =>
  plain(job.metadata.annotations?.[ANNOTATION.abortedBy] ?? '', 256) || undefined;

/** A moment as the status schema takes it, or undefined where the value is none. */
function moment(value: string | undefined): string | undefined {
  const at = value === undefined ? undefined : momentOf(value);
  if (at === undefined) return undefined;
  const stamp = new Date(at).toISOString();
  // An offset can lead beyond the years of four digits, which is no RFC 3339 any more, and no API server would store.
  return /^\d{4}-/.test(stamp) ? stamp : undefined;
}

const daysAfter = (stamp: string, days: number): string =>
  new Date(Date.parse(stamp) + days * 86_400_000).toISOString();

/** What a Job that was found under a request's name is to that request. */
export type Identity = 'same' | 'id-conflict' | 'foreign' | 'leaving';

/**
 * Judges a Job whose name the request would have taken.
 * - `same`: the same id with the same content, ours and alive: the request is stored already.
 * - `id-conflict`: the same id came with another content.
 * - `foreign`: not one of ours.
 * - `leaving`: ours, but being deleted, or of an earlier resource of this name, which the garbage collector will remove: try again.
 */
export function identify(job: Job, resource: Pick<CapDeployJob, 'metadata'>, request: DeployRequest): Identity {
  const owner = ownerOf(job);
  if (
    job.metadata.labels?.[LABEL.managedBy] !== MANAGED_BY ||
    owner?.kind !== KIND ||
    owner.name !== resource.metadata.name
  ) {
    return 'foreign';
  }
  if (isBeingDeleted(job) || !isOwnedBy(job, resource)) return 'leaving';
  return sameContent(storedRequest(job), request) ? 'same' : 'id-conflict';
}
