import type { Clock } from '../base/clock.ts';
import { type KubeClient, type KubeObject, SECRETS, SERVICE_ACCOUNTS } from '../kube/client.ts';
import { isKubeError, undefinedIfGone } from '../kube/errors.ts';
import { planSecret, Refused, type Secret } from './plan-secret.ts';
import type { RegistryLogin } from './registry-login.ts';
import { retry } from './retry.ts';

/** Writes to the cluster: each try reads, decides, and writes under the resourceVersion that was read. */

export interface Cluster {
  readonly kube: Pick<KubeClient, 'get' | 'list' | 'create' | 'patch'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The API server checks every write and stores none. */
  readonly dryRun: boolean;
}

/** The namespace is not there, or is being deleted. */
export class NamespaceGone extends Error {
  override readonly name = 'NamespaceGone';
}

/** Another program wrote between the read and the write. The message is for the last try. */
class LostRace extends Refused {
  constructor(what: string, cause: unknown) {
    super(`${what} was changed by somebody else each time that this program wrote to it: find out who`, { cause });
  }
}

/** Waits of at most 0.2, 0.4, … 10 s; what the API server asks for in Retry-After comes on top. */
const RETRY = { attempts: 8, baseMs: 200, capMs: 10_000 };
/** The longest Retry-After that is waited for: the next run is not far. */
const LONGEST_RETRY_AFTER_S = 15;

/** Tries again what the API server failed, and what lost a race. */
export function withRetries<T>(
  { clock, signal }: Pick<Cluster, 'clock' | 'signal'>,
  act: () => Promise<T>,
): Promise<T> {
  const retryAfterMs = (error: unknown): number | undefined => {
    if (error instanceof LostRace) return 0;
    if (!isKubeError(error, 'retryable')) return undefined;
    return Math.min(error.retryAfterSeconds ?? 0, LONGEST_RETRY_AFTER_S) * 1000;
  };
  return retry(act, { ...RETRY, retryAfterMs, clock, signal });
}

/**
 * Puts the logins into one Secret. If this process ends at any point, the Secret is as it was or new as a whole: each
 * try ends in one request.
 * @throws Refused, NamespaceGone, KubeError.
 */
export function writeSecret(
  cluster: Cluster,
  place: { namespace: string; name: string; logins: readonly RegistryLogin[] },
): Promise<'created' | 'patched'> {
  const { kube, clock, signal, dryRun } = cluster;
  const { namespace, name } = place;
  return withRetries(cluster, async () => {
    const existing = await undefinedIfGone(kube.get<Secret>(SECRETS, namespace, name, { signal }));
    const plan = planSecret(existing, { ...place, now: new Date(clock.now()) });
    try {
      if (plan.action === 'create') {
        await kube.create(SECRETS, plan.object, { signal, dryRun });
        return 'created' as const;
      }
      await kube.patch(SECRETS, namespace, name, plan.preconditions, plan.patch, { signal, dryRun });
      return 'patched' as const;
    } catch (error) {
      if (isLostRace(error, plan.action)) throw new LostRace(`Secret ${namespace}/${name}`, error);
      throw namespaceGone(error, namespace);
    }
  });
}

/**
 * Appends the Secret to the imagePullSecrets of one ServiceAccount.
 * @returns whether it had to be added. @throws Refused if there is no such ServiceAccount; KubeError.
 */
export function addPullSecret(
  cluster: Cluster,
  namespace: string,
  account: string,
  secretName: string,
): Promise<boolean> {
  const { kube, signal, dryRun } = cluster;
  const what = `ServiceAccount ${namespace}/${account}`;
  return withRetries(cluster, async () => {
    const found = await undefinedIfGone(kube.get<ServiceAccount>(SERVICE_ACCOUNTS, namespace, account, { signal }));
    if (found === undefined) throw new Refused(`${what} is not there: create it, or take it out of serviceAccounts`);
    const listed = found.imagePullSecrets ?? [];
    if (listed.some(({ name }) => name === secretName)) return false;
    const { uid = '', resourceVersion = '' } = found.metadata;
    // A merge patch replaces the whole list. With the resourceVersion it replaces only the one that was read.
    const patch = { imagePullSecrets: [...listed, { name: secretName }] };
    try {
      await kube.patch(SERVICE_ACCOUNTS, namespace, account, { uid, resourceVersion }, patch, { signal, dryRun });
    } catch (error) {
      throw isLostRace(error, 'patch') ? new LostRace(what, error) : error;
    }
    return true;
  });
}

interface ServiceAccount extends KubeObject {
  imagePullSecrets?: { name?: string }[];
}

/** Since the read, another program has created the object, changed it or deleted it. */
function isLostRace(error: unknown, action: 'create' | 'patch'): boolean {
  return (
    isKubeError(error, 'exists') || isKubeError(error, 'conflict') || (action === 'patch' && isKubeError(error, 'gone'))
  );
}

/** A create answers 404 if the namespace is not there, and 403 with these words while it ends (NamespaceLifecycle). */
function namespaceGone(error: unknown, namespace: string): unknown {
  if (isKubeError(error, 'gone')) return new NamespaceGone(`namespace ${namespace} is not there`);
  if (isKubeError(error, 'forbidden') && /because it is being terminated/.test(error.message)) {
    return new NamespaceGone(`namespace ${namespace} is being deleted`);
  }
  return error;
}
