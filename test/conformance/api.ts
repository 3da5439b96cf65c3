/**
 * Raw requests to the Kubernetes API of either world: what was asked and what was answered, nothing in between.
 * `TEST_WORLD=real` with `TEST_KUBECONFIG` is a real control plane (`npm run test:real`); without them it is the
 * in-memory Kubernetes, started for the test file that asks.
 */
import { readFileSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import type { LocalCluster } from 'in-memory-kubernetes/cluster.ts';
import { startLocalCluster } from 'in-memory-kubernetes/cluster.ts';
import { parse } from 'yaml';
import { lines } from '../../src/base/json-lines.ts';
import { loadKubeConfig } from '../../src/kube/http/kubeconfig.ts';
import { type Answer, HttpApi, type Json } from '../kit/http-api.ts';

export type { Answer, Json };

export const WORLD: 'local' | 'real' = process.env.TEST_WORLD === 'real' ? 'real' : 'local';

export const MERGE = { 'content-type': 'application/merge-patch+json' };
export const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
export const STRATEGIC = { 'content-type': 'application/strategic-merge-patch+json' };

/** Events of a watch as they come; of a refused one the Status. */
export interface WatchStream {
  status: number;
  events: { type: string; object: Json }[];
  /** Whether the server has ended it. */
  ended: boolean;
  stop(): void;
}

export interface Api {
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  put(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** A merge patch unless `headers` say otherwise. */
  patch(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  delete(path: string, options?: unknown): Promise<Answer>;
  /** `body`: text is sent as it is, everything else as JSON. */
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** `path` with its query; `watch=true` is added. */
  watch(path: string, headers?: Record<string, string>): Promise<WatchStream>;
  /** As a compaction of the history would; only the local world can. */
  compact(): void;
  stop(): Promise<void>;
}

/** Starts the local world, or connects to the real one. `stop` it when the file is done. */
export async function openApi(): Promise<Api> {
  if (WORLD === 'real') {
    const kubeconfig = process.env.TEST_KUBECONFIG;
    if (!kubeconfig) throw new Error('TEST_WORLD=real needs TEST_KUBECONFIG: run `npm run test:real`');
    const api = new RawApi(() => loadKubeConfig({ kubeconfig }), undefined);
    const { status } = await api.get(DEFINITION_PATH);
    if (status !== 200)
      throw new Error(`the CRD is not installed (${status}): kubectl apply -f crds/, or \`npm run test:real\``);
    return api;
  }
  const cluster = await startLocalCluster({
    kubelet: false,
    bookmarkIntervalMs: 100,
    collector: { unscheduledMs: 500 },
  });
  const config = new KubeConfig();
  config.loadFromString(JSON.stringify(cluster.kubeconfig));
  const api = new RawApi(() => config, cluster);
  const { status } = await api.post(DEFINITIONS_PATH, parse(readFileSync('crds/capdeployjobs.yaml', 'utf8')));
  if (status !== 201) throw new Error(`the local world refuses the CRD with ${status}`);
  return api;
}

/** Only the real world keeps them (see `differences.ts`), and no client here reads them. */
function withoutManagedFields(name: string, value: unknown): unknown {
  return name === 'managedFields' ? undefined : value;
}

const DEFINITIONS_PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const DEFINITION_PATH = `${DEFINITIONS_PATH}/capdeployjobs.capdeployjob.dev`;

class RawApi implements Api {
  readonly #api: HttpApi;
  readonly #cluster: LocalCluster | undefined;

  constructor(load: () => KubeConfig, cluster: LocalCluster | undefined) {
    this.#api = new HttpApi(load, withoutManagedFields);
    this.#cluster = cluster;
  }

  get(path: string, headers?: Record<string, string>) {
    return this.request('GET', path, undefined, headers);
  }

  post(path: string, body?: unknown, headers?: Record<string, string>) {
    return this.request('POST', path, body, headers);
  }

  put(path: string, body?: unknown, headers?: Record<string, string>) {
    return this.request('PUT', path, body, headers);
  }

  patch(path: string, body?: unknown, headers: Record<string, string> = MERGE) {
    return this.request('PATCH', path, body, headers);
  }

  delete(path: string, options?: unknown) {
    return this.request('DELETE', path, options);
  }

  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.#api.request(method, path, { body, headers });
  }

  async watch(path: string, headers: Record<string, string> = {}): Promise<WatchStream> {
    const { origin, basePath, headers: credentials, watches } = await this.#api.connection.endpoint();
    const controller = new AbortController();
    const answer = await watches.request({
      origin,
      path: `${basePath}${path}${path.includes('?') ? '&' : '?'}watch=true`,
      method: 'GET',
      headers: { accept: 'application/json', ...headers, ...credentials },
      signal: controller.signal,
      bodyTimeout: 0,
    });
    const stream: WatchStream = {
      status: answer.statusCode,
      events: [],
      ended: false,
      stop: () => controller.abort(),
    };
    const read = async (): Promise<void> => {
      for await (const line of lines(answer.body)) stream.events.push(JSON.parse(line, withoutManagedFields));
    };
    // A connection that breaks ends the watch too: what the test then misses, it says itself.
    read().then(
      () => {
        stream.ended = true;
      },
      () => {
        stream.ended = true;
      },
    );
    return stream;
  }

  compact(): void {
    if (this.#cluster === undefined)
      throw new Error('nobody but its operators can compact the history of a real cluster');
    this.#cluster.store.forgetHistory();
  }

  async stop(): Promise<void> {
    await this.#api.close();
    await this.#cluster?.stop();
  }
}
