import type { Aws } from '../aws/aws-client.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { Target } from './config.ts';
import { findNamespaces } from './find-namespaces.ts';
import { getToken } from './get-token.ts';
import { firstExpiry, type RegistryLogin } from './registry-login.ts';
import { Report } from './report.ts';
import { inParallel } from './retry.ts';
import { addPullSecret, type Cluster, NamespaceGone, writeSecret } from './write.ts';

/**
 * One run: for each target a token and the namespaces, and in each of these the Secret and its ServiceAccounts. A
 * target or namespace that fails does not stop the others.
 */

/** Time limit of a run, well before the CronJob's activeDeadlineSeconds and the next run. Milliseconds. */
export const RUN_LIMIT_MS = 10 * 60_000;

/** Half of the most that there can be: accounts that do not answer (3 minutes each) must not take the whole run. */
const TARGETS_AT_A_TIME = 50;
const NAMESPACES_AT_A_TIME = 8;

export interface RunOptions {
  targets: readonly Target[];
  aws: Aws;
  kube: Pick<KubeClient, 'get' | 'list' | 'create' | 'patch'>;
  clock: Clock;
  log: Log;
  dryRun: boolean;
  /** Ends the run early: what is not done then has failed. */
  signal: AbortSignal;
  limitMs?: number;
}

/** @returns how many targets and namespaces failed. Never throws. */
export async function runOnce(options: RunOptions): Promise<number> {
  const { targets, aws, kube, clock, log, dryRun, limitMs = RUN_LIMIT_MS } = options;
  const report = new Report(log, dryRun);
  const began = clock.now();
  const limit = new AbortController();
  const timer = clock.setTimeout(
    () => limit.abort(new Error(`not done within the ${limitMs / 1000} s that a run may take`)),
    limitMs,
  );
  const signal = AbortSignal.any([options.signal, limit.signal]);
  const cluster: Cluster = { kube, clock, signal, dryRun };
  try {
    await inParallel(targets, TARGETS_AT_A_TIME, (target) => refresh(target, cluster, aws, report));
  } finally {
    clock.clearTimeout(timer);
  }
  report.summary((clock.now() - began) / 1000);
  return report.failed;
}

async function refresh(target: Target, cluster: Cluster, aws: Aws, report: Report): Promise<void> {
  const { label, secretName } = target;
  const fail = (message: string): void => report.add({ target: label, secretName, result: 'failed', message });
  let namespaces: readonly string[];
  let logins: readonly RegistryLogin[];
  try {
    namespaces = await findNamespaces(target, cluster);
  } catch (error) {
    return fail(`the namespaces could not be listed: ${wordsOf(error)}`);
  }
  if (namespaces.length === 0) {
    return report.add({
      target: label,
      secretName,
      result: 'skipped',
      message: 'namespaceSelector finds no namespace',
    });
  }
  try {
    logins = await getToken(target, { aws, ...cluster });
  } catch (error) {
    return fail(`no token from ECR in ${target.region}: ${wordsOf(error)}`);
  }
  for (const login of logins) report.hide(login);
  await inParallel(namespaces, NAMESPACES_AT_A_TIME, (namespace) =>
    refreshIn(namespace, target, logins, cluster, report),
  );
}

async function refreshIn(
  namespace: string,
  { label, secretName, serviceAccounts, namespaces }: Target,
  logins: readonly RegistryLogin[],
  cluster: Cluster,
  report: Report,
): Promise<void> {
  const outcome = { target: label, namespace, secretName };
  let action: 'created' | 'patched';
  try {
    action = await writeSecret(cluster, { namespace, name: secretName, logins });
  } catch (error) {
    // Found by a selector and gone since: no token is needed there. Named by a person: probably a mistake.
    const vanished = error instanceof NamespaceGone && 'labelSelector' in namespaces;
    return report.add({ ...outcome, result: vanished ? 'skipped' : 'failed', message: wordsOf(error) });
  }
  const expiresAt = firstExpiry(logins);
  const good = `${action}, good until ${expiresAt.toISOString().slice(0, 16)}Z for ${logins.map(({ host }) => host).join(', ')}`;
  const added: string[] = [];
  const problems: string[] = [];
  // After the Secret, so that no ServiceAccount names one that is not there. (In a dry run it may not be there yet.)
  for (const account of serviceAccounts) {
    try {
      if (await addPullSecret(cluster, namespace, account, secretName)) added.push(account);
    } catch (error) {
      problems.push(wordsOf(error));
    }
  }
  if (problems.length > 0) {
    return report.add({ ...outcome, result: 'failed', expiresAt, message: `${good}, but ${problems.join('; ')}` });
  }
  const accounts = added.length === 0 ? '' : `, added to imagePullSecrets of ${added.join(', ')}`;
  report.add({ ...outcome, result: action, expiresAt, message: good + accounts });
}

function wordsOf(error: unknown): string {
  const hint = isKubeError(error, 'forbidden')
    ? 'a right is missing or a policy refuses it (see deploy/ecr-login): '
    : '';
  return hint + (error instanceof Error ? error.message : String(error));
}
