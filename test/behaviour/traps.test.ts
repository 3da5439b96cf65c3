import { describe, expect, test } from 'vitest';
import { jobName } from '../../src/api/job-name.ts';
import { ANNOTATION, CAPDEPLOYJOBS, LABEL } from '../../src/api/names.ts';
import { JOBS, type KubeObject, PODS } from '../../src/kube/client.ts';
import type { Pod } from '../../src/lanes/job.ts';
import { revisionOf } from '../kit/played-kubelet.ts';
import {
  deployed,
  ended,
  eventually,
  inWorld,
  jobOf,
  MovableClock,
  message,
  overlaps,
  PLAYED_NODE,
  production,
  running,
  sentAt,
  served,
  specIsSeen,
  turns,
  type World,
  waiting,
} from './world.ts';

/** The traps that real control planes were seen to set (docs/lanes.md), each by its name. */

/** The operator goes over all of it once more. */
async function looksAgain(world: World): Promise<void> {
  const { maxWaiting = 20 } = (await world.resource('web')).spec as { maxWaiting?: number };
  await world.edit('web', { maxWaiting: maxWaiting + 1 });
  await specIsSeen(world);
}

/** The Pod that a Job controller creates from its cache although the Job is gone, with what it writes into it. */
const latePodOf = (job: KubeObject): KubeObject => {
  const { template } = job.spec as { template: { metadata?: { labels?: Record<string, string> }; spec: object } };
  const { name, namespace, uid = '' } = job.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-late1`,
      namespace: namespace ?? '',
      labels: {
        ...template.metadata?.labels,
        'batch.kubernetes.io/job-name': name,
        'batch.kubernetes.io/controller-uid': uid,
      },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true, blockOwnerDeletion: true }],
    },
    spec: { ...template.spec, nodeName: PLAYED_NODE },
  };
};

describe.concurrent('the late Pod', () => {
  test(
    'a Pod that appears after its Job is deleted holds the lane until the Pod has ended (invariant 3)',
    inWorld(async (world) => {
      world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
      // Slow, so that a busy machine does not pass the half minute by itself.
      const clock = new MovableClock(0, 0.2);
      const { ask } = await served(world, {}, { clock });
      const allow = await world.refuse(PODS, 'no-pods');
      await ask('v1.0.0', 0);
      const job = await eventually('it is started, and has no Pod', async () => {
        const found = await jobOf(world, 'v1.0.0');
        return found?.spec?.suspend === false && found;
      });
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.1');
      await world.remove(JOBS, job.metadata.name);
      await eventually('the Job is gone', async () => (await jobOf(world, 'v1.0.0')) === undefined);
      // No Pod was seen: the lane waits for one that is late.
      clock.advance(20_000);
      await looksAgain(world);
      await waiting(world, 'v1.0.1');
      // Only now: the Job controller, which tries again from its cache, could make one of its own.
      await allow();
      world.kubelet.loseNode();
      await eventually('the late Pod is let in', () => world.kube.create(PODS, latePodOf(job)).catch(() => undefined));
      await eventually('the operator has seen it', async () => (await production(world))?.active?.[0]?.why);
      clock.advance(120_000);
      await eventually('it is terminating, for its owner is gone', async () => {
        const why = (await production(world))?.active?.[0]?.why;
        return why?.includes(`is terminating on node ${PLAYED_NODE}`);
      });
      expect(await production(world)).toMatchObject({
        active: [{ job: job.metadata.name }],
        waiting: [{ revision: 'v1.0.1' }],
      });
      expect(deployed(world)).not.toContain('v1.0.1');
      await world.kubelet.findNode();
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Aborted', reason: 'JobDeleted' });
      expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Succeeded' });
      expect(overlaps(world)).toEqual([]);
    }),
  );

  test(
    'if no Pod appears, the lane is free half a minute after the Job was found deleted, and not before',
    inWorld(async (world) => {
      const clock = new MovableClock();
      const { ask } = await served(world, {}, { clock });
      const allow = await world.refuse(PODS, 'no-pods');
      await ask('v1.0.0', 0);
      const job = await eventually('it is started, and has no Pod', async () => {
        const found = await jobOf(world, 'v1.0.0');
        return found?.spec?.suspend === false && found;
      });
      await world.remove(JOBS, job.metadata.name);
      await ask('v1.0.1', 1);
      await looksAgain(world);
      await waiting(world, 'v1.0.1');
      expect(await production(world)).toMatchObject({ active: [{ job: job.metadata.name }] });
      // Only now: the Job controller, which tries again from its cache, could make the very Pod that does not appear
      // here.
      await allow();
      clock.advance(30_000);
      clock.setSpeed(1);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Aborted', reason: 'JobDeleted' });
      expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Succeeded' });
      expect(deployed(world)).toEqual(['v1.0.1']);
    }),
  );
});

test.concurrent(
  'the orphan: a Pod whose Job was deleted with --cascade=orphan keeps the lane, and the operator does not end it (invariants 3 and 6)',
  inWorld(async (world) => {
    world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
    const clock = new MovableClock();
    const { ask } = await served(world, {}, { clock });
    await ask('v1.0.0', 0);
    const { job, pod } = await running(world, 'v1.0.0');
    await world.remove(JOBS, job, { orphan: true });
    await eventually('the Job is gone', async () => (await jobOf(world, 'v1.0.0')) === undefined);
    await ask('v1.0.1', 1);
    await waiting(world, 'v1.0.1');
    clock.advance(10 * 60_000);
    await eventually('the status says what it waits for', async () => {
      const why = (await production(world))?.active?.[0]?.why;
      return why === `Pod ${pod} has not ended yet`;
    });
    const orphan = await world.kube.get<Pod & KubeObject>(PODS, world.namespace, pod);
    expect(orphan.metadata.ownerReferences).toBeUndefined();
    expect(orphan).toMatchObject({ status: { phase: 'Running' } });
    expect(orphan.metadata.deletionTimestamp).toBeUndefined();
    await world.kubelet.finish(pod, 0);
    expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Succeeded' });
    expect(overlaps(world)).toEqual([]);
  }),
);

test.concurrent(
  'the suspended running Job: its Pod is ended by the Job controller, it is never resumed, and the next deploy starts after that (invariant 3)',
  inWorld(async (world) => {
    world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
    world.kubelet.loseNode();
    const clock = new MovableClock();
    const { ask } = await served(world, {}, { clock });
    await ask('v1.0.0', 0);
    const { job, pod } = await running(world, 'v1.0.0');
    await ask('v1.0.1', 1);
    await waiting(world, 'v1.0.1');
    await world.change(JOBS, job, { spec: { suspend: true } });
    await eventually('its Pod is on its way out', async () => {
      const found = await world.kube.get(PODS, world.namespace, pod);
      return found.metadata.deletionTimestamp;
    });
    clock.advance(10 * 60_000);
    await eventually('the status says what it waits for', async () =>
      (await production(world))?.active?.[0]?.why?.includes(`Pod ${pod} is terminating`),
    );
    await waiting(world, 'v1.0.1');
    await world.kubelet.findNode();
    expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Aborted', reason: 'JobSuspended' });
    expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Succeeded' });
    expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.1']);
    expect(overlaps(world)).toEqual([]);
  }),
);

test.concurrent(
  'the Job under an old UID: what is created for a resource that is gone is collected, and its message makes a Job of the new one (invariants 2 and 6)',
  inWorld(async (world) => {
    const { queue, operator } = await served(world);
    const { metadata: old } = await world.resource('web');
    const name = jobName('web', 'production', 'release-1');
    let next: string | undefined;
    // The resource is deleted and created again while the message is in flight, right before its Job is created.
    world.intercept = async ({ verb, type, dryRun }) => {
      if (verb !== 'create' || type !== JOBS || dryRun || next !== undefined) return;
      next = '';
      await world.remove(CAPDEPLOYJOBS, 'web');
      next = (await world.deployable('web', queue)).metadata.uid;
    };
    const owners: (string | undefined)[] = [];
    world.afterCall = ({ verb, type, body, dryRun }) => {
      if (verb !== 'create' || type !== JOBS || dryRun) return;
      owners.push((body as unknown as KubeObject).metadata.ownerReferences?.[0]?.uid);
    };
    await turns(world, 'web', 'TemplateValid', 'True', 'DryRunAccepted');
    await world.send(queue, message({ id: 'release-1', sentAt: sentAt(0) }));
    await eventually('the resource is a new one', () => next !== undefined && next !== '');
    expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded', job: name });
    const job = await world.kube.get(JOBS, world.namespace, name);
    expect(job.metadata).toMatchObject({
      ownerReferences: [{ uid: next }],
      labels: { [LABEL.name]: 'web' },
      annotations: { [ANNOTATION.id]: 'release-1' },
    });
    expect(owners).toEqual([old.uid, next]);
    expect(deployed(world)).toEqual(['v1.0.0']);
    await eventually('the queue is empty', async () => (await world.depth(queue)) === 0);
    await operator.stop();
  }),
);
