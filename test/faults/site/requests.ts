import type { Asked, Poison } from '../audit/evidence.ts';
import type { Random } from './random.ts';

export const REPOSITORY = 'livesense/web';

/** One lane of each policy. */
export const ENVIRONMENTS = [
  { name: 'production', concurrencyPolicy: 'Queue' },
  { name: 'staging', concurrencyPolicy: 'Supersede' },
  { name: 'canary', concurrencyPolicy: 'Replace' },
] as const;
export const TASKS = ['deploy', 'deploy:restart'] as const;

/** A message as a producer sends it: once, or several times over. */
export type Message =
  | { kind: 'request'; asked: Asked; body: string; copies: number }
  | { kind: 'poison'; poison: Poison; body: string; copies: 1 };

/** How often something is the case, of all messages. */
const POISON = 0.04;
const TWICE = 0.08;
const LATE = 0.03;
const SCHEDULED = 0.02;
const RESTART = 0.08;
const FAILS = 0.05;

/**
 * Thinks up the messages for one resource, one by one, at the moment at which they are sent. Most are deploys of a new
 * revision; some are sent twice over, are late, are scheduled, ask for another task, fail in their container, or are
 * poison.
 */
export class Requests {
  readonly #resource: string;
  readonly #series: string;
  readonly #random: Random;
  readonly #poisonShare: number;
  /** Due times that are taken, so that the order of a lane is never left to chance. */
  readonly #taken = new Set<number>();
  #count = 0;

  /**
   * @param options.series what sets its revisions apart from those of others for the same resource
   * @param options.poison whether some are poison
   */
  constructor(resource: string, options: { series: string; poison: boolean }, random: Random) {
    this.#resource = resource;
    this.#series = options.series;
    this.#random = random;
    this.#poisonShare = options.poison ? POISON : 0;
  }

  next(): Message {
    const random = this.#random;
    const number = ++this.#count;
    if (random.chance(this.#poisonShare)) return this.#poison(number);
    const revision = `${this.#resource}-${this.#series}${number}`;
    const environment = random.of(ENVIRONMENTS).name;
    const task = random.chance(RESTART) ? TASKS[1] : TASKS[0];
    const now = Date.now();
    const sentAt = this.#free(random.chance(LATE) ? now - random.between(1_000, 20_000) : now);
    const notBefore = random.chance(SCHEDULED) ? this.#free(now + random.between(2_000, 8_000)) : undefined;
    const asked: Asked = {
      resource: this.#resource,
      environment,
      task,
      revision,
      dueAt: notBefore ?? sentAt,
      exitCode: random.chance(FAILS) ? 1 : 0,
    };
    const body = JSON.stringify({
      repository: REPOSITORY,
      environment,
      revision,
      task,
      id: `id-${revision}`,
      sentAt: iso(sentAt),
      ...(notBefore === undefined ? {} : { notBefore: iso(notBefore) }),
      requestedBy: 'faults',
    });
    return { kind: 'request', asked, body, copies: random.chance(TWICE) ? 2 : 1 };
  }

  /** The next moment before this one that is nobody's. */
  #free(ms: number): number {
    let free = ms;
    while (this.#taken.has(free)) free -= 1;
    this.#taken.add(free);
    return free;
  }

  #poison(number: number): Message {
    const good = {
      repository: REPOSITORY,
      environment: 'production',
      revision: `poison-${this.#series}${number}`,
      number,
    };
    const body = this.#random.of([
      `{"repository": "${REPOSITORY}", "environment": "production", "revision": "poison-${this.#series}${number}"`,
      JSON.stringify({ ...good, environment: 'nowhere' }),
      JSON.stringify({ ...good, revision: `v${number};touch\${IFS}/tmp/pwned` }),
      JSON.stringify({ ...good, repository: 'somebody/else' }),
      JSON.stringify({ ...good, task: 'db:drop' }),
    ]);
    return { kind: 'poison', poison: { resource: this.#resource, body, sent: 0 }, body, copies: 1 };
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();
