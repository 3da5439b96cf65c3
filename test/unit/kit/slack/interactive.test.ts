import type { ModalView, View } from '@slack/types';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TravelClock } from '../../../kit/slack/clock.ts';
import type { Json } from '../../../kit/slack/json.ts';
import { LocalSlack } from '../../../kit/slack/local-slack.ts';
import type { Message } from '../../../kit/slack/messages.ts';
import { TROUBLE } from '../../../kit/slack/person/form.ts';
import { until } from '../../../kit/until.ts';
import { BoltApp } from './bolt-app.ts';
import { example } from './example.ts';

let clock: TravelClock;
let slack: LocalSlack;
let bolt: BoltApp;

beforeEach(async () => {
  clock = new TravelClock();
  slack = await LocalSlack.start(example(), clock);
  bolt = new BoltApp(slack);
});
afterEach(async () => {
  await bolt[Symbol.asyncDispose]();
  await slack[Symbol.asyncDispose]();
});

const plain = (text: string) => ({ type: 'plain_text' as const, text });
const option = (text: string) => ({ text: plain(text), value: text });
const confirm = { title: plain('Abort?'), text: plain('web, v1'), confirm: plain('Abort'), deny: plain('No') };

/** A message of the bot with these elements. */
async function posted(...elements: Json[]): Promise<Message> {
  const blocks = [{ type: 'actions', block_id: 'row', elements }];
  const { ts } = (await bolt.app.client.apiCall('chat.postMessage', {
    channel: 'C0DEPLOYS',
    text: 'x',
    blocks,
  })) as unknown as { ts: string };
  return slack.message('deploys', ts);
}

const form = (more: Partial<ModalView> = {}): ModalView => ({
  type: 'modal',
  callback_id: 'deploy',
  title: plain('Deploy'),
  submit: plain('Continue'),
  blocks: [
    {
      type: 'input',
      block_id: 'repository',
      label: plain('Repository'),
      element: { type: 'static_select', action_id: 'repository', options: [option('web'), option('api')] },
    },
    {
      type: 'input',
      block_id: 'environment',
      label: plain('Environment'),
      dispatch_action: true,
      element: {
        type: 'radio_buttons',
        action_id: 'environment',
        options: [option('staging'), option('production')],
        initial_option: option('staging'),
      },
    },
    {
      type: 'input',
      block_id: 'revision',
      label: plain('Revision'),
      element: { type: 'external_select', action_id: 'revision', min_query_length: 1 },
    },
    {
      type: 'input',
      block_id: 'why',
      label: plain('Why'),
      optional: true,
      element: { type: 'plain_text_input', action_id: 'why', max_length: 10 },
    },
  ],
  ...more,
});

/** The bot opens this at `/deploy`. */
async function opened(view: View = form()): Promise<void> {
  bolt.app.command('/deploy', async ({ ack, body, client }) => {
    await ack();
    await client.views.open({ trigger_id: body.trigger_id, view });
  });
  bolt.app.options('revision', async ({ ack, payload }) => {
    await ack({ options: [option(`${payload.value}.0`), option(`${payload.value}.1`)] });
  });
  bolt.app.action('environment', async ({ ack }) => ack());
  await bolt.connect();
  await slack.as('alice').command('deploys', '/deploy');
  await until(() => slack.as('alice').form());
}

async function filled(): Promise<ReturnType<ReturnType<LocalSlack['as']>['form']>> {
  const alice = slack.as('alice').form();
  await alice.fill('Repository', 'web');
  await alice.search('Revision', 'v1');
  await alice.pick('Revision', 'v1.1');
  return alice;
}

const opening = (trigger_id: string, view: View = form()): Promise<Json> =>
  bolt.app.client.views.open({ trigger_id, view }).then(
    (answer) => ({ ...answer }),
    (error: { data: Json }) => error.data,
  );

