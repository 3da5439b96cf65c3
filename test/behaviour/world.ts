import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { pino } from 'pino';
import { parse } from 'yaml';
import type { CapDeployJob, CapDeployJobStatus, HistoryEntry, WaitingEntry } from '../../src/api/capdeployjob.ts';
import { ANNOTATION } from '../../src/api/names.ts';
import { countPolls, operatorMetrics } from '../../src/commands/operator-metrics.ts';
import { type Controller, startController } from '../../src/controller/run.ts';
import { Supervisor } from '../../src/intake/supervisor.ts';
import {
  CAPDEPLOYJOBS,
  EVENTS,
  JOBS,
  type KubeClient,
  type KubeObject,
  PODS,
  type ResourceType,
} from '../../src/kube/client.ts';
import { type Clock, sleep, systemClock } from '../../src/kube/clock.ts';
import { isKubeError, KubeError } from '../../src/kube/errors.ts';
import type { Job, Pod } from '../../src/lanes/job.ts';
import { createLocalClient } from '../../src/local/client.ts';
import { Collector } from '../../src/local/controllers/collector.ts';
import { JobController, type JobControllerOptions } from '../../src/local/controllers/job-controller.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION, startLocalSqs } from '../../src/local/sqs.ts';
import type { AdmissionCheck } from '../../src/local/store/admission.ts';
import { forbidden } from '../../src/local/store/api-error.ts';
import { Store } from '../../src/local/store/store.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import type { AllowQueueRule } from '../../src/sqs/allow-queue.ts';
import { SqsClients } from '../../src/sqs/clients.ts';
import { SqsError } from '../../src/sqs/errors.ts';
import type { Queue } from '../../src/sqs/queue.ts';
import { type Played, PlayedKubelet, type Script } from './kubelet.ts';

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
  /** The same once it has taken effect, and before the operator hears of it. */
  afterCall: ((call: Call) => void | Promise<void>) | undefined;
  /** Each request to SQS, before it takes effect and after; throw to make it fail. */
  onQueueCall: ((call: QueueCall) => void | Promise<void>) | undefined;
  /** The operator's calls so far. */
  readonly calls: Call[];
  startOperator(options?: OperatorOptions): Operator;
  createQueue(name: string, attributes?: Record<string, string>): Promise<string>;
  send(queueUrl: string, body: unknown, options?: { groupId?: string }): Promise<string>;
  /** Messages that are visible, in flight or delayed. */
  depth(queueUrl: string): Promise<number>;
  /** Makes visible what operators that were killed had in hand, as if its visibility had ended. */
  redeliver(queueUrl: string): Promise<void>;
  /** Creates a CapDeployJob; `spec` is laid over a small valid one. */
  deployable(name: string, queueUrl: string, spec?: Record<string, unknown>): Promise<CapDeployJob>;
  resource(name: string): Promise<CapDeployJob>;
  /** As `kubectl patch`: a merge patch of a CapDeployJob's spec, whoever writes at the same time. */
  edit(name: string, spec: Record<string, unknown>): Promise<void>;
  /** The same of any object. */
  change(type: ResourceType, name: string, patch: Record<string, unknown>): Promise<void>;
  /** As `kubectl delete`. @param options.orphan leaves its dependents behind (`--cascade=orphan`). */
  remove(type: ResourceType, name: string, options?: { orphan?: boolean }): Promise<void>;
  /** Has the API server refuse to create objects of a type, as a quota does. @returns what ends it. */
  refuse(type: ResourceType, words: string): () => void;
  jobs(name: string): Promise<Job[]>;
  stop(): Promise<void>;
}

export interface Call {
  verb: 'get' | 'list' | 'watch' | 'create' | 'replaceStatus' | 'patch' | 'delete';
  type: ResourceType;
  name?: string | undefined;
  /** The object that is created, the object with its new status, or the patch. */
  body?: Record<string, unknown> | undefined;
  dryRun?: boolean | undefined;
}

