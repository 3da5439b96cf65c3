import { describe, expect, it } from 'vitest';
import { Form } from '../../../../src/slack-bot/form/form.ts';
import { NOW } from '../../../kit/builders.ts';
import { ALICE, aWeb, CONFIG, FakeBot, render } from '../fake-bot.ts';
import { anotherApi, entry, filledIn, PlayedForm, STATUS } from './played-form.ts';

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

  it('is answered in the view if Slack does not take the answer in the channel', async () => {
    const { bot, played } = await filledIn();
    bot.voice.isHeard = false;
    await played.submit();
    expect(played.text).toContain('Sent to deploy/web.');
    expect(played.view.submit).toBeUndefined();
  });

  it('is told what was sent before if the same view comes with another content', async () => {
    const { bot, played } = await filledIn();
    await played.listener.submit(played.submission);
    played.fill('form-revision', 'v6.6.6');
    await played.submit();
    expect(played.text).toBe(
      'This form was submitted before, with livesense/web → staging v1.1.0. What stands in it now was not sent; open a new form for it.',
    );
    expect(bot.queues.tries).toBe(1);
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
    ['an environment that is not there', { 'form-environment': 'qa' }, { environment: /may not use this here/ }],
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
    expect(await played.errors()).toEqual({ environment: 'You may not use this here. Choose again.' });
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
    ['access-denied', 'Not sent: '],
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
    expect(played.text).toContain('⚠ Environment: You may not use this here. Choose again.');
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

  it('says so if the bot failed, in the channel too: the view may be closed', async () => {
    const { bot, played } = await filledIn();
    bot.targets.problem = new Error('a mistake of ours');
    await expect(played.listener.submit(played.submission)).rejects.toThrow('a mistake of ours');
    expect(JSON.stringify(played.listener.failed(played.submission))).toContain('went wrong in the bot');
    expect(bot.voice.whispers.map(({ asker, answer }) => [asker.channel, render(answer)])).toEqual([
      ['C0PROD', expect.stringContaining('went wrong in the bot')],
    ]);
  });
});
