/** A plan may take this long without a rest. Only plans of hundreds of requests take longer, even on a busy machine. */
const SHORT_MS = 20;
/** A resource rests this many times as long as the last plan took. A pass that writes plans twice. */
const REST = 4;
const LONGEST_REST_MS = 2_000;

/**
 * How long a resource rests after a long plan (invariant 9).
 *
 * All resources share one thread. A plan of a thousand waiting requests takes tens of milliseconds, and each message,
 * Job and Pod of that resource asks for a pass. Without a rest these passes would take the whole process, and the
 * messages of other resources would wait. So no resource plans for more than a third of the time.
 */
export class FairShare {
  #restsUntil = 0;

  /** A plan took `ms` milliseconds, until `now` (epoch milliseconds). */
  spent(ms: number, now: number): void {
    this.#restsUntil = ms > SHORT_MS ? now + Math.min(ms * REST, LONGEST_REST_MS) : 0;
  }

  /** @returns until when the resource rests (epoch milliseconds); undefined if it may have a pass. */
  until(now: number): number | undefined {
    return now < this.#restsUntil ? this.#restsUntil : undefined;
  }
}
