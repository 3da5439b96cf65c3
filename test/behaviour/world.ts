import type { SQSClient } from '@aws-sdk/client-sqs';
import type { JobControllerOptions } from 'in-memory-kubernetes/controllers/job-controller.ts';
import type { Store } from 'in-memory-kubernetes/store/store.ts';
import { type TestContext, vi } from 'vitest';
import type { CapDeployJob } from '../../src/api/capdeployjob.ts';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { JOBS, type KubeClient, type KubeObject, type ResourceType } from '../../src/kube/client.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import type { Job, Pod } from '../../src/lanes/job.ts';
import { MovableClock } from '../kit/clocks.ts';
import { PlayedKubelet, type Script } from '../kit/played-kubelet.ts';
import { openQueues } from '../kit/queues.ts';
import { isReal } from '../kit/which-world.ts';
import { type Cluster, PLAYED_NODE } from './cluster.ts';
import { whyNotOnReal } from './differences.ts';
import type { Faults } from './faults.ts';
import { localCluster } from './local-world.ts';
import { type Operator, type OperatorOptions, Operators } from './operators.ts';
import { realCluster } from './real-world.ts';

export { MovableClock } from '../kit/clocks.ts';
export { eventually } from '../kit/eventually.ts';
export { NAMESPACES, PLAYED_NODE } from './cluster.ts';
export type { Call, QueueCall } from './faults.ts';
export type { Operator, OperatorOptions } from './operators.ts';
export { createQueueWithDeadLetters, message, type Served, sentAt, served } from './requests.ts';
export {
  condition,
  deployed,
  ended,
  jobOf,
  lane,
  operatorEvents,
  overlaps,
  production,
  running,
  specIsSeen,
  turns,
  waiting,
} from './seen.ts';

// A real Job controller takes a second or two for each turn of a deploy (it batches), and all worlds share the control
// plane: tests wait for it most of their time, so that more of them fit side by side.
if (isReal) vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000, maxConcurrency: 8 });

/**
 * Where the behaviour tests live: a Kubernetes API, an SQS server, a played kubelet, and the operator as `capdeploy
 * controller` runs it. Tests know nothing else, so that the same ones run on the in-memory Kubernetes and on a real
 * control plane (TEST_WORLD).
 */
export interface World extends Faults {
  /**
   * With all rights: what a test, a user or a saboteur does. Lists and watches that name no namespace see the world's
   * own.
   */
  readonly kube: KubeClient;
  readonly kubelet: PlayedKubelet;
  readonly namespace: string;
  /**
   * The local store, for faults that no API offers: a test that uses it stands in `differences.ts`. @throws Error on a
   * real control plane.
   */
  readonly store: Store;
  readonly sqs: SQSClient;
  /**
   * The world's time (epoch milliseconds), which runs `speed` times faster than the tester's: the operator's, and the
   * local cluster's.
   */
  now(): number;
  /** Lets it run so many times faster from now on; only in a world that was made with a speed. */
  setSpeed(speed: number): void;
  /** What Pods do by themselves, by environment and revision. */
  script: (pod: Pod) => Script;
  startOperator(options?: OperatorOptions): Operator;
  /** @returns its URL, whose last part ends in this name. */
  createQueue(name: string, attributes?: Record<string, string>): Promise<string>;
  queueArn(queueUrl: string): Promise<string>;
  send(queueUrl: string, body: unknown, options?: { groupId?: string }): Promise<string>;
  /** Messages that are visible, in flight or delayed. */
  depth(queueUrl: string): Promise<number>;
  /** Makes visible what operators that were killed had in flight, as if its visibility had ended. */
  redeliver(queueUrl: string): Promise<void>;
  /** Creates a CapDeployJob; `spec` is laid over a small valid one. */
  deployable(name: string, queueUrl: string, spec?: Record<string, unknown>): Promise<CapDeployJob>;
  resource(name: string): Promise<CapDeployJob>;
  /** As `kubectl patch`: a merge patch of a CapDeployJob's spec, whoever writes at the same time. */
  edit(name: string, spec: Record<string, unknown>): Promise<void>;
  /** The same of any object. */
  change(type: ResourceType, name: string, patch: Record<string, unknown>): Promise<void>;
  /**
   * As `kubectl delete`. @param options.orphan leaves its dependents behind (`--cascade=orphan`), options.foreground
   * has it wait for them (`--cascade=foreground`).
   */
  remove(type: ResourceType, name: string, options?: { orphan?: boolean; foreground?: boolean }): Promise<void>;
  /** Creates a ResourceQuota of that name that leaves room for no object of the type. @returns what deletes it. */
  refuse(type: ResourceType, quota: string): Promise<() => Promise<void>>;
  /**
   * Ends the operators' watches. @param options.forgotten and has them find forgotten (410) what they would go on from.
   */
  endWatches(options?: { forgotten?: boolean }): void;
  jobs(name: string): Promise<Job[]>;
  /** Ends all of it, once. */
  stop(): Promise<void>;
}

