import type { SqsError } from './errors.ts';

/** One SQS queue as intake and the producers use it. Every method throws `SqsError` and nothing else. */
export interface Queue {
  /** Long-polls for up to 10 messages. A message that an aborted poll took stays hidden until its visibility ends. */
  receive(options: ReceiveOptions): Promise<QueueMessage[]>;
  /** @returns one entry for each handle, in their order: undefined if its message was deleted. */
  delete(receiptHandles: readonly string[], signal?: AbortSignal): Promise<BatchOutcome[]>;
  /** Hides messages from now on; with 0 seconds one is visible at once. @returns one entry for each, in their order. */
  changeVisibility(changes: readonly VisibilityChange[], signal?: AbortSignal): Promise<BatchOutcome[]>;
  attributes(signal?: AbortSignal): Promise<QueueAttributes>;
  send(body: string, options?: SendOptions): Promise<{ messageId: string }>;
  /** Releases the connection; requests in flight may fail. */
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
  /** Enough to delete the message: never logged. */
  readonly receiptHandle: string;
  readonly body: string;
  /** The sender that SQS authenticated; '' if the server does not say. */
  readonly senderId: string;
  /** Epoch milliseconds; undefined if the server does not say. */
  readonly sentTimestamp: number | undefined;
  /** How often it was received, this time included. */
  readonly receiveCount: number;
  /** Of a FIFO queue. Undefined for a standard queue, also if the producer gave a group. */
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
  /** The dead-letter queue; undefined if there is none. */
  readonly redrive: { readonly maxReceiveCount: number; readonly dlqArn: string } | undefined;
}

export interface SendOptions {
  readonly groupId?: string;
  readonly deduplicationId?: string;
  readonly delaySeconds?: number;
}

/** Signed requests go to the origin of `url`: it must have been checked. */
export interface QueueSettings {
  readonly url: string;
  readonly region: string;
  readonly roleArn: string | undefined;
  /** For AssumeRole: `<namespace>/<name>` of the resource. Its author cannot choose it. */
  readonly externalId: string;
}
