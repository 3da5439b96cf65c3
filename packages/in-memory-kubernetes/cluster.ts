/**
 * The in-memory Kubernetes's cluster in one call: store, Job controller, collector, kubelet and HTTP face, together in
 * this process, on 127.0.0.1. `stop` leaves no process, file, timer or socket behind.
 */
import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { Clock } from './clock.ts';
import type { GarbageCollectorOptions } from './controllers/garbage-collector.ts';
import { GarbageCollector } from './controllers/garbage-collector.ts';
import type { JobControllerOptions } from './controllers/job-controller.ts';
import { JobController } from './controllers/job-controller.ts';
import type { Intercept } from './http/faults.ts';
import type { HttpServer } from './http/http-server.ts';
import { startHttpServer } from './http/http-server.ts';
import { RequestLog } from './http/requests.ts';
import { Kubelet } from './kubelet/kubelet.ts';
import type { ResolveImage } from './kubelet/pod-worker.ts';
import type { ProcessRunner } from './kubelet/process-runner.ts';
import { Store } from './store/store.ts';

export interface LocalClusterOptions {
  /** 0, the default, takes a free port. */
  port?: number;
  /** What runs where a container names no command. Without it no image is known. */
  resolveImage?: ResolveImage;
  /** `false`: no kubelet; Pods stay Pending until they are played (`play-pods.ts`). */
  kubelet?: boolean;
  runner?: ProcessRunner;
  temporaryDirectory?: string;
  stopGraceMs?: number;
  /** Required of every request where it is set, and part of the kubeconfig. */
  token?: string;
  intercept?: Intercept;
  jobController?: JobControllerOptions;
  collector?: GarbageCollectorOptions;
  clock?: Clock;
  watchHistory?: number;
  bookmarkIntervalMs?: number;
}

/** What client-go and @kubernetes/client-node read. */
export interface Kubeconfig {
  apiVersion: 'v1';
  kind: 'Config';
  'current-context': string;
  clusters: { name: string; cluster: { server: string; 'insecure-skip-tls-verify': true } }[];
  contexts: { name: string; context: { cluster: string; user: string; namespace: string } }[];
  users: { name: string; user: { token?: string } }[];
}

export interface LocalCluster {
  url: string;
  kubeconfig: Kubeconfig;
  writeKubeconfig(path: string): void;
  store: Store;
  http: HttpServer;
  /** Requests over HTTP and by in-process clients that count theirs here, by verb and type. */
  requests: RequestLog;
  stop(): Promise<void>;
}

export async function startLocalCluster(options: LocalClusterOptions = {}): Promise<LocalCluster> {
  const { clock, watchHistory, bookmarkIntervalMs, runner, temporaryDirectory, stopGraceMs } = options;
  const store = new Store(defined({ clock, watchHistory }));
  const requests = new RequestLog();
  const collector = new GarbageCollector(store, options.collector);
  const jobs = new JobController(store, options.jobController);
  const resolveImage = options.resolveImage ?? (() => undefined);
  const kubelet =
    options.kubelet === false
      ? undefined
      : new Kubelet(store, { resolveImage, ...defined({ runner, temporaryDirectory, stopGraceMs }) });
  const stopParts = async (): Promise<void> => {
    jobs.stop();
    collector.stop();
    await kubelet?.stop();
  };
  let http: HttpServer;
  try {
    const { port, token, intercept } = options;
    http = await startHttpServer(store, {
      ...defined({ port, bookmarkIntervalMs }),
      token,
      intercept,
      requests,
      logs: kubelet,
    });
  } catch (error) {
    await stopParts();
    throw error;
  }
  const kubeconfig = kubeconfigFor(http.url, options.token);
  return {
    url: http.url,
    kubeconfig,
    writeKubeconfig: (path) => writeFileSync(path, stringify(kubeconfig), { mode: 0o600 }),
    store,
    http,
    requests,
    async stop() {
      await stopParts();
      await http.stop();
    },
  };
}

/** Without the members that are undefined. */
function defined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

export function kubeconfigFor(server: string, token?: string): Kubeconfig {
  const name = 'capdeployjob-local';
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    // @kubernetes/client-node speaks plain HTTP only to those who say that they know.
    clusters: [{ name, cluster: { server, 'insecure-skip-tls-verify': true } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    users: [{ name, user: token === undefined ? {} : { token } }],
  };
}
