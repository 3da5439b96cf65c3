import { type Clock, elapsed, sleep } from '../kube/clock.ts';

/** Jobs that are created at once, however many. More than people and pipelines ask for in one go. */
const BURST = 50;
/** Between Jobs beyond that: ten a second. */
const COST_MS = 100;

/**
 * How fast the Jobs of one resource are created. A queue with a backlog of thousands would otherwise be worked off as fast as the API server
 * answers, and everybody else's messages would wait for their turn between its requests (invariant 9). Its deploys run one at a time:
 * they lose nothing by it.
 */
export class Pace {
  readonly #clock: Clock;
  /** When all that was created is paid for, on the clock of `elapsed`, in milliseconds. */
  #paidAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A Job was created. */
  spend(): void {
    this.#paidAt = Math.max(this.#paidAt, elapsed(this.#clock) - BURST * COST_MS) + COST_MS;
  }

  /** Resolves when what was created is paid for, which takes a second after a receive of ten, or the signal aborts. */
  async room(signal: AbortSignal): Promise<void> {
    const waitMs = this.#paidAt - elapsed(this.#clock);
    if (waitMs > 0) await sleep(this.#clock, waitMs, signal);
  }
}
