import type { Store } from 'in-memory-kubernetes/store/store.ts';
import { pino } from 'pino';
import { createLocalClient } from '../../../dev/in-process-client.ts';
import type { CapDeployJob } from '../../../src/api/capdeployjob.ts';
import { CAPDEPLOYJOBS } from '../../../src/api/names.ts';
import { JOBS, type KubeClient, type KubeObject, LEASES } from '../../../src/kube/client.ts';
import type { Lease } from '../../../src/kube/election/lease.ts';
import type { OperatorMetrics } from '../../../src/operator/metrics.ts';
import { LEASE_NAME, type Operator, startOperator } from '../../../src/operator/operator.ts';
import type { Queue, QueueMessage, ReceiveOptions } from '../../../src/sqs/queue.ts';
import { VirtualClock } from '../../kit/clocks.ts';
import { interceptClient } from '../../kit/intercept-client.ts';
import { createStore } from '../../kit/store.ts';

const QUEUE_URL = 'https://sqs.ap-northeast-1.amazonaws.com/123456789012/web';

/** An API server, one queue and operators on a virtual clock. */
export class Rig {
  readonly clock = new VirtualClock();
  readonly queue = new LongPolledQueue(this.clock);
  readonly store: Store;
  readonly operators: Replica[] = [];

  readonly #durationMs: number | undefined;

  /** @param durationMs of the Lease; 0: no election. */
  constructor(durationMs = 15_000) {
    this.#durationMs = durationMs || undefined;
    this.store = createStore({ clock: this.clock }, 'deploy', 'capdeployjob-system');
    this.store.create(CAPDEPLOYJOBS, {
      apiVersion: 'capdeployjob.dev/v1alpha1',
      kind: 'CapDeployJob',
      metadata: { name: 'web', namespace: 'deploy' },
      spec: {
        queue: { url: QUEUE_URL, waitTimeSeconds: 20, visibilityTimeoutSeconds: 60 },
        environments: [{ name: 'production', suspend: true }],
        template: { spec: { containers: [{ name: 'cap', image: 'web' }] } },
      },
    });
  }

  start(name: string): Replica {
    const replica = new Replica(this, name, this.#durationMs);
    this.operators.push(replica);
    return replica;
  }

  /** One that leads and polls, and one that stands by. */
  async pair(): Promise<[leader: Replica, follower: Replica]> {
    const leader = this.start('a');
    await this.until(() => this.queue.polls.length === 1);
    const follower = this.start('b');
    await this.clock.advance(5000);
    return [leader, follower];
  }

  get resource(): CapDeployJob {
    return this.store.get(CAPDEPLOYJOBS, 'deploy', 'web') as unknown as CapDeployJob;
  }

  get jobs(): KubeObject[] {
    return this.store.list(JOBS, { namespace: 'deploy' }).items;
  }

  get lease(): Lease | undefined {
    return this.store.find(LEASES, 'capdeployjob-system', LEASE_NAME) as Lease | undefined;
  }

  /**
   * Lets time pass until it is so. @returns after how many milliseconds. @throws Error where it is not within a virtual
   * minute.
   */
  async until(isSo: () => boolean, withinMs = 60_000): Promise<number> {
    const begun = this.clock.now();
    for (; !isSo(); await this.clock.advance(10)) {
      if (this.clock.now() - begun > withinMs) throw new Error(`not so within ${withinMs} ms: ${isSo}`);
    }
    return this.clock.now() - begun;
  }

  /** How long the promise takes, in virtual milliseconds. */
  async timed(promise: Promise<unknown>): Promise<number> {
    let isOver = false;
    void promise.finally(() => {
      isOver = true;
    });
    return this.until(() => isOver);
  }

  async end(): Promise<void> {
    for (const { faults } of this.operators) faults.hangs = () => false;
    this.queue.hangs = false;
    await Promise.all(this.operators.map(({ operator }) => operator.abort()));
  }
}

/** One operator, whose every request to the API server is noted and may hang. */
export class Replica {
  readonly operator: Operator;
  /** Writes that reached the API server, as `create jobs`; those of its Lease apart. */
  readonly writes: string[] = [];
  readonly faults: { hangs: (verb: string, plural: string) => boolean } = { hangs: () => false };
  /** Requests that hung and were ended by their sender. */
  aborted = 0;
  lost: string | undefined;

