import { readFileSync } from 'node:fs';
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { pino } from 'pino';
import { parse } from 'yaml';
import type { CapDeployJob, CapDeployJobStatus, HistoryEntry } from '../../src/api/capdeployjob.ts';
import { countPolls, operatorMetrics } from '../../src/commands/operator-metrics.ts';
import { type Controller, startController } from '../../src/controller/run.ts';
import { Supervisor } from '../../src/intake/supervisor.ts';
import {
  CAPDEPLOYJOBS,
  JOBS,
  type KubeClient,
  type KubeObject,
  PODS,
  type ResourceType,
} from '../../src/kube/client.ts';
import { systemClock } from '../../src/kube/clock.ts';
import type { Job, Pod } from '../../src/lanes/job.ts';
import { createLocalClient } from '../../src/local/client.ts';
import { Collector } from '../../src/local/collector.ts';
import { JobController, type JobControllerOptions } from '../../src/local/job-controller.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION, startLocalSqs } from '../../src/local/sqs.ts';
import { Store } from '../../src/local/store.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { SqsClients } from '../../src/sqs/clients.ts';
import { PlayedKubelet, type Script } from './kubelet.ts';

/**
 * Where the behaviour tests live: a Kubernetes API, an SQS server, a played kubelet, and the operator as `capdeploy controller` runs it.
 * Tests know nothing else, so that the same ones can run on another control plane and another SQS server.
 */
export interface World {
  /** With all rights: what a test, a user or a saboteur does. */
  readonly kube: KubeClient;
  readonly kubelet: PlayedKubelet;
  readonly namespace: string;
  /** The local store, for faults that no API offers. */
  readonly store: Store;
  readonly sqs: SQSClient;
  /** What Pods do by themselves, by environment and revision. */
  script: (pod: Pod) => Script;
  /** Each request that the operator sends, before it takes effect; throw to refuse it. */
  intercept: ((call: Call) => void | Promise<void>) | undefined;
  /** The operator's calls so far. */
  readonly calls: Call[];
  startOperator(): Operator;
  createQueue(name: string, attributes?: Record<string, string>): Promise<string>;
  send(queueUrl: string, body: unknown, options?: { groupId?: string }): Promise<string>;
  /** Messages that are visible, in flight or delayed. */
  depth(queueUrl: string): Promise<number>;
  /** Creates a CapDeployJob; `spec` is laid over a small valid one. */
  deployable(name: string, queueUrl: string, spec?: Record<string, unknown>): Promise<CapDeployJob>;
  resource(name: string): Promise<CapDeployJob>;
  edit(name: string, spec: Record<string, unknown>): Promise<void>;
  jobs(name: string): Promise<Job[]>;
  stop(): Promise<void>;
}

export interface Call {
  verb: 'get' | 'list' | 'create' | 'replaceStatus' | 'patch' | 'delete';
  type: ResourceType;
  name?: string | undefined;
  dryRun?: boolean | undefined;
}

export interface Operator {
  readonly controller: Controller;
  readonly metrics: Metrics;
  stop(): Promise<void>;
}

export const NAMESPACES: ResourceType = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

