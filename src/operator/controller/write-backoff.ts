import { LONGEST_TIMER_MS } from '../../base/clock.ts';
import { isKubeError } from '../../kube/errors.ts';

const FIRST_MS = 100;
/** Short enough that the other lanes of a resource do not wait long for one whose writes are refused. */
const LONGEST_MS = 10_000;

/**
 * When a resource may be written to again after a write of it has failed.
 *
 * A pass whose resume is refused has stored its claim just before. That write wakes the same resource, which cuts the
 * work queue's backoff short. Recovery then writes the claim with a new `since`, and so on, as fast as the API server
 * allows. So a failed write is not tried again before its time, whatever wakes the resource.
 */
export class WriteBackoff {
  #failures = 0;
  #until = 0;

  /** @param now epoch milliseconds. */
  failed(error: unknown, now: number): void {
    const asked = isKubeError(error) ? Math.min((error.retryAfterSeconds ?? 0) * 1000, LONGEST_TIMER_MS) : 0;
    this.#until = now + Math.max(asked, Math.min(FIRST_MS * 2 ** this.#failures, LONGEST_MS));
    this.#failures += 1;
  }

  reset(): void {
    this.#failures = 0;
    this.#until = 0;
  }

  /** @returns until when nothing is to be written (epoch milliseconds); undefined if writes are allowed. */
  until(now: number): number | undefined {
    return now < this.#until ? this.#until : undefined;
  }
}
