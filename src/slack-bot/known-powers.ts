import type { CapDeployJob } from '../api/capdeployjob.ts';
import { type Clock, monotonicNow, sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Powers } from './context.ts';
import { type Powers as Checked, POWERS, type Power, type SelfCheck } from './self-check.ts';

/** A policy may be taken away, so all powers are tried again. */
const CHECK_AGAIN_MS = 60 * 60_000;
/** Statuses change with every deploy; what is off is not tried at each change. */
const TRY_AGAIN_MS = 10_000;

/**
 * What the bot was found to be able to do, for texts and decisions that must not wait. Everything is tried at start and
 * hourly. What is off is tried again when a status changes: only with a deploy there can it be tried to abort or approve
 * one.
 */
export class KnownPowers {
  readonly #check: Pick<SelfCheck, 'check'>;
  readonly #resources: () => readonly CapDeployJob[];
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #found = new Map<string, Checked>();
  /** When the powers in a namespace were tried last, on the monotonic clock. */
  readonly #triedAt = new Map<string, number>();
  /** One check at a time: each begins by calling off what was found before. */
  #running: Promise<void> = Promise.resolve();

  constructor(options: {
    check: Pick<SelfCheck, 'check'>;
    /** All CapDeployJobs that the bot serves. */
    resources: () => readonly CapDeployJob[];
    clock: Clock;
    log: Log;
  }) {
    this.#check = options.check;
    this.#resources = options.resources;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Tries everything now, and again hourly, until the signal aborts. */
  async keepTrying(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#tryAll(this.#resources());
      const until = monotonicNow(this.#clock) + CHECK_AGAIN_MS;
      // `sleep` has a longest time.
      while (!signal.aborted && monotonicNow(this.#clock) < until) {
        await sleep(this.#clock, until - monotonicNow(this.#clock), signal);
      }
    }
  }

  /** The status of a resource has changed: what is off there may be found to be held now. */
  changed(resource: CapDeployJob): void {
    const { namespace, name } = resource.metadata;
    const found = this.#found.get(`${namespace}/${name}`);
    const isWorthIt = !found || POWERS.some((power) => mayChange(found[power]));
    const triedAt = this.#triedAt.get(namespace) ?? Number.NEGATIVE_INFINITY;
    if (!isWorthIt || monotonicNow(this.#clock) - triedAt < TRY_AGAIN_MS) return;
    void this.#tryAll(this.#resources().filter(({ metadata }) => metadata.namespace === namespace));
  }

  /** @param target `<namespace>/<name>` */
  of(target: string): Powers {
    const found = this.#found.get(target);
    const words = (power: Power): true | string => {
      const state = found?.[power];
      if (state?.on) return true;
      return state?.message ?? 'the bot has not tried yet what the API server lets it do';
    };
    return { freeze: words('freeze'), abort: words('abort'), approve: words('approve') };
  }

  #tryAll(resources: readonly CapDeployJob[]): Promise<void> {
    const now = monotonicNow(this.#clock);
    for (const { metadata } of resources) this.#triedAt.set(metadata.namespace, now);
    this.#running = this.#running.then(async () => {
      try {
        for (const [target, powers] of await this.#check.check(resources)) this.#note(target, powers);
      } catch (error) {
        this.#log.error({ err: error }, 'could not try what the API server lets the bot do');
      }
    });
    return this.#running;
  }

  #note(target: string, powers: Checked): void {
    const before = this.#found.get(target);
    this.#found.set(target, powers);
    for (const power of POWERS) {
      const state = powers[power];
      const was = before?.[power];
      if (was && was.on === state.on && whyOf(was) === whyOf(state)) continue;
      if (state.on) this.#log.info({ target, power }, 'the API server holds the bot to its rules: the power is on');
      else this.#log.warn({ target, power, why: state.why, message: state.message }, 'the bot has not this power');
    }
  }
}

const whyOf = (state: Checked[Power]): string => (state.on ? '' : state.why);

/** Rights and policies are looked at hourly; a deploy to try on, and an API server that answers, come sooner. */
const mayChange = (state: Checked[Power]): boolean =>
  !state.on && (state.why === 'notTried' || state.why === 'unclear');
