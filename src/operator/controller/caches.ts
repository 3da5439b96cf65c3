import type { CapDeployJob } from '../../api/capdeployjob.ts';
import { CAPDEPLOYJOBS, LABEL, MANAGED_SELECTOR } from '../../api/names.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { keyOf } from '../../base/object-key.ts';
import { JOBS, type KubeClient, type KubeObject, PODS } from '../../kube/client.ts';
import { Cache } from '../../kube/informer/cache.ts';
import type { Job, Pod } from '../../lanes/job.ts';

/** What the operator watches: the CapDeployJobs, and the Jobs and Pods that carry its label. */
export interface Caches {
  resources: Cache<CapDeployJob & KubeObject>;
  jobs: Cache<Job & KubeObject>;
  pods: Cache<Pod & KubeObject>;
}

/** Index of Jobs and Pods by the CapDeployJob that they name: `<namespace>/<name>`. */
export const BY_RESOURCE = 'resource';

export function createCaches(options: {
  client: KubeClient;
  namespaces: readonly string[];
  clock: Clock;
  log: Log;
}): Caches {
  const managed = {
    ...options,
    labelSelector: MANAGED_SELECTOR,
    indexes: { [BY_RESOURCE]: (object: KubeObject) => keysOf(object) },
  };
  return {
    resources: new Cache<CapDeployJob & KubeObject>({ ...options, type: CAPDEPLOYJOBS }),
    jobs: new Cache<Job & KubeObject>({ ...managed, type: JOBS }),
    pods: new Cache<Pod & KubeObject>({ ...managed, type: PODS }),
  };
}

/** The CapDeployJob that a Job or Pod names by its label. */
export function keysOf(object: { metadata: { namespace?: string; labels?: Record<string, string> } }): string[] {
  const name = object.metadata.labels?.[LABEL.name];
  return name && object.metadata.namespace ? [keyOf({ metadata: { namespace: object.metadata.namespace, name } })] : [];
}
