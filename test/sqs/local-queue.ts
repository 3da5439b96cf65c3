import { CreateQueueCommand, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { LOCAL_CREDENTIALS, LOCAL_REGION, startLocalSqs } from '../../src/local/sqs.ts';
import { SqsClients } from '../../src/sqs/clients.ts';
import type { Queue } from '../../src/sqs/queue.ts';

/** An SQS server in this process, and the operator's own adapter opened on its queues. */
export class SqsServer {
  static async start(): Promise<SqsServer> {
    process.env.AWS_ACCESS_KEY_ID = LOCAL_CREDENTIALS.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = LOCAL_CREDENTIALS.secretAccessKey;
    return new SqsServer(await startLocalSqs());
  }

  readonly clients = new SqsClients();
  readonly #server: Awaited<ReturnType<typeof startLocalSqs>>;
  readonly #admin: SQSClient;
  #count = 0;

  private constructor(server: Awaited<ReturnType<typeof startLocalSqs>>) {
    this.#server = server;
    this.#admin = new SQSClient({ region: LOCAL_REGION, endpoint: server.endpoint, credentials: LOCAL_CREDENTIALS });
  }

  get endpoint(): string {
    return this.#server.endpoint;
  }

  /** @returns the URL of a new queue. */
  async createQueue(options: { fifo?: boolean; redriveTo?: string; maxReceiveCount?: number } = {}): Promise<string> {
    const name = `queue-${++this.#count}${options.fifo ? '.fifo' : ''}`;
    const attributes = options.fifo ? { FifoQueue: 'true' } : undefined;
    await this.#admin.send(new CreateQueueCommand({ QueueName: name, ...(attributes && { Attributes: attributes }) }));
    const url = this.#server.queueUrl(name);
    if (options.redriveTo !== undefined) {
      const deadLetterTargetArn = `arn:aws:sqs:${LOCAL_REGION}:000000000000:${options.redriveTo.split('/').at(-1)}`;
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: options.maxReceiveCount ?? 3 });
      await this.#admin.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { RedrivePolicy } }));
    }
    return url;
  }

  open(url: string): Queue {
    return this.clients.open({ url, region: LOCAL_REGION, roleArn: undefined, externalId: 'deploy/web' });
  }

  async stop(): Promise<void> {
    this.clients.close();
    this.#admin.destroy();
    await this.#server.stop();
  }
}
