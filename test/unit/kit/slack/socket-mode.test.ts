import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { TravelClock } from '../../../kit/slack/clock.ts';
import type { Json } from '../../../kit/slack/json.ts';
import { LocalSlack } from '../../../kit/slack/local-slack.ts';
import { until } from '../../../kit/until.ts';
import { BoltApp, webClient } from './bolt-app.ts';
import { example } from './example.ts';

let clock: TravelClock;
let slack: LocalSlack;
let bolt: BoltApp;
let more: AsyncDisposable[];

beforeEach(async () => {
  clock = new TravelClock();
  slack = await LocalSlack.start(example(), clock);
  bolt = new BoltApp(slack);
  more = [];
});
afterEach(async () => {
  for (const one of [...more, bolt, slack]) await one[Symbol.asyncDispose]();
});

/** One more replica of the bot. */
async function replica(set: (bolt: BoltApp) => void): Promise<BoltApp> {
  const other = new BoltApp(slack);
  set(other);
  more.push(other);
  return await other.connect();
}

/** A WebSocket of nobody's library, to see what Slack itself sends. */
async function bareSocket(): Promise<{ socket: WebSocket; received: Json[] }> {
  const { appToken } = slack.app('capdeploy');
  const { url } = await webClient(slack, 'capdeploy', appToken).apps.connections.open();
  const socket = new WebSocket(String(url));
  const received: Json[] = [];
  socket.on('message', (data) => received.push(JSON.parse(String(data)) as Json));
  more.push({ [Symbol.asyncDispose]: async () => socket.terminate() });
  await new Promise((resolve) => socket.once('message', resolve));
  return { socket, received };
}

const openings = (): number => slack.world.calls.filter(({ method }) => method === 'apps.connections.open').length;

describe('a mention', () => {
  test('reaches the bot as it was typed, with entities and links', async () => {
    const events: Json[] = [];
    bolt.app.event('app_mention', async ({ event, body }) => {
      events.push({ ...event, authorizations: body.authorizations });
    });
    await bolt.connect();
    const said = slack.as('alice').say('deploys', '@capdeploy deploy web & api for @bob in #prod from example.com');
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
    expect(slack.as('bob').reads.lines('deploys')).toEqual([
      'alice: ⟦@capdeploy⟧ deploy web & api for ⟦@bob⟧ in ⟦#prod⟧ from ⟦example.com|http://example.com⟧',
    ]);
    expect(slack.world.violations).toEqual([]);
  });

  test('in a thread, edited, forwarded, by a workflow, by a stranger: each is to be told apart', async () => {
    const events: Json[] = [];
    bolt.app.event('app_mention', async ({ event }) => {
      events.push({ ...event });
    });
    await bolt.connect();
    const { message } = slack.as('alice').say('deploys', 'hello');
    await slack.as('alice').say('deploys', '@capdeploy in a thread', { thread: message.ts }).delivered;
    await slack.as('alice').edit(message, '@capdeploy edited').delivered;
    const quoted = slack.as('bob').say('elsewhere', '@capdeploy quoted');
    await slack.as('bob').forward(quoted.message, 'deploys', 'see').delivered;
    await slack.as('workflow').say('deploys', '@capdeploy by a workflow').delivered;
    await slack.as('eve').say('shared', '@capdeploy by a stranger').delivered;
    expect(events).toMatchObject([
      { thread_ts: message.ts },
      { ts: message.ts, edited: { user: 'U0ALICE' } },
      { text: 'see', attachments: [{ is_share: true, text: '<@U0CAPDEPLOY> quoted' }] },
      { bot_id: 'B0WORKFLOW' },
      { user_team: 'T0OTHER' },
    ]);
  });

  test('does not reach a bot that is not in the channel, has no scope or no subscription; nobody writes where they are not', async () => {
    await bolt.connect();
    expect(await slack.as('bob').say('secret', '@capdeploy deploy').delivered).toEqual([]);
    expect(await slack.as('alice').say('deploys', '@other deploy').delivered).toEqual([]);
    expect(() => slack.as('alice').say('secret', 'x')).toThrow('alice is not in #secret');
    expect(() => slack.as('alice').say('old', 'x')).toThrow('#old is archived');
  });
});

