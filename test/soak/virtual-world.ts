import { VirtualClock } from 'in-memory-kubernetes/clock.ts';
import { GarbageCollector } from 'in-memory-kubernetes/controllers/garbage-collector.ts';
import { JobController } from 'in-memory-kubernetes/controllers/job-controller.ts';
import { PodPlayer } from 'in-memory-kubernetes/kubelet/play-pods.ts';
import type { Store } from 'in-memory-kubernetes/store/store.ts';
import { pino } from 'pino';
import { createLocalClient } from '../../dev/in-process-client.ts';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import type { Clock } from '../../src/base/clock.ts';
import { EVENTS, type KubeClient, PODS } from '../../src/kube/client.ts';
import { KubeError } from '../../src/kube/errors.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { operatorMetrics } from '../../src/operator/metrics.ts';
import { type Operator, startOperator } from '../../src/operator/operator.ts';
import type { QueueAttributes } from '../../src/sqs/queue.ts';
import { interceptClient } from '../kit/intercept-client.ts';
import { createStore } from '../kit/store.ts';
import { VirtualQueue } from './virtual-queue.ts';

export const NAMESPACE = 'deploy';
const ORIGIN = 'http://127.0.0.1:4566';

/** One operator, its cluster and its queues in this process, on a clock that runs as fast as all of it can. */
export class VirtualWorld {
  readonly clock = new VirtualClock();
  readonly metrics = new Metrics({ processMetrics: false, now: () => this.clock.now() });
  readonly queues = new Map<string, VirtualQueue>();
  /** The share of requests to the API server that fail. */
  faultRate = 0;
  readonly #random: () => number;
  readonly #time: Clock;
  readonly #store: Store;
  readonly #parts: { stop(): void }[];
  readonly #operator: Operator;

  /** @param random at least 0, less than 1: seeded, so that a run can be repeated. */
  constructor(random: () => number) {
    this.#random = random;
    this.#time = {
      now: () => this.clock.now(),
      setTimeout: (callback, ms) => this.clock.setTimeout(callback, ms),
      clearTimeout: (timer) => this.clock.clearTimeout(timer),
      random,
    };
    this.#store = createStore({ clock: this.clock }, NAMESPACE);
    this.#parts = [new JobController(this.#store), new GarbageCollector(this.#store)];
    this.#playPods();
    this.#operator = this.#startOperator();
  }

  /** Lets the time pass; whatever is set off runs to its end before the clock moves on. */
  async pass(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    for (;;) {
      await quiet();
      const due = this.clock.nextDue();
      if (due === undefined || due > end) break;
      this.clock.advance(Math.max(0, due - this.clock.now()));
    }
    this.clock.advance(end - this.clock.now());
    await quiet();
  }

  deploy(name: string, redrive: QueueAttributes['redrive'], spec: Record<string, unknown> = {}): VirtualQueue {
    const queue = this.queue(name, redrive);
    this.#store.create(CAPDEPLOYJOBS, {
      apiVersion: 'capdeployjob.dev/v1alpha1',
      kind: 'CapDeployJob',
      metadata: { name, namespace: NAMESPACE },
      spec: {
        queue: { url: `${ORIGIN}/000000000000/${name}`, region: 'us-east-1' },
        environments: [{ name: 'production' }, { name: 'staging', concurrencyPolicy: 'Replace' }],
        template: { spec: { containers: [{ name: 'cap', image: 'example.test/cap:1' }] } },
        ...spec,
      },
    });
    return queue;
  }

  queue(name: string, redrive: QueueAttributes['redrive']): VirtualQueue {
    let queue = this.queues.get(name);
    if (queue === undefined) {
      queue = new VirtualQueue(this.#time, redrive);
      this.queues.set(name, queue);
    }
    return queue;
  }

  change(name: string, patch: Record<string, Record<string, unknown>>): void {
    this.#store.patch(CAPDEPLOYJOBS, NAMESPACE, name, (current) => {
      const changed = structuredClone(current) as unknown as Record<string, Record<string, unknown>>;
      for (const [part, values] of Object.entries(patch)) changed[part] = { ...changed[part], ...values };
      return changed;
    });
  }

  remove(name: string): void {
    this.#store.delete(CAPDEPLOYJOBS, NAMESPACE, name, { propagationPolicy: 'Background' });
    this.queues.delete(name);
  }

  names(): string[] {
    return this.#store.list(CAPDEPLOYJOBS).items.map(({ metadata }) => metadata.name);
  }

  count(plural: 'jobs' | 'pods'): number {
    const type = plural === 'pods' ? PODS : { group: 'batch', version: 'v1', plural, kind: 'Job' };
    return this.#store.list(type).items.length;
  }

  endWatches(forgotten: boolean): void {
    if (forgotten) this.#store.forgetHistory();
    this.#store.endWatches();
  }

  /** As the API server's own time to live, an hour by default, does. */
  forgetEvents(): void {
    for (const { metadata } of this.#store.list(EVENTS).items) {
      this.#store.delete(EVENTS, metadata.namespace, metadata.name, {});
    }
  }

  async stop(): Promise<void> {
    const stopped = this.#operator.stop();
    await this.pass(60_000);
    await stopped;
    for (const part of this.#parts) part.stop();
  }

  #startOperator(): Operator {
    return startOperator({
      kube: this.#failing(createLocalClient(this.#store)),
      namespaces: [],
      instance: 'soak',
      metrics: operatorMetrics(this.metrics),
      log: pino({ level: 'silent' }),
      clock: this.#time,
      selection: { allowedOrigins: new Set([ORIGIN]), allowRules: [], defaultRegion: undefined },
      openQueue: ({ url }) => this.queue(url.slice(url.lastIndexOf('/') + 1), undefined).open(),
    });
  }

  /** Some requests fail, half of them after they took effect. */
  #failing(client: KubeClient): KubeClient {
    const failure = () =>
      new KubeError('retryable', { status: 503, reason: 'ServiceUnavailable', message: 'played by the soak' });
    return interceptClient(client, async (_, send) => {
      if (this.#random() < this.faultRate / 2) throw failure();
      const answer = await send();
      if (this.#random() < this.faultRate / 2) throw failure();
      return answer;
    });
  }

  /** Pods start after a second and end within two minutes, most of them well. */
  #playPods(): void {
    const player = new PodPlayer(this.#store);
    const play = (name: string, uid: string | undefined, ms: number, step: () => void) =>
      this.clock.setTimeout(() => {
        const pod = this.#store.find(PODS, NAMESPACE, name);
        if (pod?.metadata.uid === uid && pod?.metadata.deletionTimestamp === undefined) step();
      }, ms);
    this.#store.onChange((type, { type: change, object }) => {
      if (type.storage !== '/pods' || change === 'DELETED') return;
      const { name, uid, deletionTimestamp } = object.metadata;
      if (deletionTimestamp !== undefined) {
        this.clock.setTimeout(() => {
          if (this.#store.find(PODS, NAMESPACE, name)?.metadata.uid === uid) player.endDeleted(NAMESPACE, name);
        }, 500);
      } else if (change === 'ADDED') {
        play(name, uid, 1_000, () => player.run(NAMESPACE, name));
        const exitCode = this.#random() < 0.2 ? 1 : 0;
        play(name, uid, 2_000 + this.#random() * 120_000, () =>
          player.finish(NAMESPACE, name, exitCode, 'the end of a log'),
        );
      }
    });
  }
}

/** All that was set off has run: promises, and what they set off. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
