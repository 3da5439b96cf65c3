import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import { SpareNode } from './node/spare-node.ts';
import { openPlace } from './place.ts';
import { DEAF, podTemplate, shell } from './shell-pods.ts';

const place = await openPlace();
let node: SpareNode;
beforeAll(async () => {
  node = await SpareNode.start(place.cluster);
});
afterAll(() => node.stop());

/** Starts a deploy there that runs for ever. @param taints that do not drive it away */
async function runThere(name: string, ...taints: string[]) {
  const web = await place.deployable(name, {
    template: podTemplate({
      nodeName: node.name,
      tolerations: taints.map((key) => ({ key, operator: 'Exists' })),
      containers: [shell('cap', DEAF)],
    }),
  });
  const id = await web.send({ revision: 'v1.0.0' });
  return { web, id, ...(await web.running(id)) };
}

// In this order: the second one leaves no node.
describe('a node is lost', { shuffle: false }, () => {
  it('its power fails under a deploy, and comes back: Failed, NodeLost, and cap does not run again', async () => {
    const { web, id, pod } = await runThere('power');
    await node.reboots();
    const entry = await web.ended(id);
    expect(entry).toMatchObject({ result: 'Failed', reason: 'NodeLost' });
    const pods = await place.pods(`job-name=${entry.job}`);
    expect(pods.map(({ metadata }) => metadata.uid)).toEqual([pod.metadata.uid]);
    expect(pods[0]?.status?.containerStatuses?.[0]?.restartCount).toBe(0);
  });

  it('it is not heard of any more: it is said what holds the lane and what frees it; with the node its deploys end as Failed, NodeLost', async () => {
    const LOST = 'example.com/lost';
    const [driven, kept] = await Promise.all([runThere('driven'), runThere('kept', LOST)]);
    await node.losesItsKubelet();

    // As the node controller does by taints of its own, five minutes after it heard of the node last.
    await place.kubectl('taint', 'node', node.name, `${LOST}=:NoExecute`);
    const why = await eventually('the status says what holds the lane', async () => (await place.claim('driven'))?.why);
    expect(why).toContain(`is terminating on node ${node.name}`);
    // What it says is to be done. By force alone the Pod would stay: its Job's controller keeps what has not said how
    // it ended.
    const remedy = `kubectl -n ${place.namespace} delete job ${driven.job.metadata.name}; kubectl -n ${place.namespace} delete pod`;
    expect(why).toContain(`${remedy} ${driven.pod.metadata.name} --force`);
    await place.kubectl('delete', 'pod', driven.pod.metadata.name, '--force', '--wait=false');
    expect(await place.claim('driven')).toMatchObject({ id: driven.id });
    await place.deleteJob(driven.job.metadata.name);
    await place.kubectl('delete', 'pod', driven.pod.metadata.name, '--force', '--ignore-not-found');
    const entry = await driven.web.ended(driven.id);
    expect(entry).toMatchObject({ result: 'Aborted', reason: 'JobDeleted' });
    expect(entry.message).toContain('DeletionByTaintManager');

    // As a cloud does with a machine that is no more. The collector of Pods takes its time.
    await place.kubectl('delete', 'node', node.name);
    const last = await kept.web.ended(kept.id);
    expect(last).toMatchObject({ result: 'Failed', reason: 'NodeLost' });
    expect(last.message).toContain('DeletionByPodGC');
  });
});
