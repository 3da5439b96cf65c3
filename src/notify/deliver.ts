import { linkedController } from '../base/abort.ts';
import { Backoff } from '../base/backoff.ts';
import { type Clock, LONGEST_TIMER_MS, monotonicNow, type TimerHandle } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { attempt, entryOf, type RealStep, type Task } from './attempt.ts';
import { nextStep, type Step } from './ledger.ts';
import { type Gate, SinkError } from './sink.ts';
import { Turns } from './turns.ts';

export interface DeliverOptions {
  /** @returns what is to be told now; undefined: nothing more */
  readonly taskOf: (key: string) => Task | undefined;
  /** All is told for now. */
  readonly onQuiet: (key: string) => void;
  readonly onDelivered: (key: string, task: Task, step: RealStep) => void;
  readonly onFailure: (key: string, task: Task, error: SinkError) => void;
  /** Unique for each start of a process. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Calls at once, over all sinks. */
const CALLS = 8;
/** A call ends after so long, in milliseconds. */
const CALL_MS = 10_000;
/** What a person has to mend is tried again. */
const REFUSED_MS = 10 * 60_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
/** What is said of a deploy that waits changes often, and little. */
const WAITING_EVERY_MS = 60_000;

/** Times are on the monotonic clock. */
interface State {
  isBusy: boolean;
  /** No call before this. */
  notBefore: number;
  updatedAt: number;
  readonly backoff: Backoff;
  timer: TimerHandle;
}

/**
 * Tells each place the newest state of each deploy: one call under way for each, and what has ended before what runs
 * before what waits. Between two calls only the newest state counts, so a service that is slow or away gets fewer calls
 * and no old ones.
 */
export class Deliver {
  readonly #options: DeliverOptions;
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #states = new Map<string, State>();
  readonly #cut = new AbortController();
  readonly #calls = new Set<Promise<void>>();
  #attempts = 0;
  #isStopped = false;

  constructor(options: DeliverOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#turns = new Turns({
      onTurn: (key, gate) => this.#begin(key, gate),
      hasRoom: () => this.#calls.size < CALLS,
      urgencyOf: (key) => options.taskOf(key)?.urgency ?? 0,
      clock: options.clock,
    });
  }

  /** Something about it may have changed. */
  add(key: string): void {
    const state = this.#stateOf(key);
    // It is looked at again when its call has ended.
    if (!state.isBusy) this.#consider(key, state);
  }

  /** Begins no call any more. Resolves when those under way have ended; they are cut short after `withinMs`. */
  async stop(withinMs = 2_000): Promise<void> {
    this.#isStopped = true;
    this.#turns.stop();
    for (const { timer } of this.#states.values()) this.#clock.clearTimeout(timer);
    const cut = this.#clock.setTimeout(() => this.#cut.abort(), withinMs);
    await Promise.allSettled([...this.#calls]);
    this.#clock.clearTimeout(cut);
    this.#cut.abort();
  }

  #stateOf(key: string): State {
    const known = this.#states.get(key);
    if (known) return known;
    const backoff = new Backoff(this.#clock, FIRST_RETRY_MS, LONGEST_RETRY_MS);
    const never = Number.NEGATIVE_INFINITY;
    const state = { isBusy: false, notBefore: never, updatedAt: never, backoff, timer: undefined };
    this.#states.set(key, state);
    return state;
  }

  /** What is next for a message that has no call under way. */
  #consider(key: string, state: State): void {
    if (this.#isStopped) return;
    this.#turns.leave(key);
    this.#clock.clearTimeout(state.timer);
    const task = this.#options.taskOf(key);
    if (!task) {
      this.#states.delete(key);
      return;
    }
    const step = this.#stepOf(task);
    if (step.kind === 'none') {
      if (step.atMs !== undefined) this.#later(key, state, step.atMs - this.#clock.now());
      else this.#options.onQuiet(key);
      return;
    }
    const isSlow = task.urgency === 2 && step.kind === 'update';
    const from = Math.max(state.notBefore, isSlow ? state.updatedAt + WAITING_EVERY_MS : Number.NEGATIVE_INFINITY);
    const waitMs = from - monotonicNow(this.#clock);
    if (waitMs > 0) this.#later(key, state, waitMs);
    else this.#turns.wait(key, gateOf(task, step));
  }

  #stepOf(task: Task): Step {
    return nextStep(entryOf(task), task.wanted, task.sink, this.#clock.now());
  }

  #later(key: string, state: State, ms: number): void {
    const wake = () => this.#consider(key, state);
    state.timer = this.#clock.setTimeout(wake, Math.min(Math.max(ms, 1), LONGEST_TIMER_MS));
  }

  /** It may have changed while it waited for its turn. @returns whether a call was begun */
  #begin(key: string, gate: Gate): boolean {
    const state = this.#stateOf(key);
    const task = this.#options.taskOf(key);
    const step = task ? this.#stepOf(task) : { kind: 'none' as const };
    if (!task || step.kind === 'none' || gateOf(task, step).name !== gate.name) {
      this.#consider(key, state);
      return false;
    }
    state.isBusy = true;
    const call = this.#attempt(key, state, task, step).finally(() => {
      this.#calls.delete(call);
      state.isBusy = false;
      this.#consider(key, state);
      this.#turns.next();
    });
    this.#calls.add(call);
    return true;
  }

  /** Never rejects. */
  async #attempt(key: string, state: State, task: Task, step: RealStep): Promise<void> {
    const { signal, abort } = this.#limit();
    this.#attempts += 1;
    try {
      await attempt(task, step, {
        by: `${this.#options.identity}/${this.#attempts}`,
        mayCall: () => !this.#isStopped,
        clock: this.#clock,
        signal,
      });
      state.backoff.reset();
      if (step.kind === 'update') state.updatedAt = monotonicNow(this.#clock);
      this.#options.onDelivered(key, task, step);
    } catch (error) {
      this.#failed(key, state, task, gateOf(task, step), error);
    } finally {
      abort();
    }
  }

  /** A signal that aborts when a call has taken too long. */
  #limit(): { signal: AbortSignal; abort: () => void } {
    const controller = linkedController(this.#cut.signal);
    const timer = this.#clock.setTimeout(() => controller.abort(), CALL_MS);
    const abort = () => {
      this.#clock.clearTimeout(timer);
      controller.abort();
    };
    return { signal: controller.signal, abort };
  }

  #failed(key: string, state: State, task: Task, gate: Gate, error: unknown): void {
    const { message = '' } = error instanceof Error ? error : {};
    const failure = error instanceof SinkError ? error : new SinkError('unclear', 'Error', message);
    let againInMs = 0;
    if (failure.kind === 'later') this.#turns.hold(gate, failure.retryAfterMs ?? FIRST_RETRY_MS);
    if (failure.kind === 'refused') againInMs = REFUSED_MS;
    if (failure.kind === 'unclear') againInMs = state.backoff.next();
    state.notBefore = monotonicNow(this.#clock) + againInMs;
    this.#options.log.warn({ err: error, job: task.job, place: task.place, againInMs }, 'news was not delivered');
    this.#options.onFailure(key, task, failure);
  }
}

const gateOf = ({ sink }: Task, { kind }: RealStep): Gate =>
  sink.gateOf(kind === 'post' || kind === 'say' ? kind : 'update');
