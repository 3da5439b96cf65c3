import { z } from 'zod';
import { momentOf, RFC3339_PATTERN } from './rfc3339.ts';

/**
 * The message that producers put on the queue, as a zod schema. The operator parses with it, and the JSON Schema that
 * is published beside the CRD is generated from it.
 */

export const ENVIRONMENT_PATTERN = /^[A-Za-z0-9]([A-Za-z0-9_-]{0,48}[A-Za-z0-9])?$/;
/** A Rake task: words, joined by `:` or `-` (`puma:phased-restart`). It can be no option and no assignment. */
export const TASK_PATTERN = /^[a-z]\w*([:-]\w+)*$/;
export const REPOSITORY_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._/:@+~-]{0,139}$/;
/** A part of the rule for revisions; `revisionProblem` has all of it. */
export const REVISION_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._/@+-]{0,243}$/;
/** Id of a Slack channel. */
export const SLACK_CHANNEL_PATTERN = /^[A-Z0-9]{1,32}$/;
/** `ts` of a Slack message: seconds and a number that make it unique in its channel. */
export const SLACK_TS_PATTERN = /^[0-9]{1,16}\.[0-9]{1,16}$/;
/** An idempotency key: printable ASCII without blanks, so that it is compared, logged and stored as it is. */
export const ID_PATTERN = /^[!-~]{1,128}$/;

/**
 * How many of `<`, `>` and `&` a new id may have. The API server stores each in six bytes (Go's encoding/json): with a
 * thousand requests whose ids are nothing else, etcd would refuse the status.
 */
export const MOST_ESCAPED_IN_ID = 25;

/** The task of a message that names none. */
export const DEFAULT_TASK = 'deploy';

/** How far ahead `notBefore` may lie, in days. */
export const MOST_DAYS_AHEAD = 30;

/**
 * Capistrano's `deploy:rollback`, and tasks with such a name: `rollback`, `app:rollback`. Such a request concerns all
 * earlier requests, of any task.
 */
export const isRollback = (task: string): boolean => /(^|:)rollback$/.test(task);

/** A request's due time: the later of sent-at and `notBefore`. */
export const dueAtOf = (request: { sentAt: string; notBefore?: string | undefined }): string =>
  request.notBefore !== undefined && Date.parse(request.notBefore) > Date.parse(request.sentAt)
    ? request.notBefore
    : request.sentAt;

/**
 * Says what makes a revision unsafe on a command line; undefined if it is safe. Capistrano joins `git archive <branch>
 * | tar …` unquoted (capistrano#2187), and a legal branch name may hold `;`, `$(…)` and `${IFS}`. So this is narrower
 * than git-check-ref-format(1). Every producer and the deploy image's entrypoint have the same rule.
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

/** An optional field. `null` means the same as no field: many producers write it if they have no value. */
const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value): z.output<T> | undefined => value ?? undefined);

/** Characters of a text for people; a longer one is rejected. */
export const MOST_READ_OF_TEXT = 65_536;

/** Text for people: any string. Parsing cuts it and removes control characters. */
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
        channel: z.string().regex(SLACK_CHANNEL_PATTERN),
        threadTs: optional(z.string().regex(SLACK_TS_PATTERN)),
      }),
    ).describe('The Slack thread that the result is reported to.'),
  })
  .meta({
    title: 'CapDeployJob message',
    description:
      'A deploy request on the SQS queue of a CapDeployJob. Keys are read without regard to case; unknown keys are ignored.',
  });

/** The fields that a message must have. In every other field `null` is the same as no field. */
export const REQUIRED_FIELDS: ReadonlySet<string> = new Set(
  Object.entries(deployMessageSchema.shape).flatMap(([name, field]) =>
    field.safeParse(undefined).success ? [] : [name],
  ),
);

/** The keys of a field, first its own name. They are compared without regard to case. */
export const MESSAGE_ALIASES = {
  repository: ['repository', 'repo'],
  environment: ['environment', 'env'],
  revision: ['revision', 'hash'],
} as const;

/** What is kept of a text for people, in UTF-16 units. */
export const MAX_TEXT_LENGTH = 256;

/** An accepted message, checked by the schema and by the resource. */
export interface DeployRequest {
  /** Idempotency key: the producer's, or the message's own id. */
  readonly id: string;
  readonly messageId: string;
  /** SQS's authenticated sender; '' if the server gave none. */
  readonly senderId: string;
  readonly repository: string;
  readonly environment: string;
  readonly task: string;
  readonly revision: string | undefined;
  /** RFC 3339 in UTC with milliseconds: the earliest of the queue's stamp, the envelope's and the message's. */
  readonly sentAt: string;
  /** RFC 3339 in UTC with milliseconds: it must not start before this. */
  readonly notBefore: string | undefined;
  /** RFC 3339 in UTC with milliseconds: it must not start at or after this. */
  readonly expiresAt: string | undefined;
  readonly requestedBy: string | undefined;
  readonly reason: string | undefined;
  readonly source: string | undefined;
  readonly slack: { readonly channel: string; readonly threadTs: string | undefined } | undefined;
}