export interface QueueCall {
  verb: 'receive' | 'delete' | 'changeVisibility' | 'attributes';
  queueUrl: string;
  moment: 'before' | 'after';
}

export interface OperatorOptions {
  /** From --allow-queue-origin; the world's SQS server where nothing is said. */
  allowedOrigins?: readonly string[];
  /** From --allow-queue. */
  allowRules?: readonly AllowQueueRule[];
  /** The clock of the machine that it runs on, where that differs from the world's. */
  clock?: Clock;
}

export interface Operator {
  readonly controller: Controller;
  readonly metrics: Metrics;
  stop(): Promise<void>;
  /** As kill -9: from this moment on none of its requests takes effect, and it hears of none that did. */
  kill(): void;
  /** Resolves when it was killed. */
  readonly killed: Promise<void>;
}

export const NAMESPACES: ResourceType = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

export interface WorldOptions {
  job?: JobControllerOptions;
  log?: string;
  /** So many times faster than the tester's own run the clocks of operator and cluster; the queue server is then asked without waiting. */
  speed?: number;
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const { speed = 1 } = options;
  const worldClock = speed === 1 ? systemClock : fastClock(speed);
  const store = new Store({
    clock: {
      now: () => worldClock.now(),
      after: (ms, callback) => {
        const timer = worldClock.setTimeout(callback, ms);
        return { cancel: () => worldClock.clearTimeout(timer) };
      },
    },
  });
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
  const dying = new Set<Promise<unknown>>();
  const killed: Life[] = [];

