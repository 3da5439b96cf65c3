import type { CapDeployJobStatus } from '../api/capdeployjob.ts';
import type { DeployRequest } from '../api/deploy-request.ts';

/**
 * Finds a request in the status: waiting, active, in the history or as the watermark. Its message may be deleted only
 * if it is there (invariant 2). Its Job is not enough: it can be deleted before it was listed, or belong to a resource
 * that is already gone.
 * @returns `conflict` if the id is there with another content, undefined if it is not there.
 */
export function findInStatus(
  status: CapDeployJobStatus | undefined,
  request: DeployRequest,
): 'same' | 'conflict' | undefined {
  const { id, environment, notBefore, expiresAt } = request;
  const lane = status?.environments?.find(({ name }) => name === environment);
  const entries = [
    ...(lane?.active ?? []),
    ...(lane?.waiting ?? []),
    ...(status?.history ?? []).filter((entry) => entry.environment === environment),
    // The watermark outlives the history: it comes last. It has no time bounds, and is compared without them.
    ...(lane?.lastStarted ?? []).map((mark) => ({ ...mark, notBefore, expiresAt })),
  ];
  const found = entries.find((entry) => entry.id === id);
  if (!found) return undefined;
  return sameContent({ ...found, environment }, request) ? 'same' : 'conflict';
}

/**
 * Compares what is deployed, where, and when it may start. Texts for people may differ between two sends of a request.
 * Its time bounds may not: to take a second send with other bounds for the first would deploy at the wrong time.
 */
export function sameContent(
  stored: {
    id: string;
    environment: string;
    task: string;
    repository: string;
    revision?: string | undefined;
    notBefore?: string | undefined;
    expiresAt?: string | undefined;
  },
  request: Pick<DeployRequest, 'id' | 'environment' | 'task' | 'repository' | 'revision' | 'notBefore' | 'expiresAt'>,
): boolean {
  return (
    stored.id === request.id &&
    stored.environment === request.environment &&
    stored.task === request.task &&
    stored.repository === request.repository &&
    (stored.revision ?? undefined) === request.revision &&
    (stored.notBefore ?? undefined) === request.notBefore &&
    (stored.expiresAt ?? undefined) === request.expiresAt
  );
}
