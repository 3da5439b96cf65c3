import { describe, expect, it } from 'vitest';
import { resolveLane, resolveTarget, visibleTargets } from '../../../src/slack-bot/resolve.ts';
import { ALICE, aWeb, BOB, CONFIG, FakeBot, render } from './fake-bot.ts';

const API = aWeb(undefined, {
  metadata: { name: 'api', namespace: 'other' },
  spec: { repositories: ['acme/api'] },
});
const PROD = { user: ALICE, channel: 'C0PROD' };
const DEPLOYS = { user: BOB, channel: 'C0DEPLOYS' };

const aBot = () => new FakeBot({ resources: [aWeb(), API] });

async function said(fake: FakeBot, asker: typeof PROD, repository: string, environment: string): Promise<string> {
  const profile = fake.profile(asker.user);
  const lane = await resolveLane(fake.bot, asker, profile, 'deploy', { repository, environment });
  return 'answer' in lane ? render(lane.answer) : `${lane.repository} ${lane.target.name} ${lane.environment}`;
}

describe('a place', () => {
  it('is found for who may use it, with the rule that allows it', async () => {
    const fake = aBot();
    expect(await said(fake, PROD, 'web', 'production')).toBe('livesense/web deploy/web production');
    const names = { repository: 'api', environment: 'staging' };
    const lane = await resolveLane(fake.bot, DEPLOYS, fake.profile(BOB), 'deploy', names);
    expect(lane).toMatchObject({ target: { name: 'other/api' }, rule: 0 });
    expect(fake.decisions).toEqual([]);
  });

  it.each<[string, typeof PROD, string, string, string, object]>([
    [
      'a target of no rule: its name is unknown',
      ...([PROD, 'api', 'staging'] as const),
      'There is no api that you may use here.',
      { outcome: 'notUnderstood' },
    ],
    [
      'a target that there is not, with the nearest name',
      ...([PROD, 'webb', 'staging'] as const),
      'There is no webb that you may use here; did you mean web?',
      { outcome: 'notUnderstood' },
    ],
    [
      'an environment that there is not',
      ...([PROD, 'web', 'prodcution'] as const),
      'deploy/web has no environment prodcution that you may use here; did you mean production?',
      { outcome: 'notUnderstood', target: 'deploy/web' },
    ],
    [
      'an environment that there is not; those that others may use are not named',
      ...([DEPLOYS, 'web', 'prodcution'] as const),
      'deploy/web has no environment prodcution that you may use here; there are staging. whoami says which rules there are for you.',
      { outcome: 'notUnderstood', target: 'deploy/web' },
    ],
    [
      'a protected environment that no rule names, in the words of one that there is not',
      ...([DEPLOYS, 'web', 'production'] as const),
      'deploy/web has no environment production that you may use here; there are staging. whoami says which rules there are for you.',
      { outcome: 'noRule', target: 'deploy/web', environment: 'production' },
    ],
    [
      'everything in a channel of no rule',
      ...([{ user: ALICE, channel: 'C0X' }, 'web', 'staging'] as const),
      'Nothing was done: no rule allows you this here. whoami says which rules there are for you.',
      { outcome: 'noRule' },
    ],
  ])('is refused: %s', async (_, asker, repository, environment, words, decision) => {
    const fake = aBot();
    expect(await said(fake, asker, repository, environment)).toBe(words);
    expect(fake.decisions).toEqual([{ asker, verb: 'deploy', ...decision }]);
  });

  it.each(['person', 'channel', 'groups'] as const)('is refused if the %s cannot be looked up', async (failing) => {
    const fake = new FakeBot({ config: CONFIG.replace(`users: [${ALICE}]`, '') });
    fake.facts.failing.add(failing);
    expect(await said(fake, PROD, 'web', 'production')).toBe(
      'Could not ask Slack who you are; nothing was done. Try again in a minute.',
    );
    expect(fake.decisions).toMatchObject([{ outcome: 'lookupFailed' }]);
  });

  it('is not called unknown if a failed look-up hides it', async () => {
    const forAll = `  - { may: [deploy], targets: [other/api], environments: ["*"], channels: [C0PROD], users: [${ALICE}] }\n`;
    const fake = new FakeBot({
      config: CONFIG.replace(`    users: [${ALICE}]\n`, '') + forAll,
      resources: [aWeb(), API],
    });
    expect(await said(fake, PROD, 'web', 'production')).toContain('deploy/web');
    fake.facts.failing.add('groups');
    expect(await said(fake, PROD, 'api', 'staging')).toBe('acme/api other/api staging');
    expect(await said(fake, PROD, 'web', 'production')).toMatch(/^Could not ask Slack/);
    expect(fake.decisions).toMatchObject([{ outcome: 'lookupFailed' }]);
  });
});

describe('before the CapDeployJobs are listed', () => {
  it.each(['deploy web staging v1', 'abort web staging', 'queue web', 'history web', 'status web', 'status'])(
    'nothing is said to be missing: %s',
    async (line) => {
      const fake = new FakeBot({ resources: [] });
      fake.targets.stale = Number.POSITIVE_INFINITY;
      expect(await fake.ask(line)).toBe('Nothing was done: the bot has not seen the cluster yet. Try again soon.');
      expect(fake.decisions).toMatchObject([{ outcome: 'unavailable' }]);
      fake.targets.set([aWeb()]);
      fake.targets.stale = 0;
      expect(await fake.ask(line)).not.toContain('has not seen the cluster');
    },
  );

  it('what is not listed yet may be in another namespace', async () => {
    const fake = new FakeBot({ resources: [aWeb()] });
    fake.targets.stale = Number.POSITIVE_INFINITY;
    expect(await fake.ask('status web')).toContain('deploy/web');
    expect(await fake.ask('status api')).toContain('has not seen the cluster yet');
  });

  it('who has no right learns nothing of that', async () => {
    const fake = new FakeBot({ resources: [] });
    fake.targets.stale = Number.POSITIVE_INFINITY;
    expect(await fake.ask('status web', { channel: 'C0X' })).toContain('no rule allows you this here');
  });
});

it('who sees two targets of one name is asked which', async () => {
  const twin = aWeb(undefined, { metadata: { name: 'web2' } });
  const fake = new FakeBot({ config: CONFIG.replace('[deploy/web]', '["*"]'), resources: [aWeb(), twin] });
  const resolved = await resolveTarget(fake.bot, PROD, fake.profile(ALICE), 'deploy', 'livesense/web');
  expect('answer' in resolved && render(resolved.answer)).toBe(
    'livesense/web is the name of several: deploy/web, deploy/web2. Write one of these.',
  );
});

it('of each target the environments are named that the person may use', async () => {
  const visible = await visibleTargets(aBot().bot, DEPLOYS, 'deploy');
  expect(
    'visible' in visible && visible.visible.map(({ target, environments }) => [target.name, environments]),
  ).toEqual([
    ['deploy/web', ['staging']],
    ['other/api', ['staging']],
  ]);
  const reading = await visibleTargets(aBot().bot, DEPLOYS, 'status');
  expect('visible' in reading && reading.visible[0]?.environments).toEqual(['production', 'staging']);
});