  const world: World = {
    kube: admin,
    namespace,
    store,
    sqs,
    script: () => ({ exitCode: 0 }),
    intercept: undefined,
    afterCall: undefined,
    onQueueCall: undefined,
    calls: [],
    kubelet: new PlayedKubelet({
      kube: admin,
      script: (pod) => world.script(pod),
      removePod: async ({ metadata: { namespace, name, uid } }) => {
        if (store.find(PODS, namespace, name)?.metadata.uid !== uid) return;
        store.delete(PODS, namespace, name, { gracePeriodSeconds: 0 });
      },
    }),
    startOperator: ({ allowedOrigins = [server.endpoint], allowRules = [], clock = worldClock } = {}) => {
      const metrics = new Metrics({ processMetrics: false });
      const counted = operatorMetrics(metrics);
      const clients = new SqsClients();
      const life: Life = { killed: false, receives: new Set(), inHand: new Map() };
      const kube = watched(createLocalClient(store), world, life);
      const log = pino({ level: options.log ?? process.env.TEST_LOG ?? 'silent' });
      const end = Promise.withResolvers<void>();
      let intake: Supervisor | undefined;
      const controller = startController({
        kube,
        namespaces: [],
        instance: 'operator-under-test',
        metrics: counted,
        log,
        clock,
        startIntake: ({ resources, reports }) => {
          intake = new Supervisor({
            kube,
            resources,
            reports: countPolls(reports, metrics),
            metrics: counted,
            clock,
            log,
            targets: { allowedOrigins: new Set(allowedOrigins), allowRules, defaultRegion: LOCAL_REGION },
            openQueue: (settings) =>
              watchedQueue(clients.open(settings), settings.url, {
                world,
                life,
                ...(speed === 1 ? {} : { clock }),
              }),
          });
          return intake;
        },
      });
      const operator: Operator = {
        controller,
        metrics,
        stop: async () => {
          if (!operators.delete(operator)) return;
          await controller.stop();
          clients.close();
        },
        kill: () => {
          if (!operators.delete(operator)) return;
          life.killed = true;
          killed.push(life);
          end.resolve();
          // What is left of it is cleared away. The server would give messages to a poll that was cut off: those under way come to their end.
          const buried = Promise.allSettled(life.receives)
            .then(() => intake?.abort())
            .then(() => controller.stop())
            .then(() => clients.close());
          dying.add(buried);
        },
        killed: end.promise,
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
    redeliver: async (queueUrl) => {
      await Promise.all(dying);
      for (const life of killed.splice(0)) {
        for (const ReceiptHandle of life.inHand.get(queueUrl) ?? []) {
          await sqs
            .send(new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle, VisibilityTimeout: 0 }))
            // Its delete was under way, or its visibility has ended by itself.
            .catch(ignore(/MessageNotInflight|ReceiptHandleIsInvalid/));
        }
      }
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
    edit: (name, spec) => world.change(CAPDEPLOYJOBS, name, { spec }),
    change: (type, name, patch) =>
      againstConflicts(async () => {
        const { uid = '', resourceVersion = '' } = (await admin.get(type, namespace, name)).metadata;
        await admin.patch(type, namespace, name, { uid, resourceVersion }, patch);
      }),
    remove: async (type, name, { orphan = false } = {}) =>
      void store.delete(type, namespace, name, { propagationPolicy: orphan ? 'Orphan' : 'Background' }),
    refuse: (type, words) => {
      const check: AdmissionCheck = (request) => {
        const refused = request.operation === 'CREATE' && request.type.plural === type.plural;
        if (refused && !request.dryRun) throw forbidden(type, request.object.metadata.name, words);
      };
      store.admission.push(check);
      return () => void store.admission.splice(store.admission.indexOf(check), 1);
    },
    jobs: async (name) =>
      (await admin.list<Job & KubeObject>(JOBS, { namespace, labelSelector: `capdeployjob.dev/name=${name}` })).items,
    stop: async () => {
      world.intercept = world.afterCall = world.onQueueCall = undefined;
      await Promise.all([...operators].map((operator) => operator.stop()));
      await Promise.all(dying);
      await world.kubelet.stop();
      for (const part of parts) part.stop();
      sqs.destroy();
      await server.stop();
    },
  };
  return world;
}

interface Life {
  killed: boolean;
  /** Under way. */
  receives: Set<Promise<unknown>>;
  /** Receipt handles of messages that it received and did not delete, by queue URL. */
  inHand: Map<string, Set<string>>;
}

/** The operator's client, with every call noted and open to faults. */
function watched(client: KubeClient, world: World, life: Life): KubeClient {
  const mustLive = () => {
    if (!life.killed) return;
    throw new KubeError('retryable', { status: 0, reason: 'ECONNRESET', message: 'this operator was killed' });
  };
  const noted = async <T>(call: Call, send: () => Promise<T>): Promise<T> => {
    mustLive();
    world.calls.push(call);
    await world.intercept?.(call);
    mustLive();
    const answer = await send();
    await world.afterCall?.(call);
    mustLive();
    return answer;
  };
  return {
    get: (type, namespace, name, options) =>
      noted({ verb: 'get', type, name }, () => client.get(type, namespace, name, options)),
    list: (type, options) => noted({ verb: 'list', type }, () => client.list(type, options)),
    async *watch(type, options) {
      await noted({ verb: 'watch', type }, async () => {});
      yield* client.watch(type, options);
    },
    create: (type, object, options) =>
      noted({ verb: 'create', type, name: object.metadata.name, body: { ...object }, dryRun: options?.dryRun }, () =>
        client.create(type, object, options),
      ),
    replaceStatus: (type, object, options) =>
      noted({ verb: 'replaceStatus', type, name: object.metadata.name, body: { ...object } }, () =>
        client.replaceStatus(type, object, options),
      ),
    patch: (type, namespace, name, preconditions, patch, options) =>
      noted({ verb: 'patch', type, name, body: patch }, () =>
        client.patch(type, namespace, name, preconditions, patch, options),
      ),
    delete: (type, namespace, name, preconditions, options) =>
      noted({ verb: 'delete', type, name }, () => client.delete(type, namespace, name, preconditions, options)),
  };
}

/** The operator's queue, likewise. @param parts.clock waits in place of the server, where time runs faster than the server's. */
function watchedQueue(
  queue: Queue,
  queueUrl: string,
  { world, life, clock }: { world: World; life: Life; clock?: Clock },
): Queue {
  const noted = async <T>(verb: QueueCall['verb'], send: () => Promise<T>): Promise<T> => {
    mustLive();
    await world.onQueueCall?.({ verb, queueUrl, moment: 'before' });
    mustLive();
    const answer = await send();
    await world.onQueueCall?.({ verb, queueUrl, moment: 'after' });
    mustLive();
    return answer;
  };
  const mustLive = () => {
    if (life.killed) throw new SqsError('unreachable', 'ECONNRESET', 'this operator was killed');
  };
  const held = () => {
    const handles = life.inHand.get(queueUrl) ?? new Set<string>();
    life.inHand.set(queueUrl, handles);
    return handles;
  };
  return {
    receive: (options) =>
      noted('receive', async () => {
        const receiving = queue.receive(clock ? { ...options, waitSeconds: 0 } : options);
        life.receives.add(receiving);
        const messages = await receiving.finally(() => life.receives.delete(receiving));
        for (const { receiptHandle } of messages) held().add(receiptHandle);
        if (clock && messages.length === 0) {
          await sleep(clock, options.waitSeconds * 1000, options.signal ?? new AbortController().signal);
        }
        return messages;
      }),
    delete: (receiptHandles, signal) =>
      noted('delete', async () => {
        const outcomes = await queue.delete(receiptHandles, signal);
        for (const handle of receiptHandles) held().delete(handle);
        return outcomes;
      }),
    changeVisibility: (changes, signal) => noted('changeVisibility', () => queue.changeVisibility(changes, signal)),
    attributes: (signal) => noted('attributes', () => queue.attributes(signal)),
    send: (body, options) => queue.send(body, options),
    close: () => queue.close(),
  };
}

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

/** The clock of a machine, which a test puts forward: what falls due by that happens at once. */
export class MovableClock implements Clock {
  readonly random = systemClock.random;
  readonly #timers = new Set<{ due: number; callback: () => void; handle: NodeJS.Timeout | undefined }>();
  #aheadMs: number;

