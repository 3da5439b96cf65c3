import {
  type CapDeployJob,
  type CapDeployJobSpec,
  type Claim,
  type Environment,
  type HistoryEntry,
  parseSpec,
  type WaitingEntry,
} from '../../src/api/capdeployjob.ts';
import type { DeployRequest } from '../../src/api/deploy-request.ts';
import { ANNOTATION, API_VERSION, KIND } from '../../src/api/names.ts';
import { buildJob } from '../../src/lanes/build-job.ts';
import type { Warnings } from '../../src/lanes/explain-start.ts';
import { type ContainerState, type Job, jobUidOf, type Pod, storedRequest } from '../../src/lanes/job.ts';
import { type LaneView, type Memory, summary } from '../../src/lanes/lane.ts';
import type { Observation } from '../../src/lanes/plan.ts';
import { type PodEnd, podEnd } from '../../src/lanes/pod-end.ts';
import type { QueueMessage } from '../../src/sqs/queue.ts';

/** The time of the tests. The resource is a week older, so an hour or a day before NOW is in its life. */
export const NOW = Date.parse('2026-03-10T12:00:00.000Z');
/** The moment so many seconds after (or, negative, before) NOW. */
export const at = (seconds: number): string => new Date(NOW + seconds * 1000).toISOString();
/** The same as the API server writes it: without a fraction. */
export const stamp = (seconds: number): string => at(seconds).replace('.000Z', 'Z');

const RESOURCE_UID = 'uid-of-web';

/** A spec as users write it, without the defaults. */
export function aRawSpec(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    queue: { url: 'https://sqs.ap-northeast-1.amazonaws.com/123456789012/web-deploy' },
    environments: [{ name: 'production' }, { name: 'staging' }],
    template: { spec: { containers: [{ name: 'cap', image: 'registry.example/web-deploy:1' }] } },
    ...changes,
  };
}

/** A spec as the API server hands it out, with the defaults. */
export function aSpec(changes: Record<string, unknown> = {}): CapDeployJobSpec {
  const parsed = parseSpec(aRawSpec(changes));
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.spec;
}

export function aResource(changes: { spec?: unknown; status?: unknown; metadata?: object } = {}): CapDeployJob {
  const { spec = aRawSpec(), status, metadata } = changes;
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: {
      name: 'web',
      namespace: 'deploy',
      uid: RESOURCE_UID,
      resourceVersion: '100',
      generation: 1,
      creationTimestamp: stamp(-7 * 86_400),
      ...metadata,
    },
    spec,
    ...(status === undefined ? {} : { status: status as NonNullable<CapDeployJob['status']> }),
  };
}

export function aRequest(changes: Partial<DeployRequest> = {}): DeployRequest {
  const id = changes.id ?? 'r1';
  return {
    id,
    messageId: `message-of-${id}`,
    senderId: 'AIDAEXAMPLE',
    repository: 'livesense/web',
    environment: 'production',
    task: 'deploy',
    revision: 'v1.0.0',
    sentAt: at(-60),
    notBefore: undefined,
    expiresAt: undefined,
    requestedBy: 'alice',
    reason: undefined,
    source: undefined,
    slack: undefined,
    ...changes,
  };
}

export interface JobChanges extends Partial<DeployRequest> {
  uid?: string;
  resourceVersion?: string;
  /** Seconds from NOW; default: when it was sent. */
  createdAt?: number;
  /** Seconds from NOW at which the operator resumed it. */
  started?: number;
  /** A person resumed it: no `started-at`. */
  resumedByHand?: boolean;
  /** A person suspended it after it was started. */
  suspended?: boolean;
  finished?: 'Complete' | 'Failed';
  /** Seconds from NOW at which it finished; default 0. */
  finishedAt?: number;
  failure?: { reason?: string; message?: string };
  beingDeleted?: boolean;
  /** UID of the CapDeployJob that owns it. */
  owner?: string;
  annotations?: Record<string, string>;
}

/** The Job of a request: waiting, unless the changes say more. */
export function aJob(changes: JobChanges = {}): Job {
  const request = aRequest(changes);
  const resource = aResource({ metadata: changes.owner ? { uid: changes.owner } : {} });
  const job = buildJob(resource, aSpec(), request) as unknown as Job;
  const isStarted = changes.started !== undefined || changes.resumedByHand === true;
  const finishedAt = stamp(changes.finishedAt ?? 0);
  job.metadata.uid = changes.uid ?? `uid-of-${request.id}`;
  job.metadata.resourceVersion = changes.resourceVersion ?? '7';
  job.metadata.creationTimestamp =
    changes.createdAt === undefined ? request.sentAt.replace('.000Z', 'Z') : stamp(changes.createdAt);
  if (changes.started !== undefined) job.metadata.annotations![ANNOTATION.startedAt] = at(changes.started);
  Object.assign(job.metadata.annotations!, changes.annotations);
  if (changes.beingDeleted) job.metadata.deletionTimestamp = stamp(0);
  job.spec.suspend = !isStarted || changes.suspended === true;
  if (isStarted && !job.spec.suspend) job.status = { startTime: stamp(changes.started ?? -10), active: 1 };
  if (changes.finished) {
    job.status = {
      ...job.status,
      active: 0,
      ...(changes.finished === 'Complete' ? { completionTime: finishedAt } : {}),
      conditions: [
        { type: changes.finished, status: 'True', lastTransitionTime: finishedAt, ...(changes.failure ?? {}) },
      ],
    };
  }
  return job;
}

