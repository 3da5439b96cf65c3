import { describe, expect, it } from 'vitest';
import { ANNOTATION } from '../../../../src/api/names.ts';
import { VERBS } from '../../../../src/chat/command-line.ts';
import { isReading, needsNoRule } from '../../../../src/chat/rules.ts';
import { JOBS } from '../../../../src/kube/client.ts';
import { HANDLERS } from '../../../../src/slack-bot/handlers.ts';
import { aJob, aWaitingEntry } from '../../../kit/builders.ts';
import { FILE_CONFIG, render } from '../fake-bot.ts';
import { ended, failed, World } from './world.ts';

const isThere = (world: World, job: string) => world.rig.store.find(JOBS, 'deploy', job) !== undefined;
const PLACE = { threadTs: '1.1' };

it('every command that decides has a handler', () => {
  const deciding = VERBS.filter((verb) => !isReading(verb) && !needsNoRule(verb));
  expect(Object.keys(HANDLERS)).toEqual(expect.arrayContaining(deciding));
});

describe('a line without a job', () => {
  it('abort shows the only deploy that it can mean, with a button that asks', async () => {
    const world = new World();
    const job = await world.asked({ environment: 'staging' });
    const told = await world.fake.answer('abort web staging', PLACE);
    expect(render(told)).toContain('livesense/web → staging v1.0.0');
    expect(render(told)).toMatch(/\n\[Abort\]$/);
    expect(isThere(world, job)).toBe(true);
    expect(world.said).toEqual([]);
    const [button] = told.blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
    const { action_id, value } = button as { action_id: string; value: string };
    await world.click(action_id, '', { value });
    await world.confirm();
    expect(isThere(world, job)).toBe(false);
    expect(world.outcomes).toEqual(['abort asked', 'abort done']);
  });

  it('means nothing in another environment', async () => {
    const world = new World();
    const job = await world.asked({ environment: 'staging' });
    expect(await world.fake.ask('abort web production')).toBe('Nothing runs or waits in livesense/web → production.');
    expect(isThere(world, job)).toBe(true);
  });

  it('offers what it could mean, each with a button that asks', async () => {
    const world = new World();
    const running = await world.asked({ id: 'r1', environment: 'staging' });
    const waiting = await world.asked({ id: 'r2', environment: 'staging', revision: 'v1.1.0' });
    const { blocks } = await world.fake.answer('abort web staging');
    const buttons = blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
    expect(buttons.map((button) => button.action_id)).toEqual(['abort:0', 'abort:1']);
    expect(isThere(world, running)).toBe(true);
    const second = buttons[1] as { action_id: string; value: string };
    await world.click(second.action_id, '', { value: second.value });
    await world.confirm();
    expect(isThere(world, waiting)).toBe(false);
    expect(world.outcomes).toEqual(['abort notUnderstood', 'abort done']);
  });

  it('offers five at most, and says how many more there are', async () => {
    const world = new World();
    for (let n = 1; n <= 7; n += 1) await world.asked({ id: `r${n}`, environment: 'staging' });
    const text = await world.fake.ask('abort web staging');
    expect(text.match(/\[Abort\]/g)).toHaveLength(5);
    expect(text).toMatch(/And 2 more\.$/);
  });

  it.each([
    ['approve', 'Nothing waits for an approval in livesense/web → staging.'],
    ['retry', 'Since its last success no deploy of livesense/web → staging has failed.'],
    ['abort', 'Nothing runs or waits in livesense/web → staging.'],
    ['rollback', 'Nothing was done: cannot roll back "staging" of deploy/web'],
  ])('%s says so if there is none', async (verb, words) => {
    const world = new World();
    expect(await world.fake.ask(`${verb} web staging`)).toContain(words);
    expect(world.said).toEqual([]);
  });

  it('approve shows the only request that lacks an approval: a click says that it was seen', async () => {
    const world = new World();
    const job = await world.asked();
    const { waiting = [] } = world.rig.lane() ?? {};
    const approved = aWaitingEntry(aJob({ id: 'approved', uid: 'uid-of-approved' }), { approvedBy: 'carol' });
    world.status({ waiting: [...waiting, approved], frozen: 'carol: incident 42' });
    const told = await world.fake.ask('approve web production');
    expect(told).toContain('livesense/web → production v1.0.0');
    expect(told).toMatch(/\[Approve\]$/);
    expect(world.rig.store.get(JOBS, 'deploy', job).metadata.annotations).not.toHaveProperty([ANNOTATION.approvedBy]);
    expect(await world.fake.ask(`approve web production ${job}`)).toBe('Done.');
    const { annotations } = world.rig.store.get(JOBS, 'deploy', job).metadata;
    expect(annotations?.[ANNOTATION.approvedBy]).toBe('slack:T0TEAM/U0ALICE');
  });

  it('retry means the newest failure of each content since the last success, and nothing that was overtaken', async () => {
    const world = new World();
    world.status({}, [
      failed('second-try', -60, { revision: 'v1.1.0' }),
      ended('overtaken', -70, { revision: 'v1.0.9', result: 'Superseded', reason: 'NewerRequest' }),
      failed('first-try', -80, { revision: 'v1.1.0' }),
      ended('good', -90),
      failed('long-ago', -100, { revision: 'v0.9.0' }),
    ]);
    expect(await world.fake.ask('retry web production')).toContain('Sent to deploy/web.');
    expect(world.fake.queues.sent[0]?.message.id).toContain(`-retry-${failed('second-try', 0).job}-`);
  });

  it('rollback goes back from what was started last', async () => {
    const world = new World();
    world.status({}, [failed('bad', -60, { revision: 'v1.1.0' }), ended('good', -90)]);
    const told = await world.fake.ask('rollback web production');
    expect(told).toContain('Deploys v1.0.0, which was there before v1.1.0.');
    expect(told).toMatch(/\[Roll back\]$/);
    // Who types no name may have seen another deploy there.
    expect(world.fake.queues.sent).toEqual([]);
    expect(world.said).toEqual([]);
  });
});