  /** @param aheadMs how far it is ahead of everybody else's; negative for one that is slow. */
  constructor(aheadMs = 0) {
    this.#aheadMs = aheadMs;
  }

  now(): number {
    return Date.now() + this.#aheadMs;
  }

  setTimeout(callback: () => void, ms: number): unknown {
    const timer = { due: this.now() + ms, callback, handle: undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    for (const timer of this.#timers) {
      if (timer !== handle) continue;
      clearTimeout(timer.handle);
      this.#timers.delete(timer);
    }
  }

  advance(ms: number): void {
    this.#aheadMs += ms;
    for (const timer of this.#timers) this.#arm(timer);
  }

  #arm(timer: { due: number; callback: () => void; handle: NodeJS.Timeout | undefined }): void {
    clearTimeout(timer.handle);
    const left = Math.max(0, timer.due - this.now());
    timer.handle = setTimeout(() => {
      this.#timers.delete(timer);
      timer.callback();
    }, left);
  }
}

const ignore = (names: RegExp) => (error: Error) => {
  if (!names.test(error.name)) throw error;
};

/** Time that passes so many times faster. */
function fastClock(speed: number): Clock {
  const begun = Date.now();
  return {
    ...systemClock,
    now: () => begun + (Date.now() - begun) * speed,
    setTimeout: (callback, ms) => setTimeout(callback, ms / speed),
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

/** A test in a world of its own: such tests can run side by side. */
export const inWorld = (run: (world: World) => Promise<void>, options?: WorldOptions) => async () => {
  const world = await createWorld(options);
  try {
    await run(world);
  } finally {
    await world.stop();
  }
};

export const condition = (resource: CapDeployJob, type: string) =>
  resource.status?.conditions?.find((each) => each.type === type);

/** Waits until a condition of the resource has this status and reason. */
export async function turns(world: World, name: string, type: string, status: string, reason: string) {
  return eventually(`${type} of ${name} turns ${status} for ${reason}`, async () => {
    const found = condition(await world.resource(name), type);
    return found?.status === status && found.reason === reason ? found : undefined;
  });
}

/** Creates a queue whose messages go to a dead-letter queue once they were received so often. */
export async function createQueueWithDeadLetters(world: World, name: string, maxReceiveCount: number) {
  const deadLetters = await world.createQueue(`${name}-dead`);
  const { Attributes } = await world.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetters, AttributeNames: ['QueueArn'] }),
  );
  const policy = { deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount };
  const queue = await world.createQueue(name, { RedrivePolicy: JSON.stringify(policy) });
  return { queue, deadLetters };
}

/** A CapDeployJob "web" with its queue, and an operator that reads it. */
export async function served(
  world: World,
  spec: Record<string, unknown> = {},
  options: OperatorOptions = {},
): Promise<Served> {
  const queue = await world.createQueue('web');
  await world.deployable('web', queue, spec);
  const operator = world.startOperator(options);
  return {
    queue,
    operator,
    /** Sends a request for production, `minute` minutes into the last half hour. */
    ask: (revision, minute, over = {}) => world.send(queue, message({ revision, sentAt: sentAt(minute), ...over })),
  };
}

export interface Served {
  queue: string;
  operator: Operator;
  ask(revision: string, minute: number, over?: Record<string, unknown>): Promise<string>;
}

/** A message that is accepted; what a test is about is laid over it. */
export const message = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  repository: 'livesense/web',
  environment: 'production',
  revision: 'v1.0.0',
  ...over,
});

