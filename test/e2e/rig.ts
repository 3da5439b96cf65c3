import type { Component } from '../cluster/control-plane/build.ts';
import type { Images } from './images.ts';

/** What the runner hands to the node's namespaces, as JSON in a file. */
export interface Rig {
  /** A folder of this run alone, removed by the runner. */
  scratch: string;
  images: Images;
  /** The folder of the CNI plugins. */
  cni: string;
  /** See node/cgroups.ts. */
  controlGroup: string;
  /** How often the tests are run. */
  times: number;
  /** No tests: everything stays up until it is ended. */
  serve: boolean;
  /** A command line that enters the node's namespaces from outside; a command follows. */
  enter: string;
  /** Filters and options. */
  vitest: readonly string[];
}

/** The programs of a control plane with a node. */
export const COMPONENTS: readonly Component[] = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kubectl',
];
