import type { CapDeployJobStatus } from '../api/capdeployjob.ts';
import type { DeployRequest } from '../api/deploy-request.ts';

/**
 * Says whether a request stands in the status: waiting, active, in the history or as the watermark. Only then may its message be deleted (invariant 2):
 * a Job alone can be deleted before anybody listed it, or belong to a resource that is already gone.
 * @returns `same`, `conflict` where the id stands there with another content, or undefined.
 */
export function findInStatus(
  status: CapDeployJobStatus | undefined,
  request: DeployRequest,
): 'same' | 'conflict' | undefined {
  const lane = status?.environments?.find(({ name }) => name === request.environment);
  const inLane = [...(lane?.active ?? []), ...(lane?.waiting ?? [])].map((entry) => ({
    ...entry,
    environment: lane?.name ?? '',
  }));
  // The watermark outlives the history: it comes last.
  const { notBefore, expiresAt } = request;
  const marks = (lane?.lastStarted ?? []).map((mark) => ({
    ...mark,
    environment: lane?.name ?? '',
    // It does not tell these, and compares without them.
    notBefore,
    expiresAt,
  }));
  const found = [...inLane, ...(status?.history ?? []), ...marks].find(
    (entry) => entry.environment === request.environment && entry.id === request.id,
  );
  if (!found) return undefined;
  return sameContent(found, request) ? 'same' : 'conflict';
}

/**
 * The canonical content: what is deployed, where, and when it was asked to start. Texts for people may differ between two sends of one
 * request. Its bounds in time count: to take a second send with other ones for the first would deploy at a time that nobody meant.
 */
export function sameContent(
  stored: {
    id: string;
    environment?: string;
    task: string;
    repository: string;
    revision?: string | undefined;
    notBefore?: string | undefined;
    expiresAt?: string | undefined;
  },
  request: DeployRequest,
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
