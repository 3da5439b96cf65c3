import type { DeployRequest } from '../../../api/deploy-request.ts';
import { Backoff } from '../../../base/backoff.ts';
import { findInStatus } from '../../../requests/find-in-status.ts';
import { isAlive, jobExists, liveResource } from '../live-resource.ts';
import type { ResourceContext } from '../resource-context.ts';

/** `listed`: it stands in the live status. `vanished`: neither it nor its Job is there. */
export type Entry = 'listed' | 'conflict' | 'vanished' | 'not yet';

/**
 * Looks whether stored requests stand in the live status: when the cache says so, and every few seconds without it, for a watch can be
 * down. A Job alone is not enough: it can be deleted before anybody listed it, or belong to a resource that is already gone.
 */
export class StatusConfirmation {
  readonly #context: ResourceContext;
  readonly #backoff: Backoff;
  /** Epoch milliseconds of the next look that nothing calls for. */
  at = 0;

  constructor(context: ResourceContext) {
    this.#context = context;
    this.#backoff = new Backoff(context.clock, 1_000, 15_000);
  }

  /** Another request was stored: looks come soon again. */
  expect(): void {
    this.#backoff.reset();
    this.at = this.#context.clock.now() + this.#backoff.next();
  }

  /** @returns one entry for each request; `gone` where the resource is; undefined where there was no cause to look, or no answer. */
  async look(requests: readonly DeployRequest[], signal: AbortSignal): Promise<Entry[] | 'gone' | undefined> {
    const { kube, key, uid, clock, log } = this.#context;
    const due = clock.now() >= this.at;
    if (!due && !this.#cacheSaysSo(requests)) return undefined;
    this.at = clock.now() + this.#backoff.next();
    try {
      const live = await liveResource(kube, key, uid, signal);
      if (live === undefined) return 'gone';
      const entries: Entry[] = [];
      for (const request of requests) {
        const standing = findInStatus(live.status, request);
        if (standing === 'same') entries.push('listed');
        else if (standing === 'conflict') entries.push('conflict');
        else entries.push(due && !(await jobExists(kube, live, request, signal)) ? 'vanished' : 'not yet');
      }
      return entries;
    } catch (error) {
      if (!signal.aborted) log.debug({ err: error }, 'could not look whether the batch stands in the status');
      return undefined;
    }
  }

  #cacheSaysSo(requests: readonly DeployRequest[]): boolean {
    const { resources, key, uid } = this.#context;
    const cached = resources.get(key);
    return !isAlive(cached, uid) || requests.some((request) => findInStatus(cached.status, request) !== undefined);
  }
}
