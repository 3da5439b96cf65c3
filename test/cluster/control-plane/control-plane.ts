import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scratchFolder } from '../processes.ts';
import type { Binaries } from './build.ts';
import { Certificates, kubeconfig } from './certificates.ts';
import { Component, PortTaken } from './components.ts';

/**
 * A Kubernetes control plane without nodes on loopback: etcd, kube-apiserver and kube-controller-manager as they were
 * released, with certificates of their own, RBAC on and an audit log. All controllers run as they do in a user's
 * cluster: who plays Pods makes the Node that they are bound to and keeps its heartbeat up, or the garbage collector of
 * Pods removes them after 40 s (podgc, "quarantine").
 */
export interface ControlPlane {
  /** As the API server reports it: v1.36.3. */
  readonly version: string;
  /** 1.36 */
  readonly kubernetes: string;
  /** https://127.0.0.1:port */
  readonly url: string;
  /** File with the credentials of system:masters. */
  readonly kubeconfig: string;
  /** JSON lines: each request of the operator's and of the chat bot's ServiceAccount (audit-policy.yaml), over restarts. */
  readonly auditLog: string;
  /** http://127.0.0.1:port, for those who compact or defragment. */
  readonly etcdUrl: string;
  /** For further clients and servers that are to trust each other. */
  readonly certificates: Certificates;
  readonly etcd: Component;
  readonly apiServer: Component;
  readonly controllerManager: Component;
  /** On the same port, with the same data. */
  restartApiServer(signal?: NodeJS.Signals): Promise<void>;
  /** Resolves when processes and files are gone. */
  stop(): Promise<void>;
}

export interface ControlPlaneOptions {
  binaries: Binaries;
  /**
   * An address of this machine at which nodes and Pods reach the API server: it listens there too, and asks kubelets
   * for logs.
   */
  nodeAddress?: string;
}

/** Someone else may take a port that was free a moment ago, as another runner that starts at this moment does. */
const ATTEMPTS = 5;

