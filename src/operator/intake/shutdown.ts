import { linkedController } from '../../base/abort.ts';
import { type Clock, sleep } from '../../base/clock.ts';

/** How long a poller may drain, in milliseconds. */
export const DRAIN_MS = 20_000;
/** A poll that has not returned so long after its own wait time, or after the deadline, will not. Milliseconds. */
const LATE_POLL_MS = 3_000;
const LATE_DRAIN_MS = 1_000;
/** A last poll may bring messages when the deadline is all but over. Milliseconds. */
const MIN_DRAIN_MS = 2_500;
/**
 * Everything has ended so long after the deadline, whatever hangs. A Pod's grace period (30 s) leaves room for it.
 * Milliseconds.
 */
const DRAIN_MARGIN_MS = 4_000;

/**
 * How a poller ends, in stages, each a signal:
 *
 * 1. `stopped`: nothing more is received. The poll under way may return: an aborted one can swallow a message until its
 *    visibility ends.
 * 2. `cut`: that poll is given up.
 * 3. `drain`: what is in flight is made visible again.
 * 4. `abort`: nothing is waited for any more. It ends the stages before it as well.
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
   * @param poll.answerBy when the poll under way should be answered, in epoch milliseconds: one that was told to wait
   *   for a second is not waited for as one of twenty
   * @param poll.isWorking whether messages are worked on now; those that the poll under way brings get a deadline of
   *   their own
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

  /** For messages that came with the last poll: a while to work on them, however late they came. */
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

  /** The poller has ended: no stage comes any more. */
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