describe('a line with a job', () => {
  const bad = failed('bad', -600, { revision: 'v1.1.0' });
  const older = failed('older', -700, { revision: 'v0.9.0' });
  const withHistory = () => {
    const world = new World();
    world.status({}, [bad, ended('good', -650), older]);
    return world;
  };

  it('means that one, by the end of its name', async () => {
    const world = withHistory();
    expect(await world.fake.ask(`retry web production ${older.job.slice(-6)}`)).toContain('v0.9.0');
    expect(world.fake.queues.sent[0]?.message).toMatchObject({
      revision: 'v0.9.0',
      sentAt: '2026-03-10T12:00:00.000Z',
    });
  });

  it('is carried out at once', async () => {
    const world = new World();
    const job = await world.asked({ environment: 'staging' });
    expect(await world.fake.ask(`abort web staging ${job}`, PLACE)).toBe('Done.');
    expect(isThere(world, job)).toBe(false);
    expect(world.said).toEqual(['C0PROD 1.1: ⟦@alice⟧ aborts livesense/web → staging v1.0.0.']);
    expect(world.fake.voice.opened).toEqual([]);
  });

  it('means none of another environment', async () => {
    const world = withHistory();
    expect(await world.fake.ask(`retry web staging ${older.job}`)).toContain(`no deploy is called "${older.job}"`);
    expect(world.fake.queues.sent).toEqual([]);
    expect(world.outcomes).toEqual(['retry notUnderstood']);
  });

  it('says why not', async () => {
    const world = withHistory();
    const { job } = ended('good', -650);
    expect(await world.fake.ask(`retry web production ${job}`)).toContain('v1.0.0 has succeeded.');
    expect(world.fake.decisions).toMatchObject([{ verb: 'retry', job, rule: 1, outcome: 'outdated' }]);
  });

  it('takes a click to ask for the same once more: Slack may deliver a line long after', async () => {
    const world = withHistory();
    await world.fake.ask(`retry web production ${bad.job}`);
    const id = world.fake.queues.sent[0]?.message.id ?? '';
    world.status({}, [failed(id, -1, { revision: 'v1.1.0' }), bad]);
    const text = await world.fake.ask(`retry web production ${bad.job}`);
    expect(text).toMatch(/Already asked for by ⟦@bob⟧[\s\S]*\n\[Ask once more\]$/);
    expect(world.fake.queues.sent).toHaveLength(1);
    await world.click('retry', bad.job);
    await world.confirm();
    expect(world.fake.queues.sent.map(({ message }) => message.id)).toEqual([id, id.replace(/0$/, '1')]);
  });
});

describe('who may not', () => {
  it.each(['abort', 'retry', 'rollback', 'approve'])('is refused to %s', async (verb) => {
    const world = new World();
    await world.asked();
    world.rig.forgetCalls();
    const asker = { user: 'U0CAROL' };
    expect(await world.fake.ask(`${verb} web production`, asker)).toContain('no rule allows you this');
    world.fake.facts.failing.add('channel');
    expect(await world.fake.ask(`${verb} web production`)).toContain('Could not ask Slack');
    expect(world.outcomes).toEqual([`${verb} noRule`, `${verb} lookupFailed`]);
    expect(world.rig.writes).toEqual([]);
  });

  it.each(['abort', 'approve'])('the bot itself says why it does not %s', async (verb) => {
    const world = new World();
    await world.asked();
    world.rig.forgetCalls();
    world.fake.powers = { freeze: true, abort: 'No policies.', approve: 'No policies.' };
    expect(await world.fake.ask(`${verb} web production`)).toContain('may not do this. No policies.');
    expect(world.outcomes).toEqual([`${verb} switchedOff`]);
    expect(world.rig.writes).toEqual([]);
  });

  it.each(['abort', 'retry', 'rollback', 'approve', 'freeze', 'unfreeze'])(
    'a bot outside the cluster says why it does not %s',
    async (verb) => {
      // No rule allows it, and that would be no help.
      const world = new World({ config: FILE_CONFIG });
      const line = `${verb} web staging${verb === 'freeze' ? ' incident 42' : ''}`;
      expect(await world.fake.ask(line)).toContain(`${verb} is not possible here: this bot runs outside the cluster`);
      expect(world.outcomes).toEqual([`${verb} outsideCluster`]);
    },
  );
});
