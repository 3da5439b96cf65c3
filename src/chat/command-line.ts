import { parseArgs } from 'node:util';
import {
  ENVIRONMENT_PATTERN,
  ID_PATTERN,
  MAX_TEXT_LENGTH,
  REPOSITORY_PATTERN,
  revisionProblem,
  TASK_PATTERN,
} from '../api/deploy-request.ts';
import { plain } from '../text/truncate.ts';
import { readAt, readIn, type Said, type TimeProblem } from './when.ts';
import { wordsOf } from './words.ts';

export type Field = 'repository' | 'environment' | 'revision' | 'task' | 'reason' | 'job' | 'in' | 'at';

/** What a command takes. */
interface Form {
  /** In other languages, as NFKC writes them. */
  readonly otherNames?: readonly string[];
  /** What words without an option are, in this order. */
  readonly words: readonly Field[];
  /** Of which the last one takes all words that are left. */
  readonly takesRest?: true;
  /** Fields that have only an option. */
  readonly options?: readonly Field[];
  /** What must be there. What `deploy` lacks is asked for in the form. */
  readonly required?: readonly Field[];
}

const LANE: readonly Field[] = ['repository', 'environment'];
const OF_A_JOB: Form = { words: [...LANE, 'job'], required: LANE };

/** The commands, for the parser and the documentation. */
export const FORMS = {
  deploy: {
    otherNames: ['デプロイ'],
    words: [...LANE, 'revision'],
    options: ['task', 'reason', 'in', 'at'],
  },
  retry: OF_A_JOB,
  rollback: OF_A_JOB,
  abort: OF_A_JOB,
  approve: OF_A_JOB,
  freeze: { otherNames: ['凍結'], words: [...LANE, 'reason'], takesRest: true, required: [...LANE, 'reason'] },
  unfreeze: { otherNames: ['解除'], words: LANE, required: LANE },
  status: { otherNames: ['状態'], words: ['repository'] },
  queue: { words: ['repository'], required: ['repository'] },
  history: { otherNames: ['履歴'], words: LANE, required: ['repository'] },
  whoami: { words: [] },
  help: { otherNames: ['ヘルプ'], words: [] },
} as const satisfies Record<string, Form>;

/** What a person may ask of the bot. */
export type Verb = keyof typeof FORMS;
export const VERBS = Object.keys(FORMS) as readonly Verb[];

/**
 * The names of options, long and short, and the field that each gives. `--hash`, `--repo` and `--env` are names of the
 * message's own.
 */
export const OPTIONS: Readonly<Record<string, { field: Field; short?: string }>> = {
  repository: { field: 'repository', short: 'r' },
  repo: { field: 'repository' },
  environment: { field: 'environment', short: 'e' },
  env: { field: 'environment' },
  revision: { field: 'revision', short: 'h' },
  hash: { field: 'revision' },
  task: { field: 'task', short: 't' },
  reason: { field: 'reason' },
  job: { field: 'job' },
  in: { field: 'in' },
  at: { field: 'at' },
};

/** A line that was understood. A field that the line did not name is not there. */
export interface Command {
  readonly verb: Verb;
  readonly repository?: string;
  readonly environment?: string;
  readonly revision?: string;
  readonly task?: string;
  readonly reason?: string;
  readonly job?: string;
  /** RFC 3339 in UTC with milliseconds. */
  readonly notBefore?: string;
}

/** Why a line was not understood, for the bot to say in the asker's language. */
export type CommandProblem =
  | { kind: 'openQuote' }
  | { kind: 'unknownCommand'; found: string }
  | { kind: 'unknownOption'; found: string; verb: Verb; known: readonly string[] }
  | { kind: 'noValue'; option: string }
  | { kind: 'twice'; field: Field }
  | { kind: 'inAndAt' }
  | { kind: 'tooManyWords'; found: readonly string[]; verb: Verb }
  | { kind: 'missing'; fields: readonly Field[]; verb: Verb }
  | { kind: 'badTime'; field: 'in' | 'at'; found: string; problem: TimeProblem }
  | { kind: 'badValue'; field: Field; found: string; problem: string | undefined };

/** What is wrong with a value, by the operator's own rules; '' if the field's name says enough. */
const PROBLEMS: Partial<Record<Field, (value: string) => string | undefined>> = {
  repository: (value) => (REPOSITORY_PATTERN.test(value) ? undefined : ''),
  environment: (value) => (ENVIRONMENT_PATTERN.test(value) ? undefined : ''),
  revision: revisionProblem,
  task: (value) => (value.length <= 100 && TASK_PATTERN.test(value) ? undefined : ''),
  // A Job's name, an end of it, or the id of a request.
  job: (value) => (ID_PATTERN.test(value) ? undefined : ''),
};

/**
 * Reads a command.
 * @param line as `fold` left it, without the mention of the bot
 * @param said when the line was said, for `--in` and `--at`
 */
