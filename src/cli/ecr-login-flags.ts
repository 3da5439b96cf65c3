import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import type { LogLevel } from '../base/log.ts';
import { completeTarget, parseConfig, type Target, targetFields } from '../ecr/config.ts';
import {
  FlagError,
  helpOf,
  kubeconfigFlag,
  logLevelFlag,
  many,
  nonEmpty,
  type Parse,
  parseFlags,
  single,
  toggle,
} from './flags.ts';

/** The flags of `capdeploy ecr-login`: a configuration file, or one target. */

/** Held against the same schema as the field in the file. */
function field<T>(schema: z.ZodType<T>): Parse<T> {
  return (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new Error(`${JSON.stringify(value)}: ${parsed.error.issues[0]?.message}`);
  };
}

const optional = <T>(value: string, schema: z.ZodType<T>, help: string) =>
  single<T | undefined>(value, undefined, field(schema), help);

/** An unset variable of a shell must not mean every namespace. */
function selector(value: string): string {
  if (value.trim() === '')
    throw new Error('"" would select every namespace: expected a label selector such as team=web');
  return value;
}

const TARGET_FLAGS = {
  'registry-id': many(
    'ACCOUNT',
    field(targetFields.registryIds.unwrap().element),
    "account id of a registry; may be given several times. Default: the credentials' own account",
  ),
  region: optional('REGION', targetFields.region, 'region of the registries. Default: AWS_REGION'),
  'role-arn': optional('ARN', targetFields.roleArn, 'IAM role to assume'),
  'external-id': optional('ID', targetFields.externalId, "external id that the role's trust policy asks for"),
  'secret-name': optional('NAME', targetFields.secretName, 'the Secret to create or patch'),
  namespace: many(
    'NAME',
    field(targetFields.namespaces.unwrap().element),
    'namespace of the Secret; may be given several times',
  ),
  'namespace-selector': single<string | undefined>(
    'SELECTOR',
    undefined,
    selector,
    'instead of --namespace: all namespaces with these labels, as in kubectl get -l',
  ),
  'service-account': many(
    'NAME',
    field(targetFields.serviceAccounts.unwrap().element),
    'ServiceAccount in each of the namespaces whose imagePullSecrets shall name the Secret; may be given several times',
  ),
};

export const ECR_LOGIN_FLAGS = {
  config: single<string | undefined>(
    'FILE',
    undefined,
    nonEmpty,
    'YAML file with several targets; without it the flags below say the one target',
  ),
  ...TARGET_FLAGS,
  once: toggle('one run, then exit: the default. Wins over CAPDEPLOY_INTERVAL in the environment'),
  interval: single<number | undefined>(
    'DURATION',
    undefined,
    duration,
    'run again and again, so long after each other, until stopped: 1m to 6h',
  ),
  'dry-run': toggle('ask ECR, and let the API server check every write, but store nothing'),
  kubeconfig: kubeconfigFlag,
  'log-level': logLevelFlag,
};

/** Tokens are good for 12 hours: with more than 6 between two runs, one that fails is the last chance. */
const LONGEST_INTERVAL_MS = 6 * 3600_000;
const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3600_000 };

function duration(value: string): number {
  const [, count, unit = ''] = /^([1-9][0-9]{0,5})([smh])$/.exec(value) ?? [];
  const ms = Number(count) * (UNITS[unit] ?? Number.NaN);
  if (!(ms >= 60_000 && ms <= LONGEST_INTERVAL_MS)) {
    throw new Error(`${JSON.stringify(value)} is no interval: expected 1m to 6h, such as 90m or 4h`);
  }
  return ms;
}

export interface EcrLoginSettings {
  targets: readonly Target[];
  /** Undefined: one run. */
  intervalMs: number | undefined;
  dryRun: boolean;
  kubeconfig: string | undefined;
  logLevel: LogLevel;
}

/**
 * Reads the flags that stand behind `capdeploy ecr-login`, and the file that they name.
 * @throws UsageError in one line that names the flag or the field of the file.
 */
export function parseEcrLogin(args: readonly string[], env: NodeJS.ProcessEnv): EcrLoginSettings {
  const { values, origins } = parseFlags(ECR_LOGIN_FLAGS, args, env);
  const interval = origins.get('interval');
  const once = origins.get('once');
  if (values.once && interval?.startsWith('--'))
    throw new FlagError(`${once}, ${interval}: only one of them can be meant`);
  const defaultRegion = env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined;
  return {
    targets: targetsOf(values, origins, defaultRegion),
    intervalMs: values.once ? undefined : values.interval,
    dryRun: values['dry-run'],
    kubeconfig: values.kubeconfig,
    logLevel: values['log-level'],
  };
}

type Parsed = ReturnType<typeof parseFlags<typeof ECR_LOGIN_FLAGS>>;

function targetsOf(values: Parsed['values'], origins: Parsed['origins'], defaultRegion: string | undefined): Target[] {
  const said = (Object.keys(TARGET_FLAGS) as (keyof typeof TARGET_FLAGS)[]).map((name) => origins.get(name));
  const target = said.find((origin) => origin !== undefined);
  if (values.config !== undefined) {
    if (target)
      throw new FlagError(
        `${origins.get('config')}, ${target}: targets come from the file or from flags, not from both`,
      );
    return parseConfig(read(values.config, origins.get('config') ?? ''), values.config, defaultRegion);
  }
  if (values['secret-name'] === undefined) {
    throw new FlagError('--config or --secret-name is needed: a file with targets, or flags for one target');
  }
  mayBe('registry-id', targetFields.registryIds, values['registry-id']);
  mayBe('namespace', targetFields.namespaces, values.namespace);
  mayBe('service-account', targetFields.serviceAccounts, values['service-account']);
  return [
    completeTarget(
      {
        label: 'target',
        registryIds: values['registry-id'],
        region: values.region,
        roleArn: values['role-arn'],
        externalId: values['external-id'],
        secretName: values['secret-name'],
        namespaces: values.namespace.length === 0 ? undefined : values.namespace,
        labelSelector: values['namespace-selector'],
        serviceAccounts: values['service-account'],
      },
      (name) => flagOf(name, origins),
      defaultRegion,
    ),
  ];
}

/** The bounds of a whole list, where the flag was given; each value of it was looked at before. */
function mayBe(flag: keyof typeof TARGET_FLAGS, schema: z.ZodType, list: readonly string[]): void {
  const problem = list.length === 0 ? undefined : schema.safeParse(list).error?.issues[0]?.message;
  if (problem !== undefined) throw new FlagError(`--${flag}: ${list.length} values, ${problem}`);
}

const FLAG_OF: Record<keyof typeof targetFields, keyof typeof TARGET_FLAGS> = {
  registryIds: 'registry-id',
  region: 'region',
  roleArn: 'role-arn',
  externalId: 'external-id',
  secretName: 'secret-name',
  namespaces: 'namespace',
  namespaceSelector: 'namespace-selector',
  serviceAccounts: 'service-account',
};

/** As the person wrote it: `--region`, or CAPDEPLOY_REGION. */
const flagOf = (name: keyof typeof targetFields, origins: Parsed['origins']): string =>
  origins.get(FLAG_OF[name]) ?? `--${FLAG_OF[name]}`;

function read(file: string, origin: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new FlagError(`${origin}: ${file} ${code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`}`);
  }
}

/** The part of `--help` about these flags. */
export const ecrLoginHelp = (): string => helpOf(ECR_LOGIN_FLAGS);