describe('a slash command', () => {
  test('carries who, where and what; its answer is for its person, or for all', async () => {
    const commands: Json[] = [];
    bolt.app.command('/deploy', async ({ ack, command }) => {
      commands.push({ ...command });
      await ack(command.text === 'all' ? { response_type: 'in_channel', text: 'hello all' } : 'hello');
    });
    await bolt.connect();
    expect(await slack.as('alice').command('deploys', '/deploy', ' web <v1> ')).toEqual({ acknowledged: true });
    await slack.as('alice').command('prod', '/deploy', 'all');
    expect(commands).toMatchObject([
      { command: '/deploy', text: 'web <v1>', user_id: 'U0ALICE', channel_id: 'C0DEPLOYS', channel_name: 'deploys' },
      { channel_id: 'C0PROD', channel_name: 'privategroup' },
    ]);
    expect(slack.as('alice').reads.lines('deploys')).toEqual(['capdeploy: hello (only visible to you)']);
    expect(slack.as('bob').reads.lines('deploys')).toEqual([]);
    expect(slack.as('alice').reads.lines('prod')).toEqual(['capdeploy: hello all']);
  });

  test('its settings may have names and links encoded', async () => {
    slack.app('capdeploy').seed.escapedCommands = ['/deploy'];
    const texts: string[] = [];
    bolt.app.command('/deploy', async ({ ack, command }) => {
      texts.push(command.text);
      await ack();
    });
    await bolt.connect();
    await slack.as('alice').command('deploys', '/deploy', 'web for @bob');
    expect(texts).toEqual(['web for <@U0BOB>']);
  });

  test('an unknown one, and an answer that is not valid', async () => {
    bolt.app.command('/deploy', async ({ ack }) => ack({ blocks: [{ type: 'header', text: plain('x'.repeat(151)) }] }));
    await bolt.connect();
    expect((await slack.as('alice').command('deploys', '/nothing')).shown).toBe('/nothing is not a valid command.');
    expect((await slack.as('alice').command('deploys', '/deploy')).shown).toContain('invalid_command_response');
    expect(slack.world.violations.join()).toContain('must be less than 151 characters');
  });
});

describe('a button', () => {
  const abort = { type: 'button', action_id: 'abort', text: plain('Abort'), value: 'job-1' };

  test('brings the message, the value, and who clicked', async () => {
    const bodies: Json[] = [];
    bolt.app.action('abort', async ({ ack, body }) => {
      await ack();
      bodies.push({ ...body });
    });
    await bolt.connect();
    const message = await posted(abort);
    expect(await slack.as('bob').click(message, 'Abort')).toEqual({ acknowledged: true });
    expect(bodies).toMatchObject([
      {
        type: 'block_actions',
        user: { id: 'U0BOB', team_id: 'T0TEAM' },
        channel: { id: 'C0DEPLOYS' },
        message: { ts: message.ts, app_id: 'A0CAPDEPLOY' },
        container: { message_ts: message.ts, is_ephemeral: false },
        actions: [{ action_id: 'abort', block_id: 'row', value: 'job-1', type: 'button' }],
      },
    ]);
  });

  test('that asks is clicked with an answer; only what is there and visible can be clicked', async () => {
    await bolt.connect();
    const message = await posted({ ...abort, confirm });
    await expect(slack.as('bob').click(message, 'Abort')).rejects.toThrow('the button asks: Abort?: web, v1');
    expect(await slack.as('bob').click(message, 'Abort', { confirm: 'cancel' })).toEqual({ acknowledged: false });
    expect(slack.envelopes.deliveries).toEqual([]);
    await expect(slack.as('bob').click(message, 'Retry')).rejects.toThrow(
      'there is no "Retry" to use; there is: Abort',
    );
    await expect(slack.as('sam').click(message, 'Abort')).rejects.toThrow('sam does not see this message');
  });

  test('that nobody answers: trouble, and once more', async () => {
    await bolt.connect();
    const message = await posted(abort);
    const clicked = slack.as('bob').click(message, 'Abort');
    clock.advance(3000);
    expect(await clicked).toEqual({ acknowledged: false, shown: TROUBLE });
    await until(() => expect(slack.envelopes.deliveries).toHaveLength(2));
  });

  test('that is gone can still be clicked by a client that is behind', async () => {
    const values: unknown[] = [];
    bolt.app.action('abort', async ({ ack, action }) => {
      await ack();
      values.push('value' in action && action.value);
    });
    await bolt.connect();
    const message = await posted(abort);
    await bolt.app.client.chat.update({ channel: 'C0DEPLOYS', ts: message.ts, text: 'done', blocks: [] });
    await expect(slack.as('bob').click(message, 'Abort')).rejects.toThrow('there is: nothing');
    expect(await slack.as('bob').click(message, 'Abort', { stale: true })).toEqual({ acknowledged: true });
    expect(values).toEqual(['job-1']);
  });

  test('in an ephemeral message is its person’s alone, and brings no message', async () => {
    const bodies: Json[] = [];
    bolt.app.action('abort', async ({ ack, body, respond }) => {
      await ack();
      bodies.push({ ...body });
      await respond({ replace_original: true, text: 'replaced' });
    });
    await bolt.connect();
    const blocks = [{ type: 'actions' as const, elements: [abort as never] }];
    await bolt.app.client.chat.postEphemeral({ channel: 'C0DEPLOYS', user: 'U0ALICE', text: 'x', blocks });
    const [seen] = slack.as('alice').reads.ephemerals('deploys');
    await expect(slack.as('bob').click(seen!.message, 'Abort')).rejects.toThrow('does not see');
    await slack.as('alice').click(seen!.message, 'Abort');
    expect(bodies[0]).toMatchObject({ container: { is_ephemeral: true } });
    expect(bodies[0]).not.toHaveProperty('message');
    await until(() => expect(slack.as('alice').reads.ephemerals('deploys')[0]!.text).toBe('replaced'));
  });
});

