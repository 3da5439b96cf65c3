import { describe, expect, test } from 'vitest';
import type { Json } from '../../../dev/local-slack/json.ts';
import type { Action, Command, Listeners, Mention, Query, Shortcut, Submission } from '../../../src/slack/listeners.ts';
import { settle } from '../../kit/clocks.ts';
import { until } from '../../kit/eventually.ts';
import { form, option, plain } from '../dev/local-slack/forms.ts';
import { DRAIN_MS, useSlackRig } from './rig.ts';

const rig = useSlackRig();

const button = (id: string, value = 'web/production'): Json => ({
  type: 'actions',
  block_id: 'buttons',
  elements: [{ type: 'button', action_id: id, text: plain(id), value }],
});

/** A message of the bot's with these blocks. */
async function posted(blocks: Json[]) {
  const { ts } = await rig.api().api.postMessage({ channel: 'C0DEPLOYS', text: 'x', blocks: blocks as never });
  return rig.slack.message('deploys', ts);
}

function interactive(payload: Json): Promise<Json> {
  return rig.slack.envelopes.deliver(rig.slack.app('capdeploy'), 'interactive', payload);
}

const counted = async (metrics: { text(): Promise<string> }, name: string): Promise<string[]> =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith(`capdeployjob_${name}`));

describe('what a listener is told', () => {
  test('of a mention', async () => {
    const got: Mention[] = [];
    await rig.connectedApp({ mention: async (mention) => void got.push(mention) });
    const { message, delivered } = rig.slack.as('alice').say('deploys', '@capdeploy deploy -r web & <x>');
    expect(await delivered).toMatchObject([{ acknowledged: true, payload: {} }]);
    await until(() => expect(got).toHaveLength(1));
    expect(got).toEqual([
      {
        teamId: 'T0TEAM',
        enterpriseId: undefined,
        userId: 'U0ALICE',
        channelId: 'C0DEPLOYS',
        ts: message.ts,
        threadTs: undefined,
        text: 'deploy -r web &amp; &lt;x&gt;',
        isAddressed: true,
      },
    ]);
    await rig.slack.as('alice').say('deploys', '@capdeploy status', { thread: message.ts }).delivered;
    await until(() => expect(got[1]).toMatchObject({ threadTs: message.ts, text: 'status' }));
  });

  test('of a command and of a shortcut', async () => {
    const got: (Command | Shortcut)[] = [];
    await rig.connectedApp({
      command: async (command) => void got.push(command),
      shortcut: async (shortcut) => void got.push(shortcut),
    });
    expect(
      await rig.slack
        .as('alice')
        .command('elsewhere', '/deploy')
        .catch(() => 'not a member'),
    ).toBe('not a member');
    expect(await rig.slack.as('alice').command('deploys', '/deploy', 'web production')).toEqual({ acknowledged: true });
    expect(await rig.slack.as('bob').shortcut('deploy')).toEqual({ acknowledged: true });
    await until(() => expect(got).toHaveLength(2));
    const where = { teamId: 'T0TEAM', enterpriseId: undefined, triggerId: expect.any(String) };
    expect(got).toEqual([
      {
        ...where,
        userId: 'U0ALICE',
        channelId: 'C0DEPLOYS',
        command: '/deploy',
        text: 'web production',
        responseUrl: expect.stringMatching(/^http/),
      },
      { ...where, userId: 'U0BOB', callbackId: 'deploy' },
    ]);
  });

  test('of a click on a button of a message, in a thread and ephemeral too', async () => {
    const got: Action[] = [];
    await rig.connectedApp({ actions: { abort: async (action) => void got.push(action) } });
    const message = await posted([button('abort')]);
    expect(await rig.slack.as('alice').click(message, 'abort')).toEqual({ acknowledged: true });
    await until(() => expect(got).toHaveLength(1));
    expect(got[0]).toEqual({
      teamId: 'T0TEAM',
      enterpriseId: undefined,
      userId: 'U0ALICE',
      actionId: 'abort',
      blockId: 'buttons',
      value: 'web/production',
      triggerId: expect.any(String),
      responseUrl: expect.stringMatching(/^http/),
      place: {
        kind: 'message',
        channelId: 'C0DEPLOYS',
        messageTs: message.ts,
        threadTs: undefined,
        isEphemeral: false,
      },
    });
    const blocks = [button('abort')] as never;
    const to = { channel: 'C0DEPLOYS', user: 'U0ALICE', threadTs: message.ts, text: 'x', blocks };
    await rig.api().api.postEphemeral(to);
    const [own] = rig.slack.as('alice').reads.ephemerals('deploys');
    await rig.slack.as('alice').click(own!.message, 'abort');
    await until(() => expect(got[1]?.place).toMatchObject({ threadTs: message.ts, isEphemeral: true }));
  });

  test('of a form: what is typed, and what is submitted', async () => {
    const queries: Query[] = [];
    const submissions: Submission[] = [];
    await openForm({
      options: {
        revision: {
          suggest: async (query) => {
            queries.push(query);
            return { options: [option('v1.1.0')] };
          },
          late: () => ({ options: [] }),
        },
      },
      views: { deploy: view(async (submission) => void submissions.push(submission)) },
    });
    const alice = rig.slack.as('alice').form();
    await alice.fill('Repository', 'web');
    await alice.search('Revision', 'v1');
    await alice.pick('Revision', 'v1.1.0');
    await alice.submit();
    expect(queries).toMatchObject([{ actionId: 'revision', value: 'v1', userId: 'U0ALICE', place: { kind: 'view' } }]);
    expect(submissions).toMatchObject([
      { userId: 'U0ALICE', teamId: 'T0TEAM', view: { callbackId: 'deploy', privateMetadata: 'C0DEPLOYS' } },
    ]);
    expect(submissions[0]?.view.values).toEqual({
      repository: { repository: 'web' },
      environment: { environment: 'staging' },
      revision: { revision: 'v1.1.0' },
      why: {},
    });
    expect(rig.slack.as('alice').openViews).toEqual([]);
  });
});

