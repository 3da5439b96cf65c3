import type { DeployRequest } from '../../../api/deploy-request.ts';
import { Backoff } from '../../../base/backoff.ts';
import { findInStatus } from '../../../requests/find-in-status.ts';
import { isAlive, jobExists, liveResource } from '../live-resource.ts';
import type { ResourceContext } from '../resource-context.ts';

/** `listed`: the request stands in the live status. `vanished`: neither it nor its Job is there. */
type Confirmation = 'listed' | 'conflict' | 'vanished' | 'not yet';

/**
 * Confirms that stored requests stand in the live status: when the cache says so, and every few seconds, because the
 * watch can be down. A Job is not enough: see `findInStatus`.
 */
export class StatusConfirmation {
  readonly #context: ResourceContext;
  readonly #backoff: Backoff;
  /** Epoch milliseconds of the next confirmation without a word of the cache. */
  at = 0;

  constructor(context: ResourceContext) {
    this.#context = context;
    this.#backoff = new Backoff(context.clock, 1_000, 15_000);
  }

  /** Another request was stored: the next confirmation comes soon. */
  expect(): void {
    this.#backoff.reset();
    this.at = this.#context.clock.now() + this.#backoff.next();
  }

  /** @returns one for each request; `gone` if the resource is; undefined if it is not due, or without an answer. */
  async confirm(requests: readonly DeployRequest[], signal: AbortSignal): Promise<Confirmation[] | 'gone' | undefined> {
    const { kube, key, uid, clock, log } = this.#context;
    const isDue = clock.now() >= this.at;
    if (!isDue && !this.#cacheSaysSo(requests)) return undefined;
    this.at = clock.now() + this.#backoff.next();
    try {
      const live = await liveResource(kube, key, uid, signal);
      if (live === undefined) return 'gone';
      const confirmations: Confirmation[] = [];
      for (const request of requests) {
        const found = findInStatus(live.status, request);
        if (found !== undefined) confirmations.push(found === 'same' ? 'listed' : found);
        else confirmations.push(isDue && !(await jobExists(kube, live, request, signal)) ? 'vanished' : 'not yet');
      }
      return confirmations;
    } catch (error) {
      if (!signal.aborted) log.debug({ err: error }, 'could not read whether the batch stands in the status');
      return undefined;
    }
  }

  #cacheSaysSo(requests: readonly DeployRequest[]): boolean {
    const { resources, key, uid } = this.#context;
    const cached = resources.get(key);
    return !isAlive(cached, uid) || requests.some((request) => findInStatus(cached.status, request) !== undefined);
  }
}
