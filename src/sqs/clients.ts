import { SQSClient } from '@aws-sdk/client-sqs';
import { Aws, type AwsClientOptions } from '../aws/aws-client.ts';
import type { Queue, QueueSettings } from './queue.ts';
import { SqsQueue } from './sqs-queue.ts';

/** For all receives; each one's own time-out (wait time and margin) is shorter or as long. */
const RECEIVE_TIMEOUT_MS = 30_000;
const ACK_TIMEOUT_MS = 10_000;

interface Shared {
  readonly receives: SQSClient;
  readonly acks: SQSClient;
  users: number;
}

/**
 * Opens queues. Queues with the same region, role and origin share two clients, which end with their last queue. One is
 * for receives, without a limit of sockets: by the SDK's 50 the 51st poll would wait. The other is for everything else:
 * a delete never waits behind a poll.
 *
 * Requests go to the origin of the queue's URL and nowhere else. AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_SQS do not count
 * for queues (those of STS do): a URL that means another host than it says could not be checked.
 */
export class SqsClients {
  readonly #aws: Aws;
  readonly #shared = new Map<string, Shared>();

  constructor(aws: Aws = new Aws()) {
    this.#aws = aws;
  }

  open(settings: QueueSettings): Queue {
    const role =
      settings.roleArn === undefined ? undefined : { roleArn: settings.roleArn, externalId: settings.externalId };
    const endpoint = new URL(settings.url).origin;
    const key = JSON.stringify([settings.region, endpoint, role]);
    const shared = this.#shared.get(key) ?? this.#create({ region: settings.region, endpoint, role });
    this.#shared.set(key, shared);
    shared.users++;
    let open = true;
    return new SqsQueue(settings.url, shared, () => {
      if (!open) return;
      open = false;
      if (--shared.users > 0) return;
      this.#shared.delete(key);
      destroy(shared);
    });
  }

  /** Ends every client, also if it is in use. */
  close(): void {
    for (const shared of this.#shared.values()) destroy(shared);
    this.#shared.clear();
    this.#aws.close();
  }

  #create(target: Pick<AwsClientOptions, 'region' | 'endpoint' | 'role'>): Shared {
    // Two tries of a receive: the poller has a backoff of its own. Three of a delete: a lost one costs a redelivery.
    const receives = this.#aws.clientConfig({
      ...target,
      maxSockets: Number.POSITIVE_INFINITY,
      requestTimeoutMs: RECEIVE_TIMEOUT_MS,
      maxAttempts: 2,
    });
    const acks = this.#aws.clientConfig({ ...target, requestTimeoutMs: ACK_TIMEOUT_MS, maxAttempts: 3 });
    const receiving = new SQSClient(receives);
    // The first client's provider keeps its credentials until they expire: a role is assumed once for both.
    const acking = new SQSClient({ ...acks, credentials: receiving.config.credentials });
    return { receives: receiving, acks: acking, users: 0 };
  }
}

function destroy(shared: Shared): void {
  shared.receives.destroy();
  shared.acks.destroy();
}
