import type { CapDeployJob, CapDeployJobSpec } from '../../../api/capdeployjob.ts';
import type { DeployRequest } from '../../../api/deploy-request.ts';
import { CAPDEPLOYJOBS } from '../../../api/names.ts';
import { JOBS, type KubeClient, type KubeObject } from '../../../kube/client.ts';
import { isKubeError } from '../../../kube/errors.ts';
import { buildJob, TemplateError } from '../../../lanes/build-job.ts';
import { identify, type Job } from '../../../lanes/job.ts';

export type CreateOutcome =
  /** The Job is in the API server: created by this call, or before with the same content. */
  | { kind: 'stored'; created: boolean; job: string }
  | { kind: 'id-conflict'; message: string }
  | { kind: 'name-conflict'; message: string }
  /** Try again. Scope `request`: only this one fails; `api`: any other would fail just now. */
  | {
      kind: 'retry';
      scope: 'api' | 'request';
      reason: string;
      message: string;
      retryAfterSeconds?: number | undefined;
    }
  /** No Job can be made of the template until it is changed. */
  | { kind: 'template-refused'; reason: string; message: string }
  | { kind: 'resource-gone' };

/**
 * Stores a request as a suspended Job. The Job's name is the lock: a second create of the same request finds it taken.
 * If this process ends at any point in here, the message comes again, and the next try finds what is there.
 */
export async function createJob(
  kube: KubeClient,
  resource: CapDeployJob,
  spec: CapDeployJobSpec,
  request: DeployRequest,
  signal: AbortSignal,
): Promise<CreateOutcome> {
  let job: KubeObject;
  try {
    job = buildJob(resource, spec, request) as unknown as KubeObject;
  } catch (error) {
    if (error instanceof TemplateError) return { kind: 'template-refused', reason: 'Invalid', message: error.message };
    throw error;
  }
  try {
    await kube.create(JOBS, job, { signal });
    return { kind: 'stored', created: true, job: job.metadata.name };
  } catch (error) {
    if (isKubeError(error, 'exists')) return judgeExisting(kube, resource, request, job.metadata.name, signal);
    if (isKubeError(error, 'gone')) return judgeMissing(kube, resource, error.message, signal);
    return failure(error);
  }
}

/** The name is taken: by this request (sent or delivered twice, or created before a crash), or by another Job. */
async function judgeExisting(
  kube: KubeClient,
  resource: CapDeployJob,
  request: DeployRequest,
  name: string,
  signal: AbortSignal,
): Promise<CreateOutcome> {
  let found: Job & KubeObject;
  try {
    found = await kube.get<Job & KubeObject>(JOBS, resource.metadata.namespace, name, { signal });
  } catch (error) {
    if (!isKubeError(error, 'gone')) return failure(error);
    // Deleted between the two calls: the name is free now.
    return { kind: 'retry', scope: 'request', reason: 'JobVanished', message: `Job ${name} was deleted just now` };
  }
  switch (identify(found, resource, request)) {
    case 'same':
      return { kind: 'stored', created: false, job: name };
    case 'id-conflict':
      return {
        kind: 'id-conflict',
        message: `id: the request with this id (Job ${name}) has another content: the same id must mean the same deploy`,
      };
    case 'foreign':
      return {
        kind: 'name-conflict',
        message: `id: a Job ${name} that is not this operator's has the request's name; delete that Job, or send the request with another id`,
      };
    case 'leaving':
      return {
        kind: 'retry',
        scope: 'request',
        reason: 'JobBeingDeleted',
        message: `Job ${name}, which has the request's name, is being deleted`,
      };
  }
}

/** A create answers 404 if the namespace is gone, and then the resource is gone too. */
async function judgeMissing(
  kube: KubeClient,
  resource: CapDeployJob,
  message: string,
  signal: AbortSignal,
): Promise<CreateOutcome> {
  try {
    await kube.get(CAPDEPLOYJOBS, resource.metadata.namespace, resource.metadata.name, { signal });
    return { kind: 'retry', scope: 'api', reason: 'NotFound', message };
  } catch (error) {
    return isKubeError(error, 'gone') ? { kind: 'resource-gone' } : failure(error);
  }
}

function failure(error: unknown): CreateOutcome {
  if (!isKubeError(error)) throw error;
  if (error.kind === 'invalid') return { kind: 'template-refused', reason: error.reason, message: error.message };
  return {
    kind: 'retry',
    scope: 'api',
    reason: error.reason || `HTTP${error.status}`,
    message: error.message,
    retryAfterSeconds: error.retryAfterSeconds,
  };
}
