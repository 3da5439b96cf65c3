import { describe, expect, test } from 'vitest';
import type { Json } from '../../../../dev/local-slack/json.ts';
import type { Message } from '../../../../dev/local-slack/messages.ts';
import { TROUBLE } from '../../../../dev/local-slack/person/form.ts';
import { until } from '../../../kit/eventually.ts';
import { option, plain } from './forms.ts';
import { useSlack } from './rig.ts';

const rig = useSlack();

const confirm = { title: plain('Abort?'), text: plain('web, v1'), confirm: plain('Abort'), deny: plain('No') };

/** A message of the bot with these elements. */
async function posted(...elements: Json[]): Promise<Message> {
  const blocks = [{ type: 'actions', block_id: 'row', elements }];
  return rig.slack.message('deploys', await rig.post({ blocks }));
}

describe('a slash command', () => {
  test('carries who, where and what; its answer is for its person, or for all', async () => {
    const commands: Json[] = [];
    rig.bolt.app.command('/deploy', async ({ ack, command }) => {
      commands.push({ ...command });
      await ack(command.text === 'all' ? { response_type: 'in_channel', text: 'hello all' } : 'hello');
    });
    await rig.bolt.connect();
    expect(await rig.slack.as('alice').command('deploys', '/deploy', ' web <v1> @bob ')).toEqual({
      acknowledged: true,
    });
    await rig.slack.as('alice').command('prod', '/deploy', 'all');
    expect(commands).toMatchObject([
      {
        command: '/deploy',
        text: 'web &lt;v1&gt; @bob',
        user_id: 'U0ALICE',
        channel_id: 'C0DEPLOYS',
        channel_name: 'deploys',
      },
      { channel_id: 'C0PROD', channel_name: 'privategroup' },
    ]);
    expect(rig.slack.as('alice').reads.lines('deploys')).toEqual(['capdeploy: hello (only visible to you)']);
    expect(rig.slack.as('bob').reads.lines('deploys')).toEqual([]);
    expect(rig.slack.as('alice').reads.lines('prod')).toEqual(['capdeploy: hello all']);
  });

  test('its settings may have names and links encoded', async () => {
    rig.slack.app('capdeploy').seed.escapedCommands = ['/deploy'];
    const texts: string[] = [];
    rig.bolt.app.command('/deploy', async ({ ack, command }) => {
      texts.push(command.text);
      await ack();
    });
    await rig.bolt.connect();
    await rig.slack.as('alice').command('deploys', '/deploy', 'web for @bob');
    expect(texts).toEqual(['web for <@U0BOB|bob>']);
  });

  test('an unknown one, and an answer that is not valid', async () => {
    rig.bolt.app.command('/deploy', async ({ ack }) =>
      ack({ blocks: [{ type: 'header', text: plain('x'.repeat(151)) }] }),
    );
    await rig.bolt.connect();
    expect((await rig.slack.as('alice').command('deploys', '/nothing')).shown).toBe('/nothing is not a valid command.');
    expect((await rig.slack.as('alice').command('deploys', '/deploy')).shown).toContain('invalid_command_response');
    expect(rig.slack.world.violations.join()).toContain('must be less than 151 characters');
  });
});

