import { parseArgs } from 'node:util';
import { isLogLevel, LOG_LEVELS, type LogLevel } from '../base/log.ts';
import { UsageError } from '../base/usage-error.ts';

/**
 * Reads, checks and explains the flags of a command, from one table. Each flag can also come as CAPDEPLOY_<FLAG> from
 * the environment, which a manifest patches most easily. The command line wins.
 */

/** A mistake in the command line or the environment, in one line for the person at the terminal: exit code 2. */
export class FlagError extends UsageError {
  override readonly name = 'FlagError';
}

/** Checks one value of `--flag`. @throws Error whose message holds the value found and what is allowed. */
export type Parse<T> = (value: string, flag: string) => T;

export interface Flag<T> {
  /** Name of the value in the help. */
  value: string;
  help: string;
  parse: Parse<T>;
  default: T | T[];
  repeatable: boolean;
  /** Needs no value: `--dry-run` alone is true. */
  toggle?: boolean;
}

type Single<T> = Flag<T> & { repeatable: false };
type Many<T> = Flag<T> & { repeatable: true };

export function single<T>(value: string, fallback: T, parse: Parse<T>, help: string): Single<T> {
  return { value, help, parse, default: fallback, repeatable: false };
}

export function many<T>(value: string, parse: Parse<T>, help: string): Many<T> {
  return { value, help, parse, default: [], repeatable: true };
}

/** true or false; `--name` alone is true. Default false. */
export function toggle(help: string): Single<boolean> {
  return { ...single('true|false', false, trueOrFalse, help), toggle: true };
}

/** Flags of every command. */
export const kubeconfigFlag = single<string | undefined>(
  'FILE',
  undefined,
  nonEmpty,
  'kubeconfig to use. Default: the files in KUBECONFIG, else the service account of the Pod, else ~/.kube/config',
);
export const logLevelFlag = single<LogLevel>('LEVEL', 'info', logLevel, `${LOG_LEVELS.join(', ')}. Default: info`);

type Value<F> = F extends { repeatable: true; parse: Parse<infer T> }
  ? T[]
  : F extends { parse: Parse<infer T> }
    ? T
    : never;
export type Values<Table> = { [K in keyof Table]: Value<Table[K]> };

/** A table without the types of its values. */
type FlagTable = Record<string, Flag<unknown>>;

export interface ParsedFlags<Table> {
  values: Values<Table>;
  /** The origin of each flag that was given, as it was written: `--log-level` or CAPDEPLOY_LOG_LEVEL. */
  origins: ReadonlyMap<keyof Table & string, string>;
}

/**
 * Reads the flags that stand behind `capdeploy <command>`.
 * @throws FlagError for the first flag that is unknown, has no value, or has one that is not allowed.
 */
export function parseFlags<Table extends { [K in keyof Table]: Flag<never> | Flag<unknown> }>(
  typedTable: Table,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): ParsedFlags<Table> {
  const table = typedTable as unknown as FlagTable;
  const given = commandLine(table, args);
  const values: Record<string, unknown> = {};
  const origins = new Map<keyof Table & string, string>();
  for (const [name, flag] of Object.entries(table)) {
    const found = given.get(name) ?? environment(name, flag, env);
    if (found[0] !== undefined) origins.set(name as keyof Table & string, found[0].origin);
    const parsed = found.map(({ origin, value }) => {
      try {
        return flag.parse(value, `--${name}`);
      } catch (error) {
        // Parsers of other rooms begin with the name of the flag, but the value may have come from the environment.
        const problem = (error as Error).message.replace(`--${name}: `, '');
        throw new FlagError(`${origin}: ${problem}`);
      }
    });
    if (flag.repeatable) values[name] = parsed;
    // As in Go's flag package: of a flag that is given twice the last one counts.
    else values[name] = parsed.length > 0 ? parsed.at(-1) : flag.default;
  }
  return { values: values as Values<Table>, origins };
}

interface Found {
  /** As in ParsedFlags.origins. */
  origin: string;
  value: string;
}

/**
 * Uses only the tokens of parseArgs: its `strict` throws paragraphs, and takes `--kubeconfig --namespace` for a file.
 */
function commandLine(table: FlagTable, args: readonly string[]): Map<string, Found[]> {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, flag]) => [
      name,
      { type: flag.toggle ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const given = new Map<string, Found[]>();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional')
      throw new FlagError(`${JSON.stringify(token.value)}: no argument is allowed here, only flags`);
    if (!Object.hasOwn(table, token.name)) {
      throw new FlagError(
        `${token.rawName}: unknown flag, allowed are ${Object.keys(table)
          .map((name) => `--${name}`)
          .join(', ')}`,
      );
    }
    if (table[token.name]?.toggle && token.value === undefined) {
      given.set(token.name, [...(given.get(token.name) ?? []), { origin: token.rawName, value: 'true' }]);
      continue;
    }
    if (token.value === undefined || (!token.inlineValue && token.value.startsWith('-'))) {
      throw new FlagError(
        `${token.rawName}: no value found, ${table[token.name]?.value} is needed (${token.rawName}=…)`,
      );
    }
    given.set(token.name, [...(given.get(token.name) ?? []), { origin: token.rawName, value: token.value }]);
  }
  return given;
}

/**
 * Reads only the names in the table. An unknown CAPDEPLOY_… is no mistake: Kubernetes puts such variables into every
 * Pod beside a Service whose name begins with "capdeploy".
 */
function environment(name: string, flag: Flag<unknown>, env: NodeJS.ProcessEnv): Found[] {
  const origin = environmentName(name);
  const value = env[origin];
  // An empty value is how a manifest restores a default.
  if (value === undefined || value.trim() === '') return [];
  const values = flag.repeatable ? value.split(/[,\n]/) : [value];
  return values.map((one) => ({ origin, value: one.trim() })).filter((found) => found.value !== '');
}

export const environmentName = (flag: string): string => `CAPDEPLOY_${flag.toUpperCase().replaceAll('-', '_')}`;

/** The part of `--help` about the flags of a table. */
export function helpOf(table: object): string {
  return Object.entries(table as FlagTable)
    .map(([name, flag]) => `  --${name}${flag.toggle ? '' : ` ${flag.value}`}\n      ${flag.help}`)
    .join('\n');
}

export function nonEmpty(value: string): string {
  if (value === '') throw new Error('"" is no path: expected the name of a file');
  return value;
}

export function namespace(value: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value)) {
    throw new Error(`${JSON.stringify(value)} is no namespace: expected 1 to 63 of a-z 0-9 -, first and last no -`);
  }
  return value;
}

function logLevel(value: string): LogLevel {
  if (!isLogLevel(value))
    throw new Error(`${JSON.stringify(value)} is no log level: expected one of ${LOG_LEVELS.join(', ')}`);
  return value;
}

function trueOrFalse(value: string): boolean {
  if (value !== 'true' && value !== 'false') throw new Error(`${JSON.stringify(value)}: expected true or false`);
  return value === 'true';
}
