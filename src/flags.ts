import { helpOf, logLevel, many, namespace, nonEmpty, parseFlags, single, type Values } from './flag-table.ts';
import { parseBindAddress } from './observability/health.ts';
import { LOG_LEVELS, type LogLevel } from './observability/logger.ts';
import { parseAllowedOrigin, parseAllowQueue } from './sqs/allow-queue.ts';

export { environmentName, FlagError } from './flag-table.ts';

/** The flags of `capdeploy controller`. */

const FLAGS = {
  kubeconfig: single<string | undefined>(
    'FILE',
    undefined,
    nonEmpty,
    'kubeconfig to use. Default: the files in KUBECONFIG, else the service account of the Pod, else ~/.kube/config',
  ),
  namespace: many('NAME', namespace, 'namespace to watch; may be given several times. Default: all namespaces'),
  'metrics-bind-address': single(
    'ADDRESS',
    ':8080',
    bindAddress,
    'where /metrics is served, [host]:port; 0 turns it off. Default: :8080',
  ),
  'health-probe-bind-address': single(
    'ADDRESS',
    ':8081',
    bindAddress,
    'where /healthz and /readyz are served, [host]:port; 0 turns them off. Default: :8081',
  ),
  'log-level': single<LogLevel>('LEVEL', 'info', logLevel, `${LOG_LEVELS.join(', ')}. Default: info`),
  'allow-queue-origin': many(
    'ORIGIN',
    parseAllowedOrigin,
    "origin (http[s]://host[:port]) other than SQS's own that queue URLs may have; may be given several times",
  ),
  'allow-queue': many(
    'NAMESPACE=ARN',
    parseAllowQueue,
    'queues that a namespace may read, * in the ARN stands for anything; may be given several times. Default: every queue that the credentials can read',
  ),
};

export type ControllerFlags = Values<typeof FLAGS>;

/**
 * Reads the flags that stand behind `capdeploy controller`.
 * @throws FlagError for the first flag that is unknown, has no value, or has one that is not allowed.
 */
export function parseControllerFlags(args: readonly string[], env: NodeJS.ProcessEnv): ControllerFlags {
  return parseFlags(FLAGS, args, env).values;
}

/** The part of `--help` about these flags. */
export const controllerHelp = (): string => helpOf(FLAGS);

function bindAddress(value: string, flag: string): string {
  parseBindAddress(flag, value);
  return value;
}
