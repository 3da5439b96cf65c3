import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binaries } from '../../cluster/control-plane/build.ts';
import { kubeconfig } from '../../cluster/control-plane/certificates.ts';
import { Component } from '../../cluster/control-plane/components.ts';
import type { ControlPlane } from '../../cluster/control-plane/control-plane.ts';
import { containerdSocket } from './containerd.ts';
import { NODE_FOLDER } from './machine.ts';
import { NODE_ADDRESS } from './network.ts';

export const NODE_NAME = 'node-1';

export interface NodeParts {
  controlPlane: ControlPlane;
  binaries: Binaries;
  /** For the logs. */
  logs: string;
  /** The group, from the root of each hierarchy, below which it makes those of its Pods. */
  controlGroup: string;
}

/** Starts the scheduler of a control plane. */
export async function startScheduler({ controlPlane, binaries, logs }: NodeParts): Promise<Component> {
  const { url, certificates } = controlPlane;
  const client = await certificates.client('system:kube-scheduler');
  const file = join(NODE_FOLDER, 'scheduler.kubeconfig');
  writeFileSync(file, kubeconfig(url, certificates.authority, client), { mode: 0o600 });
  const scheduler = new Component(
    'kube-scheduler',
    {
      kubeconfig: file,
      'leader-elect': false,
      'bind-address': '127.0.0.1',
      'kube-api-qps': 200,
      'kube-api-burst': 400,
    },
    async () => true,
    { binaries, folder: logs },
  );
  await scheduler.start();
  return scheduler;
}

/** What is said of a kubelet. */
export interface KubeletParts {
  /** Of its node. */
  name: string;
  address: string;
  binaries: Binaries;
  /** For the logs. */
  logs: string;
  /** The group, from the root of each hierarchy, below which it makes those of its Pods. */
  controlGroup: string;
  /** The text of its kubeconfig. */
  kubeconfig: string;
  /** A file: who may read logs and run commands. Without it nobody may. */
  clientAuthority?: string;
  /** Laid over the usual configuration. */
  configuration?: Record<string, unknown>;
}

/** Starts the kubelet of the node of all tests. @param isReady whether its node takes Pods */
export async function startNode(parts: NodeParts, isReady: () => Promise<boolean>): Promise<Component> {
  const { controlPlane, binaries, logs, controlGroup } = parts;
  const { url, certificates } = controlPlane;
  const client = await certificates.client(`system:node:${NODE_NAME}`, ['system:nodes']);
  return startKubelet(
    {
      name: NODE_NAME,
      address: NODE_ADDRESS,
      binaries,
      logs,
      controlGroup,
      kubeconfig: kubeconfig(url, certificates.authority, client),
      clientAuthority: certificates.authority.certificate,
    },
    isReady,
  );
}

/** Starts a kubelet. @param isReady whether its node takes Pods */
export async function startKubelet(parts: KubeletParts, isReady: () => Promise<boolean>): Promise<Component> {
  const folder = join(NODE_FOLDER, parts.name, 'kubelet');
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  // Pods are to ask nobody for names: there is nobody.
  const resolvConf = write('resolv.conf', 'nameserver 127.0.0.1\n');
  const config = write('config.json', JSON.stringify(configuration(parts, folder, resolvConf)));
  const kubelet = new Component(
    'kubelet',
    {
      config,
      kubeconfig: write('kubeconfig', parts.kubeconfig),
      'root-dir': folder,
      'cert-dir': join(folder, 'pki'),
      'hostname-override': parts.name,
      'node-ip': parts.address,
    },
    isReady,
    { binaries: parts.binaries, folder: parts.logs },
  );
  await kubelet.start();
  return kubelet;
}

const configuration = (parts: KubeletParts, folder: string, resolvConf: string) => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: parts.address,
  healthzPort: 0,
  // Version 1 of the control groups still does.
  failCgroupV1: false,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: `/${parts.controlGroup}`,
  containerRuntimeEndpoint: `unix://${containerdSocket(parts.name)}`,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    ...(parts.clientAuthority === undefined ? {} : { x509: { clientCAFile: parts.clientAuthority } }),
  },
  authorization: { mode: 'Webhook' },
  failSwapOn: false,
  // Where root may not lower a score.
  oomScoreAdj: 0,
  resolvConf,
  makeIPTablesUtilChains: false,
  localStorageCapacityIsolation: false,
  // The machine's disk and memory are none of a test's business.
  evictionHard: {},
  imageGCHighThresholdPercent: 100,
  imageMinimumGCAge: '24h',
  // A slow one holds up no other.
  serializeImagePulls: false,
  syncFrequency: '10s',
  nodeStatusUpdateFrequency: '4s',
  podLogsDir: join(folder, 'logs'),
  ...parts.configuration,
});
