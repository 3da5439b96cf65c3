import type { DeployName } from '../actions/names.ts';
import type { CapDeployJob } from '../api/capdeployjob.ts';
import { CAPDEPLOYJOBS } from '../api/names.ts';
import { JOBS, type KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { type Ask, type OwnRights, readOwnRights } from './own-rights.ts';
import { type Finding, POWERS, type Power, type Tried, tryOn } from './try-power.ts';

export { POWERS, type Power } from './try-power.ts';

/** Whether the bot may use a power, and if not why. `message` says what to do about it. */
export type PowerState = { readonly on: true } | { readonly on: false; readonly why: WhyOff; readonly message: string };

/**
 * - `noRight`: RBAC does not give it to the bot's account here.
 * - `notHeld`: the API server would let the bot write any name, or change anything else: deploy/admission is not in
 *   force, or the account has a right too many.
 * - `botUnknown`: deploy/admission is in force and does not know this bot.
 * - `notTried`: no deploy is there to try it on. The first one that is decided about is tried.
 * - `unclear`: the API server did not answer, or refused in words that are not those of deploy/admission.
 */
export type WhyOff = Finding['why'] | 'noRight' | 'notTried' | 'unclear';

export type Powers = Readonly<Record<Power, PowerState>>;

const ON: PowerState = { on: true };
/** Jobs end between the status that names them and the try. */
const MAX_CANDIDATES = 3;

/** What each power takes. Names of Jobs are not known to whoever writes a Role, so a right on some of them is none. */
const NEEDS: Record<Power, (resource: string) => Ask[]> = {
  freeze: (name) => [{ verb: 'patch', group: CAPDEPLOYJOBS.group, resource: CAPDEPLOYJOBS.plural, name }],
  abort: () => ['patch', 'delete'].map((verb) => ({ verb, group: JOBS.group, resource: JOBS.plural })),
  approve: (name) => [
    { verb: 'approve', group: CAPDEPLOYJOBS.group, resource: CAPDEPLOYJOBS.plural, name },
    { verb: 'patch', group: JOBS.group, resource: JOBS.plural },
  ],
};

/**
 * Whether the API server itself would keep the bot from what it must not do. The bot vouches for people, so freezing,
 * aborting and approving are on only if deploy/admission holds the bot to that: tried with `dryRun=All`, which stores
 * nothing. A power is on once it has been found to be held; until then, and if anything is unclear, it is off.
 */
export class SelfCheck {
  readonly #client: KubeClient;
  readonly #rights = new Map<string, OwnRights>();
  /** By namespace: a policy may be bound to some namespaces only. */
  readonly #held = new Map<string, Set<Power>>();

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /**
   * Looks at everything anew, at start and hourly. What was on is off from now on if it is not found to be held again.
   * @param resources all CapDeployJobs that the bot serves
   * @returns the powers for each CapDeployJob, by `<namespace>/<name>`; it never throws for an answer of the API server
   */
  async check(resources: readonly CapDeployJob[]): Promise<ReadonlyMap<string, Powers>> {
    const found = new Map<string, Powers>();
    for (const [namespace, there] of Map.groupBy(resources, ({ metadata }) => metadata.namespace ?? '')) {
      const rights = await this.#readRights(namespace);
      const tried = {} as Record<Power, PowerState>;
      for (const power of POWERS) tried[power] = await this.#tryFirst(power, namespace, there, rights);
      for (const { metadata } of there) {
        const state = (power: Power) => lacking(power, metadata.name, rights) ?? tried[power];
        const powers = { freeze: state('freeze'), abort: state('abort'), approve: state('approve') };
        found.set(`${namespace}/${metadata.name}`, powers);
      }
    }
    return found;
  }

  /**
   * Whether the bot may use a power now. What is off is looked at anew, on the very deploy that is to be decided about.
   * @param deploy needed for `abort` and `approve`
   */
  async may(power: Power, resource: CapDeployJob, deploy?: DeployName): Promise<PowerState> {
    const { namespace = '', name } = resource.metadata;
    const known = this.#rights.get(namespace);
    if (known && this.#held.get(namespace)?.has(power) && !lacking(power, name, known)) return ON;
    const rights = await this.#readRights(namespace);
    const candidates = power === 'freeze' ? [asTried(resource)] : deploy ? [{ ...deploy, name: deploy.job }] : [];
    return lacking(power, name, rights) ?? (await this.#try(power, namespace, candidates));
  }

  async #readRights(namespace: string): Promise<OwnRights | PowerState> {
    this.#rights.delete(namespace);
    try {
      const rights = await readOwnRights(this.#client, namespace);
      this.#rights.set(namespace, rights);
      return rights;
    } catch (error) {
      if (!isKubeError(error)) throw error;
      return off('unclear', `the API server did not say what the chat bot may do in ${namespace}: ${error.message}`);
    }
  }

  /** Tries on what the bot has a right to; if it has none anywhere, nobody sees the result. */
  #tryFirst(
    power: Power,
    namespace: string,
    resources: readonly CapDeployJob[],
    rights: OwnRights | PowerState,
  ): Promise<PowerState> {
    const allowed = resources.filter(({ metadata }) => !lacking(power, metadata.name, rights));
    return this.#try(power, namespace, allowed.flatMap(CANDIDATES[power]));
  }

  async #try(power: Power, namespace: string, candidates: readonly Tried[]): Promise<PowerState> {
    const held = this.#held.get(namespace) ?? new Set();
    this.#held.set(namespace, held);
    held.delete(power);
    for (const candidate of candidates.slice(0, MAX_CANDIDATES)) {
      const result = await tryOn(this.#client, power, candidate);
      if (result === 'gone') continue;
      if (result !== 'held') return off(result.why, result.message);
      held.add(power);
      return ON;
    }
    const there = power === 'freeze' ? 'CapDeployJob' : 'deploy';
    return off(
      'notTried',
      `no ${there} is in ${namespace} on which it could be tried whether deploy/admission is there`,
    );
  }
}

const off = (why: WhyOff, message: string): PowerState => ({ on: false, why, message });

/** Why the power cannot be on, as far as RBAC says; undefined if it may be. */
function lacking(power: Power, resource: string, rights: OwnRights | PowerState): PowerState | undefined {
  if ('on' in rights) return rights;
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
  freeze: (resource) => [asTried(resource)],
  abort: (resource) => [...jobsOf(resource, 'active'), ...jobsOf(resource, 'waiting')],
  approve: (resource) => jobsOf(resource, 'waiting'),
};

const asTried = ({ metadata: { namespace = '', name, uid = '' } }: CapDeployJob): Tried => ({ namespace, name, uid });

const jobsOf = ({ metadata: { namespace = '' }, status }: CapDeployJob, which: 'active' | 'waiting'): Tried[] =>
  (status?.environments ?? [])
    .flatMap((lane): { job: string; uid?: string | undefined }[] => lane[which] ?? [])
    .flatMap(({ job, uid }) => (uid === undefined ? [] : [{ namespace, name: job, uid }]));
