import type {
  KubeClient,
  KubeObject,
  ListOptions,
  ObjectList,
  Preconditions,
  RequestOptions,
  ResourceType,
  WatchEvent,
  WatchOptions,
} from '../../src/kube/client.ts';
import { Connection } from '../../src/kube/http/connection.ts';
import { HttpKubeClient } from '../../src/kube/http/http-client.ts';
import { loadKubeConfig } from '../../src/kube/http/kubeconfig.ts';
import { collectionPath } from '../../src/kube/http/paths.ts';
import { type Request, Transport } from '../../src/kube/http/transport.ts';
import type { Propagation } from '../behaviour/cluster.ts';
import { variable } from './which-world.ts';

const TIMEOUT_MS = 30_000;

/** The cluster-scoped types of these tests. */
const CLUSTER_SCOPED = ['namespaces', 'nodes', 'customresourcedefinitions'];
const isClusterScoped = ({ plural }: ResourceType): boolean => CLUSTER_SCOPED.includes(plural);

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: Propagation;
  preconditions?: Partial<Preconditions>;
}

/**
 * What tests and people do on a real control plane, with the rights of TEST_KUBECONFIG. The operator's client has
 * neither cluster-scoped objects (here their namespace is '') nor these ways to delete.
 */
export class AdminClient implements KubeClient {
  readonly #namespace: string;
  readonly #namespaced: HttpKubeClient;
  readonly #connection: Connection;
  readonly #transport: Transport;

  /** @param namespace of lists and watches that name none: other namespaces of the cluster do not concern the test */
  constructor(namespace: string) {
    const config = () => loadKubeConfig({ kubeconfig: variable('TEST_KUBECONFIG') });
    this.#namespace = namespace;
    this.#namespaced = new HttpKubeClient({ config, version: 'test' });
    this.#connection = new Connection(config, {
      maxConnections: 8,
      connectTimeoutMs: 10_000,
      headersTimeoutMs: TIMEOUT_MS,
    });
    this.#transport = new Transport({
      connection: this.#connection,
      userAgent: 'capdeploy/test',
      timeoutMs: TIMEOUT_MS,
    });
  }

  get<T extends KubeObject>(type: ResourceType, namespace: string, name: string, options?: RequestOptions): Promise<T> {
    if (!isClusterScoped(type)) return this.#namespaced.get(type, namespace, name, options);
    return this.#send({ verb: 'get', method: 'GET', path: pathOf(type, name), signal: options?.signal });
  }

  list<T extends KubeObject>(type: ResourceType, options: ListOptions = {}): Promise<ObjectList<T>> {
    return this.#namespaced.list(type, { ...this.#scope(type), ...options });
  }

  watch<T extends KubeObject>(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    return this.#namespaced.watch(type, { ...this.#scope(type), ...options });
  }

  create<T extends KubeObject>(
    type: ResourceType,
    object: T,
    options?: RequestOptions & { dryRun?: boolean },
  ): Promise<T> {
    return this.#namespaced.create(type, object, options);
  }

  replaceStatus<T extends KubeObject>(type: ResourceType, object: T, options?: RequestOptions): Promise<T> {
    if (!isClusterScoped(type)) return this.#namespaced.replaceStatus(type, object, options);
    const path = `${pathOf(type, object.metadata.name)}/status`;
    return this.#send({ verb: 'update', method: 'PUT', path, body: object });
  }

  patch<T extends KubeObject>(
    type: ResourceType,
    namespace: string,
    name: string,
    preconditions: Preconditions,
    patch: Record<string, unknown>,
    options?: RequestOptions,
  ): Promise<T> {
    return this.#namespaced.patch(type, namespace, name, preconditions, patch, options);
  }

  async delete(type: ResourceType, namespace: string, name: string, preconditions: Preconditions): Promise<void> {
    const { uid, resourceVersion } = preconditions;
    await this.deleteOne(type, namespace, name, {
      propagationPolicy: 'Background',
      preconditions: { uid, resourceVersion },
    });
  }

  /** @throws KubeError */
  deleteOne(type: ResourceType, namespace: string, name: string, options: DeleteOptions): Promise<void> {
    return this.#delete(isClusterScoped(type) ? pathOf(type, name) : pathOf(type, name, namespace), options);
  }

  /** All objects of the type in the namespace. @throws KubeError */
  deleteAll(type: ResourceType, namespace: string, options: DeleteOptions): Promise<void> {
    return this.#delete(collectionPath(type, namespace), options);
  }

  async close(): Promise<void> {
    await Promise.all([this.#namespaced.close(), this.#connection.close()]);
  }

  #scope(type: ResourceType): { namespace?: string } {
    return isClusterScoped(type) ? {} : { namespace: this.#namespace };
  }

  #delete(path: string, options: DeleteOptions): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...options };
    return this.#send({ verb: 'delete', method: 'DELETE', path, body });
  }

  #send<T>(request: Request): Promise<T> {
    return this.#transport.call<T>(request);
  }
}

const pathOf = (type: ResourceType, name: string, namespace?: string): string =>
  `${collectionPath(type, namespace)}/${encodeURIComponent(name)}`;
