import { describe, expect, test } from 'vitest';
import { ANNOTATION } from '../../src/api/names.ts';
import { JOBS, type KubeObject } from '../../src/kube/client.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { revisionOf } from '../kit/played-kubelet.ts';
import {
  deployed,
  ended,
  eventually,
  inWorld,
  jobOf,
  operatorEvents,
  overlaps,
  production,
  running,
  served,
  type World,
  waiting,
} from './world.ts';

/**
 * Writes a name on a Job as it is now. @returns the Job as it is then: who aborts it deletes that and no other state of
 * it.
 */
async function writeName(world: World, job: string, who: string): Promise<KubeObject> {
  for (;;) {
    const { uid = '', resourceVersion = '' } = (await world.kube.get(JOBS, world.namespace, job)).metadata;
    const patch = { metadata: { annotations: { [ANNOTATION.abortedBy]: who } } };
    try {
      return await world.kube.patch(JOBS, world.namespace, job, { uid, resourceVersion }, patch);
    } catch (error) {
      if (!isKubeError(error, 'conflict')) throw error;
    }
  }
}

const deleteAsSeen = (world: World, { metadata }: KubeObject) => {
  const { name, uid = '', resourceVersion = '' } = metadata;
  return world.kube.delete(JOBS, world.namespace, name, { uid, resourceVersion });
};

/** As our own tools abort: the name first, then the delete of that very state; where the Job has moved, once more. */
async function abort(world: World, job: string, who: string): Promise<void> {
  for (;;) {
    try {
      return await deleteAsSeen(world, await writeName(world, job, who));
    } catch (error) {
      if (!isKubeError(error, 'conflict')) throw error;
    }
  }
}

/** v1.0.0 runs until it is ended. */
async function oneRuns(world: World, spec: Record<string, unknown> = {}) {
  world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
  const all = await served(world, spec);
  await all.ask('v1.0.0', 0);
  return { ...all, job: (await running(world, 'v1.0.0')).job };
}

const isNamed = (world: World) =>
  eventually('the claim says who deleted the Job', async () => (await production(world))?.active?.[0]?.abortedBy);

describe.concurrent('the history says who aborted', () => {
  test(
    'a deploy that ran, and so does the Event; the next one follows',
    inWorld(async (world) => {
      const { ask, job } = await oneRuns(world);
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.1');
      await abort(world, job, 'alice');
      const entry = await ended(world, 'web', 'v1.0.0');
      expect(entry).toMatchObject({ result: 'Aborted', reason: 'JobDeleted', abortedBy: 'alice' });
      expect(entry.message).toMatch(/^aborted by alice: the Job was deleted/);
      await eventually('the Event says so', async () =>
        (await operatorEvents(world, 'Aborted')).some(({ note }) => String(note).includes('aborted by alice')),
      );
      expect(await ended(world, 'web', 'v1.0.1')).not.toHaveProperty('abortedBy');
      expect(overlaps(world)).toEqual([]);
    }),
  );

  test(
    'a request that waited',
    inWorld(async (world) => {
      const { ask } = await served(world, { environments: [{ name: 'production', suspend: true }] });
      await ask('v1.0.0', 0);
      const [entry] = await waiting(world, 'v1.0.0');
      await abort(world, entry?.job ?? '', 'alice');
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({
        result: 'Aborted',
        reason: 'JobDeleted',
        abortedBy: 'alice',
        message: 'aborted by alice: the Job was deleted while it waited',
      });
      expect(deployed(world)).toEqual([]);
    }),
  );

  test(
    'a deploy whose Job stayed until its Pod had ended (--cascade=foreground)',
    inWorld(async (world) => {
      const { job } = await oneRuns(world);
      await writeName(world, job, 'alice');
      await world.remove(JOBS, job, { foreground: true });
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({
        result: 'Aborted',
        reason: 'JobDeleted',
        abortedBy: 'alice',
      });
    }),
  );

  test(
    'a deploy on a lost node, also if the operator that records it is not the operator that saw the deletion',
    inWorld(async (world) => {
      const { job, operator } = await oneRuns(world);
      world.kubelet.loseNode();
      await abort(world, job, 'alice');
      expect(await isNamed(world)).toBe('alice');
      operator.kill();
      world.startOperator();
      await world.kubelet.findNode();
      const entry = await ended(world, 'web', 'v1.0.0');
      expect(entry).toMatchObject({ result: 'Aborted', reason: 'JobDeleted', abortedBy: 'alice' });
    }),
  );

  test(
    'a deploy whose Job was deleted in the foreground while no operator ran',
    inWorld(async (world) => {
      const { job, operator } = await oneRuns(world);
      world.kubelet.loseNode();
      operator.kill();
      await writeName(world, job, 'alice');
      await world.remove(JOBS, job, { foreground: true });
      world.startOperator();
      expect(await isNamed(world)).toBe('alice');
      await world.kubelet.findNode();
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Aborted', abortedBy: 'alice' });
    }),
  );
});

