import { type KubeObject, NAMESPACES } from '../kube/client.ts';
import { listAll } from '../kube/list-all.ts';
import type { Target } from './config.ts';
import { type Cluster, withRetries } from './write.ts';

interface Namespace extends KubeObject {
  status?: { phase?: string };
}

/**
 * The namespaces of a target: as listed, or those that its selector finds now, sorted, without those that are being
 * deleted.
 * @throws KubeError.
 */
export async function findNamespaces(target: Pick<Target, 'namespaces'>, cluster: Cluster): Promise<readonly string[]> {
  if (!('labelSelector' in target.namespaces)) return target.namespaces;
  const { labelSelector } = target.namespaces;
  const { kube, signal } = cluster;
  const { items } = await withRetries(cluster, () => listAll<Namespace>(kube, NAMESPACES, { labelSelector, signal }));
  return items
    .filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.phase !== 'Terminating')
    .map(({ metadata }) => metadata.name)
    .sort();
}
