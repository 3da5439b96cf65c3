import { readFileSync } from 'node:fs';
import { Store, type StoreOptions } from 'in-memory-kubernetes/store/store.ts';
import { parse } from 'yaml';
import { NAMESPACES, type ResourceType } from '../../src/kube/client.ts';

export const DEFINITIONS: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
};

/** The CRD of CapDeployJob, as a cluster gets it. */
export const DEFINITION = parse(readFileSync(new URL('../../crds/capdeployjobs.yaml', import.meta.url), 'utf8'));

/** The store of an in-memory Kubernetes with the CRD and these namespaces. */
export function createStore(options: StoreOptions, ...namespaces: string[]): Store {
  const store = new Store(options);
  store.create(DEFINITIONS, structuredClone(DEFINITION));
  for (const name of namespaces) {
    store.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  return store;
}