export interface PodChanges {
  phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  /** Why its first container waits. */
  waiting?: { reason?: string; message?: string };
  /** Its first container has exited; by default just now. */
  terminated?: NonNullable<ContainerState['terminated']>;
  /** Its other containers. */
  others?: Record<string, ContainerState>;
  restarts?: number;
  /** It was deleted: seconds from NOW, default 0. */
  terminating?: boolean;
  toldAt?: number;
  /** Its grace period then, in seconds; default: 30. */
  grace?: number;
  /** `status.reason` and `status.message`. */
  reason?: string;
  message?: string;
  /** Reason of its condition DisruptionTarget. */
  disruption?: string;
  initContainers?: Record<string, ContainerState & { restartPolicy?: string }>;
  /** Another Pod of the same Job. */
  name?: string;
  node?: string;
  /** It lost its owner reference (deleted with --cascade=orphan). */
  orphaned?: boolean;
}

/** The grace period that a Pod has, in seconds. */
const GRACE = 30;

/** The Pod of a Job: running, unless the changes say otherwise. */
export function aPod(job: Job, changes: PodChanges = {}): Pod {
  const phase = changes.phase ?? (changes.waiting ? 'Pending' : 'Running');
  const state = changes.terminated
    ? { terminated: { finishedAt: stamp(0), ...changes.terminated } }
    : changes.waiting
      ? { waiting: changes.waiting }
      : phase === 'Running'
        ? { running: { startedAt: stamp(-5) } }
        : undefined;
  const name = changes.name ?? `${job.metadata.name}-x7k2p`;
  const { others = {}, initContainers = {}, toldAt = changes.terminating ? 0 : undefined, grace = GRACE } = changes;
  const statuses = (states: Record<string, ContainerState>) =>
    Object.entries(states).map(([each, { waiting, running, terminated }]) => ({
      name: each,
      restartCount: 0,
      state: defined({ waiting, running, terminated }),
    }));
  return {
    metadata: {
      name,
      namespace: job.metadata.namespace,
      uid: changes.name ? `pod-${name}` : `pod-of-${job.metadata.uid}`,
      resourceVersion: '1',
      creationTimestamp: stamp(-8),
      labels: { ...job.metadata.labels, 'batch.kubernetes.io/controller-uid': job.metadata.uid },
      ...(changes.orphaned
        ? {}
        : {
            ownerReferences: [{ kind: 'Job', name: job.metadata.name, uid: job.metadata.uid, controller: true }],
          }),
      ...(toldAt === undefined ? {} : { deletionTimestamp: stamp(toldAt + grace), deletionGracePeriodSeconds: grace }),
    },
    spec: {
      containers: [{ name: 'cap' }, ...Object.keys(others).map((each) => ({ name: each }))],
      initContainers: Object.entries(initContainers).map(([each, { restartPolicy }]) => ({
        name: each,
        ...(restartPolicy ? { restartPolicy } : {}),
      })),
      ...(changes.node ? { nodeName: changes.node } : {}),
    },
    status: {
      phase,
      ...(changes.reason ? { reason: changes.reason } : {}),
      ...(changes.message ? { message: changes.message } : {}),
      ...(changes.disruption
        ? { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: changes.disruption }] }
        : {}),
      ...(Object.keys(initContainers).length > 0 ? { initContainerStatuses: statuses(initContainers) } : {}),
      ...(state
        ? {
            // Sorted by name, as the kubelet has them.
            containerStatuses: [{ name: 'cap', restartCount: changes.restarts ?? 0, state }, ...statuses(others)].sort(
              (a, b) => (a.name < b.name ? -1 : 1),
            ),
          }
        : {}),
    },
  };
}

const defined = (state: { [K in keyof ContainerState]?: ContainerState[K] | undefined }): ContainerState =>
  Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined));

export function aClaim(job: Job, changes: Partial<Claim> = {}): Claim {
  const request = storedRequest(job);
  return {
    ...summary(request, job.metadata.name),
    uid: job.metadata.uid,
    dueAt: request.dueAt,
    since: at(-30),
    ...changes,
  };
}

export function aWaitingEntry(job: Job, changes: Partial<WaitingEntry> = {}): WaitingEntry {
  const request = storedRequest(job);
  const { name, uid } = job.metadata;
  return { ...summary(request, name), uid, dueAt: request.dueAt, reasons: ['Next'], why: 'starts next', ...changes };
}

