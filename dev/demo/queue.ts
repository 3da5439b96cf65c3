import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { LOCAL_CREDENTIALS, type LocalSqs } from '../local-sqs.ts';

/** The producer's side of the demo: real messages by the AWS SDK, as a CI run or a chat bot would send them. */
export class Producer {
  readonly queueUrl: string;
  readonly #sqs: SQSClient;

  private constructor(sqs: SQSClient, queueUrl: string) {
    this.#sqs = sqs;
    this.queueUrl = queueUrl;
  }

  static async create(server: LocalSqs, queue: string): Promise<Producer> {
    const { endpoint, region } = server;
    const sqs = new SQSClient({ endpoint, region, credentials: LOCAL_CREDENTIALS });
    await sqs.send(new CreateQueueCommand({ QueueName: queue }));
    return new Producer(sqs, server.queueUrl(queue));
  }

  /** @returns the MessageId. */
  async send(body: unknown): Promise<string> {
    const command = new SendMessageCommand({ QueueUrl: this.queueUrl, MessageBody: JSON.stringify(body) });
    return (await this.#sqs.send(command)).MessageId ?? '';
  }

  /** How many messages the queue holds, those that are hidden or delayed included. */
  async depth(): Promise<number> {
    const command = new GetQueueAttributesCommand({ QueueUrl: this.queueUrl, AttributeNames: ['All'] });
    const { Attributes = {} } = await this.#sqs.send(command);
    return Object.entries(Attributes)
      .filter(([name]) => name.startsWith('ApproximateNumberOfMessages'))
      .reduce((sum, [, count]) => sum + Number(count), 0);
  }

  close(): void {
    this.#sqs.destroy();
  }
}