describe('what is not acknowledged in 3 s', () => {
  test('an event comes again at once, after 1 min and after 5 min, each time with a reason', async () => {
    const { received } = await bareSocket();
    const { delivered } = slack.as('alice').say('deploys', '@capdeploy deploy');
    // 3 s for the answer, then the pause.
    for (const [count, pause] of [3000, 63_000, 303_000, 3000].entries()) {
      await until(() => expect(received).toHaveLength(Math.min(count + 2, 5)));
      clock.advance(pause);
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
    bolt.app.command('/deploy', async () => {
      commands += 1;
    });
    await bolt.connect();
    const sent = slack.as('alice').command('deploys', '/deploy', 'web');
    await until(() => expect(commands).toBe(1));
    clock.advance(3000);
    expect(await sent).toEqual({ acknowledged: false, shown: '/deploy failed with the error "operation_timeout"' });
    await until(() => expect(commands).toBe(2));
    clock.advance(600_000);
    expect(slack.envelopes.deliveries).toHaveLength(2);
  });

  test('an acknowledgement that comes late counts for nothing', async () => {
    const acks: (() => Promise<void>)[] = [];
    bolt.app.command('/deploy', async ({ ack }) => {
      acks.push(() => ack('late'));
    });
    await bolt.connect();
    const sent = slack.as('alice').command('deploys', '/deploy');
    await until(() => expect(acks).toHaveLength(1));
    clock.advance(3000);
    await sent;
    await acks[0]!();
    await until(() => expect(slack.world.violations).toEqual(['acknowledged late, or what was never sent']));
    expect(slack.as('alice').reads.lines('deploys')).toEqual([]);
  });

  test('without a socket a command fails at once; an event waits for its repetition', async () => {
    const events: unknown[] = [];
    bolt.app.event('app_mention', async ({ context }) => {
      events.push(context.retryNum);
    });
    const { delivered } = slack.as('alice').say('deploys', '@capdeploy deploy');
    expect(await slack.as('alice').command('deploys', '/deploy')).toEqual({
      acknowledged: false,
      shown: '/deploy failed with the error "dispatch_failed"',
    });
    await bolt.connect();
    clock.advance(3000);
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
    mentions(bolt, got, 'first');
    await bolt.connect();
    slack.faults.envelope('events_api', 'twice');
    await slack.as('alice').say('deploys', '@capdeploy one').delivered;
    await until(() => expect(got).toEqual(['first', 'first']));
    await replica((other) => mentions(other, got, 'second'));
    slack.faults.envelope('events_api', 'both');
    await slack.as('alice').say('deploys', '@capdeploy two').delivered;
    await until(() => expect(got.slice(2).sort()).toEqual(['first', 'second']));
    expect(slack.world.violations).toEqual([]);
  });

  test('lost: the repetition brings it', async () => {
    const got: string[] = [];
    mentions(bolt, got, 'first');
    await bolt.connect();
    slack.faults.envelope('*', 'lost');
    const { delivered } = slack.as('alice').say('deploys', '@capdeploy deploy');
    clock.advance(3000);
    expect(await delivered).toEqual([{ acknowledged: true, payload: {}, attempt: 1 }]);
    expect(got).toEqual(['first']);
  });

  test('two sockets take turns', async () => {
    const got: string[] = [];
    mentions(bolt, got, 'first');
    await bolt.connect();
    await replica((other) => mentions(other, got, 'second'));
    for (let count = 0; count < 4; count += 1) await slack.as('alice').say('deploys', '@capdeploy go').delivered;
    expect(got.filter((one) => one === 'first')).toHaveLength(2);
  });
});

describe('connections', () => {
  test('hello says how many sockets there are and how long this one lives', async () => {
    await bolt.connect();
    const { received } = await bareSocket();
    expect(received).toEqual([
      {
        type: 'hello',
        num_connections: 2,
        connection_info: { app_id: 'A0CAPDEPLOY' },
        debug_info: expect.objectContaining({ approximate_connection_time: 18_060 }),
      },
    ]);
  });

  test('a ticket opens one socket, within 30 s', async () => {
    const { appToken } = slack.app('capdeploy');
    const open = async (): Promise<string> =>
      String((await webClient(slack, 'capdeploy', appToken).apps.connections.open()).url);
    const status = (url: string): Promise<number> =>
      new Promise((resolve) => {
        const socket = new WebSocket(url);
        more.push({ [Symbol.asyncDispose]: async () => socket.terminate() });
        socket.on('open', () => resolve(101));
        socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
        socket.on('error', () => {});
      });
    const url = await open();
    expect(await status(url)).toBe(101);
    expect(await status(url)).toBe(401);
    const late = await open();
    clock.advance(30_001);
    expect(await status(late)).toBe(401);
  });

  test('an eleventh socket is one too many', async () => {
    for (let count = 0; count < 10; count += 1) await bareSocket();
    const { received } = await bareSocket();
    expect(received).toMatchObject([{ type: 'disconnect', reason: 'too_many_websockets' }]);
    expect(slack.sockets('capdeploy').filter(({ takesEnvelopes }) => takesEnvelopes)).toHaveLength(10);
  });

  test('a warning comes 10 s before the refresh; then the socket takes nothing more', async () => {
    const { socket, received } = await bareSocket();
    slack.sockets()[0]!.warn();
    await until(() => expect(received[1]).toMatchObject({ type: 'disconnect', reason: 'warning' }));
    expect(slack.sockets()[0]!.takesEnvelopes).toBe(true);
    clock.advance(10_000);
    await until(() => expect(received[2]).toMatchObject({ reason: 'refresh_requested' }));
    expect(slack.sockets()[0]!.takesEnvelopes).toBe(false);
    clock.advance(10_000);
    await until(() => expect(socket.readyState).toBeGreaterThanOrEqual(socket.CLOSING));
  });

  test('Slack answers a close but leaves the connection: a client that waits for its end waits', async () => {
    const { appToken } = slack.app('capdeploy');
    const { url } = await webClient(slack, 'capdeploy', appToken).apps.connections.open();
    const socket = new globalThis.WebSocket(String(url));
    await new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }));
    socket.close(1000);
    await until(() => expect(slack.sockets()[0]!.takesEnvelopes).toBe(false));
    // Another connection is made and heard of meanwhile.
    await bareSocket();
    expect(slack.sockets()).toHaveLength(2);
    expect(socket.readyState).toBe(socket.CLOSING);
  });

  const LOSSES: [string, () => void][] = [
    ['a refresh', () => slack.sockets()[0]!.refresh()],
    ['a warning', () => slack.sockets()[0]!.warn()],
    ['Socket Mode switched off', () => slack.sockets()[0]!.disable()],
    ['a close', () => slack.sockets()[0]!.close()],
    ['a reset', () => slack.sockets()[0]!.reset()],
    ['silence', () => slack.sockets()[0]!.silence()],
  ];
  test.each(LOSSES)('after %s the bot connects again and hears what is said then', async (_, lose) => {
    bolt.app.event('app_mention', async () => {});
    await bolt.connect();
    lose();
    await until(() => expect(openings()).toBe(2));
    await until(() => expect(slack.sockets().some((one) => one.takesEnvelopes && !one.silent)).toBe(true));
    const { delivered } = slack.as('alice').say('deploys', '@capdeploy deploy');
    await until(() => expect(slack.envelopes.deliveries).toHaveLength(1));
    // What went to the old socket is repeated on the new one.
    if (slack.envelopes.deliveries[0]!.socket?.silent) clock.advance(3000);
    expect(await delivered).toMatchObject([{ acknowledged: true }]);
  });

  test('what a silent socket swallows comes again on another one', async () => {
    bolt.app.event('app_mention', async () => {});
    await bolt.connect();
    await replica((other) => other.app.event('app_mention', async () => {}));
    slack.sockets()[0]!.silence();
    const { delivered } = slack.as('alice').say('deploys', '@capdeploy deploy');
    expect(slack.envelopes.deliveries[0]!.socket!.silent).toBe(true);
    clock.advance(3000);
    expect(await delivered).toEqual([{ acknowledged: true, payload: {}, attempt: 1 }]);
  });

  test('a handshake refused, reset, or without hello; then it works', async () => {
    bolt.app.event('app_mention', async () => {});
    slack.faults.connect({ kind: 'status', status: 503 });
    slack.faults.connect({ kind: 'reset' });
    await bolt.connect().catch(() => {});
    await until(() => expect(slack.sockets()).toHaveLength(1));
    expect(openings()).toBe(3);
    expect(await slack.as('alice').say('deploys', '@capdeploy deploy').delivered).toMatchObject([
      { acknowledged: true },
    ]);
  });

  test('a handshake that hangs, and one without hello, do not connect', async () => {
    const { appToken } = slack.app('capdeploy');
    for (const kind of ['hang', 'silent'] as const) {
      slack.faults.connect({ kind });
      const { url } = await webClient(slack, 'capdeploy', appToken).apps.connections.open();
      const socket = new WebSocket(String(url));
      const events: string[] = [];
      socket.on('error', () => {});
      for (const event of ['open', 'message']) socket.on(event, () => events.push(event));
      more.push({ [Symbol.asyncDispose]: async () => socket.terminate() });
      // Another socket gets through meanwhile, so the first one had its time.
      await bareSocket();
      await bareSocket();
      expect(events).toEqual(kind === 'hang' ? [] : ['open']);
    }
  });
});

test('an answer to an event, one given twice, and one that is none, are violations', async () => {
  const { socket, received } = await bareSocket();
  const { delivered } = slack.as('alice').say('deploys', '@capdeploy deploy');
  await until(() => expect(received).toHaveLength(2));
  const envelope_id = received[1]!.envelope_id;
  for (const answer of [{ envelope_id, payload: { text: 'x' } }, { envelope_id }, {}])
    socket.send(JSON.stringify(answer));
  await until(() => expect(slack.world.violations).toHaveLength(3));
  expect(slack.world.violations).toEqual(['an answer to an event', 'acknowledged more than once', 'not an answer: {}']);
  expect(await delivered).toMatchObject([{ acknowledged: true }]);
});

test('any other event can be sent', async () => {
  const events: unknown[] = [];
  bolt.app.event('tokens_revoked', async ({ event }) => {
    events.push(event.tokens);
  });
  await bolt.connect();
  await slack.emit('capdeploy', { type: 'tokens_revoked', tokens: { bot: ['U0CAPDEPLOY'] } });
  expect(events).toEqual([{ bot: ['U0CAPDEPLOY'] }]);
});
