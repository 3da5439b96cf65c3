import { afterEach, expect, test } from 'vitest';
import type { Form as OpenForm } from '../../../../dev/local-slack/person/form.ts';
import { formButton } from '../../../../src/chat/buttons.ts';
import { answer } from '../../../../src/chat/rich-text.ts';
import type { Listeners } from '../../../../src/slack/listeners.ts';
import type { BotContext, Voice } from '../../../../src/slack-bot/context.ts';
import { SlackFacts } from '../../../../src/slack-bot/facts.ts';
import { Form } from '../../../../src/slack-bot/form/form.ts';
import { Permissions } from '../../../../src/slack-bot/permissions.ts';
import { aHistoryEntry, aJob, aRawSpec, aResource } from '../../../kit/builders.ts';
import { until } from '../../../kit/eventually.ts';
import { useSlackRig } from '../../slack/rig.ts';
import { aWeb, FakeBot, TEAM } from '../fake-bot.ts';

/** The form in Slack's hands: the real Bolt and Web API client, and a person at the local Slack. */

const rig = useSlackRig();

const CONFIG = `
slack: { team: ${TEAM} }
source: cluster
protected: [production]
confirm: [production]
rules:
  - { may: [deploy], targets: ["*"], environments: ["*"], channels: [C0DEPLOYS], users: [U0ALICE, U0BOB] }
  - { may: [deploy], targets: ["*"], environments: [staging, production], channels: [C0PROD], groups: [S0RELEASE] }
`;
const entry = (id: string, over: object) => aHistoryEntry(aJob({ id, ...over }), over);
const STATUS = {
  environments: [{ name: 'production' }, { name: 'staging' }],
  history: [
    entry('r2', { environment: 'staging', revision: 'v1.1.0' }),
    entry('r1', { environment: 'production', revision: 'v1.0.0' }),
  ],
};

afterEach(() => expect(rig.slack.world.violations).toEqual([]));

async function start(resources = [aWeb(STATUS)], change: (voice: Voice) => void = () => {}) {
  const fake = new FakeBot({ config: CONFIG, resources });
  const { api } = rig.api();
  const settings = () => ({ team: TEAM, lookupTimeoutMs: 1_500 });
  const facts = new SlackFacts({ api, settings, clock: rig.clock, log: rig.log });
  const voice: Voice = {
    whisper: async ({ user, channel, threadTs }, told) =>
      await api.postEphemeral({ user, channel, threadTs, text: told.text, blocks: told.blocks }).then(
        () => true,
        () => false,
      ),
    say: async () => true,
    openView: async (triggerId, view) =>
      await api.openView(triggerId, view).then(
        ({ id }) => id,
        () => undefined,
      ),
    updateView: async (viewId, view) => void (await api.updateView(viewId, view).catch(() => {})),
  };
  change(voice);
  const bot: BotContext = {
    ...fake.bot,
    voice,
    permissions: new Permissions(fake.bot.config, facts),
    clock: rig.clock,
  };
  const form = new Form(bot, facts);
  const { actions, options, views } = form.listeners;
  const listeners: Partial<Listeners> = {
    command: async ({ userId: user, channelId: channel, triggerId }) => await form.open({ user, channel, triggerId }),
    shortcut: async ({ userId: user, triggerId }) => await form.open({ user, channel: undefined, triggerId }),
    actions,
    options,
    views,
  };
  await rig.connectedApp(listeners);
  return { fake, api };
}

/** The form that is open now, once it shows this. */
const shows = (who: string, ...texts: string[]): Promise<OpenForm> =>
  until(() => {
    const form = rig.slack.as(who).form();
    for (const text of texts) expect(form.text).toContain(text);
    return form;
  });

const opened = async (who: string, channel: string, ...texts: string[]): Promise<OpenForm> => {
  expect(await rig.slack.as(who).command(channel, '/deploy')).toEqual({ acknowledged: true });
  return await shows(who, ...texts);
};

const whispers = (who: string, channel: string): string =>
  rig.slack
    .as(who)
    .reads.ephemerals(channel)
    .map(({ text }) => text)
    .join('\n');

