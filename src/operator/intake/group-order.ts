import type { DeployRequest } from '../../api/deploy-request.ts';
import { BoundedMap } from '../../base/bounded-map.ts';

/**
 * Producers' clocks differ by so much, and messages of one millisecond are common. A message that is older than that
 * was redriven: it must not pass for new because of its place in the queue.
 */
const SKEW_MS = 5_000;
/** Groups that are remembered. In others the stamps alone decide. */
const MOST_GROUPS = 1000;

/**
 * Carries the order of a FIFO queue into the lanes. Lanes know times and ids only. If two messages of a group have the
 * same stamp, or stamps of two clocks, a lane could take the second for the older one and drop it.
 */
export class GroupOrder {
  /** By lane and group: the sent-at of the latest request (epoch milliseconds). */
  readonly #latest = new BoundedMap<string, number>(MOST_GROUPS);

  /** @returns the request, with its sent-at after a near tie in its group. Call it once for each message, in order. */
  inTurn(group: string, request: DeployRequest): DeployRequest {
    const key = JSON.stringify([request.environment, group]);
    const latest = this.#latest.get(key);
    const own = Date.parse(request.sentAt);
    const isNearTie = latest !== undefined && own <= latest && latest - own <= SKEW_MS;
    const sentAt = isNearTie ? latest + 1 : own;
    this.#latest.delete(key);
    this.#latest.set(key, Math.max(sentAt, latest ?? sentAt));
    return isNearTie ? { ...request, sentAt: new Date(sentAt).toISOString() } : request;
  }
}
