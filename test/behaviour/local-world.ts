import { GarbageCollector } from 'in-memory-kubernetes/controllers/garbage-collector.ts';
import { JobController, type JobControllerOptions } from 'in-memory-kubernetes/controllers/job-controller.ts';
import type { AdmissionCheck } from 'in-memory-kubernetes/store/admission.ts';
import { forbidden } from 'in-memory-kubernetes/store/api-error.ts';
import { createLocalClient } from '../../dev/in-process-client.ts';
import type { Clock } from '../../src/base/clock.ts';
import { PODS } from '../../src/kube/client.ts';
import { createStore } from '../kit/store.ts';
import { type Cluster, quotaOf } from './cluster.ts';

/** A cluster of its own in this process, on the world's clock. */
export async function localCluster(clock: Clock, job: JobControllerOptions | undefined): Promise<Cluster> {
  const namespace = 'deploy';
  const store = createStore({ clock: clock }, namespace);
  const kube = createLocalClient(store);
  const parts = [new JobController(store, job), new GarbageCollector(store)];
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
