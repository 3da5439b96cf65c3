import { randomBytes } from 'node:crypto';
import { CreateQueueCommand, DeleteQueueCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { LOCAL_CREDENTIALS, LOCAL_REGION, startLocalSqs } from '../../../dev/local-sqs.ts';
import { SqsClients } from '../../../src/sqs/clients.ts';
import type { Queue, QueueSettings } from '../../../src/sqs/queue.ts';
import { SERVER } from './differences.ts';

const ACCOUNT = '000000000000';

export interface NewQueue {
  fifo?: boolean;
  /** URL of the dead-letter queue. */
  redriveTo?: string;
  maxReceiveCount?: number;
  /** DelaySeconds of the queue. */
  delaySeconds?: number;
  attributes?: Record<string, string>;
}

/**
 * The queue server of this run (see differences.ts) and the operator's own adapter opened on its queues: fauxqs in this
 * process, or the one at TEST_SQS_ENDPOINT. Queues have names that nothing else has, so that many tests share a server.
 */
export class SqsServer {
  static async start(): Promise<SqsServer> {
    if (SERVER === 'fauxqs') {
      const { endpoint, stop } = await startLocalSqs();
      return new SqsServer(endpoint, stop);
    }
    const endpoint = process.env.TEST_SQS_ENDPOINT;
    if (!endpoint) throw new Error(`TEST_SQS is ${SERVER}: TEST_SQS_ENDPOINT must say where it is`);
    return new SqsServer(new URL(endpoint).origin, async () => {});
  }

  readonly clients = new SqsClients();
  /** What only a producer or an administrator does: the adapter has no methods for it. */
  readonly admin: SQSClient;
  readonly endpoint: string;
  readonly #stop: () => Promise<void>;
  readonly #prefix = `test-${randomBytes(6).toString('hex')}`;
  readonly #urls: string[] = [];

  private constructor(endpoint: string, stop: () => Promise<void>) {
    this.endpoint = endpoint;
    this.#stop = stop;
    this.admin = new SQSClient({ region: LOCAL_REGION, endpoint, credentials: LOCAL_CREDENTIALS });
  }

  /** The URL of a queue that does not exist. */
  missingQueue(): string {
    return this.#urlOf(`${this.#prefix}-missing`);
  }

  /** @returns the URL of a new queue. */
  async createQueue(options: NewQueue = {}): Promise<string> {
    const name = `${this.#prefix}-${this.#urls.length + 1}${options.fifo ? '.fifo' : ''}`;
    const url = this.#urlOf(name);
    this.#urls.push(url);
    const attributes = {
      ...(options.fifo && { FifoQueue: 'true' }),
      ...(options.delaySeconds !== undefined && { DelaySeconds: String(options.delaySeconds) }),
      ...(options.redriveTo !== undefined && {
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn: arnOf(options.redriveTo),
          maxReceiveCount: options.maxReceiveCount ?? 3,
        }),
      }),
      ...options.attributes,
    };
    // An empty map is an error to some.
    const some = Object.keys(attributes).length > 0;
    await this.admin.send(new CreateQueueCommand({ QueueName: name, ...(some && { Attributes: attributes }) }));
    return url;
  }

  async deleteQueue(url: string): Promise<void> {
    await this.admin.send(new DeleteQueueCommand({ QueueUrl: url }));
  }

  /** Sends up to ten messages in one request, so that they are all there at once. */
  async sendTogether(url: string, bodies: readonly string[], group?: (body: string) => string): Promise<void> {
    const { Failed } = await this.admin.send(
      new SendMessageBatchCommand({
        QueueUrl: url,
        Entries: bodies.map((body, index) => ({
          Id: String(index),
          MessageBody: body,
          ...(group && { MessageGroupId: group(body), MessageDeduplicationId: randomBytes(8).toString('hex') }),
        })),
      }),
    );
    if (Failed?.length) throw new Error(`not sent: ${JSON.stringify(Failed)}`);
  }

  open(url: string): Queue {
    return this.clients.open(settingsOf(url));
  }

  openForSending(url: string): Pick<Queue, 'send' | 'close'> {
    return this.clients.openForSending(settingsOf(url));
  }

  /** Ends the connections, and the server where it is ours; from another's the queues are removed. */
  async stop(): Promise<void> {
    this.clients.close();
    if (SERVER !== 'fauxqs') await Promise.allSettled(this.#urls.map((url) => this.deleteQueue(url)));
    this.admin.destroy();
    await this.#stop();
  }

  #urlOf(name: string): string {
    return `${this.endpoint}/${ACCOUNT}/${name}`;
  }
}

const settingsOf = (url: string): QueueSettings => ({
  url,
  region: LOCAL_REGION,
  roleArn: undefined,
  externalId: 'deploy/web',
});

export const arnOf = (url: string) => `arn:aws:sqs:${LOCAL_REGION}:${ACCOUNT}:${url.split('/').at(-1)}`;
