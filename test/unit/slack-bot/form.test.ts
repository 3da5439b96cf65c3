import { describe, expect, it } from 'vitest';
import { UNKNOWN } from '../../../src/chat/authorise.ts';
import { Form } from '../../../src/slack-bot/form/form.ts';
import { aHistoryEntry, aJob, aRawSpec, aResource, NOW } from '../../kit/builders.ts';
import { until } from '../../kit/eventually.ts';
import { ALICE, aWeb, BOB, BOT_SENDER, CONFIG, FakeBot, FILE_CONFIG, render, TEAM } from './fake-bot.ts';
import { PlayedForm } from './played-form.ts';

const WEB = 'deploy/web livesense/web';
const entry = (id: string, over: object = {}) => aHistoryEntry(aJob({ id, revision: 'v1.0.0', ...over }), over);
const STATUS = {
  environments: [{ name: 'production' }, { name: 'staging' }],
  history: [entry('r2', { environment: 'staging', revision: 'v1.1.0' }), entry('r1')],
};

/** Alice before a form that is filled in, in #prod: staging, v1.1.0. */
async function filledIn(bot: FakeBot = new FakeBot({ resources: [aWeb(STATUS)] }), environment = 'staging') {
  const played = new PlayedForm(bot);
  await played.open();
  await played.choose('form-environment', environment);
  played.fill('form-revision', 'v1.1.0').fill('form-reason', 'fixes the basket');
  return { bot, played };
}

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
    expect(await shown(`${BOT_SENDER}:capdeploy`)).toContain('v1.1.0 · ⟦@bob⟧ · ');
    expect(await shown('AROASOMEBODYELSE12345:x')).toContain(`v1.1.0 · claims to be slack:${TEAM}/${BOB} bob · `);
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
    expect(played.text).toContain('Runs now: v1.1.0');
    expect(await played.submit()).toEqual({ response_action: 'clear' });
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
    expect(played.text).toContain('No rule allows you this here.');
    expect(played.text).not.toContain('Runs now: v1.0.0');
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

const anotherApi = aResource({
  spec: aRawSpec({
    repositories: ['livesense/api'],
    environments: [{ name: 'staging' }],
    tasks: ['deploy', 'puma:restart'],
  }),
  metadata: { name: 'api' },
});

