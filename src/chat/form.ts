import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { CapDeployJobStatus } from '../api/capdeployjob.ts';
import { DEFAULT_TASK, MAX_TEXT_LENGTH } from '../api/deploy-request.ts';
import { plain } from '../text/truncate.ts';
import { fold } from './fold.ts';
import { optionValue } from './options.ts';
import type { Target } from './target.ts';
import { LANGUAGES } from './texts/language.ts';

/** The form of `deploy`: what it is made of, and how it is read. Pure. */

/** Action ids, each once in a view. */
export const FORM_ACTIONS = {
  channel: 'form-channel',
  repository: 'form-repository',
  environment: 'form-environment',
  revision: 'form-revision',
  /** A revision that is longer than an option of a menu can be. */
  longRevision: 'form-long-revision',
  task: 'form-task',
  reason: 'form-reason',
  notBefore: 'form-not-before',
  /** From the question back to the form. */
  back: 'form-back',
} as const;

/** Callback ids of the views that are submitted. */
export const FORM_VIEWS = { form: 'form', confirm: 'form-confirm' } as const;

/** The option of the menu of revisions that asks for a field of its own. No revision begins so. */
export const LONG_REVISION = '+';

/** What was chosen and typed. Nothing of it gives a right. */
const chosenFields = z.strictObject({
  /** The value of an option, by `choiceValue`. */
  repository: z.string().max(75).optional(),
  environment: z.string().max(50).optional(),
  revision: z.string().max(244).optional(),
  task: z.string().max(100).optional(),
  reason: z.string().max(MAX_TEXT_LENGTH).optional(),
  /** Epoch seconds. */
  notBefore: z.int().optional(),
});
export type Chosen = z.output<typeof chosenFields>;

/**
 * `private_metadata` of a view: 3,000 characters, of our own, which the person does not see and cannot change. It holds
 * names and gives no right: at each step the person is authorised anew, for this channel too.
 */
const formMetadata = z.strictObject({
  language: z.enum(LANGUAGES),
  /** Where the form was opened, or was chosen in it. */
  channel: z.string().max(32).optional(),
  threadTs: z.string().max(40).optional(),
  /** The channel is chosen in the form, so the person has to be a member of it. */
  picksChannel: z.boolean(),
  /** A form holds its repository and environment here; the question holds all that is sent. */
  chosen: chosenFields,
  /** The revision that the question named as the one that runs; '' if none was known. */
  shown: z.string().max(244).optional(),
});
export type FormMetadata = z.output<typeof formMetadata>;

/** @returns undefined for what no form of this version has */
export function readMetadata(text: string): FormMetadata | undefined {
  try {
    return formMetadata.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** A repository that a person may deploy to, as the form offers it. */
export interface Choice {
  readonly target: Target;
  /** As messages to the target name it. */
  readonly repository: string;
}

/** In a menu two targets may have the same repository. */
export const choiceValue = ({ target, repository }: Choice): string => optionValue(`${target.name} ${repository}`);

export const choicesOf = (targets: readonly Target[]): Choice[] =>
  targets.flatMap((target) => target.repositories.map((repository) => ({ target, repository })));

/** Fields of a view: by block id, then action id. */
type Values = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/** @returns what stands in the fields of a view; a field that is empty is missing */
export function readFields(values: Values): Chosen & { channel?: string } {
  const fields = Object.assign({}, ...Object.values(values)) as Record<string, string | readonly string[]>;
  const read = (action: string): string | undefined => {
    const value = Object.hasOwn(fields, action) ? fields[action] : undefined;
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const reason = plain(read(FORM_ACTIONS.reason) ?? '', MAX_TEXT_LENGTH);
  const seconds = Number(read(FORM_ACTIONS.notBefore) ?? Number.NaN);
  const revision = fold(read(FORM_ACTIONS.longRevision) ?? read(FORM_ACTIONS.revision) ?? '');
  return defined({
    channel: read(FORM_ACTIONS.channel),
    repository: read(FORM_ACTIONS.repository),
    environment: read(FORM_ACTIONS.environment),
    revision: revision || undefined,
    task: read(FORM_ACTIONS.task),
    reason: reason || undefined,
    notBefore: Number.isSafeInteger(seconds) ? seconds : undefined,
  });
}

const defined = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };

export type FormField = Exclude<keyof typeof FORM_ACTIONS, 'longRevision' | 'back'>;

/**
 * Slack keeps what stands in a block of the same id. So what is offered for another channel or repository stands in
 * another block.
 * @param about what the options of the field depend on
 */
export const blockId = (field: FormField, about: readonly string[] = []): string =>
  about.length === 0 ? field : `${field}:${createHash('sha256').update(about.join(' ')).digest('hex').slice(0, 12)}`;

/** @returns the block of a field in a view as it was submitted; undefined if it has no such field */
export const blockOf = (field: FormField, values: Values): string | undefined =>
  Object.keys(values).find((id) => id.split(':', 1)[0] === field);

export interface RecentRevision {
  readonly revision: string;
  readonly environment: string;
  readonly result: string;
  /** RFC 3339. */
  readonly finishedAt: string;
}

/**
 * @param isOpen whether the reader may see an environment
 * @returns each revision of a repository that was deployed, where and how the last time; the newest first
 */
export function recentRevisions(
  status: CapDeployJobStatus | undefined,
  repository: string,
  isOpen: (environment: string) => boolean = () => true,
): RecentRevision[] {
  const recent = new Map<string, RecentRevision>();
  for (const { task, repository: of, revision, environment, result, finishedAt } of status?.history ?? []) {
    if (task !== DEFAULT_TASK || of !== repository || !isOpen(environment)) continue;
    if (revision === undefined || recent.has(revision)) continue;
    recent.set(revision, { revision, environment, result, finishedAt });
  }
  return [...recent.values()];
}
