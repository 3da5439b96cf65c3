import { beforeEach, describe, expect, it } from 'vitest';
import { DEPLOY_BUTTONS } from '../../../../src/chat/buttons.ts';
import { DECISION_LISTENERS, Decisions } from '../../../../src/slack-bot/decide/decisions.ts';
import { BOB, CONFIG, type FakeBot, FILE_CONFIG } from '../fake-bot.ts';
import { ended, failed, shownBy, World } from './world.ts';

/** A request that waits for an approval, one that runs, and one that has failed. */
let world: World;
let jobs: Record<(typeof DEPLOY_BUTTONS)[number], string>;

beforeEach(async () => {
  world = new World();
  const waiting = await world.asked();
  const { waiting: entries = [] } = world.rig.lane() ?? {};
  const bad = failed('bad', -600, { revision: 'v1.1.0' });
  world.status({ waiting: entries }, [bad, ended('good', -3600)]);
  jobs = { approve: waiting, refuse: waiting, abort: waiting, retry: bad.job, rollback: bad.job };
  world.rig.forgetCalls();
});

/** Nothing was written, sent or said. */
function expectNothing(): void {
  expect(world.rig.writes).toEqual([]);
  expect(world.fake.queues.sent).toEqual([]);
  expect(world.said).toEqual([]);
}

type Spoil = (fake: FakeBot) => void;

/** Whoever clicks: each reason not to let him, and its words. */
const REASONS: [string, Spoil, string][] = [
  [
    'no rule',
    (fake) => fake.setConfig(`slack: { team: T0TEAM }\nsource: cluster\nrules: []\n`),
    'no rule allows you this',
  ],
  ['an ex-member of the group', (fake) => void leave(fake), 'no rule allows you this'],
  ['a guest', (fake) => void fake.facts.people.set('U0ALICE', { isGuest: true }), 'guests may not do this'],
  ['a stranger', (fake) => void fake.facts.people.set('U0ALICE', { isStranger: true }), 'people of other companies'],
  ['of another team', (fake) => void fake.facts.people.set('U0ALICE', { isOfTeam: false }), 'not of the team'],
  ['deactivated', (fake) => void fake.facts.people.set('U0ALICE', { isDeleted: true }), 'is deactivated'],
  ['a bot', (fake) => void fake.facts.people.set('U0ALICE', { isBot: true }), 'bots and workflows'],
  [
    'in a shared channel',
    (fake) => void fake.facts.channels.set('C0PROD', { isShared: true }),
    'is shared with another',
  ],
  ['in an archived channel', (fake) => void fake.facts.channels.set('C0PROD', { isArchived: true }), 'is archived'],
  ['in a direct message', (fake) => void fake.facts.channels.set('C0PROD', { isDirect: true }), 'ask in a channel'],
  ['not known: the person', (fake) => void fake.facts.failing.add('person'), 'Could not ask Slack who you are'],
  ['not known: the channel', (fake) => void fake.facts.failing.add('channel'), 'Could not ask Slack who you are'],
  ['not known: the groups', (fake) => void unknownGroups(fake), 'Could not ask Slack who you are'],
];

/** By the group alone: the rule of the tests names Alice as well. */
const byGroup = (fake: FakeBot) => fake.setConfig(CONFIG.replace('users: [U0ALICE]', 'users: [U0CAROL]'));
function leave(fake: FakeBot): void {
  byGroup(fake);
  fake.facts.members.set('S0RELEASE', []);
}
function unknownGroups(fake: FakeBot): void {
  byGroup(fake);
  fake.facts.failing.add('groups');
}

