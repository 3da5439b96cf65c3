import type { SqsError } from './errors.ts';

/** One SQS queue as intake and the producers use it. Every method throws `SqsError` and nothing else. */
export interface Queue {
  /** Long-polls for up to 10 messages; an empty list where none came. An aborted poll can swallow a message until its visibility ends. */
  receive(options: ReceiveOptions): Promise<QueueMessage[]>;
  /** Deletes messages. @returns one entry for each handle, in its order: undefined where it was deleted. */
  delete(receiptHandles: readonly string[], signal?: AbortSignal): Promise<BatchOutcome[]>;
  /** Hides messages for so many seconds from now; 0 makes one visible at once. @returns one entry for each change, in its order. */
  changeVisibility(changes: readonly VisibilityChange[], signal?: AbortSignal): Promise<BatchOutcome[]>;
  attributes(signal?: AbortSignal): Promise<QueueAttributes>;
  send(body: string, options?: SendOptions): Promise<{ messageId: string }>;
  /** Gives the connection back; requests under way may fail. */
  close(): void;
}

export interface ReceiveOptions {
  /** 1..10. */
  readonly max: number;
  /** 0..20. */
  readonly waitSeconds: number;
  /** 0..43200. */
  readonly visibilitySeconds: number;
  readonly signal?: AbortSignal;
}

export interface QueueMessage {
  readonly messageId: string;
  /** Lets its holder delete the message: never logged. */
  readonly receiptHandle: string;
  readonly body: string;
  /** Who sent it, authenticated by SQS; '' where the server does not say. */
  readonly senderId: string;
  /** Epoch milliseconds; undefined where the server does not say. */
  readonly sentTimestamp: number | undefined;
  /** How often it was received, this time included. */
  readonly receiveCount: number;
  /** Of a FIFO queue; undefined for a message of a standard queue, also where its producer gave it a group. */
  readonly messageGroupId: string | undefined;
}

export interface VisibilityChange {
  readonly receiptHandle: string;
  /** 0..43200. */
  readonly seconds: number;
}

export type BatchOutcome = SqsError | undefined;

export interface QueueAttributes {
  readonly fifo: boolean;
  /** Where messages go that were received too often; undefined where they stay for ever. */
  readonly redrive: { readonly maxReceiveCount: number; readonly dlqArn: string } | undefined;
}

export interface SendOptions {
  readonly groupId?: string;
  readonly deduplicationId?: string;
  readonly delaySeconds?: number;
}

/** Which queue to open, and as whom. Its origin has been checked: signed requests go there. */
export interface QueueSettings {
  readonly url: string;
  readonly region: string;
  readonly roleArn: string | undefined;
  /** Sent with AssumeRole: `<namespace>/<name>` of the resource, never chosen by its author. */
  readonly externalId: string;
}
