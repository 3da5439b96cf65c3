import { describe, expect, it } from 'vitest';
import { UNKNOWN } from '../../../../src/chat/authorise.ts';
import { Form } from '../../../../src/slack-bot/form/form.ts';
import { NOW } from '../../../kit/builders.ts';
import { ALICE, aWeb, BOB, BOT_SENDER, CONFIG, FakeBot, FILE_CONFIG, render, TEAM } from '../fake-bot.ts';
import { anotherApi, entry, PlayedForm, STATUS, WEB } from './played-form.ts';

describe('a form that opens', () => {
  it('shows what the person may use in this channel, at once', async () => {
    const bot = new FakeBot({ resources: [aWeb(STATUS)] });
    const played = await new PlayedForm(bot).open();
    expect(bot.voice.updated).toEqual([]);
    expect(played.text).toMatchInlineSnapshot(`
      "Repository: [Type or choose a repository ▾]
      Environment: ( ) production 🔒 ( ) staging
      Revision: [Tag, branch or commit ▾]
      Why (optional): []
      Not before (optional): []
      Announced in ⟦#prod⟧"
    `);
    await new PlayedForm(bot, { user: BOB }).open(undefined, 'C0DEPLOYS');
    // Production is protected, and "*" does not cover it.
    expect(JSON.stringify(bot.voice.opened.at(-1))).not.toContain('production');
  });

  it('shows another person nothing, and says why in the channel only', async () => {
    const bot = new FakeBot();
    await new PlayedForm(bot, { user: BOB }).open();
    expect(bot.voice.opened).toEqual([]);
    expect(render(bot.voice.whispers[0]!.answer)).toContain('no rule allows you this here');
    expect(bot.decisions).toMatchObject([{ verb: 'deploy', outcome: 'noRule' }]);
  });

  it.each(['person', 'channel', 'groups'] as const)(
    'shows nothing if Slack does not say enough of: %s',
    async (fact) => {
      const bot = new FakeBot({ config: CONFIG.replace(`    users: [${ALICE}]\n`, '') });
      bot.facts.failing.add(fact);
      await new PlayedForm(bot).open();
      expect(bot.voice.opened).toEqual([]);
      expect(render(bot.voice.whispers[0]!.answer)).toContain('Could not ask Slack who you are');
    },
  );

  it('shows nothing to a guest', async () => {
    const bot = new FakeBot();
    bot.facts.people.set(ALICE, { isGuest: true });
    await new PlayedForm(bot).open();
    expect(bot.voice.opened).toEqual([]);
    expect(render(bot.voice.whispers[0]!.answer)).toContain('guests may not do this');
  });

  it('does not say that there is no rule if only a look-up hides it', async () => {
    const other = `
  - { may: [deploy], targets: [deploy/gone], environments: ["*"], channels: [C0PROD], users: [${ALICE}] }
`;
    const bot = new FakeBot({ config: CONFIG.replace(`    users: [${ALICE}]\n`, '').trimEnd() + other });
    bot.facts.failing.add('groups');
    await new PlayedForm(bot).open();
    expect(render(bot.voice.whispers[0]!.answer)).toContain('Could not ask Slack who you are');
  });

  it('refuses if there is nothing to deploy to', async () => {
    const bot = new FakeBot({ resources: [] });
    await new PlayedForm(bot).open();
    expect(bot.voice.opened).toEqual([]);
    expect(bot.decisions).toMatchObject([{ outcome: 'noRule' }]);
  });

  it('does not take a cluster that was not seen yet for one without anything to deploy', async () => {
    const bot = new FakeBot({ resources: [] });
    bot.targets.stale = 300_000;
    await new PlayedForm(bot).open();
    expect(bot.voice.opened).toEqual([]);
    expect(render(bot.voice.whispers[0]!.answer)).toContain('has not seen the cluster yet');
    expect(bot.decisions).toMatchObject([{ outcome: 'unavailable' }]);
  });

  it('opens before the rights are known if they take long', async () => {
    const bot = new FakeBot();
    let answer = () => {};
    const known = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { person } = bot.facts;
    bot.facts.person = async (user) => {
      await known;
      return await person.call(bot.facts, user);
    };
    const opening = new PlayedForm(bot).open();
    await bot.clock.advance(1_000);
    expect(JSON.stringify(bot.voice.opened)).toContain('Loading…');
    expect(bot.voice.updated).toEqual([]);
    answer();
    const played = await opening;
    expect(bot.voice.opened).toHaveLength(1);
    expect(played.text).toContain('( ) production 🔒 ( ) staging');
  });

  it('says so if the rights that took long are none', async () => {
    const bot = new FakeBot();
    bot.facts.channel = async () => {
      await bot.clock.advance(1_000);
      return UNKNOWN;
    };
    const played = await new PlayedForm(bot).open();
    expect(played.text).toContain('Could not ask Slack who you are');
    expect(played.view.submit).toBeUndefined();
  });

  it('says so in the channel if Slack did not open it', async () => {
    const bot = new FakeBot();
    bot.voice.viewId = undefined;
    await new Form(bot.bot, { isMember: async () => true }).open({ user: ALICE, channel: 'C0PROD', triggerId: 'old' });
    expect(bot.voice.updated).toEqual([]);
    expect(render(bot.voice.whispers[0]!.answer)).toContain('Slack did not open the form');
  });

  it('tells its age if the cluster is not seen', async () => {
    const bot = new FakeBot();
    bot.targets.stale = 60_000;
    expect((await new PlayedForm(bot).open()).text).not.toContain('⚠');
    bot.targets.stale = 300_000;
    expect((await new PlayedForm(bot).open()).text).toContain('is 5 min old');
  });

  it('mentions who asked only if a trusted sender says so', async () => {
    const told = { environment: 'staging', revision: 'v1.1.0', requestedBy: `slack:${TEAM}/${BOB} bob` };
    const shown = async (senderId: string) => {
      const bot = new FakeBot({
        resources: [aWeb({ ...STATUS, history: [{ ...entry('r2', told), ...told, senderId }] })],
      });
      return (await new PlayedForm(bot).open({ environment: 'staging' })).text;
    };
    expect(await shown(`${BOT_SENDER}:capdeploy`)).toContain('· by ⟦@bob⟧');
    expect(await shown('AROASOMEBODYELSE12345:x')).toContain(`by slack:${TEAM}/${BOB} bob (not verified)`);
  });

  it('works for a bot that sees no cluster', async () => {
    const bot = new FakeBot({
      config: `${FILE_CONFIG.replace('users: [', 'groups: [S0RELEASE], users: [')}confirm: [production]\n`,
    });
    const played = await new PlayedForm(bot).open({ repository: 'web', environment: 'production', revision: 'v1.1.0' });
    expect(played.text).toContain('What runs there is not known');
    await played.submit();
    expect(played.text).toContain('livesense/web → production\nv1.1.0');
    expect(await played.submit()).toEqual({ response_action: 'clear' });
    expect(bot.queues.sent).toMatchObject([{ message: { environment: 'production', revision: 'v1.1.0' } }]);
  });
});