  constructor(rig: Rig, name: string, durationMs: number | undefined) {
    const kube = this.#intercept(createLocalClient(rig.store));
    this.operator = startOperator({
      kube,
      namespaces: [],
      instance: name,
      clock: rig.clock,
      log: pino({ level: process.env.TEST_LOG ?? 'silent' }),
      metrics: NO_METRICS,
      selection: { allowedOrigins: new Set(), allowRules: [], defaultRegion: undefined },
      openQueue: () => rig.queue.open(name),
      election:
        durationMs === undefined
          ? undefined
          : { lease: { namespace: 'capdeployjob-system', name: LEASE_NAME }, identity: name, durationMs },
    });
    void this.operator.lost.then(({ message }) => {
      this.lost = message;
    });
  }

  #intercept(client: KubeClient): KubeClient {
    return interceptClient(client, ({ verb, plural, signal }, send) => {
      if (this.faults.hangs(verb, plural)) {
        return new Promise((_, reject) => {
          const end = () => {
            this.aborted += 1;
            reject(signal?.reason);
          };
          if (signal?.aborted) end();
          else signal?.addEventListener('abort', end, { once: true });
        });
      }
      if (plural !== 'leases' && verb !== 'get' && verb !== 'list') this.writes.push(`${verb} ${plural}`);
      return send();
    });
  }
}

const NO_METRICS = new Proxy({}, { get: () => () => {} }) as OperatorMetrics;

interface Poll {
  by: string;
  options: ReceiveOptions;
  answer: (messages: QueueMessage[]) => void;
}

/** A queue whose long polls the test answers itself, or the clock when their time is over. */
export class LongPolledQueue {
  /** Those that are open. */
  readonly polls: Poll[] = [];
  readonly deleted: { by: string; handle: string }[] = [];
  readonly givenBack: { by: string; handle: string }[] = [];
  /** Polls are never answered. */
  hangs = false;
  readonly #clock: VirtualClock;
  #sent = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Answers an open poll of this operator with a message of this body. */
  deliver(to: string, body: unknown): void {
    const poll = this.polls.find(({ by }) => by === to);
    if (poll === undefined) throw new Error(`${to} has no poll open`);
    this.#sent += 1;
    poll.answer([
      {
        messageId: `message-${this.#sent}`,
        receiptHandle: `handle-${this.#sent}`,
        body: typeof body === 'string' ? body : JSON.stringify(body),
        senderId: 'sender',
        sentTimestamp: this.#clock.now(),
        receiveCount: 1,
        messageGroupId: undefined,
      },
    ]);
  }

  open(by: string): Queue {
    return {
      receive: (options) =>
        new Promise((resolve, reject) => {
          const poll: Poll = {
            by,
            options,
            answer: (messages) => {
              this.#clock.clearTimeout(timer);
              if (this.polls.includes(poll)) this.polls.splice(this.polls.indexOf(poll), 1);
              resolve(messages);
            },
          };
          const timer = this.hangs
            ? undefined
            : this.#clock.setTimeout(() => poll.answer([]), options.waitSeconds * 1000);
          options.signal?.addEventListener('abort', () => {
            poll.answer([]);
            reject(options.signal?.reason);
          });
          this.polls.push(poll);
        }),
      delete: async (handles) => {
        this.deleted.push(...handles.map((handle) => ({ by, handle })));
        return handles.map(() => undefined);
      },
      changeVisibility: async (changes) => {
        for (const { receiptHandle, seconds } of changes) {
          if (seconds === 0) this.givenBack.push({ by, handle: receiptHandle });
        }
        return changes.map(() => undefined);
      },
      attributes: async () => ({ fifo: false, redrive: undefined }),
      send: () => Promise.reject(new Error('nobody sends here')),
      close: () => {},
    };
  }
}

export const request = (id: string) => ({
  repository: 'livesense/web',
  environment: 'production',
  revision: 'v1.0.0',
  id,
});
