import { parseBindAddress } from '../observability/bind-address.ts';
import { parseAllowedOrigin, parseAllowQueue } from '../sqs/allow-queue.ts';
import {
  helpOf,
  kubeconfigFlag,
  logLevelFlag,
  many,
  namespace,
  parseFlags,
  single,
  toggle,
  type Values,
} from './flags.ts';

export { environmentName, FlagError } from './flags.ts';

/** The flags of `capdeploy controller`. */

export const CONTROLLER_FLAGS = {
  kubeconfig: kubeconfigFlag,
  namespace: many('NAME', namespace, 'namespace to watch; may be given several times. Default: all namespaces'),
  'leader-elect': toggle(
    'only the holder of a Lease works, other replicas stand by. Needed for more than one replica. Default: false',
  ),
  'leader-elect-lease-duration': single(
    'DURATION',
    15_000,
    leaseDuration,
    'how long others wait for a leader without a sign of life, 2s to 10m. It gives up after two thirds of it. Default: 15s',
  ),
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
  'log-level': logLevelFlag,
  'allow-queue-origin': many(
    'ORIGIN',
    parseAllowedOrigin,
    "origin (http[s]://host[:port]) other than SQS's own that queue URLs may have; may be given several times",
  ),
  'allow-queue': many(
    'NAMESPACE=ARN',
    parseAllowQueue,
    'queues that a namespace may read, * in the ARN stands for anything; may be given several times. ' +
      'Default: every queue that the credentials can read',
  ),
};

export type ControllerFlags = Values<typeof CONTROLLER_FLAGS>;

/**
 * Reads the flags that stand behind `capdeploy controller`.
 * @throws FlagError for the first flag that is unknown, has no value, or has one that is not allowed.
 */
export function parseControllerFlags(args: readonly string[], env: NodeJS.ProcessEnv): ControllerFlags {
  return parseFlags(CONTROLLER_FLAGS, args, env).values;
}

/** The part of `--help` about these flags. */
export const controllerHelp = (): string => helpOf(CONTROLLER_FLAGS);

/** Whole seconds, as the Lease has them. @returns milliseconds. */
function leaseDuration(value: string): number {
  const [, digits = '', unit] = /^([0-9]{1,4})(s|m)$/.exec(value) ?? [];
  const ms = Number(digits) * (unit === 'm' ? 60_000 : 1000);
  if (digits === '' || ms < 2000 || ms > 600_000) {
    throw new Error(`${JSON.stringify(value)} is no lease duration: expected 2s to 10m, such as 15s`);
  }
  return ms;
}

function bindAddress(value: string, flag: string): string {
  parseBindAddress(flag, value);
  return value;
}
