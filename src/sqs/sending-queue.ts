import type { SQSClient } from '@aws-sdk/client-sqs';
import { unlessAborted } from '../base/abort.ts';
import { toSqsError } from './errors.ts';
import type { Queue, SendOptions } from './queue.ts';
import { sendCommand } from './sqs-queue.ts';

/** A person waits for the answer. Milliseconds. */
export const SEND_TIMEOUT_MS = 2_000;

/**
 * A queue as a producer uses it. `send` makes one attempt and takes 2 s at most, finding credentials included; then it
 * throws an SqsError of the kind `unreachable`, and the message may have been taken.
 */
export class SendingQueue implements Pick<Queue, 'send' | 'close'> {
  readonly #url: string;
  readonly #client: SQSClient;
  readonly #onClose: () => void;

  /** @param client with one attempt for a request */
  constructor(url: string, client: SQSClient, onClose: () => void) {
    this.#url = url;
    this.#client = client;
    this.#onClose = onClose;
  }

  async send(body: string, options: SendOptions = {}): Promise<{ messageId: string }> {
    const timeout = AbortSignal.timeout(SEND_TIMEOUT_MS);
    try {
      // The SDK looks at the signal only while the request is under way, and not while it assumes a role.
      const sending = this.#client.send(sendCommand(this.#url, body, options), { abortSignal: timeout });
      const { MessageId } = await unlessAborted(sending, timeout);
      return { messageId: MessageId ?? '' };
    } catch (error) {
      throw toSqsError(error, 'sender');
    }
  }

  close(): void {
    this.#onClose();
  }
}
