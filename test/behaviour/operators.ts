import { pino } from 'pino';
import { LOCAL_REGION } from '../../dev/local-sqs.ts';
import type { Clock } from '../../src/base/clock.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { operatorMetrics } from '../../src/operator/metrics.ts';
import { LEASE_NAME, type Operator as Running, startOperator } from '../../src/operator/operator.ts';
import type { AllowQueueRule } from '../../src/sqs/allow-queue.ts';
import { SqsClients } from '../../src/sqs/clients.ts';
import type { Queues } from '../kit/queues.ts';
import type { Cluster } from './cluster.ts';
import { type Faults, Life, watched, watchedQueue } from './faults.ts';

export interface OperatorOptions {
  /** From --allow-queue-origin; the world's SQS server where nothing is said. */
  allowedOrigins?: readonly string[];
  /** From --allow-queue. */
  allowRules?: readonly AllowQueueRule[];
  /** The clock of the machine that it runs on, where that differs from the world's. */
  clock?: Clock;
  /**
   * It is one of several replicas, of which one works. The Lease lies in the world's namespace: worlds side by side
   * have each their own.
   */
  leaseSeconds?: number;
}

export interface Operator {
  readonly controller: Running;
  readonly metrics: Metrics;
  stop(): Promise<void>;
  /** As kill -9: from this moment on it sends no request, and it hears of none that took effect. */
  kill(): void;
  /** Resolves when it was killed. */
  readonly killed: Promise<void>;
}

export interface OperatorsOptions {
  cluster: Cluster;
  queues: Queues;
  faults: Faults;
  clock: Clock;
  /** The clock does not run as the queue server's does: the waiting is done here, by that clock. */
  asksWithoutWaiting: boolean;
  logLevel: string;
}

/**
 * The operators under test: each is `capdeploy controller` without its process, as what `src/cli/controller.ts` ties
 * together.
 */
export class Operators {
  readonly #options: OperatorsOptions;
  readonly #running = new Map<Operator, Life>();
  readonly #dying = new Set<Promise<unknown>>();
  readonly #killed: Life[] = [];
  #started = 0;

  constructor(options: OperatorsOptions) {
    this.#options = options;
  }

  start({ allowedOrigins, allowRules = [], clock = this.#options.clock, leaseSeconds }: OperatorOptions): Operator {
    const { cluster, queues, faults, asksWithoutWaiting, logLevel } = this.#options;
    const metrics = new Metrics({ processMetrics: false });
    const clients = new SqsClients();
    const life = new Life();
    const connection = cluster.connect();
    const by = ++this.#started;
    const kube = watched(connection.kube, faults, life, by);
    const log = pino({ level: logLevel });
    const end = Promise.withResolvers<void>();
    const controller = startOperator({
      kube,
      namespaces: cluster.served,
      instance: 'operator-under-test',
      metrics: operatorMetrics(metrics),
      log,
      clock,
      election: leaseSeconds
        ? {
            // The operator's own rights are to one Lease alone, in its own namespace.
            kube: watched(cluster.kube, faults, life, by),
            lease: { namespace: cluster.namespace, name: LEASE_NAME },
            identity: `operator-${by}`,
            durationMs: leaseSeconds * 1000,
          }
        : undefined,
      selection: {
        allowedOrigins: new Set(allowedOrigins ?? [queues.endpoint]),
        allowRules,
        defaultRegion: LOCAL_REGION,
      },
      openQueue: (settings) =>
        watchedQueue(clients.open(settings), settings.url, {
          faults,
          life,
          clock: asksWithoutWaiting ? clock : undefined,
        }),
    });
    const close = async () => {
      await controller.stop();
      clients.close();
      await connection.close();
    };
    const operator: Operator = {
      controller,
      metrics,
      stop: async () => {
        if (this.#running.delete(operator)) await close();
      },
      kill: () => {
        if (!this.#running.delete(operator)) return;
        life.killed = true;
        this.#killed.push(life);
        end.resolve();
        // What is left of it is cleared away. The server would give messages to a poll that was cut off: those under
        // way come to their end.
        const buried = Promise.allSettled(life.receives)
          .then(() => controller.abort())
          .then(close);
        this.#dying.add(buried);
      },
      killed: end.promise,
    };
    this.#running.set(operator, life);
    return operator;
  }

  /** Makes visible what those that were killed had in flight. */
  async redeliver(queueUrl: string): Promise<void> {
    await Promise.all(this.#dying);
    for (const life of this.#killed.splice(0)) {
      await this.#options.queues.show(queueUrl, life.inFlight.get(queueUrl) ?? []);
    }
  }

  /** Ends the watches of all that run. @param forgotten and has them find their place in history forgotten (410). */
  endWatches(forgotten: boolean): void {
    for (const life of this.#running.values()) life.endWatches(forgotten);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((operator) => operator.stop()));
    await Promise.all(this.#dying);
  }
}