describe('menus in a message', () => {
  test('a choice of those offered; an external menu asks the app first', async () => {
    const bodies: Json[] = [];
    bolt.app.action(/menu|ask/, async ({ ack, body }) => {
      await ack();
      bodies.push({ ...body });
    });
    bolt.app.options('ask', async ({ ack, payload }) => {
      await ack({ options: [option(`${payload.value}.0`)] });
    });
    await bolt.connect();
    const message = await posted(
      { type: 'static_select', action_id: 'menu', options: [option('web'), option('api')] },
      { type: 'external_select', action_id: 'ask' },
    );
    const bob = slack.as('bob');
    await bob.choose(message, 'menu', 'api');
    await expect(bob.choose(message, 'menu', 'ops')).rejects.toThrow('"ops" is not offered; offered are: web, api');
    await expect(bob.pick(message, 'ask', 'v1')).rejects.toThrow('searched first');
    await expect(bob.search(message, 'ask', 'v1')).rejects.toThrow('type 3 characters');
    expect(await bob.search(message, 'ask', 'v1.2')).toEqual(['v1.2.0']);
    await bob.pick(message, 'ask', 'v1.2.0');
    expect(bodies).toMatchObject([
      {
        actions: [{ selected_option: { value: 'api' } }],
        state: { values: { row: { menu: { selected_option: { value: 'api' } } } } },
      },
      { actions: [{ selected_option: { value: 'v1.2.0' } }] },
    ]);
  });

  test('options that are not valid, or late, are not shown', async () => {
    let answer: object = { options: Array.from({ length: 101 }, (_, index) => option(`v${index}`)) };
    bolt.app.options('ask', async ({ ack }) => {
      if ('options' in answer) await ack(answer as never);
    });
    await bolt.connect();
    const message = await posted({ type: 'external_select', action_id: 'ask', min_query_length: 0 });
    expect(await slack.as('bob').search(message, 'ask', '')).toEqual([]);
    expect(slack.world.violations.join()).toContain('no more than 100 items allowed');
    answer = {};
    const late = slack.as('bob').search(message, 'ask', '');
    await until(() => expect(slack.envelopes.deliveries).toHaveLength(2));
    clock.advance(3000);
    expect(await late).toEqual([]);
  });
});

