import { describe, expect, test } from 'vitest';
import type { AppSeed } from '../../../../dev/local-slack/app.ts';
import type { Json } from '../../../../dev/local-slack/json.ts';
import { until } from '../../../kit/eventually.ts';
import { type BoltApp, webClient } from './bolt-app.ts';
import { useSlack } from './rig.ts';

const rig = useSlack();

describe('a mention', () => {
  test('reaches the bot as it was typed, with entities and links', async () => {
    const events: Json[] = [];
    rig.bolt.app.event('app_mention', async ({ event, body }) => {
      events.push({ ...event, authorizations: body.authorizations });
    });
    await rig.bolt.connect();
    const said = rig.slack.as('alice').say('deploys', '@capdeploy deploy web & api for @bob in #prod from example.com');
    expect(await said.delivered).toEqual([{ acknowledged: true, payload: {}, attempt: 0 }]);
    expect(events).toMatchObject([
      {
        type: 'app_mention',
        user: 'U0ALICE',
        channel: 'C0DEPLOYS',
        ts: said.message.ts,
        text: '<@U0CAPDEPLOY> deploy web &amp; api for <@U0BOB> in <#C0PROD> from <http://example.com|example.com>',
        blocks: [{ type: 'rich_text' }],
        authorizations: [{ user_id: 'U0CAPDEPLOY', is_bot: true }],
      },
    ]);
    expect(rig.slack.as('bob').reads.lines('deploys')).toEqual([
      'alice: ⟦@capdeploy⟧ deploy web & api for ⟦@bob⟧ in ⟦#prod⟧ from ⟦example.com|http://example.com⟧',
    ]);
    expect(rig.slack.world.violations).toEqual([]);
  });

  test('in a thread, edited, forwarded, by a workflow, by a stranger: each is to be told apart', async () => {
    const events: Json[] = [];
    rig.bolt.app.event('app_mention', async ({ event }) => {
      events.push({ ...event });
    });
    await rig.bolt.connect();
    const { message } = rig.slack.as('alice').say('deploys', 'hello');
    await rig.slack.as('alice').say('deploys', '@capdeploy in a thread', { thread: message.ts }).delivered;
    await rig.slack.as('alice').edit(message, '@capdeploy edited').delivered;
    const quoted = rig.slack.as('bob').say('elsewhere', '@capdeploy quoted');
    await rig.slack.as('bob').forward(quoted.message, 'deploys', 'see').delivered;
    await rig.slack.as('workflow').say('deploys', '@capdeploy by a workflow').delivered;
    await rig.slack.as('eve').say('shared', '@capdeploy by a stranger').delivered;
    expect(events).toMatchObject([
      { thread_ts: message.ts },
      { ts: message.ts, edited: { user: 'U0ALICE' } },
      { text: 'see', attachments: [{ is_share: true, text: '<@U0CAPDEPLOY> quoted' }] },
      { bot_id: 'B0WORKFLOW' },
      { user_team: 'T0OTHER' },
    ]);
  });

  test('does not reach a bot that is not in the channel, has no scope or no subscription; nobody writes where they are not', async () => {
    await rig.bolt.connect();
    expect(await rig.slack.as('bob').say('secret', '@capdeploy deploy').delivered).toEqual([]);
    expect(await rig.slack.as('alice').say('deploys', '@other deploy').delivered).toEqual([]);
    expect(() => rig.slack.as('alice').say('secret', 'x')).toThrow('alice is not in #secret');
    expect(() => rig.slack.as('alice').say('old', 'x')).toThrow('#old is archived');
  });
});

describe('which mentions are told', () => {
  test.each<[string, (app: AppSeed) => void]>([
    ['the scope', (app) => app.scopes.splice(app.scopes.indexOf('app_mentions:read'), 1)],
    ['the subscription', (app) => app.events?.splice(0)],
  ])('none without %s', async (_, take) => {
    await rig.end();
    await rig.begin((seed) => take(seed.apps[0]!));
    expect(await rig.slack.as('alice').say('deploys', '@capdeploy deploy').delivered).toEqual([]);
    expect(rig.slack.envelopes.deliveries).toEqual([]);
  });

  test('also those that an app writes', async () => {
    await webClient(rig.slack, 'other').chat.postMessage({ channel: 'C0DEPLOYS', text: '<@U0CAPDEPLOY> deploy' });
    await rig.post({ text: '<@U0CAPDEPLOY> myself' });
    expect(rig.slack.envelopes.deliveries.map(({ payload }) => payload.event)).toMatchObject([
      { user: 'U0OTHER', bot_id: 'B0OTHER' },
      { user: 'U0CAPDEPLOY', bot_id: 'B0CAPDEPLOY' },
    ]);
  });
});

