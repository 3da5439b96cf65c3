import { readFileSync } from 'node:fs';
import { GarbageCollector } from 'in-memory-kubernetes/controllers/garbage-collector.ts';
import { JobController, type JobControllerOptions } from 'in-memory-kubernetes/controllers/job-controller.ts';
import type { AdmissionCheck } from 'in-memory-kubernetes/store/admission.ts';
import { forbidden } from 'in-memory-kubernetes/store/api-error.ts';
import { Store } from 'in-memory-kubernetes/store/store.ts';
import { parse } from 'yaml';
import { createLocalClient } from '../../dev/in-process-client.ts';
import type { Clock } from '../../src/base/clock.ts';
import { PODS, type ResourceType } from '../../src/kube/client.ts';
import { type Cluster, NAMESPACES, quotaOf } from './cluster.ts';

const DEFINITIONS: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
};

/** A cluster of its own in this process, on the world's clock. */
export async function localCluster(clock: Clock, job: JobControllerOptions | undefined): Promise<Cluster> {
  const store = new Store({ clock });
  const kube = createLocalClient(store);
  const parts = [new JobController(store, job), new GarbageCollector(store)];
  const definition = readFileSync(new URL('../../crds/capdeployjobs.yaml', import.meta.url), 'utf8');
  store.create(DEFINITIONS, parse(definition));
  const namespace = 'deploy';
  await kube.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  return {
    kube,
    namespace,
    served: [],
    store,
    connect: () => ({ kube: createLocalClient(store), close: async () => {} }),
    forceDelete: async ({ metadata: { namespace, name, uid } }) => {
      if (store.find(PODS, namespace, name)?.metadata.uid !== uid) return;
      store.delete(PODS, namespace, name, { gracePeriodSeconds: 0 });
    },
    remove: async (type, name, propagationPolicy) => void store.delete(type, namespace, name, { propagationPolicy }),
    refuse: async (type, quota) => {
      const what = quotaOf(type);
      const words = `exceeded quota: ${quota}, requested: ${what}=1, used: ${what}=0, limited: ${what}=0`;
      const check: AdmissionCheck = ({ operation, type: { plural }, object }) => {
        if (operation === 'CREATE' && plural === type.plural) throw forbidden(type, object.metadata.name, words);
      };
      store.admission.push(check);
      return async () => void store.admission.splice(store.admission.indexOf(check), 1);
    },
    endWatches: (forgotten) => {
      if (forgotten) store.forgetHistory();
      store.endWatches();
    },
    stop: async () => {
      for (const part of parts) part.stop();
    },
  };
}
