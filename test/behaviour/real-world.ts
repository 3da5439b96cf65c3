import { JOBS, type KubeObject, PODS, type ResourceType, SERVICE_ACCOUNTS } from '../../src/kube/client.ts';
import { isKubeError, type KubeErrorKind } from '../../src/kube/errors.ts';
import { HttpKubeClient } from '../../src/kube/http/http-client.ts';
import { loadKubeConfig } from '../../src/kube/http/kubeconfig.ts';
import type { Pod } from '../../src/lanes/job.ts';
import { AdminClient } from '../kit/admin-client.ts';
import { eventually } from '../kit/eventually.ts';
import { holdPlayedNode } from '../kit/played-node.ts';
import { testNamespace } from '../kit/test-namespace.ts';
import { variable } from '../kit/which-world.ts';
import { type Cluster, NAMESPACES, quotaOf } from './cluster.ts';

const QUOTAS: ResourceType = { group: '', version: 'v1', plural: 'resourcequotas', kind: 'ResourceQuota' };

/** A namespace of its own on the control plane of TEST_KUBECONFIG, which other worlds use at the same time. */
export async function realCluster(): Promise<Cluster> {
  const namespace = `capdeploy-test-${crypto.randomUUID().slice(0, 8)}`;
  const admin = new AdminClient(namespace);
  await admin.create(NAMESPACES, testNamespace(namespace));
  const connect = () => {
    const config = () => loadKubeConfig({ kubeconfig: variable('TEST_OPERATOR_KUBECONFIG') });
    const client = new HttpKubeClient({ config, version: 'test' });
    return { kube: client, close: () => client.close() };
  };
  return await clusterIn(admin, namespace, connect);
}

/**
 * A namespace that is there already; it is removed when the world stops.
 * @param connect makes an operator's client
 */
export async function clusterIn(admin: AdminClient, namespace: string, connect: Cluster['connect']): Promise<Cluster> {
  const release = await holdPlayedNode();
  // A controller makes it, later: until then every Pod would be refused, and the Job controller back off.
  await admin
    .create(SERVICE_ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } })
    .catch(unless('exists'));
  return {
    kube: admin,
    namespace,
    served: [namespace],
    get store(): never {
      throw new Error('there is no local store on a real control plane: see test/behaviour/differences.ts');
    },
    connect,
    forceDelete: ({ metadata: { name, uid } }) =>
      admin
        .deleteOne(PODS, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } })
        .catch(unless('gone', 'conflict')),
    remove: (type, name, propagationPolicy) => admin.deleteOne(type, namespace, name, { propagationPolicy }),
    refuse: async (type, name) => {
      const hard = { [quotaOf(type)]: '0' };
      const metadata = { name, namespace };
      await admin.create(QUOTAS, { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard } });
      // Before its controller has counted the API server refuses with other words, and before it has heard of that
      // count it refuses nothing.
      await eventually('the quota is in force', () =>
        admin.create(type, probeOf(type, namespace), { dryRun: true }).then(
          () => false,
          (error: Error) => error.message.includes(`exceeded quota: ${name},`),
        ),
      );
      return () => admin.deleteOne(QUOTAS, namespace, name, {});
    },
    stop: async () => {
      await removeNamespace(admin, namespace);
      release();
      await admin.close();
    },
  };
}

/** The least that the API server takes as an object of this type. */
function probeOf({ kind, group, version }: ResourceType, namespace: string): KubeObject {
  const pod = { restartPolicy: 'Never', containers: [{ name: 'probe', image: 'probe' }] };
  return {
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    metadata: { name: 'probe', namespace },
    spec: kind === PODS.kind ? pod : { template: { spec: pod } },
  };
}

/** Asks for it and does what would keep it from going; does not wait for its controller. */
export async function removeNamespace(admin: AdminClient, namespace: string): Promise<void> {
  await admin.deleteOne(NAMESPACES, '', namespace, {}).catch(unless('gone', 'conflict'));
  await endPods(admin, namespace);
  await dropFinalizers(admin, namespace);
}

/**
 * Their kubelet has stopped, and nobody else ends them; no new ones come, for the namespace is terminating. The phase
 * comes first: the Job controller keeps its finalizer on a Pod until it has seen how that one ended.
 */
async function endPods(admin: AdminClient, namespace: string): Promise<void> {
  for (;;) {
    const { items } = await admin.list<Pod & KubeObject>(PODS, { namespace });
    const open = items.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
    if (open.length === 0) break;
    for (const pod of open) {
      await admin
        .replaceStatus(PODS, { ...pod, status: { ...pod.status, phase: 'Failed' } })
        .catch(unless('gone', 'conflict'));
    }
  }
  await admin.deleteAll(PODS, namespace, { gracePeriodSeconds: 0 });
}

/** Those of tests that failed half way: they would keep the namespace for ever. */
async function dropFinalizers(admin: AdminClient, namespace: string): Promise<void> {
  for (const { metadata } of (await admin.list(JOBS, { namespace })).items) {
    const finalizers = metadata.finalizers?.filter((name) => !name.startsWith('example.test/'));
    if (finalizers?.length === metadata.finalizers?.length) continue;
    const { uid = '', resourceVersion = '' } = metadata;
    await admin
      .patch(JOBS, namespace, metadata.name, { uid, resourceVersion }, { metadata: { finalizers } })
      .catch(unless('gone', 'conflict'));
  }
}

const unless =
  (...kinds: KubeErrorKind[]) =>
  (error: unknown): void => {
    if (!kinds.some((kind) => isKubeError(error, kind))) throw error;
  };
