import { setTimeout as pause } from 'node:timers/promises';
import { CAPDEPLOYJOBS } from '../../../src/api/names.ts';
import { controllerHelp } from '../../../src/cli/controller-flags.ts';
import { type KubeObject, LEASES, NAMESPACES, SERVICE_ACCOUNTS } from '../../../src/kube/client.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { PLAYED_NODE } from '../../behaviour/cluster.ts';
import { OPERATOR } from '../../cluster/cluster.ts';
import { findBinaries } from '../../cluster/control-plane/build.ts';
import { type ControlPlane, startControlPlane } from '../../cluster/control-plane/control-plane.ts';
import { install } from '../../cluster/install.ts';
import { Kubectl } from '../../cluster/kubectl.ts';
import { letGo, scratchFolder } from '../../cluster/processes.ts';
import { type SqsServerProcess, startElasticMq } from '../../cluster/sqs-servers/index.ts';
import { AdminClient } from '../../kit/admin-client.ts';
import { holdPlayedNode } from '../../kit/played-node.ts';
import { ApiLog } from './api-log.ts';
import { FaultsKubelet, type Script } from './kubelet.ts';
import { Observer } from './observer.ts';
import { FaultsQueues } from './queues.ts';
import { Random } from './random.ts';
import { Replica } from './replica.ts';
import { ENVIRONMENTS, REPOSITORY, TASKS } from './requests.ts';

export interface SiteOptions {
  /** CapDeployJobs, each with a queue of its own. */
  resources: number;
  /** Where the operators find the queues, given where these are: a fault proxy. */
  queuesThrough?: (endpoint: string) => Promise<{ endpoint: string; close(): Promise<void> }>;
  /** Where the operators find the API server, given where it is. */
  apiServerThrough?: (url: string) => Promise<{ url: string; close(): Promise<void> }>;
  /** So often a message is received before it goes to the dead-letter queue. */
  maxReceiveCount?: number;
  /** Of the operator, besides what it needs to find everything. */
  flags?: readonly string[];
  script?: (revision: string, random: Random) => Partial<Script>;
  /**
   * Whether the controller-manager may lose the answer to its creating a Pod: then it may create a second one, which no
   * operator can keep it from.
   */
  mayMakeTwoPods?: boolean;
}

/** Whether the operator elects a leader: then all scenarios run with it, as its manifests do. */
export const ELECTS = controllerHelp().includes('--leader-elect');

/** Shorter than by default, for a scenario waits for it again and again. */
export const LEASE_MS = 5_000;

export const NAMESPACE = 'faults';

/**
 * Everything that a scenario breaks: a control plane, an SQS server, a node, operators; and what the audit will want to
 * know.
 */
export interface Site {
  readonly options: SiteOptions;
  readonly seed: number;
  readonly random: Random;
  readonly controlPlane: ControlPlane;
  readonly sqs: SqsServerProcess;
  readonly kubectl: Kubectl;
  readonly admin: AdminClient;
  readonly queues: FaultsQueues;
  readonly kubelet: FaultsKubelet;
  readonly observer: Observer;
  readonly apiLog: ApiLog;
  /** Names of the CapDeployJobs, and of their queues. */
  readonly resources: readonly string[];
  readonly replicas: Replica[];
  /**
   * Makes a replica of the operator and starts it. @param apiServer where it finds the API server, where it has a way
   * of its own
   */
  startReplica(options?: { apiServer?: string }): Promise<Replica>;
  /** For what the scenario has to say in the end. */
  note(text: string): void;
}