describe('a form that a line has filled in', () => {
  const opened = async (value: object, bot = new FakeBot({ resources: [aWeb(STATUS)] })) =>
    await new PlayedForm(bot).open(value);

  it('has what the line had', async () => {
    const played = await opened({ repository: 'web', environment: 'staging', revision: 'v2', reason: 'why not' });
    expect(played.text).toContain('v1.1.0 is there since');
    expect(await played.submit()).toEqual({ response_action: 'clear' });
  });

  it('starts no earlier than the line said', async () => {
    const bot = new FakeBot({ resources: [aWeb(STATUS)] });
    const notBefore = new Date(NOW + 3_601_000).toISOString();
    const played = await opened({ repository: 'web', environment: 'staging', revision: 'v2', notBefore }, bot);
    expect(await played.submit()).toEqual({ response_action: 'clear' });
    expect(bot.queues.sent[0]?.message.notBefore).toBe(new Date(NOW + 3_660_000).toISOString());
  });

  it.each([
    ['a repository', { repository: 'wep' }, 'There is no wep that you may use here; did you mean web?'],
    ['an environment', { repository: 'web', environment: 'stagign' }, 'did you mean staging?'],
    ['a task', { repository: 'web', task: 'puma:restart' }, 'deploy/web has no task puma:restart'],
  ])('says what is not known: %s', async (_, value, text) => {
    expect((await opened(value)).text).toContain(text);
  });

  it('does not say more of an environment that is not open to the person', async () => {
    const bot = new FakeBot({ resources: [aWeb(STATUS)] });
    const played = new PlayedForm(bot, { user: BOB });
    await played.open({ repository: 'web', environment: 'production' }, 'C0DEPLOYS');
    const [first, ...form] = played.text.split('\n');
    expect(first).toBe('deploy/web has no environment production that you may use here; there are staging.');
    // The very words of one that there is not.
    const other = await new PlayedForm(bot, { user: BOB }).open({ repository: 'web', environment: 'qa' }, 'C0DEPLOYS');
    expect(other.text.split('\n')).toEqual([first?.replace('production', 'qa'), ...form]);
    expect(played.text).not.toContain('v1.0.0 is there since');
  });

  it('keeps the rest until a repository is chosen', async () => {
    const bot = new FakeBot({ resources: [aWeb(STATUS), anotherApi] });
    bot.setConfig(CONFIG.replace('targets: [deploy/web]', 'targets: ["*"]'));
    const played = await opened({ environment: 'staging', revision: 'v3', reason: 'later' }, bot);
    await played.choose('form-repository', WEB);
    expect(await played.submit()).toEqual({ response_action: 'clear' });
    expect(bot.queues.sent[0]?.message).toMatchObject({ environment: 'staging', revision: 'v3', reason: 'later' });
  });
});
