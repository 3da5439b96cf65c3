import { createHash } from 'node:crypto';
import type { CapDeployJob } from '../api/capdeployjob.ts';
import { REJECTION } from '../api/reasons.ts';
import { parseMessage } from '../requests/parse-message.ts';
import { readSpec } from '../requests/read-spec.ts';
import { SqsError, type SqsErrorKind } from '../sqs/errors.ts';
import type { Queue } from '../sqs/queue.ts';
import { ActionError, type ActionErrorKind } from './action-error.ts';
import { isNotSent } from './not-sent.ts';

/** What a producer asks for. `crds/message.schema.json` describes each field. */
export interface DeployMessage {
  /** Idempotency key: the same id twice is one deploy, so a repeated send does no harm. */
  readonly id: string;
  readonly repository: string;
  readonly environment: string;
  readonly revision?: string | undefined;
  readonly task?: string | undefined;
  /** RFC 3339. When it was asked for: a message that is sent again must say the same. */
  readonly sentAt: string;
  readonly notBefore?: string | undefined;
  readonly expiresAt?: string | undefined;
  /** Who asks. */
  readonly requestedBy: string;
  readonly reason?: string | undefined;
  /** The program that sends. */
  readonly source: string;
  readonly slack?: { readonly channel: string; readonly threadTs?: string | undefined } | undefined;
}

/**
 * SQS takes 128 characters as a group id:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
const MAX_GROUP_ID = 128;

const MAX_TRIES = 3;

/** Nothing came back, or nothing that says whether the message was taken. */
const UNCLEAR: readonly SqsErrorKind[] = ['unreachable', 'aborted', 'other'];
/** Another try would get the same answer. */
const LASTING: readonly SqsErrorKind[] = [
  ...(['access-denied', 'missing-queue', 'no-region', 'no-credentials', 'expired-credentials', 'aborted'] as const),
];

/** Where a message goes. */
export interface Destination {
  /**
   * Its origin was checked: signed requests go there. Its client makes one attempt a call: of several, only the last
   * one's error would be known here.
   */
  readonly queue: Pick<Queue, 'send'>;
  readonly fifo: boolean;
  /** The CapDeployJob whose queue it is; undefined if it cannot be read. Then only the operator judges the message. */
  readonly resource: CapDeployJob | undefined;
}

/**
 * Judges a message as the operator would, and sends it. A send that was not answered is made again with the same body:
 * the id makes one deploy of both.
 * @param now epoch milliseconds
 * @returns SQS's MessageId, by which a rejection is found
 * @throws ActionError `refused` before anything is sent; `unclear` if the message was perhaps sent
 */
export async function send(to: Destination, message: DeployMessage, now: number): Promise<{ messageId: string }> {
  const body = JSON.stringify(message);
  if (to.resource) judge(to.resource, message.id, body, now);
  const { repository, environment, id, sentAt } = message;
  // No environment waits for another, and the messages of one come in order. An id may have letters that SQS refuses, and
  // be known before: with the time in it, nobody takes it away by a message of his own.
  const options = to.fifo
    ? { groupId: groupOf(`${repository}/${environment}`), deduplicationId: sha256(`${id} ${sentAt}`) }
    : {};
  let isUnclear = false;
  for (let tries = 1; ; tries += 1) {
    try {
      return await to.queue.send(body, options);
    } catch (error) {
      if (!(error instanceof SqsError)) throw error;
      isUnclear ||= UNCLEAR.includes(error.kind) && !isNotSent(error.code);
      if (!LASTING.includes(error.kind) && tries < MAX_TRIES) continue;
      // An earlier try may have been taken, whatever the last one says.
      throw new ActionError(isUnclear ? 'unclear' : kindOf(error), `${error.code}: ${error.message}`, error);
    }
  }
}

const kindOf = ({ kind }: SqsError): ActionErrorKind => (kind === 'access-denied' ? 'forbidden' : 'unavailable');

/** @throws ActionError with the words of the rejection that the operator would record */
function judge(resource: CapDeployJob, messageId: string, body: string, now: number): void {
  const { namespace, name, deletionTimestamp } = resource.metadata;
  const refuse = (words: string) => new ActionError('refused', `${namespace}/${name} ${words}`);
  if (deletionTimestamp !== undefined) throw refuse('is being deleted, and its queue is not read any more');
  const read = readSpec(resource);
  if ('problem' in read) throw refuse(`has an invalid spec, and its queue is not read: ${read.problem}`);
  const { rejection } = parseMessage({ messageId, body, senderId: '', sentTimestamp: undefined }, read, now);
  if (!rejection) return;
  const hint = rejection.reason === REJECTION.foreignRepository ? '; is there another CapDeployJob for it?' : '';
  throw refuse(`would reject it (${rejection.reason}): ${rejection.message}${hint}`);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A repository's name may be longer than a group id, and groups must stay apart. */
const groupOf = (name: string): string => (name.length <= MAX_GROUP_ID ? name : sha256(name));
