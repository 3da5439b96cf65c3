import { describe, expect, it } from 'vitest';
import { ANNOTATION } from '../../../../src/api/names.ts';
import { JOBS } from '../../../../src/kube/client.ts';
import { CommandLines } from '../../../../src/slack-bot/command-lines.ts';
import { at, NOW } from '../../../kit/builders.ts';
import { ALICE } from '../fake-bot.ts';
import { ended, failed, World } from './world.ts';

/**
 * A line that was carried out, and whose acknowledgement was lost: Slack delivers it again, to a replica that has not
 * seen it. It must not decide about what has come since.
 */

const said = (text: string, seconds = 0) => ({
  user: ALICE,
  channel: 'C0PROD',
  ts: `${NOW / 1000 + seconds}.000100`,
  threadTs: undefined,
  text,
  isAddressed: true,
});

function twice() {
  const world = new World();
  const [one, two] = [new CommandLines(world.fake.bot), new CommandLines(world.fake.bot)];
  return { world, one, two };
}

const LATE = 'Nothing was done: this line came late. Write it again if you still want it.';

describe('a line that is delivered again within seconds', () => {
  it('approves no request that came after it, nor any that it does not name', async () => {
    const { world, one, two } = twice();
    const first = await world.asked({ id: 'a', revision: 'v1' });
    await one.mention(said(`approve web production ${first}`));
    await world.settle();
    const later = await world.asked({ id: 'b', revision: 'v2', sentAt: at(10) });
    await two.mention(said(`approve web production ${first}`));
    await two.mention(said('approve web production', 1));
    const { annotations } = world.rig.store.get(JOBS, 'deploy', later).metadata;
    expect(annotations).not.toHaveProperty([ANNOTATION.approvedBy]);
    expect(world.outcomes).toEqual(['approve done', 'approve outdated', 'approve notUnderstood']);
  });

  it('aborts nothing that came after it', async () => {
    const { world, one, two } = twice();
    const first = await world.asked({ id: 'a', environment: 'staging', revision: 'v1' });
    await one.mention(said(`abort web staging ${first}`));
    await world.settle();
    const later = await world.asked({ id: 'b', environment: 'staging', revision: 'v2', sentAt: at(10) });
    await two.mention(said(`abort web staging ${first}`));
    await two.mention(said('abort web staging', 1));
    expect(world.rig.store.find(JOBS, 'deploy', later)).toBeDefined();
    expect(world.outcomes).toEqual(['abort done', 'abort notFound', 'abort asked']);
    expect(world.whispered).not.toContain('v2');
  });

  it('rolls nothing back that has started since', async () => {
    const { world, one, two } = twice();
    const history = [ended('c', -100, { revision: 'v3' }), ended('b', -200, { revision: 'v2' })];
    world.status({}, history);
    await one.mention(said('rollback web production'));
    expect(world.whispered).toContain('Deploys v2, which was there before v3.');
    world.status({}, [ended('rolled-back', 30, { revision: 'v2', startedAt: at(10) }), ...history]);
    await two.mention(said('rollback web production'));
    expect(world.fake.queues.sent).toEqual([]);
    expect(world.whispered).toBe(LATE);
  });

  it('retries nothing that has failed since', async () => {
    const { world, one, two } = twice();
    const history = [failed('c', -100, { revision: 'v3' })];
    world.status({}, history);
    await one.mention(said('retry web production'));
    const id = world.fake.queues.sent[0]?.message.id ?? '';
    world.status({}, [failed(id, 30, { revision: 'v3' }), ...history]);
    await two.mention(said('retry web production'));
    // What it meant was retried already, so a click is asked for.
    expect(world.fake.queues.sent).toHaveLength(1);
    expect(world.outcomes).toEqual(['retry done', 'retry asked']);
  });
});

it.each([
  'abort web production',
  'approve web production',
  'retry web production',
  'rollback web production',
  'freeze web production incident',
  'unfreeze web production',
])('a line that is delivered after a minute decides nothing: %s', async (line) => {
  const { world, two } = twice();
  await two.mention(said(line, -46));
  expect(world.whispered).toBe(LATE);
  expect(world.outcomes).toEqual([`${line.split(' ')[0]} outdated`]);
});

it('a deploy is sent however late its line comes: its id makes one of two', async () => {
  const { world, two } = twice();
  await two.mention(said('deploy web production v1.0.0', -300));
  expect(world.fake.queues.sent).toHaveLength(1);
});
