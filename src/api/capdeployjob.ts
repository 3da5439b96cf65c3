import { parseSpec } from './spec.ts';
import type { CapDeployJobStatus } from './status.ts';

export * from './spec.ts';
export * from './status.ts';

/** The resource as it comes from the API server. Its spec is unchecked: `specOf` parses it. */
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

const parsedSpecs = new WeakMap<CapDeployJob, ReturnType<typeof parseSpec>>();

/** Parsed once for each object: objects of the cache are never changed, only replaced. */
export function specOf(resource: CapDeployJob): ReturnType<typeof parseSpec> {
  let parsed = parsedSpecs.get(resource);
  if (!parsed) {
    parsed = parseSpec(resource.spec);
    parsedSpecs.set(resource, parsed);
  }
  return parsed;
}
