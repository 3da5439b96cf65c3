import { parseArgs } from 'node:util';
import { parseBindAddress } from './observability/health.ts';
import { isLogLevel, LOG_LEVELS, type LogLevel } from './observability/logger.ts';
import { parseAllowedOrigin, parseAllowQueue } from './sqs/allow-queue.ts';

/**
 * The flags of `capdeploy controller` (contract, section 7): read, checked and explained from one table. Each can also come as
 * CAPDEPLOY_<FLAG> from the environment, which is what a manifest patches most easily; the command line wins.
 */

/** What is wrong with the command line or the environment, in one line for the person at the terminal: exit code 2. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

/** Checks one value; `flag` is its name with the dashes. Throws an Error whose message holds the value found and what is allowed. */
type Parse<T> = (value: string, flag: string) => T;

interface Flag<T> {
  /** How the value is called in the help. */
  value: string;
  help: string;
  parse: Parse<T>;
  default: T | T[];
  repeatable: boolean;
}

const single = <T>(value: string, fallback: T, parse: Parse<T>, help: string): Flag<T> & { repeatable: false } => ({
  value,
  help,
  parse,
  default: fallback,
  repeatable: false,
});
const many = <T>(value: string, parse: Parse<T>, help: string): Flag<T> & { repeatable: true } => ({
  value,
  help,
  parse,
  default: [],
  repeatable: true,
});

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

type Value<F> = F extends { repeatable: true; parse: Parse<infer T> }
  ? T[]
  : F extends { parse: Parse<infer T> }
    ? T
    : never;
export type ControllerFlags = { [K in keyof typeof FLAGS]: Value<(typeof FLAGS)[K]> };

/** The same table without the types of its values, to walk through. */
const TABLE: Record<string, Flag<unknown>> = FLAGS;

/**
 * Reads the flags that stand behind `capdeploy controller`.
 * @throws FlagError for the first flag that is unknown, has no value, or has one that is not allowed.
 */
export function parseControllerFlags(args: readonly string[], env: NodeJS.ProcessEnv): ControllerFlags {
  const given = commandLine(args);
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(TABLE)) {
    const found = given.get(name) ?? environment(name, flag, env);
    const parsed = found.map(({ origin, value }) => {
      try {
        return flag.parse(value, `--${name}`);
      } catch (error) {
        // Other rooms' parsers begin with the name of the flag; here the value may have come from the environment.
        const problem = (error as Error).message.replace(`--${name}: `, '');
        throw new FlagError(`${origin}: ${problem}`);
      }
    });
    if (flag.repeatable) values[name] = parsed;
    // As Go's flag package has it: of a flag that is given twice the last one counts.
    else values[name] = parsed.length > 0 ? parsed.at(-1) : flag.default;
  }
  return values as ControllerFlags;
}

interface Found {
  /** As the person wrote it: `--log-level` or CAPDEPLOY_LOG_LEVEL. */
  origin: string;
  value: string;
}

/** parseArgs is asked for tokens only: its own strictness throws paragraphs, and takes `--kubeconfig --namespace x` for a file name. */
function commandLine(args: readonly string[]): Map<string, Found[]> {
  const options = Object.fromEntries(Object.keys(TABLE).map((name) => [name, { type: 'string' as const }]));
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const given = new Map<string, Found[]>();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional')
      throw new FlagError(`${JSON.stringify(token.value)}: no argument is allowed here, only flags`);
    if (!Object.hasOwn(TABLE, token.name)) {
      throw new FlagError(
        `${token.rawName}: unknown flag, allowed are ${Object.keys(TABLE)
          .map((name) => `--${name}`)
          .join(', ')}`,
      );
    }
    if (token.value === undefined || (!token.inlineValue && token.value.startsWith('-'))) {
      throw new FlagError(
        `${token.rawName}: no value found, ${TABLE[token.name]?.value} is needed (${token.rawName}=…)`,
      );
    }
    given.set(token.name, [...(given.get(token.name) ?? []), { origin: token.rawName, value: token.value }]);
  }
  return given;
}

/**
 * Only the names in the table are looked at: an unknown CAPDEPLOY_… is no mistake, for Kubernetes puts such variables into every Pod beside
 * a Service whose name begins with "capdeploy".
 */
function environment(name: string, flag: Flag<unknown>, env: NodeJS.ProcessEnv): Found[] {
  const origin = environmentName(name);
  const value = env[origin];
  // Set to nothing is how a manifest takes a default back.
  if (value === undefined || value.trim() === '') return [];
  const values = flag.repeatable ? value.split(/[,\n]/) : [value];
  return values.map((one) => ({ origin, value: one.trim() })).filter((found) => found.value !== '');
}

export const environmentName = (flag: string): string => `CAPDEPLOY_${flag.toUpperCase().replaceAll('-', '_')}`;

/** The part of `--help` about these flags. */
export function controllerHelp(): string {
  return Object.entries(TABLE)
    .map(([name, flag]) => `  --${name} ${flag.value}\n      ${flag.help}`)
    .join('\n');
}

function nonEmpty(value: string): string {
  if (value === '') throw new Error('"" is no path: expected the name of a file');
  return value;
}

function namespace(value: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value)) {
    throw new Error(`${JSON.stringify(value)} is no namespace: expected 1 to 63 of a-z 0-9 -, first and last no -`);
  }
  return value;
}

function bindAddress(value: string, flag: string): string {
  parseBindAddress(flag, value);
  return value;
}

function logLevel(value: string): LogLevel {
  if (!isLogLevel(value))
    throw new Error(`${JSON.stringify(value)} is no log level: expected one of ${LOG_LEVELS.join(', ')}`);
  return value;
}
