import type { CapDeployJobSpec, RejectionEntry } from '../api/capdeployjob.ts';
import {
  DEFAULT_TASK,
  type DeployRequest,
  deployMessageSchema,
  ID_PATTERN,
  MOST_DAYS_AHEAD,
  MOST_ESCAPED_IN_ID,
  MOST_READ_OF_TEXT,
  revisionProblem,
} from '../api/deploy-request.ts';
import { REJECTION, type RejectionReason } from '../api/reasons.ts';
import { EXPECTED_TIME, momentOf, problemOfMoment } from '../api/rfc3339.ts';
import { cleanText, cut, describe, escapeText, withoutSecrets } from '../text/escape.ts';
import { redactSecrets } from '../text/redact.ts';
import { type MessageFields, readBody } from './message-body.ts';
import type { ReadSpec } from './read-spec.ts';

/**
 * From a message to a deploy request, or to the reason why it is none. Pure. Messages are judged here and nowhere else:
 * what leaves here as a request goes into command lines on the target hosts (invariant 5).
 */

/** Why a message is not accepted; `at` is added when it is reported. */
export type Rejection = Omit<RejectionEntry, 'at'> & { readonly reason: RejectionReason };

export type Parsed = { request: DeployRequest; rejection?: never } | { rejection: Rejection; request?: never };

/** The part of a queue's message that is read here. */
export interface RawMessage {
  readonly messageId: string;
  readonly body: string;
  /** Who sent it, authenticated by SQS; '' if the server does not say. */
  readonly senderId: string;
  /** Epoch milliseconds; undefined if the server does not say. */
  readonly sentTimestamp: number | undefined;
}

/** Bounds of what a rejection shows, within those of the status. */
const MAX_SHOWN_BODY = 512;
const MAX_SHOWN_MESSAGE = 512;

type Problem = { reason: RejectionReason; field?: string | undefined; message: string };
type Fields = ReturnType<typeof deployMessageSchema.parse>;

/** @param receivedAt epoch milliseconds; used if the server gives no stamp of its own. */
export function parseMessage(message: RawMessage, resource: ReadSpec, receivedAt: number): Parsed {
  const read = readBody(message.body);
  if ('problem' in read) {
    const { json, ...problem } = read.problem;
    return reject(message, { reason: json ? REJECTION.wrongShape : REJECTION.notJson, ...problem });
  }
  const fields = readFields(read, resource.spec);
  if ('reason' in fields) return reject(message, fields);
  for (const check of CHECKS) {
    const problem = check(fields.values, resource);
    if (problem) return reject(message, problem);
  }
  const times = timesOf(fields.values, receivedAt);
  if ('reason' in times) return reject(message, times);
  const id = fields.values.id ?? read.envelope?.messageId ?? message.messageId;
  if (!ID_PATTERN.test(id)) {
    return reject(message, wrongShape('id', id, '1 to 128 printable ASCII characters without blanks'));
  }
  if (id.replace(/[^<>&]/g, '').length > MOST_ESCAPED_IN_ID) {
    return reject(message, wrongShape('id', id, `at most ${MOST_ESCAPED_IN_ID} of the letters <, > and &`));
  }
  const stamps = [
    message.sentTimestamp ?? receivedAt,
    optionalMoment(read.envelope?.timestamp),
    optionalMoment(fields.values.sentAt),
  ].filter((stamp) => stamp !== undefined);
  const { values } = fields;
  return {
    request: {
      id,
      messageId: message.messageId,
      senderId: message.senderId,
      repository: values.repository,
      environment: values.environment,
      task: values.task,
      revision: values.revision,
      // Not before the epoch: a year with five digits or a minus would not sort with the others.
      sentAt: new Date(Math.max(0, Math.min(...stamps))).toISOString(),
      ...times,
      requestedBy: values.requestedBy === undefined ? undefined : cleanText(values.requestedBy),
      reason: values.reason === undefined ? undefined : cleanText(values.reason),
      source: values.source === undefined ? undefined : cleanText(values.source),
      slack: values.slack && { channel: values.slack.channel, threadTs: values.slack.threadTs },
    },
  };
}

