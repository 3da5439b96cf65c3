import type { CapDeployJob } from '../../api/capdeployjob.ts';
import type { DeployRequest } from '../../api/deploy-request.ts';
import { jobName } from '../../api/job-name.ts';
import { CAPDEPLOYJOBS } from '../../api/names.ts';
import { type ObjectKey, splitKey } from '../../base/object-key.ts';
import { JOBS, type KubeClient, type KubeObject } from '../../kube/client.ts';
import { undefinedIfGone } from '../../kube/errors.ts';

/** The resource has this uid and is not being deleted. */
export function isAlive(resource: CapDeployJob | undefined, uid: string): resource is CapDeployJob {
  return resource?.metadata.uid === uid && resource.metadata.deletionTimestamp === undefined;
}

/**
 * The resource as the API server has it now; undefined if it is gone, being deleted, or another one by now.
 * @throws KubeError if it cannot be read.
 */
export async function liveResource(
  kube: KubeClient,
  key: ObjectKey,
  uid: string,
  signal: AbortSignal,
): Promise<CapDeployJob | undefined> {
  const [namespace, name] = splitKey(key);
  const live = await undefinedIfGone(kube.get<CapDeployJob & KubeObject>(CAPDEPLOYJOBS, namespace, name, { signal }));
  return isAlive(live, uid) ? live : undefined;
}

/** Whether a Job of the request's name is there. @throws KubeError if it cannot be read. */
export async function jobExists(
  kube: KubeClient,
  resource: CapDeployJob,
  request: DeployRequest,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace, name } = resource.metadata;
  const job = kube.get(JOBS, namespace, jobName(name, request.environment, request.id), { signal });
  return (await undefinedIfGone(job)) !== undefined;
}
