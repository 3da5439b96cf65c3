import type { WebClient } from '@slack/web-api';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { TravelClock } from '../../../kit/slack/clock.ts';
import type { Json } from '../../../kit/slack/json.ts';
import { LocalSlack } from '../../../kit/slack/local-slack.ts';
import { webClient } from './bolt-app.ts';
import { example } from './example.ts';

let clock: TravelClock;
let slack: LocalSlack;
let client: WebClient;

const begin = async (change: (seed: ReturnType<typeof example>) => void = () => {}): Promise<void> => {
  await slack?.[Symbol.asyncDispose]();
  const seed = example();
  change(seed);
  clock = new TravelClock();
  slack = await LocalSlack.start(seed, clock);
  client = webClient(slack);
};
beforeEach(() => begin());
afterAll(() => slack[Symbol.asyncDispose]());

/** The error of the Web API, in full. */
async function refusal(call: Promise<unknown>): Promise<Json> {
  const error = await call.then(
    () => ({ data: { error: 'none' } }),
    (reason: { data?: Json; retryAfter?: number }) => reason,
  );
  return error.data ?? (error as Json);
}
const code = async (call: Promise<unknown>): Promise<unknown> => (await refusal(call)).error;

const id = (channel: string): string => slack.world.team.channel(channel).id;
const user = (name: string): string => slack.world.team.user(name).id;
const api = async (method: string, args: Json): Promise<Json> => ({ ...(await client.apiCall(method, args)) });
const post = async (more: Json = {}): Promise<string> =>
  String((await api('chat.postMessage', { channel: id('deploys'), text: 'x', ...more })).ts);
const raw = async (method: string, init: RequestInit): Promise<Json> =>
  (await (await fetch(slack.apiUrl + method, { method: 'POST', ...init })).json()) as Json;

describe('tokens and scopes', () => {
  test('auth.test says who the bot is', async () => {
    expect(await client.auth.test()).toMatchObject({
      user_id: user('capdeploy'),
      team_id: 'T0TEAM',
      bot_id: 'B0CAPDEPLOY',
    });
  });

  test('a token that is missing, unknown, revoked, or of the wrong kind', async () => {
    const { appToken } = slack.app('capdeploy');
    expect(await code(webClient(slack, 'capdeploy', '').auth.test())).toBe('not_authed');
    expect(await code(webClient(slack, 'capdeploy', 'xoxb-no').auth.test())).toBe('invalid_auth');
    expect(await code(webClient(slack, 'capdeploy', appToken).auth.test())).toBe('not_allowed_token_type');
    expect(await code(client.apps.connections.open())).toBe('not_allowed_token_type');
    slack.app('capdeploy').tokenState = 'account_inactive';
    expect(await code(client.auth.test())).toBe('account_inactive');
  });

  test('a token in a JSON body, and an app-level token in a form, are not read', async () => {
    const { appToken: token, botToken } = slack.app('capdeploy');
    const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token: botToken }) };
    expect(await raw('auth.test', json)).toEqual({ ok: false, error: 'not_authed' });
    const form = new URLSearchParams({ token: botToken });
    expect(await raw('auth.test', { body: form })).toMatchObject({ ok: true });
    const appForm = new URLSearchParams({ token });
    expect(await raw('apps.connections.open', { body: appForm })).toEqual({ ok: false, error: 'not_authed' });
  });

  const SCOPES: [string, string, () => Promise<unknown>][] = [
    ['chat:write', 'chat:write', () => post()],
    ['chat:write', 'chat:write', () => client.chat.update({ channel: id('deploys'), ts: '1', text: 'x' })],
    ['users:read', 'users:read', () => client.users.info({ user: user('alice') })],
    ['usergroups:read', 'usergroups:read', () => client.usergroups.users.list({ usergroup: 'S0RELEASE' })],
    ['groups:read', 'groups:read', () => client.conversations.info({ channel: id('prod') })],
    ['channels:read', 'channels:read', () => client.conversations.members({ channel: id('deploys') })],
    ['groups:history', 'groups:history', () => client.conversations.history({ channel: id('prod') })],
    [
      'reactions:write',
      'reactions:write',
      () => client.reactions.add({ channel: id('deploys'), timestamp: '1', name: 'x' }),
    ],
  ];
  test.each(SCOPES)('without %s: missing_scope, which names it (%s)', async (scope, needed, call) => {
    await begin((seed) => {
      seed.apps[0]!.scopes = seed.apps[0]!.scopes.filter((one) => one !== scope);
    });
    const refused = await refusal(call());
    expect(refused).toMatchObject({ error: 'missing_scope', needed });
    expect(String(refused.provided).split(',')).not.toContain(scope);
  });
});

