import { describe, expect, test } from 'vitest';
import { ANNOTATION } from '../../src/api/names.ts';
import { JOBS } from '../../src/kube/client.ts';
import { deployed, ended, eventually, inWorld, jobOf, lane, served, type World, waiting } from './world.ts';

const asksForApproval = { environments: [{ name: 'production', requireApproval: true }] };

const approve = async (world: World, revision: string, who: string | null): Promise<void> => {
  const job = await jobOf(world, revision);
  await world.change(JOBS, job?.metadata.name ?? '', { metadata: { annotations: { [ANNOTATION.approvedBy]: who } } });
};

describe.concurrent('requireApproval', () => {
  test(
    'a deploy waits until it is approved, and the history says by whom',
    inWorld(async (world) => {
      const { ask } = await served(world, asksForApproval);
      await ask('v1.0.0', 0);
      const [entry] = await waiting(world, 'v1.0.0');
      expect(entry?.why).toContain(
        `kubectl -n ${world.namespace} annotate job ${entry?.job} ${ANNOTATION.approvedBy}=<you>`,
      );
      expect(entry).toMatchObject({ approvalMissing: true, reasons: ['ApprovalMissing'] });
      await approve(world, 'v1.0.0', 'bob');
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded', approvedBy: 'bob' });
      expect(deployed(world)).toEqual(['v1.0.0']);
    }),
  );

  test(
    'a request without approval holds back no other request, and is superseded by the one that starts in its place',
    inWorld(async (world) => {
      const { ask } = await served(world, asksForApproval);
      await ask('v1.0.0', 0);
      await waiting(world, 'v1.0.0');
      await ask('v1.0.1', 1);
      await waiting(world, 'v1.0.0', 'v1.0.1');
      await approve(world, 'v1.0.1', 'bob');
      expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Succeeded' });
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Superseded', reason: 'OutOfOrder' });
      expect(deployed(world)).toEqual(['v1.0.1']);
    }),
  );

  test(
    'an approval that is taken back before the start does not count',
    inWorld(async (world) => {
      const frozen = { environments: [{ name: 'production', requireApproval: true, suspend: true }] };
      const { ask } = await served(world, frozen);
      await ask('v1.0.0', 0);
      await waiting(world, 'v1.0.0');
      await approve(world, 'v1.0.0', 'bob');
      const entry = () => world.resource('web').then(({ status }) => lane(status, 'production')?.waiting?.[0]);
      await eventually('the approval was seen', async () => (await entry())?.approvedBy === 'bob');
      await approve(world, 'v1.0.0', null);
      await world.edit('web', asksForApproval);
      await eventually('it waits for an approval, and for nothing else', async () =>
        (await entry())?.why.startsWith('waits for an approval'),
      );
      expect(deployed(world)).toEqual([]);
    }),
  );
});
