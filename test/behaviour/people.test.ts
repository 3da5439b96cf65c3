import { describe, expect, test } from 'vitest';
import { jobName } from '../../src/api/job-name.ts';
import { ANNOTATION, CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { JOBS, type KubeObject, PODS } from '../../src/kube/client.ts';
import { revisionOf } from '../kit/played-kubelet.ts';
import { oneRunsAndTwoWait, takesLaneOver } from './resumed-by-hand.ts';
import {
  deployed,
  ended,
  eventually,
  inWorld,
  jobOf,
  message,
  operatorEvents,
  overlaps,
  PLAYED_NODE,
  production,
  running,
  type Served,
  sentAt,
  served,
  turns,
  type World,
  waiting,
} from './world.ts';

/** v1.0.0 runs until it is ended, v1.0.1 waits, and would end at once. */
async function oneRunsAndOneWaits(world: World, spec: Record<string, unknown> = {}): Promise<Served & { job: string }> {
  world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
  const all = await served(world, spec);
  await all.ask('v1.0.0', 0);
  const { job } = await running(world, 'v1.0.0');
  await all.ask('v1.0.1', 1);
  await waiting(world, 'v1.0.1');
  return { ...all, job };
}

const results = async (world: World) =>
  ((await world.resource('web')).status?.history ?? []).map(({ revision, result }) => `${revision} ${result}`);

const isGone = (world: World, job: string) =>
  eventually(
    `Job ${job} is gone`,
    async () => !(await world.jobs('web')).some(({ metadata }) => metadata.name === job),
  );

describe.concurrent('deleting a Job', () => {
  test(
    'deleting a running Job aborts its deploy, and its Pod is gone before the next one starts',
    inWorld(async (world) => {
      const { job } = await oneRunsAndOneWaits(world);
      await world.remove(JOBS, job);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Aborted', reason: 'JobDeleted' });
      await ended(world, 'web', 'v1.0.1');
      expect(overlaps(world)).toEqual([]);
      expect(await results(world)).toEqual(['v1.0.1 Succeeded', 'v1.0.0 Aborted']);
    }),
  );

  test(
    'deleting a waiting Job takes the request out of the lane, and those behind it go on',
    inWorld(async (world) => {
      const { ask, job } = await oneRunsAndOneWaits(world);
      await ask('v1.0.2', 2);
      await waiting(world, 'v1.0.1', 'v1.0.2');
      await world.remove(JOBS, (await jobOf(world, 'v1.0.1'))?.metadata.name ?? '');
      expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Aborted', reason: 'JobDeleted' });
      await waiting(world, 'v1.0.2');
      await world.kubelet.finish(job, 0);
      await ended(world, 'web', 'v1.0.2');
      expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.2']);
    }),
  );

  test(
    'a deploy whose Job was deleted holds its lane until its Pod has terminated, and the status says what it waits for',
    inWorld(async (world) => {
      world.kubelet.loseNode();
      const { job } = await oneRunsAndOneWaits(world);
      await world.remove(JOBS, job);
      const why = await eventually('the status names Pod, node and remedy', async () => {
        const why = (await production(world))?.active?.[0]?.why;
        return why?.includes('is terminating') && why;
      });
      const [pod] = (await world.kube.list(PODS, { labelSelector: `batch.kubernetes.io/job-name=${job}` })).items;
      expect(why).toContain(`Pod ${pod?.metadata.name} is terminating on node ${PLAYED_NODE}`);
      expect(why).toContain(`kubectl -n ${world.namespace} delete pod ${pod?.metadata.name} --force`);
      expect(await production(world)).toMatchObject({ active: [{ job }], waiting: [{ revision: 'v1.0.1' }] });
      expect(await results(world)).toEqual([]);
      await world.kubelet.findNode();
      await ended(world, 'web', 'v1.0.1');
      expect(await results(world)).toEqual(['v1.0.1 Succeeded', 'v1.0.0 Aborted']);
      expect(overlaps(world)).toEqual([]);
    }),
  );

  test(
    'a Pod that was orphaned holds the lane until it has ended, and its exit counts',
    inWorld(async (world) => {
      const { job, ask } = await oneRunsAndOneWaits(world);
      await world.remove(JOBS, job, { orphan: true });
      await isGone(world, job);
      await ask('v1.0.2', 2);
      await waiting(world, 'v1.0.1', 'v1.0.2');
      expect(deployed(world)).toEqual(['v1.0.0']);
      const { pod } = await running(world, 'v1.0.0');
      await world.kubelet.finish(pod, 0);
      await ended(world, 'web', 'v1.0.2');
      expect(await results(world)).toEqual(['v1.0.2 Succeeded', 'v1.0.1 Succeeded', 'v1.0.0 Succeeded']);
      expect(overlaps(world)).toEqual([]);
    }),
  );

  test(
    'a Pod that was orphaned while no operator ran holds the lane also for the next operator',
    inWorld(async (world) => {
      const { job, operator } = await oneRunsAndOneWaits(world);
      await operator.stop();
      await world.remove(JOBS, job, { orphan: true });
      await isGone(world, job);
      const mark = (await world.resource('web')).metadata.resourceVersion;
      await world.edit('web', { environments: [{ name: 'production' }] });
      world.startOperator();
      await eventually('the operator has looked', async () => {
        const { metadata, status } = await world.resource('web');
        return metadata.resourceVersion !== mark && status?.observedGeneration === metadata.generation;
      });
      expect(await production(world)).toMatchObject({ active: [{ job }], waiting: [{ revision: 'v1.0.1' }] });
      const { pod } = await running(world, 'v1.0.0');
      await world.kubelet.finish(pod, 0);
      // Nobody watched how the Job went, but its Pod says how the deploy ended.
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded', reason: 'Completed' });
      await ended(world, 'web', 'v1.0.1');
      expect(overlaps(world)).toEqual([]);
    }),
  );
});

test.concurrent(
  'deleting the Pod of a running deploy fails it, and no second Pod takes its place',
  inWorld(async (world) => {
    const { job } = await oneRunsAndOneWaits(world);
    const { pod } = await running(world, 'v1.0.0');
    await world.remove(PODS, pod);
    expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({
      result: 'Failed',
      reason: 'PodDeleted',
      job,
    });
    await ended(world, 'web', 'v1.0.1');
    expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.1']);
    expect(overlaps(world)).toEqual([]);
  }),
);

describe.concurrent('suspending and resuming by hand', () => {
  test(
    'a running Job that a person suspends is aborted, is never resumed, and is removed when the abort is recorded',
    inWorld(async (world) => {
      let recordedFirst: boolean | undefined;
      const { job } = await oneRunsAndOneWaits(world);
      world.intercept = async ({ verb, type, name }) => {
        if (verb !== 'delete' || type !== JOBS || name !== job) return;
        recordedFirst ??= (await results(world)).includes('v1.0.0 Aborted');
      };
      const callsBefore = world.calls.length;
      await world.change(JOBS, job, { spec: { suspend: true } });
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Aborted', reason: 'JobSuspended' });
      await isGone(world, job);
      expect(recordedFirst).toBe(true);
      await ended(world, 'web', 'v1.0.1');
      expect(overlaps(world)).toEqual([]);
      expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.1']);
      const patched = world.calls.slice(callsBefore).filter(({ verb, name }) => verb === 'patch' && name === job);
      expect(patched).toEqual([]);
    }),
  );

  test(
    'a waiting Job that a person resumes holds the lane until it has ended, is reported, and is recorded once',
    inWorld(async (world) => {
      const { ask, first } = await oneRunsAndTwoWait(world);
      await world.change(JOBS, (await jobOf(world, 'v1.0.2'))?.metadata.name ?? '', { spec: { suspend: false } });
      const second = await running(world, 'v1.0.2');
      await takesLaneOver(world, first, second);
      // Sent before one that has started by now, whoever started it.
      expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Superseded' });
      await ask('v1.0.3', 3);
      await waiting(world, 'v1.0.3');
      await eventually('an Event tells of it', async () => (await operatorEvents(world, 'Adopted')).length === 1);
      await world.kubelet.finish(second.job, 0);
      await running(world, 'v1.0.3');
      expect((await results(world)).toSorted()).toEqual(['v1.0.0 Succeeded', 'v1.0.1 Superseded', 'v1.0.2 Succeeded']);
      expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.2', 'v1.0.3']);
    }),
  );
});

/** What keeps an object that is being deleted. */
const keptBy = (...finalizers: string[]) => ({ metadata: { finalizers } });

describe.concurrent('deleting the CapDeployJob', () => {
  test(
    'Invariant 2: messages in flight stay in the queue when it is deleted, and one of the same name deploys them',
    inWorld(async (world) => {
      const { queue, ask } = await served(world);
      // A quota refuses the dry run of the template, too.
      await turns(world, 'web', 'TemplateValid', 'True', 'DryRunAccepted');
      const allow = await world.refuse(JOBS, 'deploys');
      await ask('v1.0.0', 0);
      await ask('v1.0.1', 1);
      await eventually('Jobs cannot be created', async () =>
        (await world.resource('web')).status?.conditions?.some(({ reason }) => reason === 'JobsCannotBeCreated'),
      );
      await world.remove(CAPDEPLOYJOBS, 'web');
      await allow();
      await world.deployable('web', queue);
      await ended(world, 'web', 'v1.0.1');
      await eventually('the queue is empty', async () => (await world.depth(queue)) === 0);
      expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.1']);
    }),
  );

  test(
    'deletes its Jobs, the running one too, and later messages are not read',
    inWorld(async (world) => {
      const { queue, ask } = await oneRunsAndOneWaits(world);
      await world.remove(CAPDEPLOYJOBS, 'web');
      await eventually('its Jobs are gone', async () => (await world.jobs('web')).length === 0);
      await eventually('its Pod is gone', () => world.kubelet.diary[0]?.endedAt !== undefined);
      await ask('v1.0.2', 2);
      // A second resource shows that the operator has gone on.
      const other = await world.createQueue('other');
      await world.deployable('other', other);
      await world.send(other, message({ revision: 'v2.0.0' }));
      await ended(world, 'other', 'v2.0.0');
      expect(await world.depth(queue)).toBe(1);
      expect(deployed(world)).toEqual(['v1.0.0', 'v2.0.0']);
    }),
  );

  test(
    'Invariant 6: a new resource of the same name takes no object of the old one as its own, and waits for its running deploys',
    inWorld(async (world) => {
      const { queue, ask, job } = await oneRunsAndOneWaits(world);
      const waitingJob = (await jobOf(world, 'v1.0.1'))?.metadata.name ?? '';
      for (const name of [job, waitingJob]) await world.change(JOBS, name, keptBy('example.test/hold'));
      await world.remove(CAPDEPLOYJOBS, 'web');
      await eventually('the old Jobs are on their way out', async () =>
        (await world.jobs('web')).every(({ metadata }) => metadata.deletionTimestamp),
      );
      await world.deployable('web', queue);
      const callsBefore = world.calls.length;
      await ask('v1.0.2', 2);
      const [entry] = await waiting(world, 'v1.0.2');
      expect(entry?.why).toContain(`Job ${job} runs in this lane`);
      await world.change(JOBS, job, keptBy());
      await ended(world, 'web', 'v1.0.2');
      await world.change(JOBS, waitingJob, keptBy());
      await isGone(world, waitingJob);
      expect(await results(world)).toEqual(['v1.0.2 Succeeded']);
      expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.2']);
      expect(overlaps(world)).toEqual([]);
      const touched = world.calls.slice(callsBefore).filter(({ name }) => name === job || name === waitingJob);
      expect(touched.filter(({ verb }) => verb !== 'get')).toEqual([]);
    }),
  );

  test(
    'a request whose name a Job of the old one still has waits in the queue until that Job is gone',
    inWorld(async (world) => {
      const { queue, ask } = await served(world, { environments: [{ name: 'production', suspend: true }] });
      await ask('v1.0.0', 0, { id: 'release-1' });
      await waiting(world, 'v1.0.0');
      const old = await jobOf(world, 'v1.0.0');
      const name = old?.metadata.name ?? '';
      await world.change(JOBS, name, keptBy('example.test/hold'));
      await world.remove(CAPDEPLOYJOBS, 'web');
      await eventually('it is on its way out', async () => (await jobOf(world, 'v1.0.0'))?.metadata.deletionTimestamp);
      await world.deployable('web', queue);
      const callsBefore = world.calls.length;
      await ask('v1.0.0', 0, { id: 'release-1' });
      await eventually('the name was found taken', () =>
        world.calls
          .slice(callsBefore)
          .some(({ verb, type, name: of }) => verb === 'get' && type === JOBS && of === name),
      );
      expect(await world.depth(queue)).toBe(1);
      await world.change(JOBS, name, keptBy());
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded', job: name });
      expect((await world.kube.get(JOBS, world.namespace, name)).metadata.uid).not.toBe(old?.metadata.uid);
    }),
  );
});

describe.concurrent('a status that is lost', () => {
  const loseStatus = (world: World) =>
    eventually('the status is emptied', async () => {
      const resource = (await world.resource('web')) as unknown as KubeObject;
      return world.kube.replaceStatus(CAPDEPLOYJOBS, { ...resource, status: {} }).catch(() => undefined);
    });

  test(
    'it is made anew of the Jobs: what runs keeps its lane, what waits its place, what has ended its record, and nothing starts twice',
    inWorld(async (world) => {
      world.script = (pod) => (revisionOf(pod) === 'v1.0.1' ? 'run' : { exitCode: 0 });
      const { ask } = await served(world);
      await ask('v1.0.0', 0);
      await ended(world, 'web', 'v1.0.0');
      await ask('v1.0.1', 1);
      const { job } = await running(world, 'v1.0.1');
      await ask('v1.0.2', 2);
      await waiting(world, 'v1.0.2');
      await loseStatus(world);
      await waiting(world, 'v1.0.2');
      expect(await production(world)).toMatchObject({
        active: [{ job, revision: 'v1.0.1' }],
        lastSuccessful: { revision: 'v1.0.0' },
        lastStarted: [{ task: 'deploy', dueAt: sentAt(0) }],
      });
      expect(await results(world)).toEqual(['v1.0.0 Succeeded']);
      await world.kubelet.finish(job, 0);
      await ended(world, 'web', 'v1.0.2');
      expect(await results(world)).toEqual(['v1.0.2 Succeeded', 'v1.0.1 Succeeded', 'v1.0.0 Succeeded']);
      expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.1', 'v1.0.2']);
      expect(overlaps(world)).toEqual([]);
    }),
  );

  test(
    'lost while no operator ran: the next operator finds the running deploy, and starts no request that was sent before it',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { ask, operator } = await served(world);
      await ask('v1.0.5', 5);
      const { job } = await running(world, 'v1.0.5');
      await operator.stop();
      await loseStatus(world);
      await ask('v1.0.4', 4);
      world.startOperator();
      expect(await ended(world, 'web', 'v1.0.4')).toMatchObject({ result: 'Superseded', reason: 'OutOfOrder' });
      await world.kubelet.finish(job, 0);
      expect(await ended(world, 'web', 'v1.0.5')).toMatchObject({ result: 'Succeeded' });
      expect(deployed(world)).toEqual(['v1.0.5']);
    }),
  );
});