describe('a change', () => {
  const both = () => {
    const bot = new FakeBot({ resources: [aWeb(STATUS), anotherApi] });
    bot.setConfig(CONFIG.replace('targets: [deploy/web]', 'targets: ["*"]'));
    return bot;
  };

  it('of the repository brings its environments, and forgets the revision', async () => {
    const played = await new PlayedForm(both()).open({ repository: 'web', environment: 'staging', revision: 'v1.1.0' });
    await played.choose('form-repository', 'deploy/api livesense/api');
    expect(played.text).toContain('Environment: ( ) staging\nRuns now: no successful deploy is on record');
    expect(played.text).toContain('Task: ');
    expect(JSON.stringify(played.values)).not.toContain('v1.1.0');
  });

  it('of the environment shows what runs there', async () => {
    const { played } = await filledIn();
    expect(played.text).toContain('Runs now: v1.1.0');
    await played.choose('form-environment', 'production');
    expect(played.text).toContain('Runs now: v1.0.0');
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
    expect(played.text).toContain('Runs now: v1.0.0');
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

describe('what is submitted', () => {
  it('is sent, and the person is told in the channel', async () => {
    const { bot, played } = await filledIn();
    expect(await played.submit()).toEqual({ response_action: 'clear' });
    expect(bot.queues.sent.map(({ message }) => message)).toEqual([
      {
        id: 'slack-T0TEAM-view-V0VIEW',
        repository: 'livesense/web',
        environment: 'staging',
        task: 'deploy',
        revision: 'v1.1.0',
        sentAt: new Date(NOW).toISOString(),
        requestedBy: 'slack:T0TEAM/U0ALICE alice',
        reason: 'fixes the basket',
        source: 'slack',
        slack: { channel: 'C0PROD' },
      },
    ]);
    expect(bot.voice.whispers).toHaveLength(1);
    expect(render(bot.voice.whispers[0]!.answer)).toContain('Sent to deploy/web.');
    expect(bot.decisions).toMatchObject([{ verb: 'deploy', target: 'deploy/web', rule: 1, outcome: 'done' }]);
  });

  it('is sent once, however often it comes', async () => {
    const { bot, played } = await filledIn();
    const submit = () => played.listener.submit(played.submission);
    const clear = { response_action: 'clear' };
    expect(await Promise.all([submit(), submit()])).toEqual([clear, clear]);
    expect(await submit()).toEqual(clear);
    expect(bot.queues.tries).toBe(1);
    expect(bot.voice.whispers).toHaveLength(1);
    // Another replica: the same id, so one deploy.
    const other = new PlayedForm(bot, { form: new Form(bot.bot, { isMember: async () => true }) });
    other.show(played.view);
    await other.form.listeners.views.form?.submit(played.submission);
    expect(new Set(bot.queues.sent.map(({ message }) => message.id)).size).toBe(1);
  });

  it.each<[string, Record<string, string>, Record<string, RegExp>]>([
    ['a revision that is unsafe', { 'form-revision': 'a;b' }, { revision: /a;b is not usable as revision: must be/ }],
    ['a time that is over', { 'form-not-before': String(NOW / 1000) }, { notBefore: /over/ }],
    ['a time that is too far ahead', { 'form-not-before': String(NOW / 1000 + 31 * 86_400) }, { notBefore: /30 days/ }],
    ['a revision that is not in the history any more', { 'form-revision': '#1234' }, { revision: /Choose again/ }],
    ['an environment that is not there', { 'form-environment': 'qa' }, { environment: /Choose again/ }],
  ])('has its fault at its field: %s', async (_, fields, errors) => {
    const { bot, played } = await filledIn();
    for (const [action, value] of Object.entries(fields)) played.fill(action, value);
    const found = await played.errors();
    expect(found).toEqual(
      Object.fromEntries(Object.entries(errors).map(([field, text]) => [field, expect.stringMatching(text)])),
    );
    expect(bot.queues.tries).toBe(0);
    expect(bot.decisions).toMatchObject([{ outcome: 'notUnderstood' }]);
    // Mended, it is sent.
    played.fill('form-revision', 'v1.1.0').fill('form-environment', 'staging');
    if (fields['form-not-before']) played.fill('form-not-before', String(NOW / 1000 + 3_600));
    expect(await played.submit()).toEqual({ response_action: 'clear' });
  });

  it('has its fault at its field if the resource refuses it', async () => {
    const environments = [{ name: 'staging', revisions: 'v[0-9]+' }];
    const { played } = await filledIn(new FakeBot({ resources: [aWeb(STATUS, { spec: { environments } })] }));
    expect(await played.errors()).toEqual({ revision: expect.stringContaining('v[0-9]+') });
  });

  it('needs a revision only for a deploy', async () => {
    const spec = { tasks: ['deploy', 'puma:restart'] };
    const { bot, played } = await filledIn(new FakeBot({ resources: [aWeb(STATUS, { spec })] }));
    delete played.values[Object.keys(played.values).find((id) => id.startsWith('revision'))!];
    played.values['revision:x'] = {};
    expect(await played.errors()).toEqual({ revision: 'deploy lacks: revision.' });
    played.fill('form-task', 'puma:restart');
    expect(await played.submit()).toEqual({ response_action: 'clear' });
    expect(bot.queues.sent[0]?.message).toMatchObject({ task: 'puma:restart' });
  });

  it('is refused at its field if a rule has changed since', async () => {
    const { bot, played } = await filledIn();
    bot.setConfig(CONFIG.replace('environments: [staging, production]', 'environments: [production]'));
    expect(await played.errors()).toEqual({ environment: expect.stringContaining('no rule allows you this') });
    bot.facts.failing.add('person');
    expect(await played.errors()).toEqual({ repository: expect.stringContaining('Could not ask Slack') });
    expect(bot.queues.tries).toBe(0);
    expect(bot.decisions).toMatchObject([{ outcome: 'noRule', environment: 'staging' }, { outcome: 'lookupFailed' }]);
  });

  it('is shown again if what stands in the view belongs to another repository', async () => {
    const bot = new FakeBot({ resources: [aWeb(STATUS), anotherApi] });
    bot.setConfig(CONFIG.replace('targets: [deploy/web]', 'targets: ["*"]'));
    const played = await new PlayedForm(bot).open({ repository: 'web', environment: 'staging', revision: 'v1.1.0' });
    // Chosen and submitted before the view was updated.
    played.fill('form-repository', 'deploy/api livesense/api');
    expect(await played.submit()).toMatchObject({ response_action: 'update' });
    expect(bot.queues.tries).toBe(0);
    expect(played.text).toContain('no successful deploy is on record');
  });

  it('is for the channel in which the form was opened, whatever its fields say', async () => {
    const { bot, played } = await filledIn();
    played.values.channel = { 'form-channel': { type: 'conversations_select', selected_conversation: 'C0DEPLOYS' } };
    expect(await played.submit()).toEqual({ response_action: 'clear' });
    expect(bot.queues.sent).toMatchObject([{ message: { slack: { channel: 'C0PROD' } } }]);
  });

  it('is not sent more often than a person may', async () => {
    const { bot, played } = await filledIn(
      new FakeBot({ resources: [aWeb(STATUS)], config: `${CONFIG}limits: { perUserPerMinute: 1 }\n` }),
    );
    bot.bot.limit.take(ALICE);
    await played.submit();
    expect(played.text).toContain('more than 1 requests a minute');
    expect(bot.decisions).toMatchObject([{ outcome: 'limited' }]);
    await bot.clock.advance(60_000);
    expect(await played.submit()).toEqual({ response_action: 'clear' });
  });

  it.each([
    ['access-denied', 'Not sent. '],
    ['unreachable', 'Perhaps sent: '],
  ] as const)('is said in the view and in the channel if SQS fails: %s', async (failure, text) => {
    const { bot, played } = await filledIn();
    bot.queues.failure = failure;
    await played.submit();
    expect(played.text).toContain(text);
    expect(played.view.submit).toBeUndefined();
    expect(render(bot.voice.whispers[0]!.answer)).toContain(text);
  });
});

describe('an environment that asks once more', () => {
  const asked = async () => {
    const { bot, played } = await filledIn(undefined, 'production');
    expect(await played.submit()).toMatchObject({ response_action: 'update' });
    return { bot, played };
  };

  it('is sent after the question, as one deploy', async () => {
    const { bot, played } = await asked();
    expect(bot.queues.tries).toBe(0);
    expect(played.text).toContain('livesense/web → production\nv1.0.0 → v1.1.0\nWhy: fixes the basket');
    const submit = () => played.listener.submit(played.submission);
    await Promise.all([submit(), submit()]);
    expect(bot.queues.sent.map(({ message }) => message)).toMatchObject([
      { id: 'slack-T0TEAM-view-V0VIEW', environment: 'production', revision: 'v1.1.0', reason: 'fixes the basket' },
    ]);
  });

  it('asks again if another revision runs there by then', async () => {
    const { bot, played } = await asked();
    const newer = entry('r3', { revision: 'v1.0.5' });
    bot.targets.set([aWeb({ ...STATUS, history: [newer, ...STATUS.history] })]);
    await played.submit();
    expect(bot.queues.tries).toBe(0);
    expect(played.text).toContain(
      '⚠ Meanwhile another revision runs there. Look again.\nlivesense/web → production\nv1.0.5 → v1.1.0',
    );
    expect(await played.submit()).toEqual({ response_action: 'clear' });
  });

  it('goes back to the form with what was filled in', async () => {
    const { bot, played } = await asked();
    await played.send('form-back');
    expect(played.view.callback_id).toBe('form');
    played.fill('form-revision', 'v1.2.0');
    await played.submit();
    expect(await played.submit()).toEqual({ response_action: 'clear' });
    expect(bot.queues.sent).toMatchObject([{ message: { revision: 'v1.2.0', reason: 'fixes the basket' } }]);
  });

  it('authorises the answer', async () => {
    const { bot, played } = await asked();
    bot.setConfig(CONFIG.replace('environments: [staging, production]', 'environments: [staging]'));
    await played.submit();
    expect(bot.queues.tries).toBe(0);
    expect(played.text).toContain('⚠ Environment: Nothing was done: no rule allows you this here.');
    expect(bot.decisions).toMatchObject([{ outcome: 'noRule' }]);
  });
});

describe('an answer that comes late', () => {
  const late = async (played: PlayedForm) => {
    const { listener, submission } = played;
    expect(JSON.stringify(listener.late(submission))).toContain('Checking…');
    await listener.afterLate(submission, await listener.submit(submission));
  };

  it('says that it was sent', async () => {
    const { bot, played } = await filledIn();
    await late(played);
    expect(JSON.stringify(bot.voice.updated.at(-1))).toContain('Sent. The answer is in the channel.');
  });

  it('has its faults above the form, which keeps what was filled in', async () => {
    const { bot, played } = await filledIn();
    played.fill('form-not-before', '1700000000');
    await late(played);
    played.values = {};
    played.show(bot.voice.updated.at(-1)!.view);
    expect(played.text).toContain('⚠ Not before: This time is over.');
    played.fill('form-not-before', String(NOW / 1000 + 60));
    expect(await played.submit()).toEqual({ response_action: 'clear' });
    expect(bot.queues.sent).toMatchObject([{ message: { revision: 'v1.1.0', reason: 'fixes the basket' } }]);
  });

  it('shows the question', async () => {
    const { bot, played } = await filledIn(undefined, 'production');
    await late(played);
    expect(JSON.stringify(bot.voice.updated.at(-1))).toContain('form-confirm');
  });

  it('says so if the bot failed', async () => {
    const { played } = await filledIn();
    expect(JSON.stringify(played.listener.failed(played.submission))).toContain('went wrong in the bot');
  });
});

describe('a global shortcut, which has no channel', () => {
  const opened = async (members: PlayedForm['members'], user = ALICE) => {
    const bot = new FakeBot({ resources: [aWeb(STATUS)] });
    const played = new PlayedForm(bot, { user });
    played.members = members;
    await played.open(undefined, null);
    return { bot, played };
  };

  it('asks for the channel, and names those in which the person may deploy', async () => {
    const { bot, played } = await opened(() => true);
    expect(played.text).toMatchInlineSnapshot(`
      "Channel: [ ▾]
      You may deploy in ⟦#deploys⟧, ⟦#prod⟧"
    `);
    await played.choose('form-channel', 'C0PROD');
    await played.choose('form-environment', 'staging');
    played.fill('form-revision', 'v1.1.0');
    await played.submit();
    expect(bot.queues.sent).toMatchObject([{ message: { slack: { channel: 'C0PROD' } } }]);
    // The person may not be looking at the channel.
    expect(played.text).toContain('Sent to deploy/web.');
  });

  it('takes the only channel that there is', async () => {
    const { played } = await opened((channel) => channel === 'C0PROD');
    expect(played.text).toContain('( ) production 🔒 ( ) staging');
    expect(played.text).toContain('Announced in ⟦#prod⟧');
  });

  it('asks for the channel if Slack does not say whether there are others', async () => {
    const { played } = await opened((channel) => (channel === 'C0PROD' ? true : UNKNOWN));
    expect(played.text).toContain('You may deploy in ⟦#prod⟧');
    expect(played.text).not.toContain('Announced');
  });

  it('refuses if there is none', async () => {
    const { bot, played } = await opened(() => false);
    expect(played.text).toContain('There is no channel of yours');
    expect(played.view.submit).toBeUndefined();
    expect(bot.decisions).toMatchObject([{ outcome: 'noRule' }]);
  });

  it.each([
    ['a channel of which the person is no member', false, 'you are not a member of'],
    ['a channel of which Slack does not say who is in it', UNKNOWN, 'could not ask Slack whether you are a member'],
  ] as const)('refuses %s', async (_, isMember, text) => {
    const { bot, played } = await opened((channel) => (channel === 'C0PROD' ? isMember : true));
    await played.choose('form-channel', 'C0PROD');
    expect(played.text).toContain(text);
    expect(played.text).not.toContain('staging');
    expect(await played.errors()).toEqual({ channel: expect.stringContaining(text) });
    expect(bot.queues.tries).toBe(0);
  });

  it('refuses a channel that no rule names', async () => {
    const { played } = await opened(() => true);
    await played.choose('form-channel', 'C0OTHER');
    expect(played.text).toContain('no rule allows you this here');
  });

  it('refuses who has left the channel before it was submitted', async () => {
    const { bot, played } = await opened(() => true);
    await played.choose('form-channel', 'C0PROD');
    await played.choose('form-environment', 'staging');
    played.fill('form-revision', 'v1.1.0');
    played.members = () => false;
    expect(await played.errors()).toEqual({ repository: expect.stringContaining('not a member') });
    expect(bot.queues.tries).toBe(0);
  });
});
