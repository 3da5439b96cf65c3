import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../../../dev/local-sqs.ts';

const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;
const RETRY_MS = 200;

/**
 * The queues of a scenario, each with its dead-letter queue, as producers and an administrator see them: never through
 * a fault proxy.
 */
export class FaultsQueues {
  readonly #endpoint: string;
  readonly #sqs: SQSClient;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.#sqs = new SQSClient({ endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS, maxAttempts: 1 });
  }

  /** @returns its URL. @param maxReceiveCount so often a message is received before it goes to the dead-letter queue */
  async create(name: string, maxReceiveCount: number): Promise<string> {
    await this.#sqs.send(new CreateQueueCommand({ QueueName: `${name}-dead` }));
    const dead = await this.#attributes(this.url(`${name}-dead`), ['QueueArn']);
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.QueueArn, maxReceiveCount });
    await this.#sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { RedrivePolicy } }));
    return this.url(name);
  }

  url(name: string, endpoint = this.#endpoint): string {
    return `${endpoint}/000000000000/${name}`;
  }

  /**
   * Until the server has them all: who hears of no success sends once more, as producers do. @returns how many times
   * they were sent
   */
  async send(name: string, bodies: readonly string[]): Promise<number> {
    const Entries = bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
    for (let times = 1; ; times++) {
      try {
        const { Failed = [] } = await this.#sqs.send(
          new SendMessageBatchCommand({ QueueUrl: this.url(name), Entries }),
        );
        if (Failed.length === 0) return times;
      } catch (error) {
        if (!isOutage(error)) throw error;
      }
      await pause(RETRY_MS);
    }
  }

  /** Messages that are visible, in flight or delayed. */
  async depth(name: string): Promise<number> {
    const found = await this.#attributes(this.url(name), [...COUNTS]);
    return COUNTS.reduce((sum, count) => sum + Number(found[count] ?? 0), 0);
  }

  /** The bodies of all messages in the dead-letter queue, which then stay hidden for a while. */
  async deadLetters(name: string): Promise<string[]> {
    const bodies: string[] = [];
    const there = await this.depth(`${name}-dead`);
    for (let empty = 0; bodies.length < there && empty < 5; ) {
      const { Messages = [] } = await this.#sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: this.url(`${name}-dead`),
          MaxNumberOfMessages: 10,
          VisibilityTimeout: 600,
        }),
      );
      empty = Messages.length === 0 ? empty + 1 : 0;
      bodies.push(...Messages.map(({ Body = '' }) => Body));
    }
    return bodies;
  }

  close(): void {
    this.#sqs.destroy();
  }

  async #attributes(QueueUrl: string, AttributeNames: ('QueueArn' | (typeof COUNTS)[number])[]) {
    const answer = await this.#sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
    return answer.Attributes ?? {};
  }
}

/** No connection, or an answer that broke off; and ElasticMQ answers a moment before it has read its queues again. */
const isOutage = (error: unknown): boolean =>
  /ECONN|EPIPE|QueueDoesNotExist|NonExistentQueue|socket hang up|Timeout|ServiceUnavailable|InternalError|InternalFailure/.test(
    `${(error as Error).name} ${(error as { code?: string }).code} ${(error as Error).message}`,
  );
