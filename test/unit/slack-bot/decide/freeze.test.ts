import { describe, expect, it } from 'vitest';
import { FREEZE_PREFIX } from '../../../../src/api/names.ts';
import { aRefusal } from '../../operator/controller/rig.ts';
import { World } from './world.ts';

const frozen = (world: World) => world.rig.resource.metadata.annotations?.[`${FREEZE_PREFIX}production`];

describe('freeze', () => {
  it('writes who and why, and all in the channel read it', async () => {
    const world = new World();
    expect(await world.fake.ask('freeze web production incident 42: the basket', { threadTs: '1.1' })).toBe('Done.');
    expect(frozen(world)).toBe('slack:T0TEAM/U0ALICE (alice): incident 42: the basket');
    expect(world.said).toEqual(['C0PROD channel: ⟦@alice⟧ freezes deploy/web → production: incident 42: the basket']);
    expect(world.fake.decisions).toMatchObject([
      { verb: 'freeze', target: 'deploy/web', environment: 'production', rule: 1, outcome: 'done' },
    ]);
  });

  it('is told to the one who froze if Slack does not take what all are to read', async () => {
    const world = new World();
    world.fake.voice.takesMessages = false;
    expect(await world.fake.ask('freeze web production incident 42')).toBe(
      '⟦@alice⟧ freezes deploy/web → production: incident 42',
    );
  });

  it('says no more than what it wrote', async () => {
    const world = new World();
    await world.fake.ask(`freeze web production ${'x'.repeat(250)}`);
    expect(world.said).toEqual([`C0PROD channel: ⟦@alice⟧ freezes deploy/web → production: ${'x'.repeat(199)}…`]);
    expect(frozen(world)).toMatch(/: x{199}…$/);
  });

  it('says whose freeze it replaces', async () => {
    const world = new World();
    await world.fake.ask('freeze web production incident 42');
    await world.fake.ask('freeze web production incident 43');
    expect(world.said[1]).toContain('incident 43\nIt was frozen before: slack:T0TEAM/U0ALICE (alice): incident 42');
  });

  it('is undone by unfreeze, which says what it was', async () => {
    const world = new World();
    await world.fake.ask('freeze web production incident 42');
    expect(await world.fake.ask('unfreeze web production')).toBe('Done.');
    expect(frozen(world)).toBeUndefined();
    expect(world.said[1]).toBe(
      'C0PROD channel: ⟦@alice⟧ unfreezes deploy/web → production. It was frozen: slack:T0TEAM/U0ALICE (alice): incident 42',
    );
    expect(world.outcomes).toEqual(['freeze done', 'unfreeze done']);
  });

  it('pings nobody by its reason', async () => {
    const world = new World();
    const { blocks } = await world.fake
      .answer('freeze web production <!channel> &lt;@U0BOB&gt;')
      .then(() => world.fake.voice.says[0]?.answer ?? { blocks: [] });
    const elements = JSON.stringify(blocks);
    expect(elements).toContain('<!channel> <@U0BOB>');
    expect(elements).not.toMatch(/broadcast|"user_id":"U0BOB"|mrkdwn/);
  });
});

describe('who may not', () => {
  it.each(['freeze web production why', 'unfreeze web production'])('%s is refused', async (line) => {
    const world = new World();
    const [verb = ''] = line.split(' ');
    expect(await world.fake.ask(line, { user: 'U0CAROL' })).toContain('no rule allows you this');
    expect(await world.fake.ask(line, { channel: 'C0DEPLOYS' })).toContain('no rule allows you this');
    for (const look of ['person', 'channel'] as const) {
      world.fake.facts.failing.add(look);
      expect(await world.fake.ask(line)).toContain('Could not ask Slack');
      world.fake.facts.failing.delete(look);
    }
    world.fake.powers = { freeze: 'No policies.', abort: true, approve: true };
    expect(await world.fake.ask(line)).toBe('Nothing was done: the bot itself may not do this. No policies.');
    expect(world.outcomes).toEqual(
      ['noRule', 'noRule', 'lookupFailed', 'lookupFailed', 'switchedOff'].map((each) => `${verb} ${each}`),
    );
    expect(world.rig.writes).toEqual([]);
    expect(world.said).toEqual([]);
  });
});

describe('what the API server refuses', () => {
  it.each<[string, 'forbidden' | 'retryable', string, string]>([
    ['for lack of a right', 'forbidden', 'Nothing was done: ', 'forbidden'],
    ['without a clear answer', 'retryable', 'Perhaps done: ', 'unclear'],
  ])('%s is said to the one who asked, and to nobody else', async (_, kind, words, outcome) => {
    const world = new World();
    world.rig.before = ({ verb }) => {
      if (verb === 'patch') throw aRefusal(kind, 'in the test');
    };
    expect(await world.fake.ask('freeze web production incident 42')).toContain(words);
    expect(world.said).toEqual([]);
    expect(world.outcomes).toEqual([`freeze ${outcome}`]);
  });

  it('unfreeze says so if nothing is frozen', async () => {
    const world = new World();
    expect(await world.fake.ask('unfreeze web production')).toContain('"production" of deploy/web is not frozen');
    expect(world.outcomes).toEqual(['unfreeze refused']);
  });
});