describe.each(DEPLOY_BUTTONS)('%s', (kind) => {
  it.each(REASONS)('opens nothing if who clicks is refused: %s', async (_, spoil, words) => {
    spoil(world.fake);
    await world.click(kind, jobs[kind]);
    expect(world.whispered).toContain(words);
    expect(world.fake.voice.opened).toEqual([]);
    expect(world.fake.decisions).toHaveLength(1);
    expectNothing();
  });

  it.each(REASONS)('does nothing if who submits is refused since: %s', async (_, spoil, words) => {
    await world.click(kind, jobs[kind]);
    spoil(world.fake);
    expect(shownBy(await world.confirm())).toContain(words);
    expect(world.fake.decisions).toHaveLength(1);
    expectNothing();
  });

  it('is refused to somebody else who hands in the view', async () => {
    await world.click(kind, jobs[kind]);
    expect(shownBy(await world.confirm({ user: BOB }))).toContain('no rule allows you this');
    expectNothing();
  });

  it('is refused if the Job is in an environment of which the value says another', async () => {
    const only = CONFIG.replace('environments: [staging, production]', 'environments: [staging]');
    world.fake.setConfig(only);
    await world.click(kind, jobs[kind], { meant: { environment: 'staging' } });
    expect(world.whispered).toContain('no rule allows you this');
    expect(world.fake.decisions).toMatchObject([{ environment: 'production', outcome: 'noRule' }]);
    expectNothing();
  });

  it('says so if the Job is not on record any more', async () => {
    await world.click(kind, 'web-production-gone');
    expect(world.whispered).toContain('this deploy is not on record any more');
    expect(world.outcomes).toEqual([`${kind === 'refuse' ? 'abort' : kind} outdated`]);
  });

  it('says the same of a target that is not there, and to who may do nothing not even that', async () => {
    await world.click(kind, jobs[kind], { meant: { target: 'other/web' } });
    expect(world.whispered).toContain('this deploy is not on record any more');
    await world.click(kind, jobs[kind], { meant: { target: 'other/web' }, user: 'U0CAROL' });
    expect(world.whispered).toContain('no rule allows you this');
  });

  it('tells who may do this to another target only nothing about the Jobs of this one', async () => {
    world.fake.setConfig(CONFIG.replace('targets: [deploy/web]', 'targets: [other/web]'));
    for (const job of [jobs[kind], 'web-production-gone']) {
      await world.click(kind, job);
      expect(world.whispered).toContain('no rule allows you this');
    }
    expect(world.fake.decisions.map(({ environment }) => environment)).toEqual([undefined, undefined]);
  });

  it('is seen to be gone on submission', async () => {
    await world.click(kind, jobs[kind]);
    world.status({}, []);
    expect(shownBy(await world.confirm())).toContain('not on record any more');
    expectNothing();
  });

  it('says how the deploy ended, or that nothing can be asked for again', async () => {
    const done = ended('done', -60);
    world.status({}, [done]);
    await world.click(kind, done.job);
    const words = { retry: 'v1.0.0 has succeeded', rollback: 'cannot roll back' };
    const expected = kind in words ? words[kind as 'retry'] : 'v1.0.0 ended at 2026-03-10 20:59 GMT+9: deployed.';
    expect(world.whispered).toContain(expected);
  });

  it('answers a value that no button has', async () => {
    for (const value of [undefined, '', '{}', 'null', '{"job":1}', '{"target":"deploy/web"']) {
      await world.click(kind, '', { value });
      expect(world.whispered).toContain('this button is of another version of the bot');
    }
    expect(world.fake.voice.opened).toEqual([]);
  });

  it('says so if Slack does not open the view', async () => {
    world.fake.voice.viewId = undefined;
    await world.click(kind, jobs[kind]);
    expect(world.whispered).toContain('Slack did not open the question in time. Click again.');
  });

  it('counts against the limit of the person, on submission', async () => {
    await world.click(kind, jobs[kind]);
    while (world.fake.bot.limit.take('U0ALICE'));
    expect(shownBy(await world.confirm())).toContain('more than 10 requests a minute');
    expect(world.outcomes).toEqual([`${kind === 'refuse' ? 'abort' : kind} limited`]);
    expectNothing();
  });

  it('is answered by a bot outside the cluster', async () => {
    const verb = kind === 'refuse' ? 'abort' : kind;
    world = new World({ config: FILE_CONFIG.replace('may: [deploy]', `may: [${verb}]`) });
    await world.click(kind, jobs[kind]);
    expect(world.whispered).toContain(`${kind} is not possible here: this bot runs outside the cluster (source: file)`);
    expect(world.outcomes).toEqual([`${verb} outsideCluster`]);
  });

  it('is one of the listeners', () => {
    expect(DECISION_LISTENERS.actions[kind]).toBe('clicked');
    expect(Decisions.prototype[DECISION_LISTENERS.actions[kind]]).toBeTypeOf('function');
  });
});

describe('what the bot itself may not do', () => {
  it.each([
    ['approve', 'approve'],
    ['refuse', 'abort'],
    ['abort', 'abort'],
  ] as const)('%s needs the power to %s, at the click and at the submission', async (kind, power) => {
    await world.click(kind, jobs[kind]);
    world.fake.powers = { ...world.fake.powers, [power]: 'The policies are not installed.' };
    const words = 'Nothing was done: the bot itself may not do this. The policies are not installed.';
    expect(shownBy(await world.confirm())).toContain(words);
    await world.click(kind, jobs[kind]);
    expect(world.whispered).toBe(words);
    expect(world.fake.voice.opened).toHaveLength(1);
    expect(world.outcomes).toEqual([`${power} switchedOff`, `${power} switchedOff`]);
    expectNothing();
  });

  it.each(['retry', 'rollback'] as const)('%s needs none: it is a message', async (kind) => {
    world.fake.powers = { freeze: 'no', abort: 'no', approve: 'no' };
    await world.click(kind, jobs[kind]);
    expect(await world.confirm()).toBeUndefined();
    expect(world.fake.queues.sent).toHaveLength(1);
  });
});

describe('a click or a view that is not ours', () => {
  it.each(['', 'deploy', 'approval', 'constructor', 'Approve'])('the action %j is answered', async (actionId) => {
    await world.click(actionId, jobs.approve);
    expect(world.whispered).toContain('this button is of another version of the bot');
    expect(world.fake.voice.opened).toEqual([]);
  });

  it('a button of several in a message is known by what stands before its colon', async () => {
    await world.click('abort:3', jobs.abort);
    expect(world.opened).toMatch(/^Abort a deploy/);
  });

  it.each(['', '{}', '{"kind":"deploy"}'])('a view that keeps %j is answered', async (privateMetadata) => {
    expect(shownBy(await world.confirm({ privateMetadata }))).toContain('this button is of another version');
    expectNothing();
  });
});
