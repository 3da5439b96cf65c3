import { BoundedMap } from '../base/bounded-map.ts';
import type { Clock } from '../base/clock.ts';
import { RateLimiter } from '../base/rate-limiter.ts';

const MINUTE_MS = 60_000;
/** A company has fewer people who deploy within a minute. */
const MOST_PEOPLE = 1_000;

/** How often one person may change something, so that a script in a person's name floods no queue. */
export class PersonalLimit {
  readonly #perMinute: () => number;
  readonly #clock: Clock;
  readonly #limiters = new BoundedMap<string, RateLimiter>(MOST_PEOPLE);

  constructor(clock: Clock, perMinute: () => number) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  /** @returns false if the person has to wait */
  take(user: string): boolean {
    // What was spent is kept in milliseconds: with another limit in the configuration the same minute counts.
    const limiter = this.#limiters.get(user) ?? new RateLimiter(this.#clock, MINUTE_MS);
    const cost = MINUTE_MS / this.#perMinute();
    this.#limiters.set(user, limiter);
    // Half a millisecond for what divisions lose.
    if (limiter.waitMs + cost > 0.5) return false;
    limiter.spend(cost);
    return true;
  }
}
