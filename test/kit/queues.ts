import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { LOCAL_CREDENTIALS, LOCAL_REGION, startLocalSqs } from '../../dev/local-sqs.ts';

/** The queues of one world. */
export interface Queues {
  readonly sqs: SQSClient;
  /** Origin of every queue URL. */
  readonly endpoint: string;
  create(name: string, attributes?: Record<string, string>): Promise<string>;
  send(queueUrl: string, body: unknown, options?: { groupId?: string }): Promise<string>;
  /** Messages that are visible, in flight or delayed. */
  depth(queueUrl: string): Promise<number>;
  arn(queueUrl: string): Promise<string>;
  /** Makes messages in flight visible. */
  show(queueUrl: string, receiptHandles: Iterable<string>): Promise<void>;
  stop(): Promise<void>;
}

const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

/**
 * On the server at TEST_SQS_ENDPOINT, which other worlds use at the same time. Without it: on a new server in this
 * process.
 */
export async function openQueues(): Promise<Queues> {
  const shared = process.env.TEST_SQS_ENDPOINT;
  const server = shared
    ? { endpoint: new URL(shared).origin, prefix: `${crypto.randomUUID().slice(0, 8)}-`, stop: async () => {} }
    : { ...(await ownServer()), prefix: '' };
  const sqs = new SQSClient({ endpoint: server.endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS });
  const created = new Set<string>();
  const attributes = async (QueueUrl: string, names: readonly ((typeof COUNTS)[number] | 'QueueArn')[]) =>
    (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }))).Attributes ?? {};
  return {
    sqs,
    endpoint: server.endpoint,
    create: async (name, wanted) => {
      const QueueName = `${server.prefix}${name}`;
      const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes: wanted }));
      // The host in the answer may not resolve on this machine: only the path is taken from it.
      const url = `${server.endpoint}${new URL(QueueUrl).pathname}`;
      created.add(url);
      return url;
    },
    send: async (queueUrl, body, { groupId } = {}) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const fifo =
        groupId === undefined ? {} : { MessageGroupId: groupId, MessageDeduplicationId: crypto.randomUUID() };
      const sent = await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: text, ...fifo }));
      return sent.MessageId ?? '';
    },
    depth: async (queueUrl) => {
      const found = await attributes(queueUrl, COUNTS);
      return COUNTS.reduce((sum, name) => sum + Number(found[name] ?? 0), 0);
    },
    arn: async (queueUrl) => (await attributes(queueUrl, ['QueueArn'])).QueueArn ?? '',
    show: async (QueueUrl, receiptHandles) => {
      for (const ReceiptHandle of receiptHandles) {
        await sqs
          .send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }))
          // It was just deleted, or its visibility has ended.
          .catch(ignore(/MessageNotInflight|ReceiptHandleIsInvalid|InvalidParameterValue/));
      }
    },
    stop: async () => {
      // A server in this process ends with its queues.
      if (shared) {
        for (const QueueUrl of created) {
          await sqs.send(new DeleteQueueCommand({ QueueUrl })).catch(ignore(/QueueDoesNotExist|NonExistentQueue/));
        }
      }
      sqs.destroy();
      await server.stop();
    },
  };
}

async function ownServer() {
  const { endpoint, stop } = await startLocalSqs();
  return { endpoint, stop };
}

const ignore = (names: RegExp) => (error: Error) => {
  if (!names.test(error.name)) throw error;
};
