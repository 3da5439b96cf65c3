import type { CapDeployJob, WaitingEntry } from '../api/capdeployjob.ts';
import { CAPDEPLOYJOBS } from '../api/names.ts';
import { type Clock, monotonicNow, sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { slackUserOf } from '../chat/requester.ts';
import { JOBS, type KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { Powers } from './context.ts';
import { type Ask, type OwnRights, readOwnRights } from './own-rights.ts';
import { type Finding, POWERS, type Power, type Tried, tryOn } from './try-power.ts';

export { POWERS, type Power } from './try-power.ts';

/**
 * - `noRight`: RBAC does not give it to the bot's account here.
 * - `notHeld`: the API server would let the bot write any name, or change anything else: deploy/admission is not in
 *   force, or the account has a right too many.
 * - `botUnknown`: deploy/admission is in force and does not know this bot.
 * - `notTried`: no deploy is there to try it on.
 * - `unclear`: the API server did not answer, or refused in words that are not those of deploy/admission.
 */
type WhyOff = Finding['why'] | 'notTried';
interface Off {
  readonly why: WhyOff;
  /** For everybody in chat. */
  readonly message: string;
  /** For the log only: it may name objects of others, and repeat the API server. */
  readonly detail?: string;
}
type State = 'on' | Off;
type States = Readonly<Record<Power, State>>;

export interface SelfCheckOptions {
  readonly client: KubeClient;
  /** All CapDeployJobs that the bot serves, as they were last seen. */
  readonly resources: () => readonly CapDeployJob[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Policies and rights may be taken away at any time. */
const EVERYTHING_EVERY_MS = 3_600_000;
/** Looks at what is in memory, and asks only if there is something new to try. Whoever approves has to see it first. */
const LOOK_EVERY_MS = 2_000;
/** Whatever the API server had against it may be mended. */
const AGAIN_EVERY_MS = 60_000;
/** Jobs end between the status that names them and the try. */
const MAX_CANDIDATES = 3;

/**
 * Whether the API server itself would keep the bot from what it must not do. The bot vouches for people, so freezing,
 * aborting and approving are on only if deploy/admission holds the bot to that: tried with `dryRun=All`, which stores
 * nothing. A power is on once it has been found to be held; until then, and if anything is unclear, it is off.
 */
export class SelfCheck {
  readonly #options: SelfCheckOptions;
  /** By `<namespace>/<name>`. */
  #states = new Map<string, States>();
  /** UIDs that a status still names and the API server does not have any more: nothing is tried on them again. */
  readonly #gone = new Set<string>();

  constructor(options: SelfCheckOptions) {
    this.#options = options;
  }

  /** What was found last, from memory. */
  powers(resource: CapDeployJob): Powers {
    const states = this.#states.get(keyOf(resource)) ?? NOT_CHECKED;
    const inWords = (state: State) => state === 'on' || state.message;
    return { freeze: inWords(states.freeze), abort: inWords(states.abort), approve: inWords(states.approve) };
  }

  /**
   * Checks everything at once and then hourly; what is off every minute, and as soon as there is a deploy to try it on.
   * Resolves when the signal aborts.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    let everythingAt = Number.NEGATIVE_INFINITY;
    let againAt = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const now = monotonicNow(clock);
      const isEverything = now - everythingAt >= EVERYTHING_EVERY_MS;
      const isAgain = now - againAt >= AGAIN_EVERY_MS;
      try {
        if (isEverything) await this.checkAll();
        else await this.#check((there) => there.some((resource) => this.#isDue(resource, isAgain)));
        if (isEverything) everythingAt = now;
        if (isEverything || isAgain) againAt = now;
        await sleep(clock, LOOK_EVERY_MS, signal);
      } catch (error) {
        // A mistake of ours: deploys are still asked for, and nothing is turned on by it.
        log.error({ err: error }, 'could not try what the API server lets the chat bot do');
        await sleep(clock, AGAIN_EVERY_MS, signal);
      }
    }
  }

  /** Looks at everything anew. It does not throw for an answer of the API server. */
  async checkAll(): Promise<void> {
    this.#gone.clear();
    await this.#check(() => true);
    const there = new Set(this.#options.resources().map(keyOf));
    this.#states = new Map([...this.#states].filter(([key]) => there.has(key)));
  }

  #isDue(resource: CapDeployJob, isAgain: boolean): boolean {
    const states = this.#states.get(keyOf(resource));
    if (states === undefined) return true;
    return POWERS.some((power) => {
      const state = states[power];
      if (state === 'on') return false;
      return state.why === 'notTried' ? this.#candidates(power, resource).length > 0 : isAgain;
    });
  }

  /** @param isWanted whether the CapDeployJobs of a namespace are checked: policies are bound to namespaces */
  async #check(isWanted: (resources: readonly CapDeployJob[]) => boolean): Promise<void> {
    const all = Map.groupBy(this.#options.resources(), ({ metadata }) => metadata.namespace ?? '');
    for (const [namespace, there] of all) {
      if (!isWanted(there)) continue;
      const rights = await this.#readRights(namespace);
      const tried = {} as Record<Power, State>;
      for (const power of POWERS) tried[power] = await this.#try(power, namespace, there, rights);
      for (const resource of there) {
        const state = (power: Power) => lacking(power, resource.metadata.name, rights) ?? tried[power];
        this.#learn(resource, { freeze: state('freeze'), abort: state('abort'), approve: state('approve') });
      }
    }
  }

  async #readRights(namespace: string): Promise<OwnRights | Off> {
    try {
      return await readOwnRights(this.#options.client, namespace);
    } catch (error) {
      if (!isKubeError(error)) throw error;
      const message = `the API server did not say what the chat bot may do in ${namespace}; the bot's log says more`;
      return { ...off('unclear', message), detail: error.message };
    }
  }

  /** Tries a power on what the bot has the right to; if it has none anywhere, nobody sees the result. */
  async #try(
    power: Power,
    namespace: string,
    resources: readonly CapDeployJob[],
    rights: OwnRights | Off,
  ): Promise<State> {
    const allowed = resources.filter(({ metadata }) => !lacking(power, metadata.name, rights));
    const candidates = allowed.flatMap((resource) => this.#candidates(power, resource));
    // Four eyes can be tried only on what a person of Slack has asked for.
    candidates.sort((a, b) => Number(b.isOfSlack ?? false) - Number(a.isOfSlack ?? false));
    let isNamed = false;
    for (const candidate of candidates.slice(0, MAX_CANDIDATES)) {
      const result = await tryOn(this.#options.client, power, candidate);
      if (result === 'held') return 'on';
      if (result === 'named') isNamed = true;
      else if (result === 'gone') this.#gone.add(candidate.uid);
      else return result;
    }
    // An abort that broke off leaves a name. If it were off now, the bot could not end what it has begun.
    if (isNamed) return 'on';
    const there = power === 'freeze' ? 'CapDeployJob' : 'deploy';
    return off(
      'notTried',
      `no ${there} is in ${namespace} on which it could be tried whether deploy/admission is there`,
    );
  }

  #candidates(power: Power, resource: CapDeployJob): Tried[] {
    return CANDIDATES[power](resource).filter(({ uid }) => !this.#gone.has(uid));
  }

  #learn(resource: CapDeployJob, states: States): void {
    const before = this.#states.get(keyOf(resource));
    this.#states.set(keyOf(resource), states);
    for (const power of POWERS) {
      const state = states[power];
      if (before && whyOf(before[power]) === whyOf(state)) continue;
      const about = { target: keyOf(resource), power };
      const { log } = this.#options;
      if (state === 'on') log.info(about, 'the chat bot may do this: deploy/admission holds it to the names of people');
      else {
        const { why, message, detail } = state;
        log[why === 'notTried' ? 'info' : 'warn']({ ...about, why, ...(detail && { detail }) }, message);
      }
    }
  }
}

const keyOf = ({ metadata: { namespace, name } }: CapDeployJob): string => `${namespace}/${name}`;
const whyOf = (state: State) => (state === 'on' ? state : state.why);
const off = (why: WhyOff, message: string): Off => ({ why, message });

const UNCHECKED = off('notTried', 'the chat bot has not looked yet whether deploy/admission is there: try again');
const NOT_CHECKED: States = { freeze: UNCHECKED, abort: UNCHECKED, approve: UNCHECKED };

/** What each power takes. Names of Jobs are not known to whoever writes a Role, so a right on some of them is none. */
const NEEDS: Record<Power, (resource: string) => Ask[]> = {
  freeze: (name) => [{ verb: 'patch', group: CAPDEPLOYJOBS.group, resource: CAPDEPLOYJOBS.plural, name }],
  abort: () => ['patch', 'delete'].map((verb) => ({ verb, group: JOBS.group, resource: JOBS.plural })),
  approve: (name) => [
    { verb: 'approve', group: CAPDEPLOYJOBS.group, resource: CAPDEPLOYJOBS.plural, name },
    { verb: 'patch', group: JOBS.group, resource: JOBS.plural },
  ],
};

/** Why the power cannot be on, as far as RBAC says; undefined if it may be. */
function lacking(power: Power, resource: string, rights: OwnRights | Off): Off | undefined {
  if ('why' in rights) return rights;
  const missing = NEEDS[power](resource).filter((ask) => rights.may(ask) === 'no');
  if (missing.length === 0) return undefined;
  const words = missing.map(({ verb, group, resource: plural }) => `${verb} ${plural}.${group}`).join(' and ');
  const role = `capdeployjob-slack-bot-${power === 'approve' ? power : 'operate'}`;
  return off(
    'noRight',
    `the chat bot's account lacks the right to ${words} for ${resource}: bind the ClusterRole ${role}`,
  );
}

/** Only what waits can be approved. */
const CANDIDATES: Record<Power, (resource: CapDeployJob) => Tried[]> = {
  freeze: ({ metadata: { namespace = '', name, uid = '' } }) => [{ namespace, name, uid }],
  abort: (resource) => [...jobsOf(resource, 'active'), ...jobsOf(resource, 'waiting')],
  approve: (resource) => jobsOf(resource, 'waiting'),
};

const jobsOf = ({ metadata: { namespace = '' }, status }: CapDeployJob, which: 'active' | 'waiting'): Tried[] =>
  (status?.environments ?? [])
    .flatMap((lane): Pick<WaitingEntry, 'job' | 'uid' | 'requestedBy'>[] => lane[which] ?? [])
    .flatMap(({ job, uid, requestedBy }) =>
      uid === undefined ? [] : [{ namespace, name: job, uid, isOfSlack: slackUserOf(requestedBy) !== undefined }],
    );
