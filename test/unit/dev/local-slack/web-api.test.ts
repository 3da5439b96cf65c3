import { describe, expect, test } from 'vitest';
import type { Json } from '../../../../dev/local-slack/json.ts';
import { webClient } from './bolt-app.ts';
import { code, refusal, useSlack } from './rig.ts';

const rig = useSlack();

const raw = async (method: string, init: RequestInit): Promise<Json> =>
  (await (await fetch(rig.slack.apiUrl + method, { method: 'POST', ...init })).json()) as Json;

describe('tokens and scopes', () => {
  test('auth.test says who the bot is', async () => {
    expect(await rig.client.auth.test()).toMatchObject({
      user_id: rig.user('capdeploy'),
      team_id: 'T0TEAM',
      bot_id: 'B0CAPDEPLOY',
    });
  });

  test('a token that is missing, unknown, revoked, or of the wrong kind', async () => {
    const { appToken } = rig.slack.app('capdeploy');
    expect(await code(webClient(rig.slack, 'capdeploy', '').auth.test())).toBe('not_authed');
    expect(await code(webClient(rig.slack, 'capdeploy', 'xoxb-no').auth.test())).toBe('invalid_auth');
    expect(await code(webClient(rig.slack, 'capdeploy', appToken).auth.test())).toBe('not_allowed_token_type');
    expect(await code(rig.client.apps.connections.open())).toBe('not_allowed_token_type');
    rig.slack.app('capdeploy').tokenState = 'account_inactive';
    expect(await code(rig.client.auth.test())).toBe('account_inactive');
  });

  test('a token in a JSON body, and an app-level token in a form, are not read', async () => {
    const { appToken: token, botToken } = rig.slack.app('capdeploy');
    const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token: botToken }) };
    expect(await raw('auth.test', json)).toEqual({ ok: false, error: 'not_authed' });
    const form = new URLSearchParams({ token: botToken });
    expect(await raw('auth.test', { body: form })).toMatchObject({ ok: true });
    const appForm = new URLSearchParams({ token });
    expect(await raw('apps.connections.open', { body: appForm })).toEqual({ ok: false, error: 'not_authed' });
  });

  const SCOPES: [string, string, () => Promise<unknown>][] = [
    ['chat:write', 'chat:write', () => rig.post()],
    [
      'chat:write',
      'chat:write',
      () => rig.client.chat.update({ channel: rig.channel('deploys').id, ts: '1', text: 'x' }),
    ],
    ['users:read', 'users:read', () => rig.client.users.info({ user: rig.user('alice') })],
    ['usergroups:read', 'usergroups:read', () => rig.client.usergroups.users.list({ usergroup: 'S0RELEASE' })],
    ['groups:read', 'groups:read', () => rig.client.conversations.info({ channel: rig.channel('prod').id })],
    ['channels:read', 'channels:read', () => rig.client.conversations.members({ channel: rig.channel('deploys').id })],
    ['groups:history', 'groups:history', () => rig.client.conversations.history({ channel: rig.channel('prod').id })],
    [
      'reactions:write',
      'reactions:write',
      () => rig.client.reactions.add({ channel: rig.channel('deploys').id, timestamp: '1', name: 'x' }),
    ],
  ];
  test.each(SCOPES)('without %s: missing_scope, which names it (%s)', async (scope, needed, call) => {
    await rig.end();
    await rig.begin((seed) => {
      seed.apps[0]!.scopes = seed.apps[0]!.scopes.filter((one) => one !== scope);
    });
    const refused = await refusal(call());
    expect(refused).toMatchObject({ error: 'missing_scope', needed });
    expect(String(refused.provided).split(',')).not.toContain(scope);
  });
});

describe('arguments', () => {
  test('what is missing, of no known name, of the wrong type; methods, bodies', async () => {
    expect(await refusal(rig.client.apiCall('users.info', {}))).toMatchObject({
      error: 'invalid_arguments',
      response_metadata: { messages: ['[ERROR] missing required field: user'] },
    });
    expect(await code(rig.client.apiCall('users.info', { user: rig.user('alice'), colour: 'red' }))).toBe(
      'invalid_arguments',
    );
    expect(
      await code(rig.client.apiCall('conversations.history', { channel: rig.channel('deploys').id, limit: 'many' })),
    ).toBe('invalid_arguments');
    expect(await refusal(rig.client.apiCall('chat.nothing'))).toMatchObject({
      error: 'unknown_method',
      req_method: 'chat.nothing',
    });
    const headers = { authorization: `Bearer ${rig.slack.app('capdeploy').botToken}` };
    const type = (value: string): Record<string, string> => ({ ...headers, 'content-type': value });
    const json = JSON.stringify({ user: rig.user('alice') });
    expect((await raw('auth.test', { headers: type('application/json'), body: '{' })).error).toBe('invalid_json');
    expect((await raw('auth.test', { headers: type('application/json'), body: '[]' })).error).toBe('json_not_object');
    expect((await raw('auth.test', { headers: type('image/png'), body: 'x' })).error).toBe('invalid_post_type');
    // users.info takes forms only: the body is not read.
    expect((await raw('users.info', { headers: type('application/json'), body: json })).error).toBe(
      'invalid_arguments',
    );
  });

  test('chat.postMessage takes JSON with blocks as they are, and a form with blocks as JSON', async () => {
    const { botToken } = rig.slack.app('capdeploy');
    const headers = { authorization: `Bearer ${botToken}`, 'content-type': 'application/json; charset=utf-8' };
    const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: 'by *JSON*' } }];
    const body = JSON.stringify({ channel: rig.channel('deploys').id, blocks });
    expect(await raw('chat.postMessage', { headers, body })).toMatchObject({ ok: true });
    await rig.post({ text: '', blocks });
    expect(rig.slack.as('alice').reads.lines('deploys')).toEqual(['capdeploy: by *JSON*', 'capdeploy: by *JSON*']);
    expect(await code(rig.post({ blocks: '{' }))).toBe('invalid_blocks_format');
    expect(await code(rig.post({ blocks: {} }))).toBe('invalid_blocks_format');
  });
});

describe('rates', () => {
  const RATES: [string, number, () => Promise<unknown>][] = [
    ['tier 2', 20, () => rig.client.usergroups.users.list({ usergroup: 'S0RELEASE' })],
    ['tier 3', 50, () => rig.client.conversations.info({ channel: rig.channel('deploys').id })],
    ['tier 4', 100, () => rig.client.users.info({ user: rig.user('alice') })],
  ];
  test.each(RATES)('%s: %i calls in a minute, then 429 until the first is a minute old', async (_, limit, call) => {
    await Promise.all(Array.from({ length: limit }, call));
    rig.clock.advance(15_000);
    const { retryAfter } = (await refusal(call())) as { retryAfter: number };
    expect(retryAfter).toBeGreaterThanOrEqual(44);
    expect(retryAfter).toBeLessThanOrEqual(45);
    rig.clock.advance(retryAfter * 1000);
    await call();
  });

  test('one post a second into each channel, three at once; other channels and methods go on', async () => {
    await Promise.all([rig.post(), rig.post(), rig.post()]);
    expect(await refusal(rig.post())).toMatchObject({ code: 'slack_webapi_rate_limited_error', retryAfter: 1 });
    await rig.post({ channel: rig.channel('prod').id });
    await rig.client.auth.test();
    rig.clock.advance(1000);
    await rig.post();
    expect(await refusal(rig.post())).toMatchObject({ retryAfter: 1 });
    expect(rig.slack.world.calls.filter(({ answer }) => answer === 'ratelimited')).toHaveLength(2);
  });
});
