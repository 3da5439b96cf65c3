import { createHash } from 'node:crypto';
import type { CapDeployJob } from '../api/capdeployjob.ts';
import { REJECTION } from '../api/reasons.ts';
import { parseMessage } from '../requests/parse-message.ts';
import { readSpec } from '../requests/read-spec.ts';
import { SqsError, type SqsErrorKind } from '../sqs/errors.ts';
import type { Queue } from '../sqs/queue.ts';
import { ActionError, type ActionErrorKind } from './action-error.ts';

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
const MOST_GROUP_ID = 128;

/** Nothing came back, or nothing that says whether the message was taken. */
const UNCLEAR: readonly SqsErrorKind[] = ['unreachable', 'aborted', 'other'];

/**
 * Judges a message as the operator would, and sends it. A send that was not answered is repeated by the queue's client
 * with the same body, and the id makes one deploy of both.
 * @param resource the CapDeployJob whose queue it is; undefined if it cannot be read, and then only the queue's owner
 * can judge
 * @param fifo the queue is a FIFO queue
 * @param now epoch milliseconds
 * @returns SQS's MessageId, by which a rejection is found
 * @throws ActionError `refused` before anything is sent; `unclear` if the message was perhaps sent
 */
export async function send(
  queue: Pick<Queue, 'send'>,
  fifo: boolean,
  message: DeployMessage,
  resource: CapDeployJob | undefined,
  now: number,
): Promise<{ messageId: string }> {
  const body = JSON.stringify(message);
  if (resource) judge(resource, message, body, now);
  const { repository, environment, id } = message;
  try {
    return await queue.send(
      body,
      // No environment waits for another, and the messages of one come in order. By a hash of the id, for an id may
      // have letters that SQS refuses there.
      fifo ? { groupId: groupOf(`${repository}/${environment}`), deduplicationId: sha256(id) } : {},
    );
  } catch (error) {
    if (!(error instanceof SqsError)) throw error;
    throw new ActionError(kindOf(error), `${error.code}: ${error.message}`, error);
  }
}

/** @throws ActionError with the words of the rejection that the operator would record */
function judge({ metadata, ...resource }: CapDeployJob, message: DeployMessage, body: string, now: number): void {
  const read = readSpec({ metadata, ...resource });
  const name = `${metadata.namespace}/${metadata.name}`;
  if ('problem' in read)
    throw new ActionError('refused', `${name} has an invalid spec, and its queue is not read: ${read.problem}`);
  const raw = { messageId: message.id, body, senderId: '', sentTimestamp: undefined };
  const { rejection } = parseMessage(raw, read, now);
  if (!rejection) return;
  const isElsewhere = rejection.reason === REJECTION.foreignRepository;
  throw new ActionError(
    'refused',
    `${name} would reject it (${rejection.reason}): ${rejection.message}${isElsewhere ? '; is there another CapDeployJob for it?' : ''}`,
  );
}

function kindOf({ kind }: SqsError): ActionErrorKind {
  if (kind === 'access-denied') return 'forbidden';
  return UNCLEAR.includes(kind) ? 'unclear' : 'unavailable';
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A repository's name may be longer than a group id, and groups must stay apart. */
const groupOf = (name: string): string => (name.length <= MOST_GROUP_ID ? name : sha256(name));