describe('a form', () => {
  test('looks like this, and takes what its fields allow', async () => {
    await opened();
    const alice = slack.as('alice').form();
    expect(alice.title).toBe('Deploy');
    expect(alice.text.split('\n')).toEqual([
      'Repository: [ ▾]',
      'Environment: ( ) staging ( ) production',
      'Revision: [ ▾]',
      'Why (optional): []',
    ]);
    await expect(alice.fill('Repository', 'ops')).rejects.toThrow('"ops" is not offered');
    await expect(alice.fill('Why', 'x'.repeat(11))).rejects.toThrow('longer than the field takes');
    await expect(alice.fill('Why', 'a\nb')).rejects.toThrow('one line');
    await expect(alice.fill('Revision', 'v1')).rejects.toThrow('nothing can be chosen');
    await expect(alice.pick('Revision', 'v1')).rejects.toThrow('searched first');
    expect(await alice.submit()).toEqual({
      result: 'incomplete',
      errors: {
        Repository: 'Please complete this required field.',
        Revision: 'Please complete this required field.',
      },
    });
  });

  test('a field with `dispatch_action` tells the app at once; the others when it is submitted', async () => {
    const submitted: Json[] = [];
    bolt.app.view('deploy', async ({ ack, view, body }) => {
      await ack();
      submitted.push({ id: view.id, user: body.user.id, ...view.state.values });
    });
    await opened();
    const alice = await filled();
    expect(await alice.fill('Environment', 'production')).toMatchObject({ acknowledged: true });
    await alice.fill('why', 'basket');
    expect(await alice.submit()).toEqual({ result: 'closed' });
    expect(submitted).toMatchObject([
      {
        id: alice.view.id,
        user: 'U0ALICE',
        repository: { repository: { selected_option: { value: 'web' } } },
        environment: { environment: { selected_option: { value: 'production' } } },
        revision: { revision: { selected_option: { value: 'v1.1' } } },
        why: { why: { value: 'basket' } },
      },
    ]);
    expect(slack.as('alice').openViews).toEqual([]);
    await expect(alice.submit()).rejects.toThrow('not open any more');
  });

  test('errors stand at their field; one at no field is trouble', async () => {
    let errors: Record<string, string> = { revision: 'no such revision' };
    bolt.app.view('deploy', async ({ ack }) => ack({ response_action: 'errors', errors }));
    await opened();
    const alice = await filled();
    expect(await alice.submit()).toEqual({ result: 'errors', errors: { Revision: 'no such revision' } });
    expect(alice.values).toMatchObject({ repository: { value: 'web' } });
    errors = { nowhere: 'x' };
    expect(await alice.submit()).toEqual({ result: 'failed', shown: TROUBLE });
    expect(alice.open).toBe(true);
    expect(slack.world.violations.join()).toContain('an error at what is no input: nowhere');
  });

  test('update, push, clear', async () => {
    const answers: Json[] = [
      { response_action: 'update', view: form({ title: plain('Sure?'), blocks: [{ type: 'divider' }] }) },
      { response_action: 'push', view: form({ title: plain('Second'), blocks: [{ type: 'divider' }] }) },
      { response_action: 'push', view: form({ title: plain('Third'), blocks: [{ type: 'divider' }] }) },
      { response_action: 'push', view: form({ title: plain('Fourth'), blocks: [{ type: 'divider' }] }) },
      { response_action: 'clear' },
    ];
    bolt.app.view('deploy', async ({ ack }) => ack(answers.shift() as never));
    await opened();
    const submit = () => slack.as('alice').form().submit();
    expect((await (await filled()).submit()).result).toBe('updated');
    expect(slack.as('alice').openViews).toEqual(['Sure?']);
    expect((await submit()).result).toBe('pushed');
    expect((await submit()).result).toBe('pushed');
    expect(slack.as('alice').openViews).toEqual(['Sure?', 'Second', 'Third']);
    expect((await submit()).result).toBe('failed');
    expect(slack.world.violations).toEqual(['answer to view_submission: push_limit_reached {}']);
    expect((await submit()).result).toBe('cleared');
    expect(slack.as('alice').openViews).toEqual([]);
  });

  test('an answer with a view that is not valid, or none in 3 s: trouble, and the form stays', async () => {
    let silent = false;
    bolt.app.view('deploy', async ({ ack }) => {
      if (!silent) await ack({ response_action: 'update', view: form({ title: plain('x'.repeat(25)) }) });
    });
    await opened();
    const alice = await filled();
    expect(await alice.submit()).toEqual({ result: 'failed', shown: TROUBLE });
    expect(slack.world.violations.join()).toContain('must be less than 25 characters');
    silent = true;
    const submitting = alice.submit();
    clock.advance(3000);
    expect(await submitting).toEqual({ result: 'failed', shown: TROUBLE });
    expect(slack.as('alice').openViews).toEqual(['Deploy']);
  });

  test.each([false, true])('closed: the app hears of it only if it asked (%s)', async (asked) => {
    const closed: Json[] = [];
    bolt.app.view({ callback_id: 'deploy', type: 'view_closed' }, async ({ ack, body }) => {
      await ack();
      closed.push({ ...body });
    });
    await opened(form({ notify_on_close: asked }));
    const alice = slack.as('alice').form();
    await alice.close();
    expect(slack.as('alice').openViews).toEqual([]);
    expect(closed.map(({ view }) => (view as Json).id)).toEqual(asked ? [alice.view.id] : []);
  });

  test('a global shortcut opens one too, and has no channel', async () => {
    const bodies: Json[] = [];
    bolt.app.shortcut('deploy', async ({ ack, body, client }) => {
      await ack();
      bodies.push({ ...body });
      await client.views.open({ trigger_id: body.trigger_id, view: form() });
    });
    await bolt.connect();
    expect(await slack.as('alice').shortcut('deploy')).toEqual({ acknowledged: true });
    await until(() => expect(slack.as('alice').openViews).toEqual(['Deploy']));
    expect(bodies[0]).not.toHaveProperty('channel');
  });
});