/** Runs a scenario in a site of its own, of which nothing stays. */
export async function onSite(options: SiteOptions, scenario: (site: Site) => Promise<void>): Promise<void> {
  const undo: (() => Promise<void> | void)[] = [letGo];
  try {
    const site = await open(options, undo);
    try {
      await scenario(site);
    } catch (error) {
      for (const { name, logFile } of site.replicas) console.log(`the end of ${name}’s log:\n${tailOf(site, logFile)}`);
      throw error;
    }
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

const seedOfThisRun = (): number => Number(process.env.TEST_FAULTS_SEED ?? Math.floor(Math.random() * 2 ** 32));

async function open(options: SiteOptions, undo: (() => Promise<void> | void)[]): Promise<Site> {
  const seed = seedOfThisRun();
  const random = new Random(seed);
  console.log(`seed ${seed}`);
  const folder = scratchFolder('faults');
  undo.push(folder.remove);

  const binaries = await findBinaries();
  const starting = [startControlPlane({ binaries }), startElasticMq()] as const;
  // Whichever fails: what the other one has started is stopped.
  for (const one of starting) one.then((started) => undo.push(() => started.stop())).catch(() => {});
  await Promise.allSettled(starting);
  const [controlPlane, sqs] = await Promise.all(starting);

  const kubectl = new Kubectl(binaries.path('kubectl'), controlPlane.kubeconfig, `${folder.path}/kubectl`);
  await install(kubectl);
  process.env.TEST_KUBECONFIG = controlPlane.kubeconfig;
  const admin = new AdminClient(NAMESPACE);
  undo.push(() => admin.close());
  undo.push(await holdPlayedNode());
  await makeNamespace(admin);

  const queues = new FaultsQueues(sqs.endpoint);
  undo.push(() => queues.close());
  const queuesAt = (await options.queuesThrough?.(sqs.endpoint)) ?? { endpoint: sqs.endpoint, close: async () => {} };
  undo.push(() => queuesAt.close());
  const apiServerAt = await options.apiServerThrough?.(controlPlane.url);
  undo.push(async () => apiServerAt?.close());

  const chance = random.fork();
  const kubelet = new FaultsKubelet({
    admin,
    namespace: NAMESPACE,
    script: (revision) => ({
      startsAfter: chance.between(0, 60),
      runsFor: chance.between(50, 300),
      endsAfter: chance.between(20, 200),
      exitCode: exitCodes.get(revision) ?? 0,
      ...options.script?.(revision, chance),
    }),
  });
  undo.push(() => kubelet.stop());
  const observer = new Observer({ admin, namespace: NAMESPACE });
  undo.push(() => observer.stop());

  const resources = Array.from({ length: options.resources }, (_, index) => `app${String(index + 1).padStart(2, '0')}`);
  const replicas: Replica[] = [];
  undo.push(async () => {
    for (const replica of replicas) await replica.kill();
  });
  const site: Site = {
    options,
    seed,
    random,
    controlPlane,
    sqs,
    kubectl,
    admin,
    queues,
    kubelet,
    observer,
    apiLog: new ApiLog(controlPlane.auditLog),
    resources,
    replicas,
    startReplica: async ({ apiServer = apiServerAt?.url } = {}) => {
      const replica = await Replica.create({
        name: `operator-${replicas.length + 1}`,
        folder: folder.path,
        kubectl,
        apiServer,
        flags: [
          `--allow-queue-origin=${queuesAt.endpoint}`,
          '--health-probe-bind-address=0',
          '--metrics-bind-address=0',
          ...(ELECTS ? ['--leader-elect', `--leader-elect-lease-duration=${LEASE_MS / 1000}s`] : []),
          ...(options.flags ?? []),
        ],
      });
      replicas.push(replica);
      replica.start();
      return replica;
    },
    note: (text) => console.log(text),
  };
  for (const name of resources) {
    await queues.create(name, options.maxReceiveCount ?? 10);
    await makeResource(admin, name, queues.url(name, queuesAt.endpoint));
  }
  return site;
}

/** What the container of a revision is to end with; everything else ends with 0. */
export const exitCodes = new Map<string, number>();

async function makeNamespace(admin: AdminClient): Promise<void> {
  const unlessExists = (error: unknown): void => {
    if (!isKubeError(error, 'exists')) throw error;
  };
  await admin.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  // A controller makes it, later: until then every Pod would be refused, and the Job controller back off.
  await admin
    .create(SERVICE_ACCOUNTS, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: NAMESPACE },
    })
    .catch(unlessExists);
}

async function makeResource(admin: AdminClient, name: string, url: string): Promise<void> {
  await admin.create(CAPDEPLOYJOBS, {
    apiVersion: 'capdeployjob.dev/v1alpha1',
    kind: 'CapDeployJob',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      // SQS's shortest: what a killed operator had in flight comes again after this long.
      queue: { url, waitTimeSeconds: 2, visibilityTimeoutSeconds: 10 },
      repositories: [REPOSITORY],
      environments: ENVIRONMENTS,
      tasks: TASKS,
      // No lane is to be full: nothing is Refused.
      maxWaiting: 100,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 1,
      template: { spec: { nodeName: PLAYED_NODE, containers: [{ name: 'cap', image: 'example.test/capistrano:1' }] } },
    },
  });
}

function tailOf(site: Site, logFile: string): string {
  const replica = site.replicas.find((one) => one.logFile === logFile);
  return (replica?.logLines() ?? []).slice(-25).join('\n');
}

/** Looks every 100 ms whether something holds. @returns whether it did within the limit (milliseconds) */
export async function within(limitMs: number, holds: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const deadline = Date.now() + limitMs; ; await pause(100)) {
    if (await holds()) return true;
    if (Date.now() > deadline) return false;
  }
}

type Lease = KubeObject & { spec?: { holderIdentity?: string } };

/** The replica that the Lease names, where one leads. */
export async function leader({ admin, replicas }: Site): Promise<Replica | undefined> {
  const lease = await admin.get<Lease>(LEASES, OPERATOR.namespace, 'capdeployjob').catch(() => undefined);
  return replicas.find(({ name }) => lease?.spec?.holderIdentity?.startsWith(`${name}_`));
}