test('a person fills in the form, and it is sent once though its envelope comes twice', async () => {
  const { fake } = await start();
  const form = await opened('bob', 'deploys', 'The answer comes in');
  expect(form.text).toContain('Environment: ( ) staging');
  // The only environment that is open here; what runs in others is not told either.
  expect(form.text).not.toContain('production');
  expect(await form.search('form-revision', 'v1')).toEqual(['use v1', 'v1.1.0']);
  await form.pick('form-revision', 'v1.1.0');
  await form.fill('form-reason', 'fixes the basket');
  rig.slack.faults.envelope('interactive', 'twice');
  expect(await form.submit()).toEqual({ result: 'cleared' });
  expect(rig.slack.as('bob').openViews).toEqual([]);
  await until(() => expect(whispers('bob', 'deploys')).toContain('Sent to deploy/web.'));
  expect(fake.queues.sent.map(({ message }) => message)).toMatchObject([
    {
      id: `slack-${TEAM}-view-${form.view.id}`,
      environment: 'staging',
      revision: 'v1.1.0',
      reason: 'fixes the basket',
      slack: { channel: 'C0DEPLOYS' },
    },
  ]);
});

test('two environments with different rights, and a question before one of them', async () => {
  const { fake } = await start();
  const form = await opened('alice', 'prod', 'production 🔒', 'staging');
  await form.fill('form-environment', 'production 🔒');
  await shows('alice', 'v1.0.0 is there since');
  await form.search('form-revision', 'v1.1.0');
  await form.pick('form-revision', 'use v1.1.0');
  expect(await form.submit()).toEqual({ result: 'updated' });
  const question = await shows('alice', 'livesense/web → production', 'v1.0.0 → v1.1.0');
  expect(fake.queues.sent).toEqual([]);
  await question.click('Back to the form');
  const again = await shows('alice', 'Repository: ');
  expect(again.values).toMatchObject({
    'form-revision': { value: 'v1.1.0' },
    'form-environment': { value: 'production' },
  });
  expect(await again.submit()).toEqual({ result: 'updated' });
  expect(await (await shows('alice', 'v1.0.0 → v1.1.0')).submit()).toEqual({ result: 'cleared' });
  expect(fake.queues.sent).toMatchObject([{ message: { environment: 'production', revision: 'v1.1.0' } }]);
});

test('a fault stands at its field', async () => {
  const { fake } = await start();
  const form = await opened('bob', 'deploys', 'The answer comes in');
  await form.search('form-revision', 'a;b');
  await form.pick('form-revision', 'use a;b');
  expect(await form.submit()).toMatchObject({ result: 'errors', errors: { Revision: expect.stringContaining('a;b') } });
  expect(fake.queues.tries).toBe(0);
});

test('a revision that is too long for a menu has a field of its own', async () => {
  const { fake } = await start();
  const form = await opened('bob', 'deploys', 'The answer comes in');
  await form.search('form-revision', 'x'.repeat(100));
  await form.pick('form-revision', 'A longer revision: type it below');
  await shows('bob', 'Revision (tag, branch or commit)');
  await form.fill('form-long-revision', 'x'.repeat(100));
  expect(await form.submit()).toEqual({ result: 'cleared' });
  expect(fake.queues.sent[0]?.message.revision).toBe('x'.repeat(100));
});

test('the button of an answer opens the form with the rest filled in, for its thread', async () => {
  const { fake, api } = await start();
  const value = { repository: 'web', environment: 'staging', revision: 'v2', reason: 'later' };
  const { message: line } = rig.slack.as('bob').say('deploys', 'deploy web');
  const { blocks } = answer([['lacks something']], [formButton('Open the form', value)]);
  const { ts } = await api.postMessage({ channel: 'C0DEPLOYS', threadTs: line.ts, text: 'x', blocks });
  await rig.slack.as('bob').click(rig.slack.message('deploys', ts), 'Open the form');
  const form = await shows('bob', 'v1.1.0 is there since');
  expect(await form.submit()).toEqual({ result: 'cleared' });
  expect(fake.queues.sent).toMatchObject([
    { message: { revision: 'v2', reason: 'later', slack: { channel: 'C0DEPLOYS', threadTs: line.ts } } },
  ]);
});

test('the shortcut asks for a channel, and takes only one of which the person is a member', async () => {
  const { fake } = await start();
  expect(await rig.slack.as('alice').shortcut('deploy')).toEqual({ acknowledged: true });
  const form = await shows('alice', 'You may deploy in ⟦#deploys⟧, ⟦#prod⟧');
  await form.fill('form-channel', 'elsewhere');
  await shows('alice', 'I am not in this channel');
  await form.fill('form-channel', 'deploys');
  await shows('alice', 'The answer comes in ⟦#deploys⟧');
  await form.search('form-revision', 'v1.1.0');
  await form.pick('form-revision', 'use v1.1.0');
  expect(await form.submit()).toEqual({ result: 'updated' });
  await shows('alice', 'Sent to deploy/web.');
  expect(fake.queues.sent).toMatchObject([{ message: { slack: { channel: 'C0DEPLOYS' } } }]);
  // Bob is in #deploys only, so there is nothing to ask.
  await rig.slack.as('bob').shortcut('deploy');
  await shows('bob', 'Environment: ( ) staging');
});

