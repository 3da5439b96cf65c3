import type { CapDeployJob } from '../../src/api/capdeployjob.ts';
import type { DeployRequest } from '../../src/api/deploy-request.ts';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { parseSpec } from '../../src/api/spec.ts';
import { JOBS, type KubeObject } from '../../src/kube/client.ts';
import { buildJob } from '../../src/lanes/build-job.ts';
import { type Answer, USERS } from './admission-requests.ts';
import type { AdmissionWorld } from './admission-world.ts';

export const APPROVED_BY = 'capdeployjob.dev/approved-by';
export const ABORTED_BY = 'capdeployjob.dev/aborted-by';
export const STARTED_AT = 'capdeployjob.dev/started-at';
export const ALLOW_DELETE = 'capdeployjob.dev/allow-delete';
export const FREEZE = 'freeze.capdeployjob.dev/production';

/** A merge patch that sets annotations; null takes one off. */
export const annotate = (annotations: Record<string, string | null>, more: object = {}) => ({
  metadata: { annotations },
  ...more,
});

let count = 0;
const unique = (prefix: string) => `${prefix}-${++count}`;

function mustBe(status: number, answer: Answer): KubeObject {
  if (answer.status !== status) throw new Error(`${answer.status}: ${answer.body.message}`);
  return answer.body;
}

/** A CapDeployJob that its administrator makes. Its queue is at no origin that an operator would read. */
export const newResource = (world: AdmissionWorld, annotations: Record<string, string> = {}) => ({
  apiVersion: 'capdeployjob.dev/v1alpha1',
  kind: 'CapDeployJob',
  metadata: { name: unique('web'), namespace: world.namespace, annotations },
  spec: {
    queue: { url: 'https://queue.example.test/123456789012/web-deploy' },
    environments: [{ name: 'production' }, { name: 'staging' }],
    template: { spec: { containers: [{ name: 'cap', image: 'example.test/capistrano:1' }] } },
  },
});

/** It, made. @param spec is laid over a small valid one. */
export async function resource(
  world: AdmissionWorld,
  annotations: Record<string, string> = {},
  spec: object = {},
): Promise<CapDeployJob> {
  const object = newResource(world, annotations);
  const made = await world.as(USERS.root).create(CAPDEPLOYJOBS, { ...object, spec: { ...object.spec, ...spec } });
  return mustBe(201, made) as unknown as CapDeployJob;
}

const REQUEST: DeployRequest = {
  id: 'release-1',
  messageId: 'message-1',
  senderId: 'AIDAEXAMPLE',
  repository: 'livesense/web',
  environment: 'production',
  task: 'deploy',
  revision: 'v1.0.0',
  sentAt: '2026-11-05T10:00:00.000Z',
  requestedBy: 'alice',
  reason: undefined,
  source: undefined,
  slack: undefined,
  notBefore: undefined,
  expiresAt: undefined,
};

/** The Job that the operator makes of a request, as it makes it. */
export function jobOf(owner: CapDeployJob, id = unique('release'), over: Partial<DeployRequest> = {}): KubeObject {
  const parsed = parseSpec(owner.spec);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return buildJob(owner, parsed.spec, { ...REQUEST, ...over, id }) as unknown as KubeObject;
}

/** A waiting deploy: its Job, created by the operator. @param over is laid over its request. */
export async function waitingJob(
  world: AdmissionWorld,
  owner?: CapDeployJob,
  over?: Partial<DeployRequest>,
): Promise<KubeObject> {
  const job = jobOf(owner ?? (await resource(world)), undefined, over);
  return mustBe(201, await world.as(world.operator).create(JOBS, job));
}

/** The patch with which the operator starts a deploy. */
export const START = {
  spec: { suspend: false },
  metadata: { annotations: { [STARTED_AT]: '2026-11-05T10:00:01.000Z', [ABORTED_BY]: null } },
};

/** A deploy that the operator has started. */
export async function startedJob(world: AdmissionWorld, owner?: CapDeployJob): Promise<KubeObject> {
  const { metadata } = await waitingJob(world, owner);
  return mustBe(200, await world.as(world.operator).patch(JOBS, metadata.name, START));
}

const AT = '2026-11-05T10:00:00.000Z';
const ENTRY = { id: 'release-1', repository: 'livesense/web', task: 'deploy', sentAt: AT, dueAt: AT };

/** A request that waits, as a status lists it. */
export const waits = (job: string, over: Record<string, string> = {}) => ({ ...ENTRY, job, why: 'x', ...over });

/** Has the operator write these lanes into the status. */
export async function lanes(world: AdmissionWorld, owner: CapDeployJob, environments: object[]): Promise<KubeObject> {
  const fresh = (await world.as(world.operator).get(CAPDEPLOYJOBS, owner.metadata.name)).body as KubeObject;
  const written = { ...fresh, status: { environments } };
  return mustBe(200, await world.as(world.operator).replace(CAPDEPLOYJOBS, written, 'status'));
}

/**
 * Writes the status of a Job as its controller does: by PUT, for it has no right to patch. The real controller writes
 * at any time, so the write names the resourceVersion that it is based on, and is tried again on a conflict; without
 * one, it could take the startTime away again.
 */
export async function putStatus(
  world: AdmissionWorld,
  name: string,
  change: (job: Answer['body']) => void,
): Promise<string> {
  for (;;) {
    const { body } = await world.as(USERS.root).get(JOBS, name);
    change(body);
    const answer = await world.as(USERS.jobController).replace(JOBS, body, 'status');
    if (answer.status !== 409) return outcome(answer);
  }
}

/** Says of a Job that it has ended, as its controller does. */
export async function finish(
  world: AdmissionWorld,
  { metadata: { name } }: KubeObject,
  type: 'Complete' | 'Failed',
): Promise<void> {
  const first = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
  const written = await putStatus(world, name, (job) => {
    const { startTime = '2026-11-05T10:00:02Z' } = job.status;
    job.status = {
      startTime,
      ...(type === 'Complete' ? { completionTime: startTime, succeeded: 1 } : { failed: 1 }),
      conditions: [first, type].map((each) => ({ type: each, status: 'True' })),
    };
  });
  if (written !== 'allowed') throw new Error(written);
}

/** Has the operator write into the status that a deploy is under way. */
export const claim = (world: AdmissionWorld, owner: CapDeployJob, jobs: string[]): Promise<KubeObject> =>
  lanes(world, owner, [
    { name: 'production', active: jobs.map((job) => ({ ...ENTRY, job, uid: 'uid-1', since: AT })) },
    { name: 'staging' },
  ]);

/** A Job that has nothing to do with deploys. */
export const foreignJob = (world: AdmissionWorld, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: unique('theirs'), namespace: world.namespace, labels },
  spec: {
    suspend: true,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'theirs', image: 'example.test/theirs:1' }] } },
  },
});

/** A Pod of somebody's own. */
export const foreignPod = (world: AdmissionWorld, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: unique('pod'), namespace: world.namespace, labels },
  spec: { restartPolicy: 'Never', containers: [{ name: 'own', image: 'example.test/own' }] },
});

/** What came of a request: 'allowed', the words of a policy, or that RBAC refused it before any policy was asked. */
export function outcome({ status, body }: Answer): string {
  if (status < 300) return 'allowed';
  const [, words] = /denied request: (.*)$/s.exec(body.message) ?? [];
  if (status === 403 && words !== undefined) return words;
  if (status === 403 && /cannot [a-z]+ resource/.test(body.message)) return 'refused by RBAC';
  return `${status}: ${body.message}`;
}