export async function createWorld(options: { job?: JobControllerOptions; log?: string } = {}): Promise<World> {
  const store = new Store();
  const admin = createLocalClient(store);
  const parts = [new JobController(store, options.job), new Collector(store)];
  const crd = parse(readFileSync(new URL('../../crds/capdeployjobs.yaml', import.meta.url), 'utf8'));
  store.create(
    {
      group: 'apiextensions.k8s.io',
      version: 'v1',
      plural: 'customresourcedefinitions',
      kind: 'CustomResourceDefinition',
    },
    crd,
  );
  const namespace = 'deploy';
  await admin.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const server = await startLocalSqs();
  const sqs = new SQSClient({ endpoint: server.endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS });
  // The operator finds its credentials as it does in a cluster.
  process.env.AWS_ACCESS_KEY_ID = LOCAL_CREDENTIALS.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = LOCAL_CREDENTIALS.secretAccessKey;
  const operators = new Set<Operator>();

  const world: World = {
    kube: admin,
    namespace,
    store,
    sqs,
    script: () => ({ exitCode: 0 }),
    intercept: undefined,
    calls: [],
    kubelet: new PlayedKubelet({
      kube: admin,
      script: (pod) => world.script(pod),
      removePod: async (pod) =>
        void store.delete(PODS, pod.metadata.namespace, pod.metadata.name, { gracePeriodSeconds: 0 }),
    }),
    startOperator: () => {
      const metrics = new Metrics({ processMetrics: false });
      const counted = operatorMetrics(metrics);
      const clients = new SqsClients();
      const kube = watched(createLocalClient(store), world);
      const log = pino({ level: options.log ?? process.env.TEST_LOG ?? 'silent' });
      const controller = startController({
        kube,
        namespaces: [],
        instance: 'operator-under-test',
        metrics: counted,
        log,
        startIntake: ({ resources, reports }) =>
          new Supervisor({
            kube,
            resources,
            reports: countPolls(reports, metrics),
            metrics: counted,
            clock: systemClock,
            log,
            targets: { allowedOrigins: new Set([server.endpoint]), allowRules: [], defaultRegion: LOCAL_REGION },
            openQueue: (settings) => clients.open(settings),
          }),
      });
      const operator: Operator = {
        controller,
        metrics,
        stop: async () => {
          if (!operators.delete(operator)) return;
          await controller.stop();
          clients.close();
        },
      };
      operators.add(operator);
      return operator;
    },
    createQueue: async (name, attributes) => {
      await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
      return server.queueUrl(name);
    },
    send: async (queueUrl, body, { groupId } = {}) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const fifo =
        groupId === undefined ? {} : { MessageGroupId: groupId, MessageDeduplicationId: crypto.randomUUID() };
      const sent = await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: text, ...fifo }));
      return sent.MessageId ?? '';
    },
    depth: async (queueUrl) => {
      const names = [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ] as const;
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }),
      );
      return names.reduce((sum, name) => sum + Number(Attributes?.[name] ?? 0), 0);
    },
    deployable: async (name, queueUrl, spec = {}) =>
      (await admin.create(CAPDEPLOYJOBS, {
        apiVersion: 'capdeployjob.dev/v1alpha1',
        kind: 'CapDeployJob',
        metadata: { name, namespace },
        spec: {
          queue: { url: queueUrl, waitTimeSeconds: 1, visibilityTimeoutSeconds: 10 },
          environments: [{ name: 'production' }, { name: 'staging' }],
          template: { spec: { nodeName: 'played', containers: [{ name: 'cap', image: 'example.test/capistrano:1' }] } },
          ...spec,
        },
      })) as unknown as CapDeployJob,
    resource: async (name) => (await admin.get<KubeObject>(CAPDEPLOYJOBS, namespace, name)) as unknown as CapDeployJob,
    edit: async (name, spec) => {
      const { metadata } = await world.resource(name);
      await admin.patch(
        CAPDEPLOYJOBS,
        namespace,
        name,
        { uid: metadata.uid, resourceVersion: metadata.resourceVersion },
        { spec },
      );
    },
    jobs: async (name) =>
      (await admin.list<Job & KubeObject>(JOBS, { namespace, labelSelector: `capdeployjob.dev/name=${name}` })).items,
    stop: async () => {
      await Promise.all([...operators].map((operator) => operator.stop()));
      await world.kubelet.stop();
      for (const part of parts) part.stop();
      sqs.destroy();
      await server.stop();
    },
  };
  return world;
}

/** The operator's client, with every call noted and open to faults. */
function watched(client: KubeClient, world: World): KubeClient {
  const note = async (call: Call) => {
    world.calls.push(call);
    await world.intercept?.(call);
  };
  return {
    async get(type, namespace, name, options) {
      await note({ verb: 'get', type, name });
      return client.get(type, namespace, name, options);
    },
    async list(type, options) {
      await note({ verb: 'list', type });
      return client.list(type, options);
    },
    watch: (type, options) => client.watch(type, options),
    async create(type, object, options) {
      await note({ verb: 'create', type, name: object.metadata.name, dryRun: options?.dryRun });
      return client.create(type, object, options);
    },
    async replaceStatus(type, object, options) {
      await note({ verb: 'replaceStatus', type, name: object.metadata.name });
      return client.replaceStatus(type, object, options);
    },
    async patch(type, namespace, name, preconditions, patch, options) {
      await note({ verb: 'patch', type, name });
      return client.patch(type, namespace, name, preconditions, patch, options);
    },
    async delete(type, namespace, name, preconditions, options) {
      await note({ verb: 'delete', type, name });
      return client.delete(type, namespace, name, preconditions, options);
    },
  };
}

/** Waits until `look` returns something, however long the machine takes within the limit. @throws Error with what was seen last. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const lane = (status: CapDeployJobStatus | undefined, environment: string) =>
  status?.environments?.find(({ name }) => name === environment);

/** The history entry of a revision, once there is one. */
export async function ended(world: World, name: string, revision: string): Promise<HistoryEntry> {
  return eventually(`${revision} of ${name} ends`, async () => {
    const { status } = await world.resource(name);
    return status?.history?.find((entry) => entry.revision === revision);
  });
}
