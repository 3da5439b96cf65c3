import { LONGEST_TIMER_MS } from '../../base/clock.ts';
import { isKubeError } from '../../kube/errors.ts';

const FIRST_MS = 100;
/** Short enough that the other lanes of a resource do not wait long for one whose writes are refused. */
const LONGEST_MS = 10_000;

/**
 * A pass whose resume is refused has stored its claim just before, and that write wakes the very same resource: the work queue's backoff is
 * cut short, recovery writes the claim with a new `since`, and so on as fast as the API server allows. So what failed is not tried again
 * before its time, whoever wakes the resource.
 */
export class WriteBackoff {
  readonly #failed = new Map<string, { failures: number; until: number }>();

  failed(key: string, error: unknown, now: number): void {
    const failures = this.#failed.get(key)?.failures ?? 0;
    const asked = isKubeError(error) ? Math.min((error.retryAfterSeconds ?? 0) * 1000, LONGEST_TIMER_MS) : 0;
    const holdMs = Math.max(asked, Math.min(FIRST_MS * 2 ** failures, LONGEST_MS));
    this.#failed.set(key, { failures: failures + 1, until: now + holdMs });
  }

  /** @returns until when nothing is to be written (epoch milliseconds); undefined where nothing speaks against it. */
  until(key: string, now: number): number | undefined {
    const until = this.#failed.get(key)?.until;
    return until !== undefined && now < until ? until : undefined;
  }

  forget(key: string): void {
    this.#failed.delete(key);
  }
}