describe('arguments', () => {
  test('what is missing, of no known name, of the wrong type; methods, bodies', async () => {
    expect(await refusal(client.apiCall('users.info', {}))).toMatchObject({
      error: 'invalid_arguments',
      response_metadata: { messages: ['[ERROR] missing required field: user'] },
    });
    expect(await code(client.apiCall('users.info', { user: user('alice'), colour: 'red' }))).toBe('invalid_arguments');
    expect(await code(client.apiCall('conversations.history', { channel: id('deploys'), limit: 'many' }))).toBe(
      'invalid_arguments',
    );
    expect(await refusal(client.apiCall('chat.nothing'))).toMatchObject({
      error: 'unknown_method',
      req_method: 'chat.nothing',
    });
    const headers = { authorization: `Bearer ${slack.app('capdeploy').botToken}` };
    const type = (value: string): Record<string, string> => ({ ...headers, 'content-type': value });
    const json = JSON.stringify({ user: user('alice') });
    expect((await raw('auth.test', { headers: type('application/json'), body: '{' })).error).toBe('invalid_json');
    expect((await raw('auth.test', { headers: type('application/json'), body: '[]' })).error).toBe('json_not_object');
    expect((await raw('auth.test', { headers: type('image/png'), body: 'x' })).error).toBe('invalid_post_type');
    // users.info takes forms only: the body is not read.
    expect((await raw('users.info', { headers: type('application/json'), body: json })).error).toBe(
      'invalid_arguments',
    );
  });

  test('chat.postMessage takes JSON with blocks as they are, and a form with blocks as JSON', async () => {
    const { botToken } = slack.app('capdeploy');
    const headers = { authorization: `Bearer ${botToken}`, 'content-type': 'application/json; charset=utf-8' };
    const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: 'by *JSON*' } }];
    const body = JSON.stringify({ channel: id('deploys'), blocks });
    expect(await raw('chat.postMessage', { headers, body })).toMatchObject({ ok: true });
    await post({ text: '', blocks });
    expect(slack.as('alice').reads.lines('deploys')).toEqual(['capdeploy: by *JSON*', 'capdeploy: by *JSON*']);
    expect(await code(post({ blocks: '{' }))).toBe('invalid_blocks_format');
    expect(await code(post({ blocks: {} }))).toBe('invalid_blocks_format');
  });
});