const HALF_AN_HOUR_AGO = Date.now() - 30 * 60_000;

/** A moment of the last half hour, by its minute: whatever is sent now is sent later. */
export const sentAt = (minute: number): string => new Date(HALF_AN_HOUR_AGO + minute * 60_000).toISOString();

/** The deploy of a revision, once its container runs. */
export const running = (world: World, revision: string): Promise<Played> =>
  eventually(`${revision} runs`, () =>
    world.kubelet.diary.find(({ env, endedAt }) => env.REVISION === revision && endedAt === undefined),
  );

/** What waits in production, once it is these revisions in this order. */
export async function waiting(world: World, ...revisions: string[]): Promise<WaitingEntry[]> {
  return eventually(`${revisions.join(', ')} wait`, async () => {
    const entries = lane((await world.resource('web')).status, 'production')?.waiting ?? [];
    return (
      isDeepStrictEqual(
        entries.map(({ revision }) => revision),
        revisions,
      ) && entries
    );
  });
}

/** The revisions that were deployed, in the order in which their containers began to run. */
export const deployed = (world: World, environment = 'production'): (string | undefined)[] =>
  world.kubelet.diary.filter((played) => played.environment === environment).map(({ env }) => env.REVISION);

/** What ran at the same time as another deploy of its environment: there must be none (invariant 3). */
export function overlaps(world: World, environment = 'production'): string[] {
  const inLane = world.kubelet.diary.filter((played) => played.environment === environment);
  const begunBeforeEndOf = (one: Played, other: Played) => one.startedAt < (other.endedAt ?? Number.POSITIVE_INFINITY);
  return inLane.flatMap((one, index) =>
    inLane
      .slice(index + 1)
      .filter((other) => begunBeforeEndOf(one, other) && begunBeforeEndOf(other, one))
      .map((other) => `${one.job} (${one.env.REVISION}) and ${other.job} (${other.env.REVISION})`),
  );
}

/** The operator's Events of a reason, or all of them. */
export async function operatorEvents(world: World, reason?: string): Promise<KubeObject[]> {
  const { items } = await world.kube.list(EVENTS, { namespace: world.namespace });
  return items.filter(
    (event) => event.reportingController === 'capdeployjob.dev/controller' && event.reason === (reason ?? event.reason),
  );
}

/** The Job of a revision, where there is one. */
export async function jobOf(world: World, revision: string): Promise<(Job & KubeObject) | undefined> {
  const jobs = await world.jobs('web');
  return jobs.find(({ metadata }) => metadata.annotations?.[ANNOTATION.revision] === revision) as Job & KubeObject;
}
