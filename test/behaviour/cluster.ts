import type { Store } from 'in-memory-kubernetes/store/store.ts';
import type { KubeClient, ResourceType } from '../../src/kube/client.ts';
import type { Pod } from '../../src/lanes/job.ts';

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

/** The Kubernetes API of one world, with what differs between the in-memory Kubernetes and a real cluster. */
export interface Cluster {
  /** With all rights. */
  readonly kube: KubeClient;
  /** The world's own. */
  readonly namespace: string;
  /** What operators are told by --namespace. */
  readonly served: readonly string[];
  /** The in-memory Kubernetes's. @throws Error on a real cluster. */
  readonly store: Store;
  /** A client for an operator, with its rights. */
  connect(): { kube: KubeClient; close(): Promise<void> };
  /** As a kubelet does when the containers of a Pod that is being deleted have ended. */
  forceDelete(pod: Pod): Promise<void>;
  /** As `kubectl delete`, or with another `--cascade` than `background`. */
  remove(type: ResourceType, name: string, propagationPolicy: Propagation): Promise<void>;
  /** Creates a ResourceQuota that leaves room for no object of the type. @returns what deletes it. */
  refuse(type: ResourceType, quota: string): Promise<() => Promise<void>>;
  /**
   * Ends all watches at the server, where that can be asked of it. @param forgotten and forgets what they would be
   * resumed from.
   */
  endWatches?(forgotten: boolean): void;
  stop(): Promise<void>;
}

/** What a ResourceQuota calls the objects of a type (Kubernetes docs, "Resource Quotas: Object count"). */
export const quotaOf = ({ group, plural }: ResourceType): string =>
  group === '' ? plural : `count/${plural}.${group}`;

/** The Node that Pods are bound to, whose kubelet is played. */
export const PLAYED_NODE = 'capdeploy-played';

export { NAMESPACES } from '../../src/kube/client.ts';