/** The rejection of a valid message whose id or Job's name is taken. */
export function conflictRejection(
  message: Pick<RawMessage, 'messageId' | 'body'>,
  reason: typeof REJECTION.idConflict | typeof REJECTION.nameConflict,
  text: string,
): Rejection {
  return reject(message, { reason, field: 'id', message: text }).rejection as Rejection;
}

/** Each is `(message, resource) → problem`; the first problem counts. The order is part of what users see. */
const CHECKS: readonly ((fields: Fields, resource: ReadSpec) => Problem | undefined)[] = [
  function repositoryIsServed({ repository }, { spec }) {
    if (spec.repositories === undefined || spec.repositories.includes(repository)) return undefined;
    return {
      reason: REJECTION.foreignRepository,
      field: 'repository',
      message: `repository: found ${describe(repository)}; allowed: ${spec.repositories.join(', ')}`,
    };
  },
  function environmentIsListed({ environment }, { spec }) {
    if (spec.environments.some(({ name }) => name === environment)) return undefined;
    return unknownName('environment', environment, spec);
  },
  function taskIsListed({ task }, { spec }) {
    return spec.tasks.includes(task) ? undefined : unknownName('task', task, spec);
  },
  function deployHasRevision({ task, revision }) {
    if (revision !== undefined || task !== DEFAULT_TASK) return undefined;
    return wrongShape(
      'revision',
      undefined,
      `a tag, branch or commit; only a task other than "${DEFAULT_TASK}" may go without`,
    );
  },
  function revisionIsSafe({ revision }) {
    const problem = revision === undefined ? undefined : revisionProblem(revision);
    return problem === undefined ? undefined : unsafeRevision(revision, problem);
  },
  function revisionMatchesEnvironment({ environment, revision }, { revisions }) {
    if (revision === undefined || revisions.allows(environment, revision)) return undefined;
    return unsafeRevision(revision, revisions.expectedIn(environment));
  },
];

/** What the schema asks of each field, in words. */
const EXPECTED: Record<string, string> = {
  repository: 'a repository name: a string of at most 140 letters, digits and . _ / : @ + ~ -',
  environment: 'a string',
  revision: 'a string',
  task: 'a string',
  id: 'a string of 1 to 128 printable ASCII characters without blanks',
  sentAt: EXPECTED_TIME,
  notBefore: EXPECTED_TIME,
  expiresAt: EXPECTED_TIME,
  slack: 'an object {"channel": "C024BE91L", "threadTs": "1700000000.000100"}',
  'slack.channel': 'the id of a Slack channel, not its name: 1 to 32 of A-Z and 0-9, such as C024BE91L',
  'slack.threadTs': 'the time stamp of a Slack message, such as 1700000000.000100',
};
const EXPECTED_TEXT = `a string of at most ${MOST_READ_OF_TEXT} characters`;

/** Checks the fields by the published schema. Lists and patterns of the resource come after it. */
function readFields(read: MessageFields, spec: CapDeployJobSpec): { values: Fields } | Problem {
  const given = Object.fromEntries(read.values);
  if (typeof given.slack === 'object' && given.slack !== null) given.slack = slackKeys(given.slack);
  const parsed = deployMessageSchema.safeParse(given);
  if (!parsed.success) {
    const [field = 'body', within] = (parsed.error.issues[0]?.path ?? []).map(String);
    const value = within === undefined ? read.values.get(field) : (given.slack as Record<string, unknown>)[within];
    if (field === 'revision' && typeof value === 'string') {
      return unsafeRevision(value, revisionProblem(value) ?? 'is not allowed');
    }
    if (typeof value === 'string' && (field === 'environment' || field === 'task'))
      return unknownName(field, value, spec);
    const path = within === undefined ? field : `${field}.${within}`;
    const expected = EXPECTED[path] ?? EXPECTED_TEXT;
    return expected === EXPECTED_TIME ? wrongTime(path, value) : wrongShape(path, value, expected);
  }
  const stamp = read.envelope?.timestamp;
  if (stamp !== undefined && momentOf(stamp) === undefined) return wrongTime('Timestamp', stamp);
  return { values: parsed.data };
}

