/**
 * Time as this package sees it. Everything in it that waits, waits on a Clock, so that the simulation drives the very
 * same store, Job controller and collector on a virtual clock, one timer after the other.
 */

/** What `setTimeout` of a clock returns; only good for `clearTimeout` of the same clock. */
export type TimerHandle = unknown;

/** The clock of a program that has more to it (such as `random`) fits too, so that both run on one clock. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after so many milliseconds. 0 means soon, and never from within this call. */
  setTimeout(callback: () => void, milliseconds: number): TimerHandle;
  /** Does nothing if the timer has fired, or if there is none. */
  clearTimeout(handle: TimerHandle): void;
}

/** Node's `setTimeout` fires at once beyond 24.8 days, so longer waits are cut into pieces of this length. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

interface SystemTimer {
  handle: NodeJS.Timeout | undefined;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout(callback, milliseconds): SystemTimer {
    const due = Date.now() + milliseconds;
    const timer: SystemTimer = { handle: undefined };
    const arm = (rest: number): void => {
      timer.handle = setTimeout(
        () => {
          const left = due - Date.now();
          if (rest > LONGEST_TIMEOUT && left > 0) arm(left);
          else callback();
        },
        Math.max(0, Math.min(rest, LONGEST_TIMEOUT)),
      );
    };
    arm(milliseconds);
    return timer;
  },
  clearTimeout: (timer) => clearTimeout((timer as SystemTimer | undefined)?.handle),
};

interface Waiting {
  due: number;
  order: number;
  callback: () => void;
}

/**
 * A clock that stands still until it is moved. Timers due at the same moment run in the order in which they were set.
 */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  readonly #waiting = new Set<Waiting>();

  constructor(start: number | string = '2030-01-01T00:00:00Z') {
    this.#now = typeof start === 'number' ? start : Date.parse(start);
  }

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, milliseconds: number): TimerHandle {
    this.#order += 1;
    const timer = { due: this.#now + Math.max(0, milliseconds), order: this.#order, callback };
    this.#waiting.add(timer);
    return timer;
  }

  clearTimeout(handle: TimerHandle): void {
    this.#waiting.delete(handle as Waiting);
  }

  /** When the next timer is due; undefined if none waits. */
  nextDue(): number | undefined {
    return this.#next()?.due;
  }

  /** Moves time on, and runs what falls due on the way, timers that these set included. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let timer = this.#next(); timer !== undefined && timer.due <= end; timer = this.#next()) {
      this.#waiting.delete(timer);
      this.#now = Math.max(this.#now, timer.due);
      timer.callback();
    }
    this.#now = end;
  }

  #next(): Waiting | undefined {
    let next: Waiting | undefined;
    for (const timer of this.#waiting) {
      if (next === undefined || timer.due < next.due || (timer.due === next.due && timer.order < next.order)) {
        next = timer;
      }
    }
    return next;
  }
}

/** Kubernetes' metav1.Time: seconds, no fraction. */
export function timestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
