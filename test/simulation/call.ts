import type { Incarnation } from './replica.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

export type Answer = { value: unknown } | { error: unknown };

/**
 * Something that can happen next because a replica waits for it: a request that is to take effect, an answer that is to
 * arrive, events of a watch that are to be delivered. The scheduler decides which one, and when.
 */
export interface Task {
  readonly incarnation: Incarnation;
  /** It cannot happen now: its process is stopped, its watch lags. */
  isBlocked(): boolean;
  /** Does one stage of it. @returns whether it has a next stage. */
  advance(): boolean;
  describe(): string;
}

export interface CallOptions {
  readonly port: 'kube' | 'sqs';
  /** get, list, create, update, patch, delete, watch, receive, changeVisibility, attributes. */
  readonly verb: string;
  /** For the trace. */
  readonly what: string;
  /**
   * Lets the request take effect; what it returns is the answer, or PENDING where the server takes its time (a long
   * poll).
   */
  readonly perform: (call: Call) => unknown;
  /** The error for a request that got no answer. */
  readonly lost: (reason: string) => Error;
  /** The client gives up after this long (milliseconds). */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The answer comes later, by `answerWith`. */
export const PENDING = Symbol('pending');

/**
 * One request of a replica. `sent`: on its way; it takes effect when the scheduler says so. `waiting`: it has taken
 * effect and the server takes its time. `answered`: the answer is on its way back. `over`: the caller knows, or is no
 * more.
 */
export class Call implements Task {
  readonly options: CallOptions;
  readonly incarnation: Incarnation;
  readonly promise: Promise<unknown>;
  stage: 'sent' | 'waiting' | 'answered' | 'over' = 'sent';
  answer: Answer | undefined;
  /** Whoever asked has given up, or is dead: it may take effect all the same. */
  isGhost = false;
  /** It is under way for at least so long (world time). */
  #slowUntil = 0;
  readonly #world: World;
  readonly #settle: PromiseWithResolvers<unknown>;
  readonly #cleanUps: (() => void)[] = [];

  constructor(world: World, incarnation: Incarnation, options: CallOptions) {
    this.#world = world;
    this.incarnation = incarnation;
    this.options = options;
    this.#settle = Promise.withResolvers<unknown>();
    this.promise = this.#settle.promise;
    this.promise.catch(() => {});
    const { signal, timeoutMs } = options;
    if (signal) {
      const abort = (): void => this.#giveUp('AbortError');
      if (signal.aborted) abort();
      else {
        signal.addEventListener('abort', abort, { once: true });
        this.#cleanUps.push(() => signal.removeEventListener('abort', abort));
      }
    }
    if (this.stage === 'over') return;
    const timer = incarnation.clock.setTimeout(() => this.#giveUp('Timeout'), timeoutMs);
    this.#cleanUps.push(() => incarnation.clock.clearTimeout(timer));
    world.tasks.push(this);
  }

  isBlocked(): boolean {
    if (this.stage === 'sent') return this.#world.clock.now() < this.#slowUntil;
    return this.stage === 'waiting' || this.incarnation.isPaused;
  }

  advance(): boolean {
    if (this.stage === 'sent') {
      this.takeEffect();
      return !this.isGhost;
    }
    this.settle();
    return false;
  }

  /** The server does what was asked. The answer is known once all microtasks have run. */
  takeEffect(): void {
    if (this.stage !== 'sent') return;
    const { port, verb, perform } = this.options;
    this.#world.trace.note(`${this.incarnation.name} ${port} ${verb}`, () => this.describe());
    this.stage = 'answered';
    this.#world.as(this.incarnation, () => {
      try {
        const result = perform(this);
        if (result === PENDING) this.stage = 'waiting';
        else if (result instanceof Promise) this.#follow(result);
        else this.answer ??= { value: result };
      } catch (error) {
        if (error instanceof Violation) throw error;
        this.answer ??= { error };
      }
    });
    if (this.isGhost) this.#over();
  }

  #follow(result: Promise<unknown>): void {
    result.then(
      (value) => {
        this.answer ??= { value };
      },
      (error) => {
        this.answer ??= { error };
      },
    );
  }

  /** The server answers: at once, or, of a long poll, by and by. */
  answerWith(answer: Answer): void {
    if (this.stage !== 'waiting' && this.stage !== 'sent') return;
    this.answer = answer;
    this.stage = 'answered';
  }

  /** It fails, and never took effect. */
  refuse(error: Error): void {
    this.#world.trace.note(`refused ${this.incarnation.name}`, () => `${this.describe()}: ${error.message}`);
    this.answerWith({ error });
  }

  /** It took effect, or will at once, and the answer is lost. */
  loseAnswer(): void {
    this.takeEffect();
    this.answer = { error: this.options.lost('ECONNRESET') };
    if (this.stage === 'waiting') this.stage = 'answered';
    this.#world.trace.note(`answer lost ${this.incarnation.name}`, () => `${this.describe()}: its answer is lost`);
  }

  /** It takes its time to arrive. */
  slowDown(ms: number): void {
    this.#slowUntil = this.#world.clock.now() + ms;
    // So that the clock stops there.
    this.#world.clock.setTimeout(() => {}, ms);
  }

  /** The caller hears of a time-out now; the request takes effect so much later, when nobody expects it. */
  becomeLate(ms: number): void {
    this.slowDown(ms);
    this.#fail(this.options.lost('Timeout'));
    this.isGhost = true;
    this.#world.trace.note(
      `late ${this.incarnation.name}`,
      () => `${this.describe()}: no answer; it is still under way`,
    );
  }

  /** Delivers the answer. */
  settle(): void {
    if (this.stage === 'over' || this.answer === undefined) return;
    const { answer } = this;
    this.#over();
    this.#world.trace.note(`answer ${this.incarnation.name}`, () => `${this.describe()} → ${shortAnswer(answer)}`);
    if ('value' in answer) this.#settle.resolve(answer.value);
    else this.#settle.reject(answer.error);
  }

  /** Its process died. @param arrivesInMs what is on its way may still arrive; undefined: it does not. */
  abandon(arrivesInMs?: number): void {
    for (const cleanUp of this.#cleanUps.splice(0)) cleanUp();
    if (this.stage === 'sent' && arrivesInMs !== undefined) {
      this.isGhost = true;
      this.slowDown(arrivesInMs);
    } else this.#over();
  }

  describe(): string {
    const { verb, what } = this.options;
    return `${this.incarnation.name} ${verb} ${what}${this.isGhost ? ' (nobody waits for it any more)' : ''}`;
  }

  /** Aborted, or no answer for too long. What had not taken effect yet may still do so. */
  #giveUp(reason: string): void {
    if (this.stage === 'over' || this.isGhost) return;
    const wasSent = this.stage === 'sent';
    this.#fail(this.options.lost(reason));
    if (wasSent && this.#world.random('gives up', this.#world.nextNumber()).chance(0.5)) {
      this.isGhost = true;
      this.stage = 'sent';
    } else this.stage = 'over';
  }

  #fail(error: Error): void {
    for (const cleanUp of this.#cleanUps.splice(0)) cleanUp();
    this.#settle.reject(error);
  }

  #over(): void {
    this.stage = 'over';
    for (const cleanUp of this.#cleanUps.splice(0)) cleanUp();
  }
}

function shortAnswer(answer: Answer): string {
  if ('error' in answer) return answer.error instanceof Error ? answer.error.message : String(answer.error);
  return 'ok';
}