const DAY_MS = 86_400_000;
const LAST_MOMENT = Date.UTC(9999, 11, 31, 23, 59, 59);

/** The time bounds of a message. Impossible ones are rejected: such a request would take a place until it is Missed. */
function timesOf(fields: Fields, receivedAt: number): Pick<DeployRequest, 'notBefore' | 'expiresAt'> | Problem {
  const notBefore = optionalMoment(fields.notBefore);
  const expiresAt = optionalMoment(fields.expiresAt);
  const latest = receivedAt + MOST_DAYS_AHEAD * DAY_MS;
  if (notBefore !== undefined && notBefore > latest) {
    const words = `a time at most ${MOST_DAYS_AHEAD} days ahead, now until ${new Date(latest).toISOString()}`;
    return wrongShape('notBefore', fields.notBefore, words);
  }
  if (notBefore !== undefined && expiresAt !== undefined && expiresAt <= notBefore) {
    return wrongShape('expiresAt', fields.expiresAt, `a time after notBefore (${new Date(notBefore).toISOString()})`);
  }
  // An offset can lead to a year that RFC 3339 cannot write.
  const stamp = (moment: number | undefined) =>
    moment === undefined ? undefined : new Date(Math.min(Math.max(moment, 0), LAST_MOMENT)).toISOString();
  return { notBefore: stamp(notBefore), expiresAt: stamp(expiresAt) };
}

/** Keys within `slack` are read without regard to case too. Of several the last counts: no decision depends on it. */
function slackKeys(slack: object): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(slack)) {
    if (/^channel$/i.test(key)) out.channel = value;
    if (/^threadts$/i.test(key)) out.threadTs = value;
  }
  return out;
}

const optionalMoment = (stamp: string | undefined): number | undefined =>
  stamp === undefined ? undefined : momentOf(stamp);

function wrongTime(field: string, found: unknown): Problem {
  const why = typeof found === 'string' ? problemOfMoment(found) : '';
  return wrongShape(field, found, EXPECTED_TIME + (why && `; ${why}`));
}

function wrongShape(field: string, found: unknown, expected: string): Problem {
  return { reason: REJECTION.wrongShape, field, message: `${field}: found ${describe(found)}; expected ${expected}` };
}

function unsafeRevision(revision: string | undefined, problem: string): Problem {
  return {
    reason: REJECTION.unsafeRevision,
    field: 'revision',
    message: `revision: found ${describe(revision)}; ${problem}`,
  };
}

function unknownName(field: 'environment' | 'task', found: string, spec: CapDeployJobSpec): Problem {
  const allowed = field === 'environment' ? spec.environments.map(({ name }) => name) : spec.tasks;
  return {
    reason: field === 'environment' ? REJECTION.unknownEnvironment : REJECTION.unknownTask,
    field,
    message: `${field}: found ${describe(found)}; allowed: ${allowed.join(', ')}`,
  };
}

function reject(message: Pick<RawMessage, 'messageId' | 'body'>, problem: Problem): Parsed {
  return {
    rejection: {
      messageId: escapeText(message.messageId, 128),
      reason: problem.reason,
      ...(problem.field === undefined ? {} : { field: problem.field }),
      // More people read a status than a queue.
      message: cut(redactSecrets(problem.message), MAX_SHOWN_MESSAGE),
      body: escapeText(withoutSecrets(message.body, MAX_SHOWN_BODY), MAX_SHOWN_BODY),
    },
  };
}
