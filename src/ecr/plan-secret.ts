import { GROUP, LABEL, MANAGED_BY } from '../api/names.ts';
import { momentOf } from '../api/rfc3339.ts';
import type { KubeObject, Preconditions } from '../kube/client.ts';
import { hostsOf, withLogins } from './docker-config.ts';
import type { RegistryLogin } from './registry-login.ts';

/** What to write so that a Secret holds the logins. Pure. */

export const SECRET_TYPE = 'kubernetes.io/dockerconfigjson';
/** The one key of that type (Kubernetes docs, "Docker config Secrets"). */
export const SECRET_KEY = '.dockerconfigjson';

export const ECR_ANNOTATION = {
  /** When the first of this program's tokens in the Secret expires; RFC 3339. */
  expiresAt: `${GROUP}/expires-at`,
  /** When this program last wrote the Secret; RFC 3339. */
  refreshedAt: `${GROUP}/refreshed-at`,
  /** JSON: this program's registries in the Secret, and when their tokens expire. Targets may share a Secret. */
  registries: `${GROUP}/registries`,
} as const;

export interface Secret extends KubeObject {
  type?: string;
  immutable?: boolean;
  data?: Record<string, string>;
}

/** An object that this program must not change. The message names it and says what to do, without its content. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

type SecretPlan =
  | { action: 'create'; object: Secret }
  | {
      action: 'patch';
      preconditions: Preconditions;
      patch: { metadata: { annotations: Record<string, string> }; data: Record<string, string> };
    };

/**
 * @param existing as read live; undefined if there is none.
 * @throws Refused if the Secret must not be changed. It is never replaced by a new one: a Pod that starts in between
 * would find none.
 */
export function planSecret(
  existing: Secret | undefined,
  wanted: { namespace: string; name: string; logins: readonly RegistryLogin[]; now: Date },
): SecretPlan {
  const { namespace, name, logins, now } = wanted;
  const what = `Secret ${namespace}/${name}`;
  if (existing !== undefined) checkChangeable(existing, what);
  const before = existing === undefined ? undefined : contentOf(existing);
  const config = withLogins(before, logins);
  if ('problem' in config) {
    throw new Refused(
      `${what} holds something else than a Docker config.json in ${SECRET_KEY} (${config.problem}): mend it, or choose another secretName`,
    );
  }
  const registries = keptRegistries(existing, before, logins, now);
  const expiresAt = new Date(Math.min(...Object.values(registries).map((at) => Date.parse(at))));
  const data = { [SECRET_KEY]: Buffer.from(config.text, 'utf8').toString('base64') };
  const annotations = {
    [ECR_ANNOTATION.expiresAt]: rfc3339(expiresAt),
    [ECR_ANNOTATION.refreshedAt]: rfc3339(now),
    [ECR_ANNOTATION.registries]: JSON.stringify(registries),
  };
  if (existing === undefined) {
    const metadata = { namespace, name, labels: { [LABEL.managedBy]: MANAGED_BY }, annotations };
    return { action: 'create', object: { apiVersion: 'v1', kind: 'Secret', metadata, type: SECRET_TYPE, data } };
  }
  // Labels stay: by `managed-by: Helm` Helm knows that a Secret of a chart is its own to change.
  const { uid = '', resourceVersion = '' } = existing.metadata;
  return { action: 'patch', preconditions: { uid, resourceVersion }, patch: { metadata: { annotations }, data } };
}

function checkChangeable(secret: Secret, what: string): void {
  const remedy = 'choose another secretName, or delete this one yourself';
  if (secret.type !== SECRET_TYPE) {
    throw new Refused(
      `${what} has type ${secret.type ?? 'Opaque'}, not ${SECRET_TYPE}, and a type cannot be changed: ${remedy}`,
    );
  }
  if (secret.immutable === true) throw new Refused(`${what} is immutable: ${remedy}`);
  if (secret.metadata.deletionTimestamp !== undefined) {
    throw new Refused(
      `${what} is being deleted and waits for its finalizers: let them finish, the next run makes it anew`,
    );
  }
}

const contentOf = (secret: Secret): string | undefined => {
  const value = secret.data?.[SECRET_KEY];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
};

/** An entry that expired so long ago belongs to no target any more: it must not count as the first to expire. */
const FORGOTTEN_MS = 24 * 3600_000;

function keptRegistries(
  existing: Secret | undefined,
  content: string | undefined,
  logins: readonly RegistryLogin[],
  now: Date,
): Record<string, string> {
  const present = new Set(content === undefined ? [] : hostsOf(content));
  const known = Object.entries(recorded(existing?.metadata.annotations?.[ECR_ANNOTATION.registries])).filter(
    ([host, at]) => present.has(host) && Date.parse(at) > now.getTime() - FORGOTTEN_MS,
  );
  const fresh = logins.map(({ host, expiresAt }) => [host, rfc3339(expiresAt)] as const);
  return Object.fromEntries([...known, ...fresh]);
}

/** The entries of the annotation that are RFC 3339 times; none if a person has written something else. */
function recorded(annotation: string | undefined): Record<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(annotation ?? '{}');
  } catch {
    return {};
  }
  const entries = Object.entries(value ?? {}).flatMap(([host, at]): [string, string][] => {
    const moment = typeof at === 'string' ? momentOf(at) : undefined;
    return moment === undefined ? [] : [[host, rfc3339(new Date(moment))]];
  });
  return Object.fromEntries(entries);
}

/** Whole seconds, as Kubernetes writes times. */
export const rfc3339 = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;
