import { linkedController } from '../../base/abort.ts';
import { type Clock, sleep } from '../../base/clock.ts';

/** How long a poller may drain, in milliseconds. */
export const DRAIN_MS = 20_000;
/** An open receive gets so long after its own wait time, or after the deadline. Milliseconds. */
const LATE_POLL_MS = 3_000;
const LATE_DRAIN_MS = 1_000;
/** For messages that the last receive brings shortly before the deadline. Milliseconds. */
const MIN_DRAIN_MS = 2_500;
/** Everything has ended so long after the deadline, which is within a Pod's grace period (30 s). Milliseconds. */
const DRAIN_MARGIN_MS = 4_000;

/**
 * How a poller ends, in stages, each a signal:
 *
 * 1. `stopped`: nothing more is received. The open receive may return: a message that an aborted one took stays hidden
 *    until its visibility ends.
 * 2. `cut`: the open receive is aborted.
 * 3. `drain`: what is in flight is made visible again.
 * 4. `abort`: nothing is waited for. It aborts the signals before it as well.
 */
export class Shutdown {
  readonly #clock: Clock;
  readonly #stopped = new AbortController();
  readonly #abort = new AbortController();
  readonly #cut = linkedController(this.#abort.signal);
  readonly #drain = linkedController(this.#abort.signal);
  readonly #finished = new AbortController();
  readonly stopped = this.#stopped.signal;
  readonly cut = this.#cut.signal;
  readonly drain = this.#drain.signal;
  readonly aborted = this.#abort.signal;
  /** Epoch milliseconds. */
  #drainBy = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Begins it. A later call may only bring the deadline forward.
   * @param deadlineMs milliseconds from now until `drain`
   * @param poll.answerBy when the open receive should be answered (epoch milliseconds): one of a second must not be
   * waited for as long as one of twenty
   * @param poll.isWorking whether there is a batch now. Messages of the open receive get a deadline of their own.
   */
  stop(deadlineMs: number, poll: { answerBy: number; isWorking: boolean }): void {
    this.#stopped.abort();
    const by = this.#clock.now() + deadlineMs;
    if (by >= this.#drainBy) return;
    this.#drainBy = by;
    if (poll.isWorking) this.drainAtDeadline();
    this.#at(Math.min(by + LATE_DRAIN_MS, poll.answerBy + LATE_POLL_MS), this.#cut);
    this.#at(by + DRAIN_MARGIN_MS, this.#abort);
  }

  /** Messages of the last receive get MIN_DRAIN_MS at least, also if they came late. */
  allowForLastBatch(): void {
    if (!this.stopped.aborted) return;
    this.#drainBy = Math.max(this.#drainBy, this.#clock.now() + MIN_DRAIN_MS);
    this.drainAtDeadline();
  }

  drainAtDeadline(): void {
    this.#at(this.#drainBy, this.#drain);
  }

  abort(): void {
    this.#stopped.abort();
    this.#abort.abort();
  }

  /** The poller has ended: no further stage. */
  finish(): void {
    this.#finished.abort();
  }

  #at(moment: number, stage: AbortController): void {
    const { signal } = this.#finished;
    void sleep(this.#clock, Math.max(0, moment - this.#clock.now()), signal).then(() => {
      if (!signal.aborted) stage.abort();
    });
  }
}
