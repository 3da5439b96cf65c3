import type { CapDeployJob, SlackThread } from '../api/capdeployjob.ts';
import {
  DEFAULT_TASK,
  type DeployRequest,
  dueAtOf,
  ID_PATTERN,
  MOST_DAYS_AHEAD,
  SLACK_CHANNEL_PATTERN,
  SLACK_TS_PATTERN,
} from '../api/deploy-request.ts';
import { finishedCondition, isFinished } from '../api/finished-job.ts';
import { ANNOTATION, KIND, LABEL, MANAGED_BY } from '../api/names.ts';
import { momentOf } from '../api/rfc3339.ts';
import { sameContent } from '../requests/find-in-status.ts';
import { bounded, plain } from '../text/truncate.ts';

export { finishedCondition, isFinished };

/** The fields of a batch/v1 Job that lanes read. All other fields stay untouched. */
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
  /** Its startup probe and its postStart hook have succeeded, if it has any. */
  started?: boolean;
  restartCount?: number;
  state?: ContainerState;
  lastState?: ContainerState;
}

export interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: { exitCode: number; reason?: string; message?: string; finishedAt?: string; signal?: number };
}

/** The fields of a v1 Pod that lanes read. */
export interface Pod {
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    creationTimestamp: string;
    /** When the grace period ends: the order to end came `deletionGracePeriodSeconds` before. */
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
    /** When a kubelet accepted it. */
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

/** A Job is ours if this very resource owns it, by UID: a deleted resource of the same name was another one. */
export function isOwnedBy(job: Job, resource: Pick<CapDeployJob, 'metadata'>): boolean {
  return ownerOf(job)?.uid === resource.metadata.uid;
}

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
/** Written by the patch that resumes a Job. On a suspended Job it means that a started deploy was suspended by hand. */
export function startedAt(job: Job): string | undefined {
  const stamp = job.metadata.annotations?.[ANNOTATION.startedAt];
  // The mark counts whatever its value is: a deploy whose mark was edited was started all the same.
  return stamp === undefined ? undefined : (moment(stamp) ?? job.metadata.creationTimestamp);
}
/** Not suspended and not finished: its Pod runs, or may come at any moment. */
export const isRunning = (job: Job): boolean => !isSuspended(job) && !isFinished(job);
/** Suspended, never started, and not being deleted. */
export const isWaiting = (job: Job): boolean =>
  isSuspended(job) && !isFinished(job) && !isBeingDeleted(job) && startedAt(job) === undefined;

/** A Pod that may still run something on the servers. */
export const isAlive = (pod: Pod): boolean => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';

/** Name of the container that runs Capistrano. */
export const firstContainerName = (pod: Pod): string =>
  pod.spec?.containers?.[0]?.name ?? pod.status?.containerStatuses?.[0]?.name ?? '';

/**
 * What the kubelet says of a Pod's first container. It is found by name, because the kubelet sorts its list by name: a
 * side-car must not be taken for the deploy.
 */
export const firstContainerStatus = (pod: Pod): ContainerStatus | undefined =>
  pod.status?.containerStatuses?.find(({ name }) => name === firstContainerName(pod));

/**
 * Names of a Pod's native side-cars: init containers that run beside the ordinary ones.
 * https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
 */
export const nativeSidecars = ({ spec }: Pod): string[] =>
  (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name);

/** UID of a Pod's Job: its controller's, else the Job controller's label, which a Pod that people orphaned keeps. */
export function jobUidOf(pod: Pod): string | undefined {
  return (
    pod.metadata.ownerReferences?.find((reference) => reference.kind === 'Job')?.uid ??
    pod.metadata.labels?.['batch.kubernetes.io/controller-uid']
  );
}

/** A request as its Job stores it: what history and status say of it, and what decides its turn. */
export interface StoredRequest
  extends Pick<DeployRequest, 'id' | 'environment' | 'task' | 'repository' | 'revision' | 'requestedBy'>,
    Pick<DeployRequest, 'sentAt' | 'notBefore' | 'expiresAt'> {
  readonly senderId: string | undefined;
  /** Why it was asked for, in the words of the message. */
  readonly requestReason: string | undefined;
  readonly slack: SlackThread | undefined;
  /** Who approved it, as its Job says now. */
  readonly approvedBy: string | undefined;
  /** Who aborted it, if its Job is being deleted and names a person. */
  readonly abortedBy: string | undefined;
  /** RFC 3339, UTC. */
  readonly dueAt: string;
}

/**
 * Reads a request back from its Job. People can edit annotations, so a missing or invalid value is replaced by one that
 * does no harm: a Job without a sent-at counts from its creation. No value is longer than the status schema allows,
 * because a status that is refused records nothing at all.
 */
export function storedRequest(job: Job): StoredRequest {
  let request = readRequests.get(job);
  if (request === undefined) {
    request = readRequest(job);
    readRequests.set(job, request);
  }
  return request;
}

/** Jobs are never changed in place, and read several times in a pass: a thousand waiting Jobs are parsed once. */
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
  // An invalid bound must not count as no bound: it holds to the last day, or has passed.
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
    requestReason: plain(annotations[ANNOTATION.reason] ?? '', 256) || undefined,
    slack: slackThread(annotations[ANNOTATION.slackChannel], annotations[ANNOTATION.slackThreadTs]),
    senderId: text(ANNOTATION.senderId, 256),
    sentAt,
    ...bounds,
    // An empty name approves nothing: a template or a script without a name leaves that behind.
    approvedBy: plain(annotations[ANNOTATION.approvedBy] ?? '', 256) || undefined,
    // As long as the Job is not being deleted, the name says only that somebody may be about to delete it.
    abortedBy: isBeingDeleted(job) ? aborterOf(job) : undefined,
    dueAt: dueAtOf({ sentAt, ...bounds }),
  };
}

/** An invalid thread leaves the channel: a status with a longer value than its schema allows would be refused. */
function slackThread(channel: string | undefined, threadTs: string | undefined): SlackThread | undefined {
  if (channel === undefined || !SLACK_CHANNEL_PATTERN.test(channel)) return undefined;
  return threadTs !== undefined && SLACK_TS_PATTERN.test(threadTs) ? { channel, threadTs } : { channel };
}

/** The name on a Job of the person who deletes it. It counts only in the state in which the Job was deleted. */
export const aborterOf = (job: Job): string | undefined =>
  plain(job.metadata.annotations?.[ANNOTATION.abortedBy] ?? '', 256) || undefined;

/** A moment as the status schema takes it, or undefined if the value is none. */
function moment(value: string | undefined): string | undefined {
  const at = value === undefined ? undefined : momentOf(value);
  if (at === undefined) return undefined;
  const stamp = new Date(at).toISOString();
  // An offset can lead to a year of more than four digits. That is no RFC 3339, and no API server would store it.
  return /^\d{4}-/.test(stamp) ? stamp : undefined;
}

const daysAfter = (stamp: string, days: number): string =>
  new Date(Date.parse(stamp) + days * 86_400_000).toISOString();

/** How a Job that has a request's name relates to that request. */
export type Identity = 'same' | 'id-conflict' | 'foreign' | 'leaving';

/**
 * Judges a Job that already has the request's name.
 * - `same`: the same id with the same content, ours and not being deleted: the request is stored already.
 * - `id-conflict`: the same id came with another content.
 * - `foreign`: not one of ours.
 * - `leaving`: ours, but being deleted, or of an earlier resource of this name, which the garbage collector will
 *   remove: try again.
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
