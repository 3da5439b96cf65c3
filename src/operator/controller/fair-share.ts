/** What a plan may take without a rest: far more than any but those of hundreds of requests do, on a machine that is busy, too. */
const SHORT_MS = 20;
/** A resource rests for so many times as long as a plan of its last pass took; a pass that writes plans twice. */
const REST = 4;
const LONGEST_REST_MS = 2_000;

/**
 * All resources share one thread. Planning one with a thousand waiting requests takes tens of milliseconds, and each of its messages, Jobs
 * and Pods asks for a pass: without a rest in between it would take all of the process, and the others' messages would wait for it
 * (invariant 9). So no resource plans for more than a third of the time.
 */
export class FairShare {
  readonly #restsUntil = new Map<string, number>();

  /** A pass planned for so many milliseconds, until now (epoch milliseconds). */
  spent(key: string, ms: number, now: number): void {
    if (ms > SHORT_MS) this.#restsUntil.set(key, now + Math.min(ms * REST, LONGEST_REST_MS));
    else this.#restsUntil.delete(key);
  }

  /** @returns until when the resource rests (epoch milliseconds); undefined where it may have a pass. */
  until(key: string, now: number): number | undefined {
    const until = this.#restsUntil.get(key);
    return until !== undefined && now < until ? until : undefined;
  }

  forget(key: string): void {
    this.#restsUntil.delete(key);
  }
}