describe('what is no command', () => {
  const saying: [string, () => Promise<unknown>][] = [
    ['what a bot says', () => rig.slack.as('workflow').say('deploys', '@capdeploy deploy web').delivered],
    ['an edited message', edited],
    ['a mention in a forwarded message', forwarded],
    ['a mention in a quote', () => rig.slack.as('alice').say('deploys', '> @capdeploy deploy web').delivered],
  ];
  test.each(saying)('%s is acknowledged, and no listener hears of it', async (_, say) => {
    const got: string[] = [];
    await rig.connectedApp({ mention: async ({ text }) => void got.push(text) });
    expect(await say()).toMatchObject([{ acknowledged: true }]);
    await rig.slack.as('alice').say('deploys', '@capdeploy after').delivered;
    await until(() => expect(got).toContain('after'));
    expect(got).toEqual(['after']);
  });

  async function edited() {
    const { message } = rig.slack.as('alice').say('deploys', 'nothing');
    return await rig.slack.as('alice').edit(message, '@capdeploy deploy web').delivered;
  }

  async function forwarded() {
    const { message } = rig.slack.as('bob').say('elsewhere', '@capdeploy deploy web');
    return await rig.slack.as('bob').forward(message, 'deploys', 'look').delivered;
  }
});

describe('nothing stays unanswered', () => {
  test('an unknown button has a listener of its own', async () => {
    const unknown: string[] = [];
    await rig.connectedApp({ unknownAction: async ({ actionId }) => void unknown.push(actionId) });
    for (const id of ['gone', 'constructor', '__proto__']) {
      expect(await rig.slack.as('alice').click(await posted([button(id)]), id)).toEqual({ acknowledged: true });
      // No more than three posts in a burst.
      rig.clock.advance(1_000);
    }
    await until(() => expect(unknown).toEqual(['gone', 'constructor', '__proto__']));
  });

  test.each<Json>([
    { type: 'view_submission', view: { id: 'V1', hash: '1', callback_id: 'gone', private_metadata: '' } },
    { type: 'view_closed', view: { id: 'V1', hash: '1', callback_id: 'deploy', private_metadata: '' } },
    { type: 'block_suggestion', action_id: 'gone', block_id: 'b', value: '', container: {} },
    { type: 'message_action', callback_id: 'gone', channel: { id: 'C0DEPLOYS' } },
    { type: 'dialog_submission', callback_id: 'gone' },
    { type: 'workflow_step_edit' },
    { type: 'block_actions', actions: [] },
    { type: 'block_actions', actions: [{ action_id: 'a', block_id: 'b' }] },
    { type: 'shortcut', callback_id: 'gone' },
  ])('%j is acknowledged', async (payload) => {
    await rig.connectedApp();
    const user = { id: 'U0ALICE', team_id: 'T0TEAM' };
    const answer = await interactive({ user, team: { id: 'T0TEAM' }, trigger_id: 't', ...payload });
    expect(answer).toMatchObject({ acknowledged: true });
  });

  test.each<Json>([{}, { type: 'view_submission' }, { type: 'block_actions', actions: [{}] }])(
    'an envelope without a user is acknowledged and dropped: %j',
    async (payload) => {
      await rig.connectedApp();
      expect(await interactive(payload)).toMatchObject({ acknowledged: true });
    },
  );

  test('an event to which nobody listens is acknowledged', async () => {
    await rig.connectedApp();
    const event = { type: 'channel_archive', channel: 'C0DEPLOYS', user: 'U0ALICE' };
    expect(await rig.slack.emit('capdeploy', event)).toMatchObject({ acknowledged: true });
  });

  test('what has another shape than documented is acknowledged, dropped and logged without its content', async () => {
    const got: Command[] = [];
    await rig.connectedApp({ command: async (command) => void got.push(command) });
    const payload = {
      command: '/deploy',
      text: 'secret',
      user_id: '../../x',
      team_id: 'T0TEAM',
      channel_id: 'C0DEPLOYS',
    };
    const { slack } = rig;
    expect(await slack.envelopes.deliver(slack.app('capdeploy'), 'slash_commands', payload)).toMatchObject({
      acknowledged: true,
    });
    await until(() => expect(rig.lines).toContainEqual(expect.objectContaining({ level: 'warn' })));
    expect(rig.lines.at(-1)?.fields).toEqual({ fields: ['user_id', 'trigger_id', 'response_url'] });
    expect(got).toEqual([]);
  });
});