export function parseCommandLine(line: string, said: Said): { command: Command } | { problem: CommandProblem } {
  const words = wordsOf(line);
  if (!words) return { problem: { kind: 'openQuote' } };
  const [name = 'help', ...rest] = words;
  const verb = verbOf(name);
  if (!verb) return { problem: { kind: 'unknownCommand', found: name } };
  const read = readFields(verb, rest);
  if ('problem' in read) return read;
  const { in: wait, at, reason, ...fields } = read.fields;
  const given = Object.entries(fields) as [Field, string][];
  for (const [field, value] of given) {
    const problem = PROBLEMS[field]?.(value);
    if (problem !== undefined) {
      return { problem: { kind: 'badValue', field, found: value, problem: problem || undefined } };
    }
  }
  const time = readTime(wait, at, said);
  if (time && 'problem' in time) return time;
  const why = reason === undefined ? '' : plain(reason, MAX_TEXT_LENGTH);
  return { command: { verb, ...fields, ...(why && { reason: why }), ...time } };
}

/** Whether the first word of a line, as `fold` left it, is a command. */
export const beginsWithVerb = (line: string): boolean => verbOf(line.trimStart().split(' ', 1)[0] ?? '') !== undefined;

function verbOf(name: string): Verb | undefined {
  const wanted = name.toLowerCase();
  return VERBS.find((verb) => verb === wanted || (FORMS[verb] as Form).otherNames?.includes(wanted));
}

type Fields = Partial<Record<Field, string>>;

function readFields(verb: Verb, words: readonly string[]): { fields: Fields } | { problem: CommandProblem } {
  const form: Form = FORMS[verb];
  const allowed = new Set<Field>([...form.words, ...(form.options ?? [])]);
  const known = Object.keys(OPTIONS).filter((name) => allowed.has(OPTIONS[name]!.field));
  const { tokens } = parseArgs({
    args: words.map(lowerOption),
    options: Object.fromEntries(known.map((name) => [name, { ...OPTIONS[name], type: 'string' as const }])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const fields: Fields = {};
  const plainWords: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') plainWords.push(token.value);
    if (token.kind !== 'option') continue;
    const field = Object.hasOwn(OPTIONS, token.name) ? OPTIONS[token.name]!.field : undefined;
    if (!field || !allowed.has(field)) return { problem: { kind: 'unknownOption', found: token.rawName, verb, known } };
    // A value that looks like an option is one: the value before it was forgotten.
    if (!token.value || (!token.inlineValue && token.value.startsWith('-'))) {
      return { problem: { kind: 'noValue', option: token.rawName } };
    }
    if (fields[field] !== undefined) return { problem: { kind: 'twice', field } };
    fields[field] = token.value;
  }
  return withWords(verb, fields, plainWords);
}

/** Gives the words without an option their fields. */
function withWords(
  verb: Verb,
  fields: Fields,
  words: readonly string[],
): { fields: Fields } | { problem: CommandProblem } {
  const form: Form = FORMS[verb];
  // `freeze web production -r …`: a field that an option gave takes no word.
  const open = form.words.filter((field) => fields[field] === undefined);
  for (const [place, field] of open.entries()) {
    const value = form.takesRest && field === form.words.at(-1) ? words.slice(place).join(' ') : words[place];
    if (value) fields[field] = value;
  }
  const tooMany = words.slice(open.length);
  const tookRest = form.takesRest && open.at(-1) === form.words.at(-1);
  if (tooMany.length > 0 && !tookRest) {
    return { problem: { kind: 'tooManyWords', found: tooMany, verb } };
  }
  const missing = (form.required ?? []).filter((field) => fields[field] === undefined);
  return missing.length > 0 ? { problem: { kind: 'missing', fields: missing, verb } } : { fields };
}

function readTime(
  wait: string | undefined,
  at: string | undefined,
  said: Said,
): { notBefore: string } | { problem: CommandProblem } | undefined {
  if (wait !== undefined && at !== undefined) return { problem: { kind: 'inAndAt' } };
  const found = wait ?? at;
  if (found === undefined) return undefined;
  const moment = wait !== undefined ? readIn(found, said) : readAt(found, said);
  if (typeof moment === 'number') return { notBefore: new Date(moment).toISOString() };
  return { problem: { kind: 'badTime', field: wait !== undefined ? 'in' : 'at', found, problem: moment } };
}

/** Names of options are read without regard to case. `-env` is `--env`: nobody has an environment called `nv`. */
function lowerOption(word: string): string {
  const [, dashes, name = '', rest = ''] = /^(--?)([A-Za-z]+)(=.*)?$/s.exec(word) ?? [];
  if (dashes === undefined) return word;
  const lower = name.toLowerCase();
  if (name.length > 1 && Object.hasOwn(OPTIONS, lower)) return `--${lower}${rest}`;
  return dashes === '--' || name.length === 1 ? dashes + lower + rest : word;
}