describe.concurrent('a name on a Job does nothing by itself', () => {
  test(
    'a deploy that has it and succeeds is recorded as Succeeded, without a name',
    inWorld(async (world) => {
      const { job } = await oneRuns(world);
      const before = world.calls.length;
      await writeName(world, job, 'alice');
      await world.kubelet.finish(job, 0);
      const entry = await ended(world, 'web', 'v1.0.0');
      expect(entry).toMatchObject({ result: 'Succeeded' });
      expect(entry).not.toHaveProperty('abortedBy');
      const acts = world.calls.slice(before).filter(({ verb, name }) => name === job && verb !== 'get');
      expect(acts).toEqual([]);
    }),
  );

  test(
    'a request that waits with it starts: the name goes, and the delete that was meant for what waited is refused',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { ask } = await served(world, { environments: [{ name: 'production', suspend: true }] });
      await ask('v1.0.0', 0);
      const [entry] = await waiting(world, 'v1.0.0');
      const seen = await writeName(world, entry?.job ?? '', 'alice');
      await world.edit('web', { environments: [{ name: 'production' }] });
      const { job } = await running(world, 'v1.0.0');
      expect((await jobOf(world, 'v1.0.0'))?.metadata.annotations).not.toHaveProperty([ANNOTATION.abortedBy]);
      await expect(deleteAsSeen(world, seen)).rejects.toMatchObject({ kind: 'conflict', status: 409 });
      // Somebody else deletes it later, and writes no name.
      await world.remove(JOBS, job);
      const aborted = await ended(world, 'web', 'v1.0.0');
      expect(aborted).toMatchObject({ result: 'Aborted', reason: 'JobDeleted' });
      expect(aborted).not.toHaveProperty('abortedBy');
    }),
  );

  test(
    'a deploy that has it and is replaced was replaced',
    inWorld(async (world) => {
      const { ask, job } = await oneRuns(world, { concurrencyPolicy: 'Replace' });
      await writeName(world, job, 'alice');
      await ask('v1.0.1', 1);
      const entry = await ended(world, 'web', 'v1.0.0');
      expect(entry).toMatchObject({ result: 'Aborted', reason: 'Replaced' });
      expect(entry).not.toHaveProperty('abortedBy');
      expect(entry.message).not.toContain('alice');
      expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Succeeded' });
    }),
  );
});

test.concurrent(
  'a deploy that is to be replaced, and whose Job a person deletes first, is recorded as replaced: the claim said so before',
  inWorld(async (world) => {
    const { ask, job } = await oneRuns(world, { concurrencyPolicy: 'Replace' });
    world.intercept = async ({ verb, type, name }) => {
      if (verb === 'delete' && type === JOBS && name === job) await abort(world, job, 'alice').catch(unlessGone);
    };
    await ask('v1.0.1', 1);
    const entry = await ended(world, 'web', 'v1.0.0');
    expect(entry).toMatchObject({ result: 'Aborted', reason: 'Replaced' });
    expect(entry).not.toHaveProperty('abortedBy');
  }),
);

function unlessGone(error: unknown): void {
  if (!isKubeError(error, 'gone')) throw error;
}
