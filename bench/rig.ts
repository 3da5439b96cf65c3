import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type LocalCluster, startLocalCluster } from 'in-memory-kubernetes/cluster.ts';
import { PodPlayer } from 'in-memory-kubernetes/kubelet/play-pods.ts';
import { parse } from 'yaml';
import { clientOf } from '../dev/in-process-client.ts';
import {
  LOCAL_CREDENTIALS,
  LOCAL_REGION,
  type LocalSqs,
  type LocalSqsOptions,
  startLocalSqs,
} from '../dev/local-sqs.ts';
import { type Program, startOperator } from '../dev/program-process.ts';
import { CAPDEPLOYJOBS } from '../src/api/names.ts';
import { type KubeObject, PODS, type ResourceType } from '../src/kube/client.ts';

/**
 * The embedded default with the operator in a process of its own, as in a cluster: what a benchmark measures is that
 * process.
 */
export interface Rig {
  cluster: LocalCluster;
  sqs: SQSClient;
  operator: Program;
  /**
   * Creates a queue and a CapDeployJob that reads it; `spec` is laid over a small valid one. @returns the URL of the
   * queue.
   */
  deployable(name: string, environments: readonly string[], spec?: Record<string, unknown>): Promise<string>;
  /** @returns the URL that a queue of this name has, whether it is there or not. */
  queueUrl(name: string): string;
  /** A sample of the operator's metrics by name, summed over labels; NaN while the operator is not up yet. */
  metric(name: string): Promise<number>;
  /** One scrape of the operator's metrics. */
  scrape(): Promise<{ series: number; bytes: number; milliseconds: number }>;
  stop(): Promise<void>;
}

const DEFINITIONS: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
};

export interface RigOptions {
  /** Pods succeed by themselves as soon as they are there, and no process is started for them. */
  playedPods?: boolean;
  intercept?: LocalSqsOptions['intercept'];
  /** Options of Node itself for the operator. */
  nodeOptions?: readonly string[];
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const cluster = await startLocalCluster(
    options.playedPods ? { kubelet: false } : { resolveImage: () => ({ entrypoint: ['true'] }) },
  );
  if (options.playedPods) playPods(cluster);
  const server: LocalSqs = await startLocalSqs(options.intercept ? { intercept: options.intercept } : {});
  const sqs = new SQSClient({ endpoint: server.endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS });
  const kube = clientOf(cluster);
  const crd = readFileSync(new URL('../crds/capdeployjobs.yaml', import.meta.url), 'utf8');
  await kube.create(DEFINITIONS, parse(crd) as KubeObject);
  const directory = mkdtempSync(join(tmpdir(), 'capdeployjob-bench-'));
  const kubeconfig = join(directory, 'kubeconfig');
  cluster.writeKubeconfig(kubeconfig);
  const metricsPort = 20_000 + Math.floor(Math.random() * 20_000);
  const operator = startOperator({
    kubeconfig,
    queueOrigin: server.endpoint,
    nodeOptions: options.nodeOptions ?? [],
    flags: [`--metrics-bind-address=127.0.0.1:${metricsPort}`, '--log-level=error'],
  });

  return {
    cluster,
    sqs,
    operator,
    queueUrl: (name) => server.queueUrl(name),
    deployable: async (name, environments, spec = {}) => {
      await sqs.send(new CreateQueueCommand({ QueueName: name }));
      const url = server.queueUrl(name);
      await kube.create(CAPDEPLOYJOBS, {
        apiVersion: 'capdeployjob.dev/v1alpha1',
        kind: 'CapDeployJob',
        metadata: { name, namespace: 'default' },
        spec: {
          queue: { url },
          environments: environments.map((environment) => ({ name: environment })),
          template: { spec: { containers: [{ name: 'cap', image: 'bench' }] } },
          ...spec,
        },
      });
      return url;
    },
    metric: async (name) => {
      const text = await fetch(`http://127.0.0.1:${metricsPort}/metrics`).then(
        (answer) => answer.text(),
        () => undefined,
      );
      if (text === undefined) return Number.NaN;
      const samples = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
      return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    },
    scrape: async () => {
      const begun = performance.now();
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      const milliseconds = performance.now() - begun;
      return { series: text.match(/^[^#\n]/gm)?.length ?? 0, bytes: Buffer.byteLength(text), milliseconds };
    },
    stop: async () => {
      await operator.stop();
      for (const line of operator.log) console.error(line);
      sqs.destroy();
      await server.stop();
      await cluster.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function playPods(cluster: LocalCluster): void {
  const player = new PodPlayer(cluster.store);
  cluster.store.onChange((type, { type: change, object }) => {
    if (type.storage !== '/pods' || change === 'DELETED') return;
    const { namespace = '', name, uid, deletionTimestamp } = object.metadata;
    if (change !== 'ADDED' && deletionTimestamp === undefined) return;
    setImmediate(() => {
      if (cluster.store.find(PODS, namespace, name)?.metadata.uid !== uid) return;
      if (deletionTimestamp !== undefined) return player.endDeleted(namespace, name);
      player.run(namespace, name);
      player.finish(namespace, name);
    });
  });
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !(await holds()); await pause(100)) {
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain: ${what}`);
  }
}

/** User and system time of a process so far, in seconds (proc(5): fields 14 and 15, in ticks of 10 ms). */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function quantiles(values: readonly number[]): string {
  const at = (share: number) => quantile(values, share);
  return `n ${values.length}  median ${at(0.5).toFixed(0)} ms  p99 ${at(0.99).toFixed(0)} ms  max ${at(1).toFixed(0)} ms`;
}
