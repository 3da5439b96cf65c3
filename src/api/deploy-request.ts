import { z } from 'zod';
import { momentOf, RFC3339_PATTERN } from './rfc3339.ts';

/**
 * The message that producers put on the queue, as a zod schema: the operator parses with it and the JSON Schema
 * that is published beside the CRD is made of it.
 */

export const ENVIRONMENT_PATTERN = /^[A-Za-z0-9]([A-Za-z0-9_-]{0,48}[A-Za-z0-9])?$/;
/**
 * A Rake task: words, joined by `:` or `-` (`puma:phased-restart`). None can be an option or an assignment.
 */
export const TASK_PATTERN = /^[a-z]\w*([:-]\w+)*$/;
export const REPOSITORY_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._/:@+~-]{0,139}$/;
/** What a revision may look like at all; `revisionProblem` holds the whole rule. */
export const REVISION_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._/@+-]{0,243}$/;
/** An idempotency key: printable ASCII without blanks, so that it can be compared, logged and stored as it is. */
export const ID_PATTERN = /^[!-~]{1,128}$/;

/**
 * So many of `<`, `>` and `&` may a new id have: the API server stores each in six bytes (Go's encoding/json), and a thousand requests whose ids
 * are nothing else would make a status that etcd refuses.
 */
export const MOST_ESCAPED_IN_ID = 25;

/** The task of a message that names none. */
export const DEFAULT_TASK = 'deploy';

/** How far ahead `notBefore` may lie, in days. */
export const MOST_DAYS_AHEAD = 30;

/**
 * Capistrano's `deploy:rollback`, and tasks that others call so: `rollback`, `app:rollback`. Such a request is about everything that was
 * asked for before it, whatever the task.
 */
export const isRollback = (task: string): boolean => /(^|:)rollback$/.test(task);

/** A request's due time: the later of sent-at and `notBefore`. */
export const dueAtOf = (request: { sentAt: string; notBefore?: string | undefined }): string =>
  request.notBefore !== undefined && Date.parse(request.notBefore) > Date.parse(request.sentAt)
    ? request.notBefore
    : request.sentAt;

/**
 * Says what makes a revision unfit for a command line, or undefined where it is fit.
 * Capistrano joins `git archive <branch> | tar …` unquoted (capistrano#2187), and a legal branch name may hold `;`, `$(…)` and `${IFS}`:
 * so this is narrower than git-check-ref-format(1). The same rule stands in every producer and in the deploy image's entrypoint.
 */
export function revisionProblem(revision: string): string | undefined {
  if (!REVISION_PATTERN.test(revision)) {
    return 'must be 1 to 244 of the characters A-Z a-z 0-9 . _ / @ + - and start with a letter or a digit';
  }
  for (const part of ['..', '//', '@{']) if (revision.includes(part)) return `must not contain "${part}"`;
  if (/\.lock(\/|$)/.test(revision)) return 'must not have a part that ends in ".lock"';
  if (/[/.]$/.test(revision)) return 'must not end in "/" or "."';
  return undefined;
}

const MAX_TEXT = 256;

/** A field that may be left out. `null` says the same: many producers write one for what they have no value for. */
const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value): z.output<T> | undefined => value ?? undefined);

/** Characters of a text for people that are read at all. */
export const MOST_READ_OF_TEXT = 65_536;

/** Text for people: any string; what is kept of it is bounded and stripped of control characters when it is parsed. */
const text = (description: string) => optional(z.string().max(MOST_READ_OF_TEXT)).describe(description);

const time = (description: string) =>
  optional(
    z
      .string()
      .regex(RFC3339_PATTERN)
      .refine((value) => momentOf(value) !== undefined)
      .meta({ format: 'date-time' }),
  ).describe(description);

export const deployMessageSchema = z
  .looseObject({
    repository: z
      .string()
      .regex(REPOSITORY_PATTERN)
      .describe('Repository to deploy, as the resource\'s "repositories" names it. Alias: "repo".'),
    environment: z
      .string()
      .regex(ENVIRONMENT_PATTERN)
      .describe('Capistrano stage; must be one of the resource\'s "environments". Alias: "env".'),
    revision: optional(z.string().regex(REVISION_PATTERN)).describe(
      'Tag, branch or commit. May be missing only where "task" is not "deploy". Alias: "hash".',
    ),
    task: optional(z.string().max(100).regex(TASK_PATTERN))
      .transform((task) => task ?? DEFAULT_TASK)
      .meta({ default: DEFAULT_TASK })
      .describe('Capistrano task; must be one of the resource\'s "tasks".'),
    id: optional(z.string().regex(ID_PATTERN)).describe(
      `The producer's idempotency key: the same id for the same environment is one deploy. Of <, > and & it has ${MOST_ESCAPED_IN_ID} at most. Default: the message's own id.`,
    ),
    sentAt: time("RFC 3339. When the request was made; the earlier of this and the queue's own stamp counts."),
    notBefore: time('RFC 3339. The deploy does not start before this moment; at most 30 days ahead.'),
    expiresAt: time(
      'RFC 3339. A request that has not started by this moment is Missed (Expired); must be after "notBefore".',
    ),
    requestedBy: text('Who asked for the deploy; a claim, not proof.'),
    reason: text('Why.'),
    source: text('Where the request comes from, for example a CI run.'),
    slack: optional(
      z.looseObject({
        channel: z.string().regex(/^[A-Z0-9]{1,32}$/),
        threadTs: optional(z.string().regex(/^[0-9]{1,16}\.[0-9]{1,16}$/)),
      }),
    ).describe('The Slack thread that the result is reported to.'),
  })
  .meta({
    title: 'CapDeployJob message',
    description:
      'A deploy request on the SQS queue of a CapDeployJob. Keys are read without regard to case; unknown keys are ignored.',
  });

/** The fields of a message that must be there; in every other one `null` is the same as nothing. */
export const REQUIRED_FIELDS: ReadonlySet<string> = new Set(
  Object.entries(deployMessageSchema.shape).flatMap(([name, field]) =>
    field.safeParse(undefined).success ? [] : [name],
  ),
);

/** The keys under which a field may come, first its own name; compared without regard to case. */
export const MESSAGE_ALIASES = {
  repository: ['repository', 'repo'],
  environment: ['environment', 'env'],
  revision: ['revision', 'hash'],
} as const;

/** Bounds a text for people, in UTF-16 units, after it was stripped of control characters. */
export const MAX_TEXT_LENGTH = MAX_TEXT;

/** An accepted message: everything in it has been checked against the schema and against the resource. */
export interface DeployRequest {
  /** Idempotency key: the producer's, or the message's own id. */
  readonly id: string;
  readonly messageId: string;
  /** SQS's authenticated sender; '' where the server gave none. */
  readonly senderId: string;
  readonly repository: string;
  readonly environment: string;
  readonly task: string;
  readonly revision: string | undefined;
  /** RFC 3339 in UTC with milliseconds: the earliest of the queue's stamp, the envelope's and the message's. */
  readonly sentAt: string;
  /** RFC 3339 in UTC with milliseconds: it is not to start before this. */
  readonly notBefore: string | undefined;
  /** RFC 3339 in UTC with milliseconds: it is not to start at or after this. */
  readonly expiresAt: string | undefined;
  readonly requestedBy: string | undefined;
  readonly reason: string | undefined;
  readonly source: string | undefined;
  readonly slack: { readonly channel: string; readonly threadTs: string | undefined } | undefined;
}
