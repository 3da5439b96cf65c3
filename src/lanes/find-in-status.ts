import type { CapDeployJobStatus } from '../api/capdeployjob.ts';
import type { DeployRequest } from '../api/deploy-request.ts';
import { sameContent } from './job.ts';

/**
 * Finds a request in the status: waiting, active, in the history or as the watermark. Only then may its message be
 * deleted (invariant 2). A Job alone does not suffice: it can be deleted before any status listed it, or belong to a
 * resource that is already gone.
 * @returns `same`, `conflict` if the id is there with another content, or undefined.
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
    // The watermark has no such fields, so they are not compared.
    notBefore,
    expiresAt,
  }));
  const found = [...inLane, ...(status?.history ?? []), ...marks].find(
    (entry) => entry.environment === request.environment && entry.id === request.id,
  );
  if (!found) return undefined;
  return sameContent(found, request) ? 'same' : 'conflict';
}
