import { SQSClient } from '@aws-sdk/client-sqs';
import { Aws, type AwsClientOptions } from '../aws/aws-client.ts';
import type { Queue, QueueSettings } from './queue.ts';
import { SEND_TIMEOUT_MS, SendingQueue } from './sending-queue.ts';
import { SqsQueue } from './sqs-queue.ts';

/** For all receives; each one's own time-out (wait time and margin) is shorter or as long. */
const RECEIVE_TIMEOUT_MS = 30_000;
const ACK_TIMEOUT_MS = 10_000;

type Target = Pick<AwsClientOptions, 'region' | 'endpoint' | 'role'>;

interface Shared<Clients> {
  readonly clients: Clients;
  users: number;
}

interface Reading {
  readonly receives: SQSClient;
  readonly acks: SQSClient;
}

/**
 * Opens queues. Queues with the same region, role and origin share their clients, which end with their last queue.
 *
 * Requests go to the origin of the queue's URL and nowhere else. AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_SQS do not count
 * for queues (those of STS do): a URL that means another host than it says could not be checked.
 */
export class SqsClients {
  readonly #aws: Aws;
  readonly #reading = new Map<string, Shared<Reading>>();
  readonly #sending = new Map<string, Shared<SQSClient>>();

  constructor(aws: Aws = new Aws()) {
    this.#aws = aws;
  }

  /**
   * For the operator. One client is for receives, without a limit of sockets: by the SDK's 50 the 51st poll would wait.
   * The other is for everything else: a delete never waits behind a poll.
   */
  open(settings: QueueSettings): Queue {
    const { clients, release } = share(this.#reading, settings, (target) => this.#createReading(target), endReading);
    return new SqsQueue(settings.url, clients, release);
  }

  /**
   * For a producer: one attempt for each send, and 2 s at most. If a role is to be assumed, keep the queue open: after
   * the last `close` the role is assumed anew.
   */
  openForSending(settings: QueueSettings): Pick<Queue, 'send' | 'close'> {
    const { clients, release } = share(this.#sending, settings, (target) => this.#createSending(target), endSending);
    return new SendingQueue(settings.url, clients, release);
  }

  /** Ends every client, also if it is in use. */
  close(): void {
    for (const { clients } of this.#reading.values()) endReading(clients);
    for (const { clients } of this.#sending.values()) endSending(clients);
    this.#reading.clear();
    this.#sending.clear();
    this.#aws.close();
  }

  #createReading(target: Target): Reading {
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
    return { receives: receiving, acks: acking };
  }

  #createSending(target: Target): SQSClient {
    return new SQSClient(this.#aws.clientConfig({ ...target, requestTimeoutMs: SEND_TIMEOUT_MS, maxAttempts: 1 }));
  }
}

function endReading({ receives, acks }: Reading): void {
  receives.destroy();
  acks.destroy();
}

const endSending = (client: SQSClient): void => client.destroy();

/** @returns clients that queues of one target share, and what to call when one of these is closed */
function share<Clients>(
  all: Map<string, Shared<Clients>>,
  settings: QueueSettings,
  create: (target: Target) => Clients,
  end: (clients: Clients) => void,
): { clients: Clients; release: () => void } {
  const { region, roleArn, externalId } = settings;
  const role = roleArn === undefined ? undefined : { roleArn, externalId };
  const endpoint = new URL(settings.url).origin;
  const key = JSON.stringify([region, endpoint, role]);
  const shared = all.get(key) ?? { clients: create({ region, endpoint, role }), users: 0 };
  all.set(key, shared);
  shared.users++;
  let open = true;
  const release = () => {
    if (!open) return;
    open = false;
    if (--shared.users > 0) return;
    all.delete(key);
    end(shared.clients);
  };
  return { clients: shared.clients, release };
}