export interface WorldOptions {
  /** How the Job controller lags. Only the local one can be told: see `differences.ts`. */
  job?: JobControllerOptions;
  log?: string;
  /**
   * So many times faster than the tester's own run the clocks of the operator and of the local cluster (a real one
   * keeps to its own); the queue server is then asked without waiting, even at a speed of 1.
   */
  speed?: number;
}

/** Makes the world that TEST_WORLD names. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const clock = new MovableClock(0, options.speed);
  const cluster = isReal ? await realCluster() : await localCluster(clock, options.job);
  return inhabit(cluster, clock, options);
}

/** A world in a cluster of the caller's making. It stops with the world. */
export async function inhabit(
  cluster: Cluster,
  clock = new MovableClock(0),
  { speed, log }: WorldOptions = {},
): Promise<World> {
  const { kube, namespace } = cluster;
  const queues = await openQueues();
  const world: World = {
    kube,
    namespace,
    get store() {
      return cluster.store;
    },
    sqs: queues.sqs,
    now: () => clock.now(),
    setSpeed: (faster) => clock.setSpeed(faster),
    script: () => ({ exitCode: 0 }),
    intercept: undefined,
    afterCall: undefined,
    onQueueCall: undefined,
    calls: [],
    kubelet: new PlayedKubelet({
      kube,
      script: (pod) => world.script(pod),
      removePod: (pod) => cluster.forceDelete(pod),
    }),
    startOperator: (settings = {}) => operators.start(settings),
    createQueue: queues.create,
    queueArn: queues.arn,
    send: queues.send,
    depth: queues.depth,
    redeliver: (queueUrl) => operators.redeliver(queueUrl),
    deployable: async (name, queueUrl, spec = {}) =>
      (await kube.create(CAPDEPLOYJOBS, {
        apiVersion: 'capdeployjob.dev/v1alpha1',
        kind: 'CapDeployJob',
        metadata: { name, namespace },
        spec: {
          queue: { url: queueUrl, waitTimeSeconds: 1, visibilityTimeoutSeconds: 10 },
          environments: [{ name: 'production' }, { name: 'staging' }],
          template: template('cap'),
          ...spec,
        },
      })) as unknown as CapDeployJob,
    resource: async (name) => (await kube.get<KubeObject>(CAPDEPLOYJOBS, namespace, name)) as unknown as CapDeployJob,
    edit: (name, spec) => world.change(CAPDEPLOYJOBS, name, { spec }),
    change: (type, name, patch) =>
      againstConflicts(async () => {
        const { uid = '', resourceVersion = '' } = (await kube.get(type, namespace, name)).metadata;
        await kube.patch(type, namespace, name, { uid, resourceVersion }, patch);
      }),
    remove: (type, name, { orphan, foreground } = {}) =>
      cluster.remove(type, name, orphan ? 'Orphan' : foreground ? 'Foreground' : 'Background'),
    refuse: (type, quota) => cluster.refuse(type, quota),
    endWatches: ({ forgotten = false } = {}) => {
      if (cluster.endWatches) cluster.endWatches(forgotten);
      else operators.endWatches(forgotten);
    },
    jobs: async (name) =>
      (await kube.list<Job & KubeObject>(JOBS, { namespace, labelSelector: `capdeployjob.dev/name=${name}` })).items,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    world.intercept = world.afterCall = world.onQueueCall = undefined;
    await operators.stop();
    await world.kubelet.stop();
    await cluster.stop();
    await queues.stop();
  };
  const operators = new Operators({
    cluster,
    queues,
    faults: world,
    clock,
    asksWithoutWaiting: speed !== undefined,
    logLevel: log ?? process.env.TEST_LOG ?? 'silent',
  });
  return world;
}

/** A Pod template that the played kubelet runs, with one container of this name and image. */
export const template = (name: string, image = 'example.test/capistrano:1') => ({
  spec: { nodeName: PLAYED_NODE, containers: [{ name, image }] },
});

/** A test in a world of its own: such tests can run side by side. */
export const inWorld =
  (run: (world: World) => Promise<void>, options?: WorldOptions) =>
  async (context?: TestContext): Promise<void> => {
    const reason = isReal && context ? whyNotOnReal(context.task.name) : undefined;
    if (reason !== undefined) context?.skip(reason);
    const world = await createWorld(options);
    try {
      // Also where the test has run out of time: then nobody waits for what follows.
      context?.onTestFinished(() => world.stop());
      await run(world);
    } finally {
      await world.stop();
    }
  };

/** Does it once more where somebody else wrote first. */
async function againstConflicts(write: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!isKubeError(error, 'conflict')) throw error;
    }
  }
}
