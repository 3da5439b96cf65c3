import type { CapDeployJob, CapDeployJobSpec } from '../../../api/capdeployjob.ts';
import type { DeployRequest } from '../../../api/deploy-request.ts';
import { CAPDEPLOYJOBS } from '../../../api/names.ts';
import { JOBS, type KubeClient, type KubeObject } from '../../../kube/client.ts';
import { isKubeError, undefinedIfGone } from '../../../kube/errors.ts';
import { buildJob, TemplateError } from '../../../lanes/build-job.ts';
import { identify, type Job } from '../../../lanes/job.ts';

export type CreateOutcome =
  /** The Job is in the API server: created by this call, or before with the same content. */
  | { kind: 'stored'; created: boolean; job: string }
  | { kind: 'id-conflict'; message: string }
  | { kind: 'name-conflict'; message: string }
  /** Try again. Scope `request`: only this one fails; `api`: any other would fail just now. */
  | { kind: 'retry'; scope: 'api' | 'request'; reason: string; message: string; retryAfterSeconds?: number | undefined }
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
  try {
    const job = buildJob(resource, spec, request) as unknown as KubeObject;
    const { name } = job.metadata;
    try {
      await kube.create(JOBS, job, { signal });
      return { kind: 'stored', created: true, job: name };
    } catch (error) {
      if (isKubeError(error, 'exists')) return await judgeExisting(kube, resource, request, name, signal);
      if (isKubeError(error, 'gone')) return await judgeMissing(kube, resource, error.message, signal);
      throw error;
    }
  } catch (error) {
    return outcomeOfError(error);
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
  const found = await undefinedIfGone(kube.get<Job & KubeObject>(JOBS, resource.metadata.namespace, name, { signal }));
  if (found === undefined) {
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
  const { namespace, name } = resource.metadata;
  const found = await undefinedIfGone(kube.get(CAPDEPLOYJOBS, namespace, name, { signal }));
  return found ? { kind: 'retry', scope: 'api', reason: 'NotFound', message } : { kind: 'resource-gone' };
}

function outcomeOfError(error: unknown): CreateOutcome {
  if (error instanceof TemplateError) return { kind: 'template-refused', reason: 'Invalid', message: error.message };
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
