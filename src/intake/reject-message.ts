import { type Clock, sleep } from '../kube/clock.ts';
import type { SqsError } from '../sqs/errors.ts';
import type { Queue, QueueMessage } from '../sqs/queue.ts';
import type { Rejection } from './parse-message.ts';
import type { ResourceContext } from './parts.ts';
import { HandedOver } from './ports.ts';
import { giveBack, RedrivePolicy, type Settlement, settlement } from './settle-message.ts';
import { Backoff } from './waiting.ts';

const REMEMBERED = 1_000;
const SETTLE_ATTEMPTS = 4;

/** What one resource remembers of the messages it rejected: which are recorded, and where its queue sends them. */
export class RejectedMessages {
  readonly redrive: RedrivePolicy;
  readonly #recorded = new Set<string>();

  constructor(queue: Queue, clock: Clock) {
    this.redrive = new RedrivePolicy(queue, clock);
  }

  isRecorded(messageId: string): boolean {
    return this.#recorded.has(messageId);
  }

  /** Forgets the oldest beyond a thousand: the status is asked again then. */
  markRecorded(messageId: string): void {
    this.#recorded.add(messageId);
    if (this.#recorded.size > REMEMBERED)
      for (const oldest of this.#recorded.values()) return void this.#recorded.delete(oldest);
  }
}

/**
 * Has a rejection recorded, then settles its message. A message on its way to the dead-letter queue comes several times and is recorded
 * once, by its MessageId. If this process ends between record and settlement, the message comes again and the record is found.
 * @returns false where the message was left as it is: not recorded, or not settled. True also where it was given back for another operator. Never rejects.
 */
export async function rejectMessage(
  context: ResourceContext,
  message: QueueMessage,
  rejection: Rejection,
  signal: AbortSignal,
): Promise<boolean> {
  const { queue, reports, key, rejected, metrics, clock, log } = context;
  if (!rejected.isRecorded(message.messageId)) {
    try {
      // Invariant 2: the message stays until this has resolved.
      await reports.rejected(key, { ...rejection, at: new Date(clock.now()).toISOString() }, signal);
    } catch (error) {
      if (error instanceof HandedOver) {
        // At once rather than when its visibility ends: who leads now records it.
        await giveBack(queue, [message], signal);
        return true;
      }
      if (!signal.aborted)
        log.warn({ err: error, messageId: message.messageId }, 'a rejection was not recorded; its message stays');
      return false;
    }
    rejected.markRecorded(message.messageId);
    metrics.rejected(key, rejection.reason);
    log.warn({ messageId: message.messageId, reason: rejection.reason, field: rejection.field }, 'rejected a message');
  }
  return settle(context, message, signal);
}

async function settle(context: ResourceContext, message: QueueMessage, signal: AbortSignal): Promise<boolean> {
  const { queue, rejected, clock, metrics, key, log } = context;
  const what = settlement(await rejected.redrive.get(signal), message.receiveCount);
  const backoff = new Backoff(clock, 500, 8_000);
  for (let attempt = 1; !signal.aborted; attempt++) {
    const error = await apply(queue, message, what, signal);
    if (error === undefined) return true;
    if (signal.aborted) break;
    metrics.sqsError(key, error.code);
    if (attempt === SETTLE_ATTEMPTS) {
      log.warn({ err: error, messageId: message.messageId }, 'could not settle a rejected message; it will come again');
      break;
    }
    await sleep(clock, backoff.next(), signal);
  }
  return false;
}

async function apply(
  queue: Queue,
  { receiptHandle }: QueueMessage,
  what: Settlement,
  signal: AbortSignal,
): Promise<SqsError | undefined> {
  try {
    const [error] =
      what.kind === 'delete'
        ? await queue.delete([receiptHandle], signal)
        : await queue.changeVisibility([{ receiptHandle, seconds: what.seconds }], signal);
    return error;
  } catch (error) {
    return error as SqsError;
  }
}