test.concurrent(
  'a Job of others under the name of a request is never touched, and the message is rejected',
  inWorld(async (world) => {
    const { queue, operator } = await served(world);
    await operator.stop();
    const name = jobName('web', 'production', 'release-1');
    const template = {
      spec: { restartPolicy: 'Never', containers: [{ name: 'theirs', image: 'example.test/theirs' }] },
    };
    const theirs = await world.kube.create<KubeObject>(JOBS, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, namespace: world.namespace },
      spec: { suspend: true, template },
    });
    await world.send(queue, message({ id: 'release-1' }));
    world.startOperator();
    const rejection = await eventually(
      'it is rejected',
      async () => (await world.resource('web')).status?.rejections?.[0],
    );
    expect(rejection).toMatchObject({ reason: 'NameConflict' });
    await world.send(queue, message({ revision: 'v1.0.1', id: 'release-2' }));
    await ended(world, 'web', 'v1.0.1');
    const found = await world.kube.get(JOBS, world.namespace, name);
    expect({ uid: found.metadata.uid, spec: found.spec }).toEqual({ uid: theirs.metadata.uid, spec: theirs.spec });
    expect(found.metadata).not.toHaveProperty(['annotations', ANNOTATION.id]);
    const writes = world.calls.filter((call) => call.name === name && ['patch', 'delete'].includes(call.verb));
    expect(writes).toEqual([]);
    expect(deployed(world)).toEqual(['v1.0.1']);
  }),
);
