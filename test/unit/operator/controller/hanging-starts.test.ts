import { expect, it } from 'vitest';
import type { CapDeployJob } from '../../../../src/api/capdeployjob.ts';
import { LABEL } from '../../../../src/api/names.ts';
import type { KubeObject } from '../../../../src/kube/client.ts';
import { aJob, aPod, aRawSpec, aResource, NOW } from '../../../kit/builders.ts';
import { CAPDEPLOYJOBS, CORE_EVENTS, JOBS, PODS, Rig } from './rig.ts';

const COUNT = 500;
/** A little less than podStartDeadlineSeconds, after which they are ended. */
const LASTS_MS = 290_000;

/** A CapDeployJob whose deploy has started just now, and whose Pod gets no network. @returns the Pod. */
function hangs(rig: Rig, name: string): KubeObject {
  const metadata = { name, namespace: 'deploy' };
  const resource = rig.store.create(CAPDEPLOYJOBS, { ...aResource({ spec: aRawSpec() }), metadata });
  const job = aJob({ id: name, started: 0, owner: resource.metadata.uid! });
  const labels = { ...job.metadata.labels, [LABEL.name]: name };
  const { uid: _, resourceVersion: __, creationTimestamp: ___, ...others } = job.metadata;
  const stored = rig.store.create(JOBS, { ...job, status: undefined, metadata: { ...others, labels } });
  rig.store.update(JOBS, { ...stored, status: job.status }, { subresource: 'status' });
  const { spec, status, ...pod } = aPod({ ...job, metadata: { ...job.metadata, uid: stored.metadata.uid! } });
  const { ownerReferences = [] } = pod.metadata;
  const pending = rig.store.create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `pod-of-${name}`,
      namespace: 'deploy',
      labels,
      ownerReferences: ownerReferences.map((owner) => ({ apiVersion: 'batch/v1', ...owner })),
    },
    spec: { ...spec, nodeName: 'node-1', restartPolicy: 'Never', containers: [{ name: 'cap', image: 'x.test/cap:1' }] },
  });
  const creating = [{ name: 'cap', state: { waiting: { reason: 'ContainerCreating' } } }];
  return rig.store.update(
    PODS,
    { ...pending, status: { ...status, phase: 'Pending', containerStatuses: creating } },
    { subresource: 'status' },
  );
}

/** The kubelet says it once more of each, and of another sandbox; client-go counts it in the Event that is there. */
function fails({ store, now }: Rig, pods: readonly KubeObject[]): void {
  for (const [index, { metadata }] of pods.entries()) {
    const { name, namespace = '', uid } = metadata;
    const sandbox = (now() + index).toString(16).padStart(64, '0');
    const before = store.find(CORE_EVENTS, namespace, name);
    const event = {
      ...(before ?? { apiVersion: 'v1', kind: 'Event', metadata: { name, namespace } }),
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
      type: 'Warning',
      reason: 'FailedCreatePodSandBox',
      message: `failed to set up network for sandbox "${sandbox}": no IP address is left`,
      lastTimestamp: new Date(now()).toISOString(),
    };
    if (before) store.update(CORE_EVENTS, event);
    else store.create(CORE_EVENTS, event);
  }
}

/** What the work queue does until then (epoch milliseconds), one key after the other. */
async function work(rig: Rig, dueAt: Map<string, number>, until: number): Promise<void> {
  for (;;) {
    for (const key of rig.woken.splice(0)) dueAt.set(key, rig.now());
    const next = Math.min(...dueAt.values());
    if (next > until) break;
    rig.clock.advance(Math.max(0, next - rig.now()));
    rig.syncCaches();
    for (const [key, at] of dueAt) {
      if (at > rig.now()) continue;
      const { requeueAfterMs = Number.POSITIVE_INFINITY } = await rig.reconciler.reconcile(key);
      dueAt.set(key, rig.now() + requeueAfterMs);
    }
    // A list that was begun is answered.
    await new Promise((resolve) => setImmediate(resolve));
  }
  rig.clock.advance(until - rig.now());
}

it('500 starts that hang together cost a dozen lists in five minutes, and each its words once', async () => {
  const rig = new Rig();
  const pods = Array.from({ length: COUNT }, (_, index) => hangs(rig, `web-${index}`));
  const dueAt = new Map(pods.map((_, index) => [`deploy/web-${index}`, NOW]));
  // They are seen for the first time, and claimed.
  await work(rig, dueAt, NOW + 1_000);
  rig.forgetCalls();
  const lists: number[] = [];
  rig.before = ({ plural }) => {
    if (plural === 'events') lists.push((rig.now() - NOW) / 1000);
  };
  for (let end = 61_000; end < LASTS_MS + 60_000; end += 60_000) {
    fails(rig, pods);
    await work(rig, dueAt, NOW + Math.min(end, LASTS_MS));
  }
  expect(lists).toEqual([2, 7, 12, 17, 22, 32, 42, 62, 82, 122, 162, 222, 282]);
  // And of each, a live look (three requests) and a write.
  expect(rig.calls).toHaveLength(lists.length + COUNT * 4);
  expect(rig.writes).toEqual(
    expect.arrayContaining(pods.map((_, index) => `replaceStatus capdeployjobs web-${index}`)),
  );
  const { status } = rig.store.get(CAPDEPLOYJOBS, 'deploy', 'web-499') as unknown as CapDeployJob;
  const words = 'failed to set up network for sandbox "…": no IP address is left';
  expect(status?.environments?.flatMap(({ active = [] }) => active.map(({ why }) => why))).toEqual([
    `Pod pod-of-web-499, Warning FailedCreatePodSandBox: ${words}`,
  ]);
}, 60_000);
