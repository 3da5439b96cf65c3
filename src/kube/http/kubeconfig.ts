/**
 * Finds the credentials for the cluster. @kubernetes/client-node is used for this alone: its `KubeConfig` knows the
 * file format, exec plugins and in-cluster token files. Requests go through our own pool (`connection.ts`).
 */

import { accessSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { UsageError } from '../../base/usage-error.ts';

/** No usable kubeconfig. The message is for the person at the terminal, and quotes nothing of the file. */
export class KubeConfigError extends UsageError {
  override readonly name = 'KubeConfigError';
}

export interface LoadKubeConfigOptions {
  /** `--kubeconfig`. */
  kubeconfig?: string | undefined;
  env?: NodeJS.ProcessEnv;
  home?: string;
  /** Put before `/var/run/secrets/…` (tests). */
  inClusterRoot?: string;
}

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * The first of: the flag, the files in KUBECONFIG, the Pod's service account, ~/.kube/config (controller-runtime
 * `pkg/client/config`).
 * @throws KubeConfigError if there is none, or if the first one found is not usable: to fall through to another cluster
 * than the one that was meant would be worse.
 */
export function loadKubeConfig(options: LoadKubeConfigOptions = {}): KubeConfig {
  const env = options.env ?? process.env;
  if (options.kubeconfig) return fromFiles([options.kubeconfig], '--kubeconfig');

  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '');
  if (listed.length > 0) {
    // As kubectl does: a listed file that does not exist is skipped, unless none is left.
    const present = listed.filter(exists);
    return fromFiles(present.length > 0 ? present : listed, 'KUBECONFIG');
  }

  const root = options.inClusterRoot ?? '';
  if (env.KUBERNETES_SERVICE_HOST && exists(root + SERVICE_ACCOUNT_TOKEN)) {
    const config = new KubeConfig();
    config.loadFromCluster(root);
    return checked(config, 'the service account of this Pod');
  }

  const fallback = join(options.home ?? homedir(), '.kube', 'config');
  if (exists(fallback)) return fromFiles([fallback], fallback);
  throw new KubeConfigError(
    'no credentials for a Kubernetes cluster: neither --kubeconfig nor KUBECONFIG is set, this is no Pod with a service ' +
      `account, and ${fallback} is not there`,
  );
}

/**
 * The namespace of this process: its Pod's own, or that of the kubeconfig's current context. Undefined if there is
 * none: `default` would be a guess, and two operators that guess differently both lead.
 */
export function currentNamespace(
  config: Pick<KubeConfig, 'getCurrentContext' | 'getContextObject'>,
): string | undefined {
  // In a Pod, client-node makes a context of /var/run/secrets/kubernetes.io/serviceaccount/namespace.
  const { namespace } = config.getContextObject(config.getCurrentContext()) ?? {};
  return namespace?.trim() || undefined;
}

function fromFiles(files: string[], origin: string): KubeConfig {
  const merged = new KubeConfig();
  for (const file of files) {
    const one = new KubeConfig();
    try {
      one.loadFromFile(file);
    } catch (error) {
      throw new KubeConfigError(`${origin}: ${file} ${whyUnreadable(error)}`);
    }
    // kubectl's merge: the first to set a name or the current context wins.
    merged.clusters.push(...one.clusters.filter((entry) => !merged.clusters.some(({ name }) => name === entry.name)));
    merged.users.push(...one.users.filter((entry) => !merged.users.some(({ name }) => name === entry.name)));
    merged.contexts.push(...one.contexts.filter((entry) => !merged.contexts.some(({ name }) => name === entry.name)));
    merged.currentContext ||= one.currentContext;
  }
  return checked(merged, `${origin} (${files.join(', ')})`);
}

/** Only errors of the file system are passed on: the YAML parser quotes lines, and such a line may be a token. */
function whyUnreadable(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'is not there';
  if (code !== undefined) return `cannot be read (${code})`;
  return 'is not a valid kubeconfig';
}

function checked(config: KubeConfig, origin: string): KubeConfig {
  const context = config.getCurrentContext();
  if (!context) throw new KubeConfigError(`${origin} has no current-context`);
  if (!config.getContextObject(context)) {
    throw new KubeConfigError(`${origin}: the current context "${context}" is not there`);
  }
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new KubeConfigError(`${origin}: the cluster of context "${context}" is not there`);
  if (!URL.canParse(cluster.server) || !/^https?:\/\/[^/]/.test(cluster.server)) {
    throw new KubeConfigError(`${origin}: the server of cluster "${cluster.name}" is not an http(s) URL`);
  }
  // client-node refuses http:// without this; over plain HTTP there is nothing to verify.
  if (cluster.server.startsWith('http:')) Object.assign(cluster, { skipTLSVerify: true });
  return config;
}

function exists(file: string): boolean {
  try {
    accessSync(file);
    return true;
  } catch {
    return false;
  }
}
