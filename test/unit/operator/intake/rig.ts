import { pino } from 'pino';
import { systemClock } from '../../../../src/base/clock.ts';
import type { IntakeContext } from '../../../../src/operator/intake/context.ts';
import type { IntakeMetrics } from '../../../../src/operator/intake/metrics.ts';
import { Poller } from '../../../../src/operator/intake/poller.ts';
import type { Queue, QueueMessage } from '../../../../src/sqs/queue.ts';
import { aCheckedResource } from '../../../kit/builders.ts';
import type { SqsServer } from '../../sqs/sqs-server.ts';
import { Cluster } from './cluster.ts';

export const KEY = 'deploy/web';

/** Chance is left out of the tests: every backoff waits a fifth of its bound. */
export const testClock = { ...systemClock, random: () => 0.2 };

const NO_METRICS = new Proxy({}, { get: () => () => {} }) as IntakeMetrics;

export function partsOf(cluster: Cluster): IntakeContext {
  const log = pino({ level: process.env.TEST_LOG ?? 'silent' });
  return { kube: cluster.kube, resources: cluster, reports: cluster, metrics: NO_METRICS, clock: testClock, log };
}

/** What a test looks at: a cluster, a queue, and a poller between them. `end` stops everything. */
export interface Rig {
  cluster: Cluster;
  url: string;
  /** A second connection to the queue, for the producer and for looking. */
  producer: Queue;
  /** Calls that the poller made, by name, in order. */
  calls: string[];
  poller: Poller;
  start(uid?: string): Poller;
}

const running: Poller[] = [];

export async function aRig(
  server: SqsServer,
  options: {
    queue?: Parameters<SqsServer['createQueue']>[0];
    spec?: Record<string, unknown>;
    cluster?: (cluster: Cluster) => void;
    wrap?: (queue: Queue) => Queue;
    started?: boolean;
  } = {},
): Promise<Rig> {
  const url = await server.createQueue(options.queue);
  const cluster = new Cluster();
  cluster.put(
    aCheckedResource({ spec: { queue: { url, waitTimeSeconds: 1, visibilityTimeoutSeconds: 10 }, ...options.spec } }),
  );
  options.cluster?.(cluster);
  const calls: string[] = [];
  const start = (uid = 'uid-1') => {
    const queue = counted((options.wrap ?? ((same) => same))(server.open(url)), calls);
    const poller = new Poller(partsOf(cluster), { key: KEY, uid, queue });
    running.push(poller);
    return poller;
  };
  const rig = { cluster, url, producer: server.open(url), calls, start, poller: undefined as unknown as Poller };
  if (options.started !== false) rig.poller = start();
  return rig;
}

/** At the end of a file: nothing runs on. */
export async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((poller) => poller.abort()));
}

function counted(queue: Queue, calls: string[]): Queue {
  return new Proxy(queue, {
    get(target, name) {
      const method = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => {
        calls.push(String(name));
        return Reflect.apply(method, target, args);
      };
    },
  });
}

/** All messages that can be seen in a queue within so many seconds. Hides them for an hour. */
export async function peek(queue: Queue, waitSeconds = 1): Promise<QueueMessage[]> {
  return queue.receive({ max: 10, waitSeconds, visibilitySeconds: 3600 });
}
