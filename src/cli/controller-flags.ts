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
import { addressFlags, queueFlags } from './shared-flags.ts';

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
  ...addressFlags,
  'log-level': logLevelFlag,
  ...queueFlags,
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
