import type { CapDeployJobStatus } from './status.ts';

export * from './spec.ts';
export * from './status.ts';

/** The resource as it comes from the API server: spec and status are raw until `parseSpec` has looked at them. */
export interface CapDeployJob {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    generation: number;
    creationTimestamp: string;
    deletionTimestamp?: string;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  spec: unknown;
  status?: CapDeployJobStatus;
  [field: string]: unknown;
}