describe('posting', () => {
  test('into what does not exist, is not known, is archived, or has the bot not in it', async () => {
    expect(await code(post({ channel: 'C0NONE' }))).toBe('channel_not_found');
    expect(await code(post({ channel: '#deploys' }))).toBe('channel_not_found');
    expect(await code(post({ channel: id('secret') }))).toBe('channel_not_found');
    expect(await code(post({ channel: id('elsewhere') }))).toBe('not_in_channel');
    expect(await code(post({ channel: id('old') }))).toBe('is_archived');
  });

  test('with chat:write.public also into public channels without the bot', async () => {
    await begin((seed) => seed.apps[0]!.scopes.push('chat:write.public'));
    await post({ channel: id('elsewhere') });
    expect(await code(post({ channel: id('secret') }))).toBe('channel_not_found');
  });

  test('no text, too much text, too much in blocks', async () => {
    expect(await code(post({ text: '' }))).toBe('no_text');
    await post({ text: 'x'.repeat(40_000) });
    expect(await code(post({ text: 'x'.repeat(40_001) }))).toBe('msg_too_long');
    clock.advance(10_000);
    const section = (length: number): Json => ({ type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(length) } });
    const overhead = JSON.stringify([section(0), section(0), section(0), section(0), section(0)]).length;
    const full = (rest: number): Json[] => [...[1, 2, 3].map(() => section(3000)), section(2000), section(rest)];
    await post({ blocks: full(1000 - overhead) });
    expect(await code(post({ blocks: full(1001 - overhead) }))).toBe('msg_blocks_too_long');
  });

  test('blocks that break a rule: where, and in what words', async () => {
    const blocks = [
      { type: 'actions', elements: [{ type: 'button', text: { type: 'plain_text', text: 'x'.repeat(76) } }] },
    ];
    const message = 'must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]';
    expect(await refusal(post({ blocks }))).toMatchObject({
      error: 'invalid_blocks',
      errors: [message],
      response_metadata: { messages: [`[ERROR] ${message}`] },
    });
  });

  test('threads', async () => {
    const ts = await post();
    const reply = await post({ thread_ts: ts, text: 'in the thread' });
    await post({ thread_ts: ts, text: 'for all', reply_broadcast: true });
    const { reads } = slack.as('alice');
    expect(reads.lines('deploys')).toEqual(['capdeploy: x [2 replies]', 'capdeploy: for all']);
    expect(reads.thread('deploys', ts).map(({ text }) => text)).toEqual(['x', 'in the thread', 'for all']);
    clock.advance(10_000);
    expect(await code(post({ thread_ts: '1234567890.000001' }))).toBe('thread_not_found');
    expect(await code(post({ thread_ts: 'yesterday' }))).toBe('invalid_thread_ts');
    expect(await code(post({ thread_ts: reply }))).toBe('cannot_reply_to_message');
    clock.advance(10_000);
    expect(await code(post({ reply_broadcast: true }))).toBe('invalid_arguments');
  });

  test('metadata: its form, its size, and who reads it', async () => {
    const metadata = { event_type: 'deploy', event_payload: { job: 'web-1', what: 'outcome' } };
    await post({ metadata });
    const history = (more: Json): Promise<Json> => api('conversations.history', { channel: id('deploys'), ...more });
    expect((await history({})).messages).toEqual([expect.not.objectContaining({ metadata })]);
    expect((await history({ include_all_metadata: true })).messages).toEqual([expect.objectContaining({ metadata })]);
    const payload = (length: number): Json => ({ event_type: 'd', event_payload: { job: 'x'.repeat(length) } });
    const room = 4000 - JSON.stringify(payload(0)).length;
    await post({ metadata: payload(room) });
    clock.advance(10_000);
    expect(await code(post({ metadata: payload(room + 1) }))).toBe('metadata_too_large');
    expect(await code(post({ metadata: { event_type: 'd' } }))).toBe('invalid_metadata_format');
    expect(await code(post({ metadata: '{' }))).toBe('invalid_metadata_format');
    clock.advance(10_000);
    expect(await code(post({ metadata: { event_type: 'a b', event_payload: {} } }))).toBe('invalid_metadata_schema');
    expect(await code(post({ metadata: { event_type: 'd', event_payload: { a: {} } } }))).toBe(
      'invalid_metadata_schema',
    );
  });
});

describe('updating', () => {
  const update = (more: Json): Promise<unknown> =>
    client.apiCall('chat.update', { channel: id('deploys'), text: 'new', ...more });

  test('an own message is edited in place', async () => {
    const blocks = [{ type: 'section', text: { type: 'plain_text', text: 'running' } }];
    const ts = await post({ blocks, metadata: { event_type: 'deploy', event_payload: { job: 'web-1' } } });
    await update({ ts, blocks: [{ type: 'section', text: { type: 'plain_text', text: 'done :white_check_mark:' } }] });
    expect(slack.as('alice').reads.lines('deploys')).toEqual(['capdeploy: done ✅']);
    expect(slack.message('deploys', ts).metadata).toMatchObject({ event_type: 'deploy' });
    // Without `blocks` the old ones stay; an empty list removes them.
    await update({ ts, text: 'only the notification' });
    expect(slack.as('alice').reads.lines('deploys')).toEqual(['capdeploy: done ✅']);
    await update({ ts, text: 'plain', blocks: [], metadata: {} });
    expect(slack.as('alice').reads.lines('deploys')).toEqual(['capdeploy: plain (edited)']);
    expect(slack.message('deploys', ts).metadata).toBeUndefined();
  });

  test('what cannot be updated', async () => {
    const ts = await post();
    const others = await webClient(slack, 'other').chat.postMessage({ channel: id('deploys'), text: 'of another app' });
    const whisper = await client.chat.postEphemeral({ channel: id('deploys'), user: user('alice'), text: 'x' });
    expect(await code(update({ ts: others.ts }))).toBe('cant_update_message');
    expect(await code(update({ ts: slack.as('alice').say('deploys', 'of alice').message.ts }))).toBe(
      'cant_update_message',
    );
    expect(await code(update({ ts: whisper.message_ts }))).toBe('message_not_found');
    expect(await code(update({ ts: '1234567890.000001' }))).toBe('message_not_found');
    expect(await code(update({ ts, text: undefined }))).toBe('no_text');
    expect(await code(update({ ts, channel: id('secret') }))).toBe('channel_not_found');
    await update({ ts, text: 'x'.repeat(4000) });
    expect(await code(update({ ts, text: 'x'.repeat(4001) }))).toBe('msg_too_long');
    slack.as('root').remove(slack.message('deploys', ts));
    expect(await code(update({ ts }))).toBe('message_not_found');
    slack.world.team.channel('deploys').archived = true;
    expect(await code(update({ ts: others.ts }))).toBe('is_inactive');
  });
});

