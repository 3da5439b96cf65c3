import { describe, expect, it } from 'vitest';
import { VERBS } from '../../../src/chat/command-line.ts';
import type { Target } from '../../../src/chat/target.ts';
import { EVERYWHERE } from '../../../src/slack-bot/permissions.ts';
import { ALICE, BOB, CONFIG, FakeBot } from './fake-bot.ts';

const alice = { user: ALICE, channel: 'C0PROD' };
const place = (fake: FakeBot, environment = 'production') => ({
  target: fake.bot.targets.all()[0] as Target,
  environment,
});
const ask = (fake: FakeBot, asker = alice) => fake.bot.permissions.ask(asker, 'deploy', place(fake));

describe('permissions', () => {
  it('are what the rules of the configuration say', async () => {
    const fake = new FakeBot();
    expect(await ask(fake)).toEqual({ allowed: true, rule: 1 });
    expect(await ask(fake, { user: BOB, channel: 'C0PROD' })).toEqual({ allowed: false, because: 'noRule' });
    const developer = { user: BOB, channel: 'C0DEPLOYS' };
    expect(await ask(fake, developer)).toEqual({ allowed: false, because: 'noRule' });
    const staging = await fake.bot.permissions.ask(developer, 'deploy', place(fake, 'staging'));
    expect(staging).toEqual({ allowed: true, rule: 0 });
  });

  it('are asked anew each time: a rule or a group may have changed', async () => {
    const fake = new FakeBot();
    fake.setConfig(CONFIG.replace(`users: [${ALICE}]`, ''));
    expect(await ask(fake)).toEqual({ allowed: true, rule: 1 });
    fake.facts.members.set('S0RELEASE', []);
    expect(await ask(fake)).toEqual({ allowed: false, because: 'noRule' });
    fake.setConfig(CONFIG);
    expect(await ask(fake)).toEqual({ allowed: true, rule: 1 });
  });

  it('an environment that the target does not have is protected', async () => {
    const fake = new FakeBot();
    const verdict = await fake.bot.permissions.ask({ user: BOB, channel: 'C0DEPLOYS' }, 'deploy', place(fake, 'x'));
    expect(verdict).toEqual({ allowed: false, because: 'noRule' });
  });
});

describe('a look-up that fails refuses', () => {
  it.each(['person', 'channel'] as const)('of the %s', async (failing) => {
    const fake = new FakeBot();
    fake.facts.failing.add(failing);
    for (const verb of VERBS) {
      const verdict = await fake.bot.permissions.ask(alice, verb, EVERYWHERE);
      expect(verdict, verb).toEqual({ allowed: false, because: 'lookupFailed' });
    }
  });

  it('of the groups, if no rule names the person', async () => {
    const fake = new FakeBot();
    fake.facts.failing.add('groups');
    expect(await ask(fake)).toEqual({ allowed: true, rule: 1 });
    fake.setConfig(CONFIG.replace(`users: [${ALICE}]`, ''));
    expect(await ask(fake)).toEqual({ allowed: false, because: 'lookupFailed' });
  });
});

describe('Slack is asked', () => {
  it('for the groups of rules that matter here, each once', async () => {
    const fake = new FakeBot();
    await fake.bot.permissions.forAsker(alice, ['deploy', 'retry', 'unfreeze']);
    expect(fake.facts.asked).toEqual([ALICE, 'C0PROD', 'S0RELEASE']);
  });

  it('for no group if the verb needs no rule', async () => {
    const fake = new FakeBot();
    await fake.bot.permissions.forAsker(alice, ['help']);
    expect(fake.facts.asked).toEqual([ALICE, 'C0PROD']);
  });

  it('for a thaw as for a freeze', async () => {
    const fake = new FakeBot();
    fake.setConfig(CONFIG.replace(`users: [${ALICE}]`, ''));
    expect(await fake.bot.permissions.ask(alice, 'unfreeze', place(fake))).toEqual({ allowed: true, rule: 1 });
  });
});