describe('a button', () => {
  const abort = { type: 'button', action_id: 'abort', text: plain('Abort'), value: 'job-1' };

  test('brings the message, the value, and who clicked', async () => {
    const bodies: Json[] = [];
    rig.bolt.app.action('abort', async ({ ack, body }) => {
      await ack();
      bodies.push({ ...body });
    });
    await rig.bolt.connect();
    const message = await posted(abort);
    expect(await rig.slack.as('bob').click(message, 'Abort')).toEqual({ acknowledged: true });
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
    await rig.bolt.connect();
    const message = await posted({ ...abort, confirm });
    await expect(rig.slack.as('bob').click(message, 'Abort')).rejects.toThrow('the button asks: Abort?: web, v1');
    expect(await rig.slack.as('bob').click(message, 'Abort', { confirm: 'cancel' })).toEqual({ acknowledged: false });
    expect(rig.slack.envelopes.deliveries).toEqual([]);
    await expect(rig.slack.as('bob').click(message, 'Retry')).rejects.toThrow(
      'there is no "Retry" to use; there is: Abort',
    );
    await expect(rig.slack.as('sam').click(message, 'Abort')).rejects.toThrow('sam does not see this message');
  });

  test('that nobody answers: trouble, and once more', async () => {
    await rig.bolt.connect();
    const message = await posted(abort);
    const clicked = rig.slack.as('bob').click(message, 'Abort');
    rig.clock.advance(3000);
    expect(await clicked).toEqual({ acknowledged: false, shown: TROUBLE });
    await until(() => expect(rig.slack.envelopes.deliveries).toHaveLength(2));
  });

  test('that is gone can still be clicked by a client that is behind', async () => {
    const values: unknown[] = [];
    rig.bolt.app.action('abort', async ({ ack, action }) => {
      await ack();
      values.push('value' in action && action.value);
    });
    await rig.bolt.connect();
    const message = await posted(abort);
    await rig.bolt.app.client.chat.update({ channel: 'C0DEPLOYS', ts: message.ts, text: 'done', blocks: [] });
    await expect(rig.slack.as('bob').click(message, 'Abort')).rejects.toThrow('there is: nothing');
    expect(await rig.slack.as('bob').click(message, 'Abort', { stale: true })).toEqual({ acknowledged: true });
    expect(values).toEqual(['job-1']);
  });

  test('in an ephemeral message is its person’s alone, and brings no message', async () => {
    const bodies: Json[] = [];
    rig.bolt.app.action('abort', async ({ ack, body, respond }) => {
      await ack();
      bodies.push({ ...body });
      await respond({ replace_original: true, text: 'replaced' });
    });
    await rig.bolt.connect();
    const blocks = [{ type: 'actions' as const, elements: [abort as never] }];
    await rig.bolt.app.client.chat.postEphemeral({ channel: 'C0DEPLOYS', user: 'U0ALICE', text: 'x', blocks });
    const [seen] = rig.slack.as('alice').reads.ephemerals('deploys');
    await expect(rig.slack.as('bob').click(seen!.message, 'Abort')).rejects.toThrow('does not see');
    await rig.slack.as('alice').click(seen!.message, 'Abort');
    expect(bodies[0]).toMatchObject({ container: { is_ephemeral: true } });
    expect(bodies[0]).not.toHaveProperty('message');
    await until(() => expect(rig.slack.as('alice').reads.ephemerals('deploys')[0]!.text).toBe('replaced'));
  });
});

describe('menus in a message', () => {
  test('a choice of those offered; an external menu asks the app first', async () => {
    const bodies: Json[] = [];
    rig.bolt.app.action(/menu|ask/, async ({ ack, body }) => {
      await ack();
      bodies.push({ ...body });
    });
    rig.bolt.app.options('ask', async ({ ack, payload }) => {
      await ack({ options: [option(`${payload.value}.0`)] });
    });
    await rig.bolt.connect();
    const message = await posted(
      { type: 'static_select', action_id: 'menu', options: [option('web'), option('api')] },
      { type: 'external_select', action_id: 'ask' },
    );
    const bob = rig.slack.as('bob');
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
    rig.bolt.app.options('ask', async ({ ack }) => {
      if ('options' in answer) await ack(answer as never);
    });
    await rig.bolt.connect();
    const message = await posted({ type: 'external_select', action_id: 'ask', min_query_length: 0 });
    expect(await rig.slack.as('bob').search(message, 'ask', '')).toEqual([]);
    expect(rig.slack.world.violations.join()).toContain('no more than 100 items allowed');
    answer = {};
    const late = rig.slack.as('bob').search(message, 'ask', '');
    await until(() => expect(rig.slack.envelopes.deliveries).toHaveLength(2));
    rig.clock.advance(3000);
    expect(await late).toEqual([]);
  });
});
