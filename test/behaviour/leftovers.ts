import { LEASES } from '../../src/kube/client.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { AdminClient } from '../kit/admin-client.ts';
import { eventually } from '../kit/eventually.ts';
import { LEASE_NAMESPACE, NODES } from '../kit/played-node.ts';
import { TEST_LABEL } from '../kit/test-namespace.ts';
import { isReal } from '../kit/which-world.ts';
import { NAMESPACES, PLAYED_NODE } from './cluster.ts';
import { removeNamespace } from './real-world.ts';

/** A namespace goes within seconds of its last object; the Pod collector looks only every 20 s, and twice. */
const GONE_WITHIN_MS = 120_000;

/**
 * vitest's global setup: names the run, and after it sees to it that none of its namespaces stays (worlds remove their
 * own and do not wait for it; what a worker that was killed left behind is removed here), nor the Node of the played
 * Pods.
 * @throws Error with what has stayed.
 */
export default function setUp(): (() => Promise<void>) | undefined {
  if (!isReal) return undefined;
  process.env.TEST_RUN ??= crypto.randomUUID().slice(0, 8);
  return sweep;
}

function unlessGone(error: unknown): void {
  if (!isKubeError(error, 'gone')) throw error;
}

async function sweep(): Promise<void> {
  const admin = new AdminClient('default');
  try {
    const left = async () =>
      (await admin.list(NAMESPACES, { labelSelector: `${TEST_LABEL}=${process.env.TEST_RUN}` })).items;
    for (const { metadata } of await left()) await removeNamespace(admin, metadata.name);
    let names: string[] = [];
    await eventually(
      'the namespaces of this run are gone',
      async () => {
        names = (await left()).map(({ metadata }) => metadata.name);
        return names.length === 0;
      },
      GONE_WITHIN_MS,
    ).catch(() => {
      throw new Error(`these namespaces of the run stay: ${names.join(', ')}: kubectl get namespace <name> -o yaml`);
    });
    // Another run on the same cluster may still need it.
    if ((await admin.list(NAMESPACES, { labelSelector: TEST_LABEL })).items.length > 0) return;
    await admin.deleteOne(NODES, '', PLAYED_NODE, {}).catch(unlessGone);
    await admin.deleteOne(LEASES, LEASE_NAMESPACE, PLAYED_NODE, {}).catch(unlessGone);
  } finally {
    await admin.close();
  }
}