export function aHistoryEntry(job: Job, changes: Partial<HistoryEntry> = {}): HistoryEntry {
  const request = storedRequest(job);
  return {
    ...summary(request, job.metadata.name),
    environment: request.environment,
    result: 'Succeeded',
    reason: 'Completed',
    startedAt: at(-30),
    finishedAt: at(-5),
    ...changes,
  };
}

/** A process that has seen only this. */
export function aMemory(seen: Partial<Memory> = {}): Memory {
  return {
    podWasSeen: () => false,
    containerWasSeen: () => false,
    absentSince: () => undefined,
    lastSeen: () => undefined,
    abortedBy: () => undefined,
    podEnds: () => [],
    exitedSince: () => undefined,
    ...seen,
  };
}

/** No Event says anything. */
export const NO_WARNINGS: Warnings = { about: () => null };

export interface LaneChanges extends Omit<Partial<LaneView>, 'recorded' | 'spec' | 'environment'> {
  spec?: Record<string, unknown>;
  /** What the spec says of the environment "production"; undefined: it was removed. */
  environment?: Partial<Environment> | undefined;
  /** Ids that the history knows. */
  recorded?: readonly string[];
}

/** The lane "production": open for an hour, and nothing in it. */
export function aLane(changes: LaneChanges = {}): LaneView {
  const spec = aSpec(changes.spec);
  const { pods = [], memory = aMemory() } = changes;
  const environment = spec.environments.find(({ name }) => name === 'production');
  return {
    name: 'production',
    freeze: undefined,
    createdAt: NOW - 7 * 86_400_000,
    previous: { name: 'production', openSince: at(-3600) },
    jobs: [],
    foreignJobs: [],
    pods,
    warnings: NO_WARNINGS,
    now: NOW,
    monotonicNow: changes.now ?? NOW,
    ...changes,
    // A process has seen all Pods that are there.
    memory: { ...memory, podEnds: (uid) => remembered(memory.podEnds(uid), pods, uid) },
    environment:
      'environment' in changes ? changes.environment && { ...environment!, ...changes.environment } : environment,
    spec,
    recorded: (id) => changes.recorded?.includes(id) ?? false,
  };
}

function remembered(known: readonly PodEnd[], pods: readonly Pod[], jobUid: string): readonly PodEnd[] {
  return known.length > 0 ? known : pods.filter((pod) => jobUidOf(pod) === jobUid).map(podEnd);
}

export function anObservation(changes: Partial<Observation> = {}): Observation {
  const resource = changes.resource ?? aResource();
  const parsed = parseSpec(resource.spec);
  return {
    resource,
    spec: 'spec' in parsed ? parsed.spec : undefined,
    specProblem: 'problem' in parsed ? parsed.problem : undefined,
    jobs: [],
    pods: [],
    memory: aMemory(),
    warnings: NO_WARNINGS,
    template: { generation: 1, status: 'True', reason: 'DryRunAccepted', message: 'accepted' },
    queue: { kind: 'reading', since: NOW - 60_000, lastReadAt: NOW - 5_000 },
    createFailure: undefined,
    rejections: [],
    now: NOW,
    monotonicNow: changes.now ?? NOW,
    ...changes,
  };
}

/** A CapDeployJob as intake sees it: with a template that was checked. `spec` changes fields of the usual spec. */
export function aCheckedResource(
  changes: { spec?: Record<string, unknown>; metadata?: object; templateValid?: string } = {},
): CapDeployJob {
  const { spec, templateValid: status = 'True' } = changes;
  const resource = aResource({ spec: aRawSpec(spec), metadata: { uid: 'uid-1', ...changes.metadata } });
  const { generation: observedGeneration, creationTimestamp: lastTransitionTime } = resource.metadata;
  const checked = { type: 'TemplateValid', status, observedGeneration, lastTransitionTime };
  return aResource({
    ...resource,
    status: { observedGeneration, conditions: [{ ...checked, reason: 'DryRunAccepted', message: '' }] },
  });
}

/** The least that a message must say. */
export const GOOD = { repository: 'livesense/web', environment: 'production', revision: 'v1.0.0' };

/** A message as SQS gives it; an object becomes its body as JSON. */
export function aMessage(body: unknown = GOOD, changes: Partial<QueueMessage> = {}): QueueMessage {
  return {
    messageId: '6f9619ff-8b86-d011-b42d-00c04fc964ff',
    receiptHandle: 'handle',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    senderId: 'AIDAEXAMPLE',
    sentTimestamp: Date.parse('2026-06-01T12:00:00.000Z'),
    receiveCount: 1,
    messageGroupId: undefined,
    ...changes,
  };
}

/** What SNS makes of a message that it delivers without "raw message delivery". */
export function anEnvelope(message: unknown, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    Type: 'Notification',
    MessageId: 'sns-message-id',
    TopicArn: 'arn:aws:sns:us-east-1:123456789012:deploys',
    Message: typeof message === 'string' ? message : JSON.stringify(message),
    Timestamp: '2026-06-01T12:00:00.000Z',
    SignatureVersion: '1',
    ...changes,
  };
}
