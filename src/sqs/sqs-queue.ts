import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { batchEntryError, toSqsError } from './errors.ts';
import type {
  BatchOutcome,
  Queue,
  QueueAttributes,
  QueueMessage,
  ReceiveOptions,
  SendOptions,
  VisibilityChange,
} from './queue.ts';

/** After its wait time a receive is given up so much later. Milliseconds. */
const RECEIVE_MARGIN_MS = 10_000;
/** SQS's bound for a batch. */
const BATCH = 10;
const MAX_SENDER_ID = 256;

/** A queue at AWS. Receives have a client of their own: long polls never delay a delete. */
export class SqsQueue implements Queue {
  readonly #url: string;
  readonly #fifo: boolean;
  readonly #receives: SQSClient;
  readonly #acks: SQSClient;
  readonly #onClose: () => void;

  constructor(url: string, clients: { receives: SQSClient; acks: SQSClient }, onClose: () => void) {
    this.#url = url;
    this.#fifo = url.endsWith('.fifo');
    this.#receives = clients.receives;
    this.#acks = clients.acks;
    this.#onClose = onClose;
  }

  async receive(options: ReceiveOptions): Promise<QueueMessage[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: this.#url,
      MaxNumberOfMessages: options.max,
      WaitTimeSeconds: options.waitSeconds,
      VisibilityTimeout: options.visibilitySeconds,
      MessageSystemAttributeNames: ['SenderId', 'SentTimestamp', 'ApproximateReceiveCount', 'MessageGroupId'],
    });
    const answer = await withSqsErrors(() =>
      this.#receives.send(command, {
        ...abortable(options.signal),
        requestTimeout: options.waitSeconds * 1000 + RECEIVE_MARGIN_MS,
      }),
    );
    // Undefined if nothing came.
    return (answer.Messages ?? []).flatMap((message) => toMessage(message, this.#fifo) ?? []);
  }

  delete(receiptHandles: readonly string[], signal?: AbortSignal): Promise<BatchOutcome[]> {
    return this.#inBatches(receiptHandles, (handles) =>
      this.#acks.send(
        new DeleteMessageBatchCommand({
          QueueUrl: this.#url,
          Entries: handles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle })),
        }),
        abortable(signal),
      ),
    );
  }

  changeVisibility(changes: readonly VisibilityChange[], signal?: AbortSignal): Promise<BatchOutcome[]> {
    return this.#inBatches(changes, (batch) =>
      this.#acks.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: this.#url,
          Entries: batch.map(({ receiptHandle, seconds }, index) => ({
            Id: String(index),
            ReceiptHandle: receiptHandle,
            VisibilityTimeout: seconds,
          })),
        }),
        abortable(signal),
      ),
    );
  }

  async attributes(signal?: AbortSignal): Promise<QueueAttributes> {
    // "All", because asking a standard queue for FifoQueue is an error.
    const command = new GetQueueAttributesCommand({ QueueUrl: this.#url, AttributeNames: ['All'] });
    const { Attributes } = await withSqsErrors(() => this.#acks.send(command, abortable(signal)));
    return { fifo: Attributes?.FifoQueue === 'true', redrive: redriveOf(Attributes?.RedrivePolicy) };
  }

  async send(body: string, options: SendOptions = {}): Promise<{ messageId: string }> {
    const command = sendCommand(this.#url, body, options);
    const { MessageId } = await withSqsErrors(() => this.#acks.send(command));
    return { messageId: MessageId ?? '' };
  }

  close(): void {
    this.#onClose();
  }

  /** A batch answers 200 and lists what failed. Ids are positions, so equal receipt handles are no conflict. */
  async #inBatches<T>(
    entries: readonly T[],
    send: (batch: T[]) => Promise<{ Failed?: { Id?: string | undefined; Code?: string | undefined }[] | undefined }>,
  ): Promise<BatchOutcome[]> {
    const outcomes: BatchOutcome[] = [];
    for (let start = 0; start < entries.length; start += BATCH) {
      const batch = entries.slice(start, start + BATCH);
      const { Failed } = await withSqsErrors(() => send(batch));
      const failed = new Map((Failed ?? []).map(({ Id, Code }) => [Id, batchEntryError(Code)]));
      outcomes.push(...batch.map((_, index) => failed.get(String(index))));
    }
    return outcomes;
  }
}

export const sendCommand = (url: string, body: string, options: SendOptions): SendMessageCommand =>
  new SendMessageCommand({
    QueueUrl: url,
    MessageBody: body,
    ...(options.groupId === undefined ? {} : { MessageGroupId: options.groupId }),
    ...(options.deduplicationId === undefined ? {} : { MessageDeduplicationId: options.deduplicationId }),
    ...(options.delaySeconds === undefined ? {} : { DelaySeconds: options.delaySeconds }),
  });

/** A number or a string of digits only: Number() also takes true, [5], "1e3" and "0x10". */
function wholeNumber(value: unknown): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  return /^[0-9]{1,15}$/.test(`${value}`) ? Number(value) : undefined;
}

/** A broken server may send a message without id, body or handle: it is dropped, for nothing can be done with it. */
function toMessage(message: Message, fifo: boolean): QueueMessage | undefined {
  const { MessageId, ReceiptHandle, Body, Attributes } = message;
  if (MessageId === undefined || ReceiptHandle === undefined || Body === undefined) return undefined;
  const sent = wholeNumber(Attributes?.SentTimestamp);
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    senderId: (Attributes?.SenderId ?? '').replace(/[^ -~]/g, '').slice(0, MAX_SENDER_ID),
    sentTimestamp: sent !== undefined && sent > 0 && sent < 8.64e15 ? sent : undefined,
    receiveCount: Math.max(1, wholeNumber(Attributes?.ApproximateReceiveCount) ?? 1),
    // Groups of a standard queue ("fair queues") have no order: by them an old revision would pass for a newer one.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagegroupid-property.html
    messageGroupId: fifo ? Attributes?.MessageGroupId : undefined,
  };
}

/** The policy is a JSON string. Its count is a number or a string. */
function redriveOf(policy: string | undefined): QueueAttributes['redrive'] {
  if (!policy) return undefined;
  try {
    const { maxReceiveCount, deadLetterTargetArn } = JSON.parse(policy) as Record<string, unknown>;
    const count = wholeNumber(maxReceiveCount);
    return count !== undefined && count >= 1 && typeof deadLetterTargetArn === 'string'
      ? { maxReceiveCount: count, dlqArn: deadLetterTargetArn }
      : undefined;
  } catch {
    return undefined;
  }
}

const abortable = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal });

async function withSqsErrors<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toSqsError(error);
  }
}