describe('trigger ids', () => {
  const trigger = (): string => slack.world.triggers.issue('A0CAPDEPLOY', 'U0ALICE');

  test('live 3 s, once, for their app', async () => {
    const fresh = trigger();
    clock.advance(2000);
    expect(await opening(fresh)).toMatchObject({ ok: true });
    expect((await opening(fresh)).error).toBe('exchanged_trigger_id');
    const late = trigger();
    clock.advance(3001);
    expect((await opening(late)).error).toBe('expired_trigger_id');
    expect((await opening('1.2.x')).error).toBe('invalid_trigger_id');
    expect((await opening(slack.world.triggers.issue('A0OTHER', 'U0ALICE'))).error).toBe('invalid_trigger_id');
  });

  test('are used up also by a view that is not valid', async () => {
    const id = trigger();
    const refused = await opening(id, form({ title: plain('x'.repeat(25)) }));
    expect(refused).toMatchObject({
      error: 'invalid_arguments',
      response_metadata: { messages: ['[ERROR] must be less than 25 characters [json-pointer:/view/title/text]'] },
    });
    expect((await opening(id)).error).toBe('exchanged_trigger_id');
  });
});

describe('views.update', () => {
  const update = (args: Json): Promise<Json> =>
    bolt.app.client.apiCall('views.update', { view: form(), ...args }).then(
      (answer) => ({ ...answer }),
      (error: { data: Json }) => error.data,
    );

  test('by id or external id, with the hash of what is there, while it is open', async () => {
    const view = form({ external_id: 'one' });
    const { view: first } = (await opening(slack.world.triggers.issue('A0CAPDEPLOY', 'U0ALICE'), view)) as {
      view: { id: string; hash: string };
    };
    expect((await opening(slack.world.triggers.issue('A0CAPDEPLOY', 'U0BOB'), view)).error).toBe(
      'duplicate_external_id',
    );
    expect(await update({ external_id: 'one', view, hash: first.hash })).toMatchObject({ ok: true });
    expect((await update({ view_id: first.id, view, hash: first.hash })).error).toBe('hash_conflict');
    expect(await update({ view_id: first.id, view: form({ title: plain('New') }) })).toMatchObject({ ok: true });
    expect(slack.as('alice').openViews).toEqual(['New']);
    expect((await update({ view_id: 'V0NONE' })).error).toBe('not_found');
    expect((await update({})).error).toBe('invalid_arguments');
    expect((await update({ view_id: first.id, view: { type: 'modal' } })).error).toBe('invalid_arguments');
    const huge = form({
      blocks: Array.from({ length: 90 }, () => ({ type: 'section', text: plain('x'.repeat(2900)) })),
    });
    expect((await update({ view_id: first.id, view: huge })).error).toBe('view_too_large');
    await slack.as('alice').form().close();
    expect((await update({ view_id: first.id })).error).toBe('not_found');
  });

  test('what was filled in stays under the same ids; a choice that is gone is lost', async () => {
    await opened();
    const alice = await filled();
    await alice.fill('Why', 'basket');
    const [repository, ...others] = form().blocks;
    const menu = { type: 'static_select' as const, action_id: 'repository', options: [option('api')] };
    const blocks = [{ ...(repository as object), element: menu }, ...others];
    expect(await update({ view_id: alice.view.id, view: { ...form(), blocks } })).toMatchObject({ ok: true });
    expect(alice.values).toMatchObject({ repository: null, revision: { value: 'v1.1' }, why: 'basket' });
  });
});
