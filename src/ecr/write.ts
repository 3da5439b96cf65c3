import type { Clock } from '../base/clock.ts';
import { type KubeClient, type KubeObject, SECRETS, SERVICE_ACCOUNTS } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { planSecret, Refused, type Secret } from './plan-secret.ts';
import type { RegistryLogin } from './registry-login.ts';
import { retrying } from './retry.ts';

/** Writing to the cluster: each time read, decided, and written under the resourceVersion that was read. */

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

/** Somebody else moved between our reading and our writing: look again. */
class LookAgain extends Error {}

/** Waits of at most 0.2, 0.4, … 10 s; what the API server asks for in Retry-After comes on top. */
const RETRY = { attempts: 8, baseMs: 200, capMs: 10_000 };
/** Longer than that nobody waits for one request; the run after this one is not far. */
const LONGEST_RETRY_AFTER_S = 15;

/** Reads and writes that the API server failed or that lost a race are done again. */
export function persistently<T>(
  { clock, signal }: Pick<Cluster, 'clock' | 'signal'>,
  act: () => Promise<T>,
): Promise<T> {
  const again = (error: unknown): number | undefined => {
    if (error instanceof LookAgain) return 0;
    if (!isKubeError(error, 'retryable')) return undefined;
    return Math.min(error.retryAfterSeconds ?? 0, LONGEST_RETRY_AFTER_S) * 1000;
  };
  return retrying(act, { ...RETRY, again, clock, signal });
}

/**
 * Puts the logins into one Secret. Killed at any point, it leaves either the Secret as it was or the whole new one: each try ends in one
 * request that the API server does or does not do.
 * @returns what was done.
 * @throws Refused, NamespaceGone, KubeError.
 */
export function writeSecret(
  cluster: Cluster,
  place: { namespace: string; name: string; logins: readonly RegistryLogin[] },
): Promise<'created' | 'patched'> {
  const { kube, clock, signal, dryRun } = cluster;
  const { namespace, name } = place;
  return persistently(cluster, async () => {
    const existing = await find<Secret>(() => kube.get<Secret>(SECRETS, namespace, name, { signal }));
    const plan = planSecret(existing, { ...place, now: new Date(clock.now()) });
    try {
      if (plan.action === 'create') {
        await kube.create(SECRETS, plan.object, { signal, dryRun });
        return 'created' as const;
      }
      await kube.patch(SECRETS, namespace, name, plan.preconditions, plan.patch, { signal, dryRun });
      return 'patched' as const;
    } catch (error) {
      throw lostRace(error, plan.action) ? new LookAgain('', { cause: error }) : namespaceGone(error, namespace);
    }
  }).catch((error) => {
    throw error instanceof LookAgain
      ? new Refused(
          `Secret ${namespace}/${name} was changed by somebody else each time that this program wrote to it: find out who`,
        )
      : error;
  });
}

/**
 * Adds the Secret to the imagePullSecrets of one ServiceAccount, at the end; what is there stays.
 * @returns whether it had to be added. @throws Refused where there is no such ServiceAccount; KubeError.
 */
export function addPullSecret(
  cluster: Cluster,
  namespace: string,
  account: string,
  secretName: string,
): Promise<boolean> {
  const { kube, signal, dryRun } = cluster;
  const what = `ServiceAccount ${namespace}/${account}`;
  return persistently(cluster, async () => {
    const found = await find(() => kube.get<ServiceAccount>(SERVICE_ACCOUNTS, namespace, account, { signal }));
    if (found === undefined) throw new Refused(`${what} is not there: create it, or take it out of serviceAccounts`);
    const listed = found.imagePullSecrets ?? [];
    if (listed.some(({ name }) => name === secretName)) return false;
    const { uid = '', resourceVersion = '' } = found.metadata;
    // A merge patch replaces the list; the resourceVersion keeps it from replacing one that was not read.
    const patch = { imagePullSecrets: [...listed, { name: secretName }] };
    try {
      await kube.patch(SERVICE_ACCOUNTS, namespace, account, { uid, resourceVersion }, patch, { signal, dryRun });
    } catch (error) {
      throw lostRace(error, 'patch') ? new LookAgain('', { cause: error }) : error;
    }
    return true;
  }).catch((error) => {
    throw error instanceof LookAgain
      ? new Refused(`${what} was changed by somebody else each time that this program wrote to it: find out who`)
      : error;
  });
}

interface ServiceAccount extends KubeObject {
  imagePullSecrets?: { name?: string }[];
}

/** The object, or undefined where the API server has none of that name. */
async function find<T>(get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (error) {
    if (isKubeError(error, 'gone')) return undefined;
    throw error;
  }
}

/** A create that finds the name taken, a patch that finds another version, or nothing: deleted, or made, since we looked. */
function lostRace(error: unknown, action: 'create' | 'patch'): boolean {
  return (
    isKubeError(error, 'exists') || isKubeError(error, 'conflict') || (action === 'patch' && isKubeError(error, 'gone'))
  );
}

/** A create answers 404 where there is no such namespace, and 403 with these words while one is being deleted (NamespaceLifecycle). */
function namespaceGone(error: unknown, namespace: string): unknown {
  if (isKubeError(error, 'gone')) return new NamespaceGone(`namespace ${namespace} is not there`);
  if (isKubeError(error, 'forbidden') && /because it is being terminated/.test(error.message)) {
    return new NamespaceGone(`namespace ${namespace} is being deleted`);
  }
  return error;
}
