import { describe, expect, it } from 'vitest';
import { until } from '../../../kit/eventually.ts';
import { ALICE, aWeb, CONFIG, FakeBot } from '../fake-bot.ts';
import { anotherApi, entry, filledIn, PlayedForm, STATUS, WEB } from './played-form.ts';

describe('a change', () => {
  const both = () => {
    const bot = new FakeBot({ resources: [aWeb(STATUS), anotherApi] });
    bot.setConfig(CONFIG.replace('targets: [deploy/web]', 'targets: ["*"]'));
    return bot;
  };

  it('of the repository brings its environments, and forgets the revision', async () => {
    const played = await new PlayedForm(both()).open({ repository: 'web', environment: 'staging', revision: 'v1.1.0' });
    await played.choose('form-repository', 'deploy/api livesense/api');
    expect(played.text).toContain('Environment: ( ) staging\nno deploy has succeeded yet');
    expect(played.text).toContain('Task: ');
    expect(JSON.stringify(played.values)).not.toContain('v1.1.0');
  });

  it('of the environment shows what runs there', async () => {
    const { played } = await filledIn();
    expect(played.text).toContain('v1.1.0 is there since');
    await played.choose('form-environment', 'production');
    expect(played.text).toContain('v1.0.0 is there since');
    expect(played.view.submit?.text).toBe('Continue');
    // What was typed is still there.
    expect(JSON.stringify(played.values)).toContain('fixes the basket');
  });

  it('is answered with what the person may use now', async () => {
    const { bot, played } = await filledIn();
    bot.facts.members.set('S0RELEASE', []);
    bot.setConfig(CONFIG.replace(`    users: [${ALICE}]\n`, ''));
    await played.choose('form-environment', 'production');
    expect(played.text).toContain('no rule allows you this here');
    expect(played.view.submit).toBeUndefined();
  });

  it('is not shown if another one came after it', async () => {
    const bot = new FakeBot({ resources: [aWeb(STATUS)] });
    const played = await new PlayedForm(bot).open();
    const waiting: (() => void)[] = [];
    const { profile } = bot.bot.people;
    bot.bot.people.profile = async (user) => {
      await new Promise<void>((resolve) => void waiting.push(resolve));
      return await profile(user);
    };
    played.fill('form-environment', 'staging');
    const first = played.send('form-environment');
    played.fill('form-environment', 'production');
    const second = played.send('form-environment');
    await until(() => expect(waiting).toHaveLength(2));
    waiting[1]?.();
    await second;
    waiting[0]?.();
    await first;
    expect(bot.voice.updated).toHaveLength(1);
    expect(played.text).toContain('v1.0.0 is there since');
  });

  it('of a revision that is too long for a menu brings a field for it', async () => {
    const { bot, played } = await filledIn();
    await played.choose('form-revision', '+');
    played.fill('form-long-revision', 'x'.repeat(200));
    expect(await played.submit()).toEqual({ response_action: 'clear' });
    expect(bot.queues.sent[0]?.message.revision).toBe('x'.repeat(200));
  });

  it('of a revision that the menu names by something short brings it in full', async () => {
    const revision = `feature/${'x'.repeat(100)}`;
    const status = { ...STATUS, history: [entry('r1', { environment: 'staging', revision })] };
    const { bot, played } = await filledIn(new FakeBot({ resources: [aWeb(status)] }));
    const [short = ''] = await played.search('form-revision', '');
    expect(short).toMatch(/^#/);
    await played.choose('form-revision', short);
    expect(JSON.stringify(played.values)).toContain(revision);
    expect(await played.submit()).toEqual({ response_action: 'clear' });
    expect(bot.queues.sent[0]?.message.revision).toBe(revision);
  });

  it('of a revision that is not in the history any more empties the field', async () => {
    const { played } = await filledIn();
    await played.choose('form-revision', '#1234');
    expect(played.text).toContain('Choose again.');
    expect(JSON.stringify(played.view)).not.toContain('#1234');
  });

  it.each(['', '{}', '{"language":"en"}', 'null', '{"language":"xx","picksChannel":false,"chosen":{}}'])(
    'in a form of another version is refused: %j',
    async (metadata) => {
      const { bot, played } = await filledIn();
      played.view.private_metadata = metadata;
      expect(await played.search('form-repository', '')).toEqual([]);
      expect(await played.submit()).toMatchObject({ response_action: 'update' });
      expect(played.text).toContain('of an older version');
      expect(bot.queues.tries).toBe(0);
    },
  );
});

describe('lists of options', () => {
  it('have what the person may use now', async () => {
    const { bot, played } = await filledIn();
    expect(await played.search('form-repository', 'WEB')).toEqual([WEB]);
    expect(await played.search('form-revision', '')).toEqual(['v1.1.0', 'v1.0.0']);
    expect(await played.search('form-revision', ' v１.0')).toEqual(['v1.0', 'v1.0.0']);
    bot.setConfig(CONFIG.replaceAll('deploy, retry', 'retry'));
    expect(await played.search('form-repository', 'WEB')).toEqual([]);
    expect(await played.search('form-revision', '')).toEqual([]);
    expect(bot.decisions).toMatchObject([{ outcome: 'noRule' }, { outcome: 'noRule' }]);
  });

  it('have no more than what was typed if the answer would be late', async () => {
    const { played } = await filledIn();
    const query = { ...played.submission, actionId: 'form-revision', blockId: 'b', value: 'v9' };
    const place = { kind: 'view' as const, view: played.submission.view };
    const { 'form-revision': revisions, 'form-repository': repositories } = played.form.listeners.options;
    expect(revisions?.late({ ...query, place })).toMatchObject({ options: [{ value: 'v9' }] });
    expect(repositories?.late({ ...query, place })).toEqual({ options: [] });
  });
});
