import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kubeconfigFor, type LocalCluster, startLocalCluster } from 'in-memory-kubernetes/cluster.ts';
import type { HttpServer } from 'in-memory-kubernetes/http/http-server.ts';
import type { ResolvedImage } from 'in-memory-kubernetes/kubelet/pod-worker.ts';
import { parse, stringify } from 'yaml';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { lines } from '../../src/base/json-lines.ts';
import type { KubeObject, ResourceType } from '../../src/kube/client.ts';
import { HttpKubeClient } from '../../src/kube/http/http-client.ts';
import { loadKubeConfig } from '../../src/kube/http/kubeconfig.ts';
import { startChatBotApi } from '../chat-bot-api.ts';
import { IMAGE, NAMESPACE } from './scenario.ts';

const TYPES: ResourceType[] = [
  CAPDEPLOYJOBS,
  { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' },
  { group: '', version: 'v1', plural: 'secrets', kind: 'Secret' },
  {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    plural: 'customresourcedefinitions',
    kind: 'CustomResourceDefinition',
  },
];

/** The local cluster, used as any other one: by its kubeconfig and over HTTP. */
export class DemoCluster {
  readonly kubeconfig: string;
  readonly client: HttpKubeClient;
  readonly #cluster: LocalCluster;
  readonly #directory: string;
  #chatBotApi: HttpServer | undefined;

  private constructor(cluster: LocalCluster, directory: string, kubeconfig: string) {
    this.#cluster = cluster;
    this.#directory = directory;
    this.kubeconfig = kubeconfig;
    this.client = new HttpKubeClient({ config: loadKubeConfig({ kubeconfig }) });
  }

  static async start(directory: string, image: ResolvedImage): Promise<DemoCluster> {
    const cluster = await startLocalCluster({
      temporaryDirectory: directory,
      resolveImage: (name) => (name === IMAGE ? image : undefined),
    });
    const kubeconfig = join(directory, 'kubeconfig');
    cluster.writeKubeconfig(kubeconfig);
    return new DemoCluster(cluster, directory, kubeconfig);
  }

  get server(): string {
    return this.#cluster.url;
  }

  /** The very file that a real cluster gets. */
  async applyDefinition(): Promise<void> {
    const file = new URL('../../crds/capdeployjobs.yaml', import.meta.url);
    await this.apply(parse(await readFile(file, 'utf8')) as KubeObject);
  }

  async apply(object: KubeObject): Promise<void> {
    const type = TYPES.find(({ kind }) => kind === object.kind);
    if (!type) throw new Error(`the demo knows no ${object.kind}`);
    await this.client.create(type, object);
  }

  /** `kubectl logs --follow`. */
  async followLog(pod: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
    const answer = await fetch(`${this.server}/api/v1/namespaces/${NAMESPACE}/pods/${pod}/log?follow=true`, { signal });
    if (!answer.ok || !answer.body) throw new Error(`HTTP ${answer.status}`);
    for await (const line of lines(answer.body)) onLine(line);
  }

  /** Of an address where the chat bot has the rights of its account, and no more. */
  async kubeconfigOfChatBot(): Promise<string> {
    this.#chatBotApi ??= await startChatBotApi(this.#cluster.store);
    const kubeconfig = join(this.#directory, 'chat-bot.kubeconfig');
    await writeFile(kubeconfig, stringify(kubeconfigFor(this.#chatBotApi.url)), { mode: 0o600 });
    return kubeconfig;
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.#chatBotApi?.stop();
    await this.#cluster.stop();
  }
}