describe('a listener that is slow or fails', () => {
  const never = (): Promise<never> => new Promise(() => {});

  test('keeps no acknowledgement waiting', async () => {
    const { metrics } = await rig.connectedApp({
      mention: never,
      command: never,
      shortcut: never,
      unknownAction: never,
    });
    const alice = rig.slack.as('alice');
    const message = await posted([button('x')]);
    await alice.say('deploys', '@capdeploy deploy').delivered;
    expect(await alice.command('deploys', '/deploy')).toEqual({ acknowledged: true });
    expect(await alice.shortcut('deploy')).toEqual({ acknowledged: true });
    expect(await alice.click(message, 'x')).toEqual({ acknowledged: true });
    await until(async () =>
      expect(await counted(metrics, 'slack_ack_seconds_count')).toEqual(['capdeployjob_slack_ack_seconds_count 4']),
    );
    expect(await counted(metrics, 'slack_ack_seconds_bucket{le="1"}')).toEqual([
      'capdeployjob_slack_ack_seconds_bucket{le="1"} 4',
    ]);
  });

  test('is counted and logged, and the person can be told', async () => {
    const boom = async (): Promise<never> => {
      throw new Error('boom');
    };
    const { metrics } = await rig.connectedApp({
      mention: boom,
      command: () => {
        throw new Error('at once');
      },
    });
    await rig.slack.as('alice').say('deploys', '@capdeploy deploy').delivered;
    await rig.slack.as('alice').command('deploys', '/deploy');
    await until(() => expect(rig.errors).toHaveLength(2));
    expect(rig.errors).toMatchObject([
      { error: { message: 'boom' }, received: { kind: 'mention', data: { userId: 'U0ALICE' } } },
      { error: { message: 'at once' }, received: { kind: 'command', data: { channelId: 'C0DEPLOYS' } } },
    ]);
    expect(await counted(metrics, 'slack_handler_errors_total')).toEqual([
      'capdeployjob_slack_handler_errors_total{kind="mention"} 1',
      'capdeployjob_slack_handler_errors_total{kind="command"} 1',
    ]);
    expect(rig.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
  });

  test('if telling the person fails too, that is logged', async () => {
    const fail = async (): Promise<never> => {
      throw new Error('no Slack');
    };
    await rig.connectedApp({ mention: fail }, { onError: fail });
    await rig.slack.as('alice').say('deploys', '@capdeploy deploy').delivered;
    await until(() =>
      expect(rig.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toMatchObject([
        { kind: 'mention' },
        { kind: 'onError' },
      ]),
    );
  });

  test('of options: the other answer goes out within 1.5 s, or at once if it fails', async () => {
    let suggest: () => Promise<never> = never;
    const late = () => ({ options: [option('as typed')] });
    await openForm({ options: { revision: { suggest: () => suggest(), late } } });
    const alice = rig.slack.as('alice').form();
    const searched = alice.search('Revision', 'v1');
    await until(() => expect(rig.slack.envelopes.deliveries.at(-1)?.payload.type).toBe('block_suggestion'));
    await arrival();
    rig.clock.advance(1_500);
    expect(await searched).toEqual(['as typed']);
    suggest = async () => {
      throw new Error('boom');
    };
    expect(await alice.search('Revision', 'v1')).toEqual(['as typed']);
    expect(rig.errors).toMatchObject([{ received: { kind: 'options' } }]);
  });

  test('of a view: "checking" goes out within 1.5 s, and what becomes of it is told later', async () => {
    const result = Promise.withResolvers<undefined>();
    const later: unknown[] = [];
    await openForm({
      views: {
        deploy: {
          ...view(() => result.promise),
          late: () => ({ response_action: 'update', view: checking }),
          afterLate: async (_, answer) => void later.push(answer),
        },
      },
    });
    const submitted = submit();
    await until(() => expect(rig.slack.envelopes.deliveries.at(-1)?.payload.type).toBe('view_submission'));
    await arrival();
    rig.clock.advance(1_500);
    await submitted;
    expect(rig.slack.as('alice').openViews).toEqual(['Checking']);
    expect(later).toEqual([]);
    result.resolve(undefined);
    await until(() => expect(later).toEqual([undefined]));
  });

  test('of a view: if it fails, the form stays with what is said at a field', async () => {
    await openForm({
      views: {
        deploy: {
          ...view(async () => {
            throw new Error('boom');
          }),
          failed: () => ({ response_action: 'errors', errors: { repository: 'try again' } }),
        },
      },
    });
    expect(await submit()).toEqual({ result: 'errors', errors: { Repository: 'try again' } });
    expect(rig.slack.as('alice').openViews).toEqual(['Deploy']);
    expect(rig.errors).toMatchObject([{ received: { kind: 'view' } }]);
  });

  test('is waited for at the end, for as long as it may take', async () => {
    const work = Promise.withResolvers<void>();
    const { app } = await rig.connectedApp({ mention: () => work.promise });
    await rig.slack.as('alice').say('deploys', '@capdeploy deploy').delivered;
    let isStopped = false;
    const stopped = app.stop().then(() => {
      isStopped = true;
    });
    await until(() => expect(rig.slack.sockets()).toEqual([]));
    expect(isStopped).toBe(false);
    work.resolve();
    await stopped;

    const { app: other } = await rig.connectedApp({ mention: never });
    await rig.slack.as('alice').say('deploys', '@capdeploy deploy').delivered;
    const second = other.stop();
    await until(() => expect(rig.slack.sockets()).toEqual([]));
    await until(() => expect(rig.clock.pending).toBeGreaterThan(0));
    let isOver = false;
    second.then(() => {
      isOver = true;
    });
    rig.clock.advance(DRAIN_MS - 1_000);
    await until(() => expect(rig.clock.pending).toBeGreaterThan(0));
    expect(isOver).toBe(false);
    rig.clock.advance(1_000);
    await second;
  });
});

test('at the end it waits for what a person is told of a failure, too', async () => {
  const work = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  const { app } = await rig.connectedApp({ mention: () => work.promise }, { onError: () => told.promise });
  await rig.slack.as('alice').say('deploys', '@capdeploy deploy').delivered;
  let isStopped = false;
  const stopped = app.stop().then(() => {
    isStopped = true;
  });
  await until(() => expect(rig.slack.sockets()).toEqual([]));
  work.reject(new Error('boom'));
  await until(() => expect(rig.lines.map(({ message }) => message)).toContain('a listener of Slack failed'));
  await settle();
  expect(isStopped).toBe(false);
  told.resolve();
  await stopped;
});

test('an envelope that comes twice is acknowledged twice; what it means is the listener’s to know', async () => {
  const got: string[] = [];
  await rig.connectedApp({ mention: async ({ ts }) => void got.push(ts) });
  rig.slack.faults.envelope('events_api', 'twice');
  await rig.slack.as('alice').say('deploys', '@capdeploy deploy').delivered;
  await until(() => expect(got).toHaveLength(2));
  expect(new Set(got).size).toBe(1);
  expect(rig.slack.world.violations).toEqual([]);
});

/** Once a mention that was sent now is acknowledged, so has arrived what was sent before. */
async function arrival(): Promise<void> {
  await rig.slack.as('bob').say('deploys', '@capdeploy status').delivered;
}

const checking = {
  type: 'modal' as const,
  title: plain('Checking'),
  blocks: [{ type: 'section' as const, text: plain('one moment') }],
};

const view = (submit: (submission: Submission) => Promise<undefined>) => ({
  submit,
  late: () => undefined,
  failed: () => undefined,
  afterLate: async () => {},
});

/** `/deploy` opens the form of the example. */
async function openForm(listeners: Partial<Listeners>): Promise<void> {
  const { api } = rig.api();
  await rig.connectedApp({
    options: { revision: { suggest: async () => ({ options: [option('v1')] }), late: () => ({ options: [] }) } },
    ...listeners,
    command: async ({ triggerId, channelId }) => {
      await api.openView(triggerId, form({ private_metadata: channelId }));
    },
  });
  await rig.slack.as('alice').command('deploys', '/deploy');
  await until(() => rig.slack.as('alice').form());
}

async function submit() {
  const alice = rig.slack.as('alice').form();
  await alice.fill('Repository', 'web');
  await alice.search('Revision', 'v');
  await alice.pick('Revision', 'v1');
  return await alice.submit();
}