describe('what is not acknowledged in 3 s', () => {
  test('an event comes again at once, after 1 min and after 5 min, each time with a reason', async () => {
    const { received } = await rig.bareSocket();
    const { delivered } = rig.slack.as('alice').say('deploys', '@capdeploy deploy');
    // 3 s for the answer, then the pause.
    for (const [count, pause] of [3000, 63_000, 303_000, 3000].entries()) {
      await until(() => expect(received).toHaveLength(Math.min(count + 2, 5)));
      rig.clock.advance(pause);
    }
    expect(await delivered).toEqual([{ acknowledged: false, why: 'operation_timeout' }]);
    const envelopes = received.slice(1);
    expect(envelopes.map((one) => [one.retry_attempt, one.retry_reason])).toEqual([
      [0, ''],
      [1, 'timeout'],
      [2, 'timeout'],
      [3, 'timeout'],
    ]);
    expect(new Set(envelopes.map((one) => one.envelope_id)).size).toBe(4);
    expect(new Set(envelopes.map((one) => (one.payload as Json).event_id)).size).toBe(1);
  });

  test('a command fails for its person, and yet comes once more', async () => {
    let commands = 0;
    rig.bolt.app.command('/deploy', async () => {
      commands += 1;
    });
    await rig.bolt.connect();
    const sent = rig.slack.as('alice').command('deploys', '/deploy', 'web');
    await until(() => expect(commands).toBe(1));
    rig.clock.advance(3000);
    expect(await sent).toEqual({ acknowledged: false, shown: '/deploy failed with the error "operation_timeout"' });
    await until(() => expect(commands).toBe(2));
    rig.clock.advance(600_000);
    expect(rig.slack.envelopes.deliveries).toHaveLength(2);
  });

  test('an acknowledgement that comes late counts for nothing', async () => {
    const acks: (() => Promise<void>)[] = [];
    rig.bolt.app.command('/deploy', async ({ ack }) => {
      acks.push(() => ack('late'));
    });
    await rig.bolt.connect();
    const sent = rig.slack.as('alice').command('deploys', '/deploy');
    await until(() => expect(acks).toHaveLength(1));
    rig.clock.advance(3000);
    await sent;
    await acks[0]!();
    await until(() => expect(rig.slack.world.violations).toEqual(['acknowledged late, or what was never sent']));
    expect(rig.slack.as('alice').reads.lines('deploys')).toEqual([]);
  });

  test('without a socket a command fails at once; an event waits for its repetition', async () => {
    const events: unknown[] = [];
    rig.bolt.app.event('app_mention', async ({ context }) => {
      events.push(context.retryNum);
    });
    const { delivered } = rig.slack.as('alice').say('deploys', '@capdeploy deploy');
    expect(await rig.slack.as('alice').command('deploys', '/deploy')).toEqual({
      acknowledged: false,
      shown: '/deploy failed with the error "dispatch_failed"',
    });
    await rig.bolt.connect();
    rig.clock.advance(3000);
    expect(await delivered).toEqual([{ acknowledged: true, payload: {}, attempt: 1 }]);
    expect(events).toEqual([1]);
  });
});

describe('envelopes by script', () => {
  const mentions = (app: BoltApp, into: string[], name: string): void => {
    app.app.event('app_mention', async () => {
      into.push(name);
    });
  };

  test('twice on one socket, and to both of two', async () => {
    const got: string[] = [];
    mentions(rig.bolt, got, 'first');
    await rig.bolt.connect();
    rig.slack.faults.envelope('events_api', 'twice');
    await rig.slack.as('alice').say('deploys', '@capdeploy one').delivered;
    await until(() => expect(got).toEqual(['first', 'first']));
    await rig.replica((other) => mentions(other, got, 'second'));
    rig.slack.faults.envelope('events_api', 'both');
    await rig.slack.as('alice').say('deploys', '@capdeploy two').delivered;
    await until(() => expect(got.slice(2).sort()).toEqual(['first', 'second']));
    expect(rig.slack.world.violations).toEqual([]);
  });

  test('lost: the repetition brings it', async () => {
    const got: string[] = [];
    mentions(rig.bolt, got, 'first');
    await rig.bolt.connect();
    rig.slack.faults.envelope('*', 'lost');
    const { delivered } = rig.slack.as('alice').say('deploys', '@capdeploy deploy');
    rig.clock.advance(3000);
    expect(await delivered).toEqual([{ acknowledged: true, payload: {}, attempt: 1 }]);
    expect(got).toEqual(['first']);
  });

  test('two sockets take turns', async () => {
    const got: string[] = [];
    mentions(rig.bolt, got, 'first');
    await rig.bolt.connect();
    await rig.replica((other) => mentions(other, got, 'second'));
    for (let count = 0; count < 4; count += 1) await rig.slack.as('alice').say('deploys', '@capdeploy go').delivered;
    expect(got.filter((one) => one === 'first')).toHaveLength(2);
  });
});

test('an answer to an event, one given twice, and one that is none, are violations', async () => {
  const { socket, received } = await rig.bareSocket();
  const { delivered } = rig.slack.as('alice').say('deploys', '@capdeploy deploy');
  await until(() => expect(received).toHaveLength(2));
  const envelope_id = received[1]!.envelope_id;
  for (const answer of [{ envelope_id, payload: { text: 'x' } }, { envelope_id }, {}])
    socket.send(JSON.stringify(answer));
  await until(() => expect(rig.slack.world.violations).toHaveLength(3));
  expect(rig.slack.world.violations).toEqual([
    'an answer to an event',
    'acknowledged more than once',
    'not an answer: {}',
  ]);
  expect(await delivered).toMatchObject([{ acknowledged: true }]);
});

test('any other event can be sent', async () => {
  const events: unknown[] = [];
  rig.bolt.app.event('tokens_revoked', async ({ event }) => {
    events.push(event.tokens);
  });
  await rig.bolt.connect();
  await rig.slack.emit('capdeploy', { type: 'tokens_revoked', tokens: { bot: ['U0CAPDEPLOY'] } });
  expect(events).toEqual([{ bot: ['U0CAPDEPLOY'] }]);
});
