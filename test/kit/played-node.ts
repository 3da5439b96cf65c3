import { type KubeClient, type KubeObject, LEASES, type ResourceType } from '../../src/kube/client.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { PLAYED_NODE } from '../behaviour/cluster.ts';
import { AdminClient } from './admin-client.ts';

export const NODES: ResourceType = { group: '', version: 'v1', plural: 'nodes', kind: 'Node' };
export const LEASE_NAMESPACE = 'kube-node-lease';

/**
 * The node controller calls a node lost after 40 s without a renewal (`--node-monitor-grace-period`, 50 s since
 * Kubernetes 1.32).
 */
const HEARTBEAT_MS = 8_000;

let holders = 0;
let beating: { timer: NodeJS.Timeout; kube: AdminClient } | undefined;
let made: Promise<void> | undefined;

/**
 * Keeps the Node of the played Pods and renews its Lease until the last holder releases it. Without the Node the Pod
 * collector deletes its Pods. Without renewals the node controller marks them. Several processes may hold it at once.
 * @returns what releases it
 */
export async function holdPlayedNode(): Promise<() => void> {
  holders += 1;
  if (!beating) {
    const kube = new AdminClient(LEASE_NAMESPACE);
    // If one renewal fails, the next one is still in time.
    const beat = () => void heartbeat(kube).catch(() => {});
    beating = { kube, timer: setInterval(beat, HEARTBEAT_MS).unref() };
    made = makeNode(kube).then(() => heartbeat(kube));
  }
  await made;
  return () => {
    holders -= 1;
    if (holders > 0 || !beating) return;
    clearInterval(beating.timer);
    void beating.kube.close();
    beating = undefined;
  };
}

type Node = KubeObject & { status?: { conditions?: { type: string; status: string }[] } };

const isReady = ({ status }: Node): boolean =>
  status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false;

/** Unschedulable: the Pods of the tests name the node. */
async function makeNode(kube: KubeClient): Promise<void> {
  const taints = [{ key: 'capdeployjob.dev/played', effect: 'NoSchedule' }];
  await kube
    .create(NODES, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: PLAYED_NODE, labels: { 'capdeployjob.dev/played': 'true' } },
      spec: { unschedulable: true, taints },
    })
    .catch(unlessExists);
  const now = new Date().toISOString();
  const ready = { type: 'Ready', status: 'True', reason: 'Played', lastHeartbeatTime: now, lastTransitionTime: now };
  for (;;) {
    const node = await kube.get<Node>(NODES, '', PLAYED_NODE);
    if (isReady(node)) return;
    const status = { ...node.status, conditions: [ready] };
    const done = await kube.replaceStatus(NODES, { ...node, status }).then(() => true, unlessConflict);
    if (done) return;
  }
}

async function heartbeat(kube: KubeClient): Promise<void> {
  // MicroTime: six digits.
  const renewTime = new Date().toISOString().replace('Z', '000Z');
  const spec = { holderIdentity: PLAYED_NODE, leaseDurationSeconds: 40, renewTime };
  const metadata = { name: PLAYED_NODE, namespace: LEASE_NAMESPACE };
  await kube
    .create(LEASES, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec })
    .catch(unlessExists);
  const { uid = '', resourceVersion = '' } = (await kube.get(LEASES, LEASE_NAMESPACE, PLAYED_NODE)).metadata;
  // A conflict: another process has just renewed it.
  await kube
    .patch(LEASES, LEASE_NAMESPACE, PLAYED_NODE, { uid, resourceVersion }, { spec })
    .catch((error) => void unlessConflict(error));
}

function unlessExists(error: unknown): void {
  if (!isKubeError(error, 'exists')) throw error;
}

function unlessConflict(error: unknown): false {
  if (!isKubeError(error, 'conflict')) throw error;
  return false;
}