/**
 * Starts one on free ports. Ready when the controllers have made the `default` ServiceAccount, without which no Pod can
 * be created.
 * @throws Error with the end of the log of the component that did not start; nothing is left then
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options);
    } catch (error) {
      if (!(error instanceof PortTaken) || attempt === ATTEMPTS) throw error;
    }
  }
}

async function startOnce({ binaries, nodeAddress }: ControlPlaneOptions): Promise<ControlPlane> {
  const { path: folder, remove } = scratchFolder('control-plane');
  const started: Component[] = [];
  const start = async (component: Component): Promise<Component> => {
    started.unshift(component);
    await component.start();
    return component;
  };
  const stop = async (): Promise<void> => {
    // The clients of a component before it.
    for (const component of started) await component.stop();
    remove();
  };
  try {
    const pki = join(folder, 'pki');
    mkdirSync(pki, { mode: 0o700 });
    const certificates = new Certificates(pki);
    await certificates.createAuthority();
    const [serving, admin, manager, kubelets] = await Promise.all([
      certificates.server('kube-apiserver', [...SERVER_NAMES, ...(nodeAddress ? [`IP:${nodeAddress}`] : [])]),
      certificates.client('kubernetes-admin', ['system:masters']),
      certificates.client('system:kube-controller-manager'),
      nodeAddress === undefined ? undefined : certificates.client('kube-apiserver-kubelet-client', ['system:masters']),
    ]);
    const serviceAccounts = certificates.serviceAccountKey();
    const [etcdPort, peerPort, apiPort] = await freePorts(3);
    const etcdUrl = `http://127.0.0.1:${etcdPort}`;
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const url = `https://127.0.0.1:${apiPort}`;
    const kubeconfigOf = (name: string, client: typeof admin): string => {
      const file = join(folder, `${name}.kubeconfig`);
      writeFileSync(file, kubeconfig(url, certificates.authority, client), { mode: 0o600 });
      return file;
    };
    const adminKubeconfig = kubeconfigOf('admin', admin);
    const asAdmin = (path: string): Promise<number> => statusOf(url + path, certificates.authority.certificate, admin);
    const where = { binaries, folder };

    const etcd = new Component(
      'etcd',
      {
        'data-dir': join(folder, 'etcd'),
        // The data die with the test; on a loaded disk each write would wait for it.
        'unsafe-no-fsync': true,
        'log-level': 'warn',
        'listen-client-urls': etcdUrl,
        'advertise-client-urls': etcdUrl,
        'listen-peer-urls': peerUrl,
        'initial-advertise-peer-urls': peerUrl,
        'initial-cluster': `default=${peerUrl}`,
      },
      async () => (await fetch(`${etcdUrl}/health`)).ok,
      where,
    );
    const auditLog = join(folder, 'audit.log');
    const apiServer = new Component(
      'kube-apiserver',
      {
        'etcd-servers': etcdUrl,
        'bind-address': nodeAddress === undefined ? '127.0.0.1' : '0.0.0.0',
        'advertise-address': nodeAddress ?? '127.0.0.1',
        'secure-port': apiPort,
        'tls-cert-file': serving.certificate,
        'tls-private-key-file': serving.key,
        'client-ca-file': certificates.authority.certificate,
        'authorization-mode': 'Node,RBAC',
        'service-account-key-file': serviceAccounts.publicKey,
        'service-account-signing-key-file': serviceAccounts.key,
        'service-account-issuer': 'https://kubernetes.default.svc',
        'service-cluster-ip-range': '10.96.0.0/16',
        // The only address is loopback, which no Endpoints may hold.
        'endpoint-reconciler-type': nodeAddress === undefined ? 'none' : 'lease',
        'kubelet-client-certificate': kubelets?.certificate,
        'kubelet-client-key': kubelets?.key,
        'kubelet-preferred-address-types': nodeAddress === undefined ? undefined : 'InternalIP',
        'allow-privileged': true,
        profiling: false,
        // Asked to stop, it ends its watches; by default (0) it waits a minute for them, and then drops them.
        'shutdown-watch-termination-grace-period': '5s',
        'audit-policy-file': fileURLToPath(new URL('audit-policy.yaml', import.meta.url)),
        'audit-log-path': auditLog,
        // Never rotated (the default is to, after 100 MB): it is read as one file.
        'audit-log-maxsize': 100_000,
      },
      async () => (await asAdmin('/readyz')) === 200,
      where,
    );
    const controllerManager = new Component(
      'kube-controller-manager',
      {
        kubeconfig: kubeconfigOf('controller-manager', manager),
        'service-account-private-key-file': serviceAccounts.key,
        'root-ca-file': certificates.authority.certificate,
        'use-service-account-credentials': true,
        'leader-elect': false,
        // No port: nobody asks it, and two on one machine would want the same.
        'secure-port': 0,
        // By default 20 requests/s for all controllers: its own throttle would be what the tests measure.
        'kube-api-qps': 200,
        'kube-api-burst': 400,
      },
      async () => (await asAdmin('/api/v1/namespaces/default/serviceaccounts/default')) === 200,
      where,
    );
    await start(etcd);
    await start(apiServer);
    await start(controllerManager);
    return {
      version: binaries.version,
      kubernetes: binaries.kubernetes,
      url,
      kubeconfig: adminKubeconfig,
      auditLog,
      etcdUrl,
      certificates,
      etcd,
      apiServer,
      controllerManager,
      restartApiServer: (signal) => apiServer.restart(signal),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const SERVER_NAMES = [
  'DNS:localhost',
  'DNS:kubernetes',
  'DNS:kubernetes.default',
  'DNS:kubernetes.default.svc',
  'IP:127.0.0.1',
  'IP:10.96.0.1',
];

/** Ports of 127.0.0.1 that nobody listens on; all are found before one is given back, so that no two are the same. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(
    servers.map(
      (server) =>
        new Promise<void>((resolve, reject) => {
          server.once('error', reject).listen(0, '127.0.0.1', resolve);
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** The HTTP status of a GET with a client certificate. */
function statusOf(url: string, authority: string, client: { key: string; certificate: string }): Promise<number> {
  const tls = { ca: readFileSync(authority), cert: readFileSync(client.certificate), key: readFileSync(client.key) };
  return new Promise((resolve, reject) => {
    const asking = request(url, { ...tls, agent: false, timeout: 5_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asking.once('timeout', () => asking.destroy(new Error(`no answer from ${url}`)));
    asking.once('error', reject).end();
  });
}