test('an answer that Slack does not take in the channel stands in the form', async () => {
  const { fake } = await start();
  const form = await opened('bob', 'deploys', 'The answer comes in');
  await form.search('form-revision', 'v1.1.0');
  await form.pick('form-revision', 'use v1.1.0');
  rig.slack.world.team.channel('deploys').members.delete(rig.slack.app('capdeploy').userId);
  expect(await form.submit()).toEqual({ result: 'updated' });
  await shows('bob', 'Sent to deploy/web.');
  expect(fake.queues.tries).toBe(1);
});

test('more repositories than a menu holds are searched', async () => {
  const resources = Array.from({ length: 150 }, (_, place) =>
    aResource({
      spec: aRawSpec({ repositories: [`org/app-${place}`], environments: [{ name: 'staging' }] }),
      metadata: { name: `app-${place}` },
    }),
  );
  const { fake } = await start(resources);
  const form = await opened('bob', 'deploys', 'Repository: ');
  expect(await form.search('form-repository', '')).toHaveLength(100);
  expect(await form.search('form-repository', 'APP-149')).toEqual(['org/app-149']);
  await form.pick('form-repository', 'org/app-149');
  await shows('bob', 'no successful deploy is on record');
  await form.search('form-revision', 'v1');
  await form.pick('form-revision', 'use v1');
  expect(await form.submit()).toEqual({ result: 'cleared' });
  expect(fake.queues.sent).toMatchObject([{ target: 'deploy/app-149', message: { repository: 'org/app-149' } }]);
});

test('a click that is too old is told in the channel', async () => {
  await start(undefined, (voice) => {
    const { openView } = voice;
    voice.openView = async (triggerId, view) => {
      rig.clock.advance(3_001);
      return await openView(triggerId, view);
    };
  });
  await rig.slack.as('bob').command('deploys', '/deploy');
  await until(() => expect(whispers('bob', 'deploys')).toContain('Slack did not open the form'));
  expect(rig.slack.as('bob').openViews).toEqual([]);
});

test('if Slack does not say in time who asks, the form is open all the same, and then refuses', async () => {
  await start();
  using _ = rig.slack.faults.web('users.info', { kind: 'hang' }, Number.POSITIVE_INFINITY);
  const command = rig.slack.as('bob').command('deploys', '/deploy');
  await until(() => expect(rig.slack.world.calls.map(({ method }) => method)).toContain('users.info'));
  rig.clock.advance(1_000);
  expect(await command).toEqual({ acknowledged: true });
  await shows('bob', 'Loading…');
  rig.clock.advance(500);
  await shows('bob', 'Could not ask Slack who you are; nothing was done. Try again in a minute.');
  expect(whispers('bob', 'deploys')).toBe('');
});

test('who may not use the form gets none, and reads why', async () => {
  await start();
  await rig.slack.as('root').command('deploys', '/deploy');
  await until(() => expect(whispers('root', 'deploys')).toContain('no rule allows you this here'));
  await rig.slack.as('gina').command('deploys', '/deploy');
  await until(() => expect(whispers('gina', 'deploys')).toContain('guests may not do this'));
  expect([...rig.slack.as('root').openViews, ...rig.slack.as('gina').openViews]).toEqual([]);
});

test('while SQS does not answer the view says "checking", and then what became of it', async () => {
  const { fake } = await start();
  const form = await opened('bob', 'deploys', 'The answer comes in');
  await form.search('form-revision', 'v1');
  await form.pick('form-revision', 'use v1');
  const { promise, resolve } = Promise.withResolvers<{ messageId: string }>();
  fake.queues.of = () => ({ send: () => promise });
  const submitted = form.submit();
  await until(() => expect(rig.slack.envelopes.deliveries.at(-1)?.payload.type).toBe('view_submission'));
  await until(() => {
    rig.clock.advance(200);
    expect(rig.slack.as('bob').form().text).toContain('Checking…');
  });
  expect(await submitted).toEqual({ result: 'updated' });
  resolve({ messageId: 'm-1' });
  await shows('bob', 'Sent. The answer is in the channel.');
  await until(() => expect(whispers('bob', 'deploys')).toContain('Sent to deploy/web.'));
});