describe('ephemeral messages', () => {
  test('one person sees it, in no history', async () => {
    await client.chat.postEphemeral({ channel: id('deploys'), user: user('alice'), text: 'only you' });
    expect(slack.as('alice').reads.lines('deploys')).toEqual(['capdeploy: only you (only visible to you)']);
    expect(slack.as('bob').reads.lines('deploys')).toEqual([]);
    expect((await client.conversations.history({ channel: id('deploys') })).messages).toEqual([]);
  });

  test('who is not in the channel', async () => {
    const whisper = (channel: string, name: string): Promise<unknown> =>
      client.chat.postEphemeral({ channel: id(channel), user: user(name), text: 'x' });
    expect(await code(whisper('deploys', 'eve'))).toBe('user_not_in_channel');
    expect(await code(whisper('elsewhere', 'bob'))).toBe('not_in_channel');
    expect(await code(whisper('old', 'alice'))).toBe('is_archived');
  });
});

describe('reactions', () => {
  const add = (timestamp: string, name = 'x', channel = 'deploys'): Promise<unknown> =>
    client.reactions.add({ channel: id(channel), timestamp, name });
  const remove = (timestamp: string, name = 'x'): Promise<unknown> =>
    client.reactions.remove({ channel: id('deploys'), timestamp, name });

  test('are added and removed once', async () => {
    const { ts } = slack.as('alice').say('deploys', 'please').message;
    await add(ts, 'hourglass_flowing_sand');
    expect(await code(add(ts, 'hourglass_flowing_sand'))).toBe('already_reacted');
    await remove(ts, 'hourglass_flowing_sand');
    expect(await code(remove(ts, 'hourglass_flowing_sand'))).toBe('no_reaction');
    await add(ts, 'white_check_mark');
    expect(slack.as('alice').reads.lines('deploys')).toEqual(['alice: please ✅(capdeploy)']);
  });

  test('what cannot be reacted to', async () => {
    const { ts } = slack.as('alice').say('deploys', 'please').message;
    expect(await code(add(ts, 'no-such-emoji'))).toBe('invalid_name');
    expect(await code(add('1234567890.000001'))).toBe('message_not_found');
    expect(await code(add('now'))).toBe('bad_timestamp');
    expect(await code(add(ts, 'x', 'elsewhere'))).toBe('not_in_channel');
    expect(await code(add(ts, 'x', 'secret'))).toBe('channel_not_found');
    expect(await code(add(ts, 'x', 'old'))).toBe('is_archived');
  });
});

