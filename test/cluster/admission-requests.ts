import type { KubeObject, ResourceType } from '../../src/kube/client.ts';
import { loadKubeConfig } from '../../src/kube/http/kubeconfig.ts';
import { collectionPath, objectPath } from '../../src/kube/http/paths.ts';
import { type Answer, HttpApi } from '../kit/http-api.ts';

/** Requests to a real API server as anybody, by impersonation: RBAC and policies judge them as that user's own. */

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

const person = (name: string): User => ({ name, groups: ['system:authenticated'] });
export const serviceAccount = (namespace: string, name: string): User => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
});

/** Who asks. What each of the people may do by RBAC is said in admission.ts. */
export const USERS = {
  dora: person('dora'),
  alan: person('alan'),
  amy: person('amy'),
  eve: person('eve'),
  root: { name: 'root', groups: ['system:masters', 'system:authenticated'] },
  jobController: serviceAccount('kube-system', 'job-controller'),
  garbageCollector: serviceAccount('kube-system', 'generic-garbage-collector'),
  namespaceController: serviceAccount('kube-system', 'namespace-controller'),
} as const satisfies Record<string, User>;

export type { Answer };

export const PATCHES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;
export type PatchType = keyof typeof PATCHES;
type Query = Record<string, string | boolean | undefined>;

/** In one namespace, or on what lies in none. Throws for no status: the test says what it expects. */
export interface Requests {
  get(type: ResourceType, name: string): Promise<Answer>;
  list(type: ResourceType): Promise<Answer>;
  create(type: ResourceType, object: object, query?: Query): Promise<Answer>;
  replace(type: ResourceType, object: KubeObject, subresource?: 'status'): Promise<Answer>;
  patch(type: ResourceType, name: string, patch: unknown, how?: PatchType, query?: Query): Promise<Answer>;
  patchStatus(type: ResourceType, name: string, patch: unknown): Promise<Answer>;
  delete(type: ResourceType, name: string, query?: Query): Promise<Answer>;
  deleteAll(type: ResourceType, query?: Query): Promise<Answer>;
}

export class Api {
  readonly #api: HttpApi;

  constructor(kubeconfig: string) {
    this.#api = new HttpApi(() => loadKubeConfig({ kubeconfig }));
  }

  /** @param user whom the administrator of the kubeconfig impersonates. */
  as(user: User, namespace: string): Requests {
    const impersonate = { 'impersonate-user': user.name, 'impersonate-group': [...user.groups] };
    const send = (method: string, path: string, query: Query = {}, body?: unknown, contentType?: string) => {
      const headers = { ...impersonate, ...(contentType && { 'content-type': contentType }) };
      return this.#api.request(method, path, { query, body, headers });
    };
    const at = (type: ResourceType, name: string, subresource?: 'status') =>
      objectPath(type, namespace, name, subresource);
    return {
      get: (type, name) => send('GET', at(type, name)),
      list: (type) => send('GET', collectionPath(type, namespace)),
      create: (type, object, query) => send('POST', collectionPath(type, namespace), query, object),
      replace: (type, object, subresource) => send('PUT', at(type, object.metadata.name, subresource), {}, object),
      patch: (type, name, patch, how = 'merge', query = {}) => {
        const manager = how === 'apply' ? { fieldManager: 'test' } : {};
        return send('PATCH', at(type, name), { ...manager, ...query }, patch, PATCHES[how]);
      },
      patchStatus: (type, name, patch) => send('PATCH', at(type, name, 'status'), {}, patch, PATCHES.merge),
      delete: (type, name, query = {}) => send('DELETE', at(type, name), { propagationPolicy: 'Background', ...query }),
      deleteAll: (type, query) => send('DELETE', collectionPath(type, namespace), query),
    };
  }

  /** An object of the whole cluster, as the administrator. */
  clusterWide(method: 'GET' | 'POST' | 'DELETE', type: ResourceType, name?: string, body?: unknown): Promise<Answer> {
    const collection = collectionPath(type, undefined);
    return this.#api.request(method, name === undefined ? collection : `${collection}/${name}`, { body });
  }

  close(): Promise<void> {
    return this.#api.close();
  }
}