describe('who is who', () => {
  const person = async (name: string): Promise<Json> =>
    (await client.users.info({ user: user(name), include_locale: true })).user as Json;

  test('guests, bots, those who left, strangers; time zone and locale', async () => {
    expect(await person('alice')).toMatchObject({
      tz: 'Asia/Tokyo',
      locale: 'ja-JP',
      is_restricted: false,
      deleted: false,
    });
    expect(await person('gina')).toMatchObject({ is_restricted: true, is_ultra_restricted: false });
    expect(await person('sam')).toMatchObject({ is_restricted: true, is_ultra_restricted: true });
    expect(await person('workflow')).toMatchObject({ is_bot: true });
    expect(await person('eve')).toMatchObject({ is_stranger: true, team_id: 'T0OTHER' });
    expect(await person('dora')).toMatchObject({ deleted: true });
    expect(await person('dora')).not.toHaveProperty('tz');
    expect(await code(client.users.info({ user: 'U0NOBODY' }))).toBe('user_not_found');
  });

  test('channels: shared, archived, private, direct; what is hidden does not exist', async () => {
    const channel = async (name: string): Promise<Json> =>
      (await client.conversations.info({ channel: id(name) })).channel as Json;
    expect(await channel('deploys')).toMatchObject({ is_member: true, is_private: false, is_ext_shared: false });
    expect(await channel('elsewhere')).toMatchObject({ is_member: false });
    expect(await channel('prod')).toMatchObject({ is_private: true });
    expect(await channel('old')).toMatchObject({ is_archived: true });
    expect(await channel('shared')).toMatchObject({ is_ext_shared: true, is_shared: true });
    expect(await code(client.conversations.info({ channel: id('secret') }))).toBe('channel_not_found');
  });

  test('a direct message needs a scope of its own', async () => {
    expect(await refusal(client.conversations.info({ channel: id('direct') }))).toMatchObject({
      error: 'missing_scope',
      needed: 'im:read',
    });
  });

  test('members, page by page', async () => {
    const members = (more: Json): Promise<Json> => api('conversations.members', { channel: id('prod'), ...more });
    const first = await members({ limit: 1 });
    expect(first.members).toEqual([user('alice')]);
    const { next_cursor: cursor } = first.response_metadata as { next_cursor: string };
    expect(await members({ limit: 1, cursor })).toMatchObject({
      members: [user('capdeploy')],
      response_metadata: { next_cursor: '' },
    });
    expect(await code(members({ cursor: 'x' }))).toBe('invalid_cursor');
    expect(await code(members({ limit: 1001 }))).toBe('invalid_limit');
  });

  test('user groups: those who left are not in them; a disabled one is not there', async () => {
    const users = async (usergroup: string, more = {}): Promise<unknown> =>
      (await client.usergroups.users.list({ usergroup, ...more })).users;
    expect(await users('S0RELEASE')).toEqual([user('alice')]);
    expect(await code(users('S0NONE'))).toBe('no_such_subteam');
    expect(await code(users('S0GONE'))).toBe('no_such_subteam');
    expect(await users('S0GONE', { include_disabled: true })).toEqual([user('alice')]);
  });
});

describe('history', () => {
  test('the newest first, between two moments, page by page, without replies', async () => {
    const said = ['one', 'two', 'three'].map((text) => slack.as('alice').say('deploys', text).message.ts);
    slack.as('alice').say('deploys', 'a reply', { thread: said[0]! });
    const texts = async (more: Json): Promise<unknown> =>
      ((await api('conversations.history', { channel: id('deploys'), ...more })).messages as Json[]).map(
        ({ text }) => text,
      );
    expect(await texts({})).toEqual(['three', 'two', 'one']);
    expect(await texts({ limit: 2 })).toEqual(['three', 'two']);
    expect(await texts({ oldest: said[1] })).toEqual(['three']);
    expect(await texts({ oldest: said[1], inclusive: true })).toEqual(['three', 'two']);
    expect(await texts({ latest: said[1] })).toEqual(['one']);
    expect(await code(texts({ latest: 'x' }))).toBe('invalid_ts_latest');
    expect(await code(texts({ channel: id('elsewhere') }))).toBe('not_in_channel');
  });
});

describe('rates', () => {
  const RATES: [string, number, () => Promise<unknown>][] = [
    ['tier 2', 20, () => client.usergroups.users.list({ usergroup: 'S0RELEASE' })],
    ['tier 3', 50, () => client.conversations.info({ channel: id('deploys') })],
    ['tier 4', 100, () => client.users.info({ user: user('alice') })],
  ];
  test.each(RATES)('%s: %i calls in a minute, then 429 until the first is a minute old', async (_, limit, call) => {
    await Promise.all(Array.from({ length: limit }, call));
    clock.advance(15_000);
    const { retryAfter } = (await refusal(call())) as { retryAfter: number };
    expect(retryAfter).toBeGreaterThanOrEqual(44);
    expect(retryAfter).toBeLessThanOrEqual(45);
    clock.advance(retryAfter * 1000);
    await call();
  });

  test('one post a second into each channel, three at once; other channels and methods go on', async () => {
    await Promise.all([post(), post(), post()]);
    expect(await refusal(post())).toMatchObject({ code: 'slack_webapi_rate_limited_error', retryAfter: 1 });
    await post({ channel: id('prod') });
    await client.auth.test();
    clock.advance(1000);
    await post();
    expect(await refusal(post())).toMatchObject({ retryAfter: 1 });
    expect(slack.world.calls.filter(({ answer }) => answer === 'ratelimited')).toHaveLength(2);
  });
});
