import { describe, expect, test } from 'vitest';
import type { Fault } from '../../../dev/local-slack/faults.ts';
import { SlackError } from '../../../src/slack/slack-error.ts';
import { until } from '../../kit/eventually.ts';
import { form, plain } from '../dev/local-slack/forms.ts';
import { fixed, useSlackRig } from './rig.ts';

const rig = useSlackRig();

const failure = (call: Promise<unknown>): Promise<SlackError> =>
  call.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as SlackError,
  );

const lines = (): string[] => rig.slack.as('alice').reads.lines('deploys');
const calls = (): string[] => rig.slack.world.calls.map(({ method }) => method);
const section = (text: string) => ({ type: 'section' as const, text: plain(text) });

describe('look-ups', () => {
  test('of a person', async () => {
    const { api } = rig.api();
    expect(await api.userInfo('U0ALICE')).toEqual({
      teamIds: ['T0TEAM'],
      isDeleted: false,
      isBot: false,
      isGuest: false,
      isStranger: false,
      name: 'alice',
      locale: 'ja-JP',
      timeZone: 'Asia/Tokyo',
    });
    const seen = async (name: string) => api.userInfo(rig.slack.world.team.user(name).id);
    expect(await seen('gina')).toMatchObject({ isGuest: true });
    expect(await seen('sam')).toMatchObject({ isGuest: true });
    expect(await seen('dora')).toMatchObject({ isDeleted: true, timeZone: undefined });
    expect(await seen('workflow')).toMatchObject({ isBot: true });
    expect(await seen('eve')).toMatchObject({ isStranger: true, teamIds: ['T0OTHER'] });
  });

  test('of a channel, and of who is in it', async () => {
    const { api } = rig.api();
    const plainChannel = { isShared: false, isArchived: false, isMember: true, isDirect: false };
    expect(await api.channelInfo('C0DEPLOYS')).toEqual(plainChannel);
    expect(await api.channelInfo('C0OLD')).toEqual({ ...plainChannel, isArchived: true });
    expect(await api.channelInfo('C0SHARED')).toEqual({ ...plainChannel, isShared: true });
    expect(await failure(api.channelInfo('C0SECRET'))).toMatchObject({ code: 'channel_not_found' });
    expect(await failure(api.channelInfo('D0DIRECT'))).toMatchObject({
      code: 'missing_scope',
      message: "Slack's conversations.info failed: missing_scope (needs the scope im:read)",
    });
    expect(await api.isMember('C0DEPLOYS', 'U0BOB')).toBe(true);
    expect(await api.isMember('C0PROD', 'U0BOB')).toBe(false);
  });

  test('of a member on a later page', async () => {
    const { team } = rig.slack.world;
    for (let count = 0; count < 450; count += 1) {
      team.channel('deploys').members.add(team.addUser(`user${count}`).id);
    }
    const { api } = rig.api();
    expect(await api.isMember('C0DEPLOYS', 'U0USER449')).toBe(true);
    expect(await api.isMember('C0DEPLOYS', 'U0NOBODY')).toBe(false);
    expect(calls()).toHaveLength(6);
  });

  test('of a group, and of the bot itself', async () => {
    const { api } = rig.api();
    expect(await api.groupMembers('S0RELEASE')).toEqual(['U0ALICE']);
    expect(await failure(api.groupMembers('S0GONE'))).toMatchObject({ code: 'no_such_subteam' });
    expect(await api.authTest()).toEqual({ teamId: 'T0TEAM', userId: 'U0CAPDEPLOY' });
  });
});

const LITERAL = { parse: 'none', link_names: false };

describe('messages', () => {
  test('nothing in the text becomes a mention, a link or a preview', async () => {
    const { api } = rig.api();
    const text = 'a & b <!channel> <@U0BOB> <https://x.test|click> @here';
    const { ts } = await api.postMessage({ channel: 'C0DEPLOYS', text });
    const message = rig.slack.message('deploys', ts);
    expect(message.text).toBe('a &amp; b &lt;!channel&gt; &lt;@U0BOB&gt; &lt;https://x.test|click&gt; @here');
    expect(rig.slack.world.messages.pings).toEqual([]);
    expect(message.options).toEqual({ ...LITERAL, mrkdwn: false, unfurl_links: false, unfurl_media: false });
    await api.postEphemeral({ channel: 'C0DEPLOYS', user: 'U0ALICE', threadTs: ts, text });
    const [own] = rig.slack.as('alice').reads.ephemerals('deploys');
    expect(own?.message).toMatchObject({ threadTs: ts, options: LITERAL });
    expect(own?.text).toBe(text);
  });

  test('a layout that Slack refuses is sent once more as text, and counted', async () => {
    const { api, metrics } = rig.api();
    const blocks = [section('x'.repeat(3_001))];
    const { ts } = await api.postMessage({ channel: 'C0DEPLOYS', text: 'web <production>', blocks });
    expect(rig.slack.message('deploys', ts)).toMatchObject({ blocks: [] });
    expect(lines()).toEqual(['capdeploy: web <production>']);
    const long = Array.from({ length: 49 }, () => section('y'.repeat(2_000)));
    rig.clock.advance(1_000);
    await api.postEphemeral({ channel: 'C0DEPLOYS', user: 'U0ALICE', text: 'both', blocks: long });
    expect(await metrics.text()).toContain('capdeployjob_slack_plain_text_total 2');
    expect(rig.lines.map(({ fields }) => fields)).toEqual([
      { method: 'chat.postMessage', code: 'invalid_blocks' },
      { method: 'chat.postEphemeral', code: 'msg_blocks_too_long' },
    ]);
  });

  test('a command is answered for its author alone, also where the bot is no member', async () => {
    const urls: string[] = [];
    await rig.connectedApp({ command: async ({ responseUrl }) => void urls.push(responseUrl) });
    await rig.slack.as('bob').command('elsewhere', '/deploy');
    await until(() => expect(urls).toHaveLength(1));
    const { api, metrics } = rig.api();
    const text = 'a & b <!channel>';
    await api.respond(urls[0]!, { text, blocks: [section('x'.repeat(3_001))] });
    expect(rig.slack.as('bob').reads.ephemerals('elsewhere')).toMatchObject([
      { text, onlyYou: true, message: { options: { ...LITERAL, mrkdwn: false } } },
    ]);
    expect(rig.slack.world.messages.pings).toEqual([]);
    expect(await metrics.text()).toContain('capdeployjob_slack_plain_text_total 1');
    rig.clock.advance(31 * 60_000);
    const late = await failure(api.respond(urls[0]!, { text }));
    expect(late).toMatchObject({ method: 'response_url', code: 'expired_url' });
    expect(String(late)).not.toContain(urls[0]);
  });

  test('a text of any length is sent', async () => {
    const { api } = rig.api();
    const { ts } = await api.postMessage({ channel: 'C0DEPLOYS', text: '&'.repeat(100_000) });
    expect(rig.slack.message('deploys', ts).text).toHaveLength(3_900 * '&amp;'.length);
  });

  test('any other refusal is an error, and nothing is repeated', async () => {
    const { api, metrics } = rig.api();
    const message = { channel: 'C0OLD', text: 'x', blocks: [section('x')] };
    expect(await failure(api.postMessage(message))).toMatchObject({ method: 'chat.postMessage', code: 'is_archived' });
    expect(calls()).toHaveLength(1);
    expect(await metrics.text()).toContain(
      'capdeployjob_slack_call_errors_total{method="chat.postMessage",code="is_archived"} 1',
    );
  });
});

test('views are opened and updated', async () => {
  const { api } = rig.api();
  const views: unknown[] = [];
  await rig.connectedApp({
    command: async ({ triggerId }) => {
      const first = await api.openView(triggerId, form());
      const second = await api.updateView(first.id, form({ title: plain('Second') }), first.hash);
      views.push(first, second, await failure(api.updateView(first.id, form(), first.hash)));
    },
  });
  await rig.slack.as('alice').command('deploys', '/deploy');
  await until(() => expect(views).toHaveLength(3));
  expect(rig.slack.as('alice').openViews).toEqual(['Second']);
  expect(views).toMatchObject([{ id: expect.any(String) }, { hash: expect.any(String) }, { code: 'hash_conflict' }]);
});

describe('what fails', () => {
  const FAULTS: [Fault, string][] = [
    [{ kind: 'status', status: 503 }, 'http_503'],
    [{ kind: 'reset' }, 'ECONNRESET'],
    [{ kind: 'html' }, 'not_json'],
    [{ kind: 'hang' }, 'timeout'],
    [{ kind: 'error', error: 'fatal_error' }, 'fatal_error'],
    [{ kind: 'lost' }, 'ECONNRESET'],
  ];
  test.each(FAULTS)('%o: one call, an error with a code', async (fault, code) => {
    const { api } = rig.api({ timeoutMs: fault.kind === 'hang' ? 50 : 5_000 });
    rig.slack.faults.web('users.info', fault, 5);
    const error = await failure(api.userInfo('U0ALICE'));
    expect(error).toBeInstanceOf(SlackError);
    expect(error).toMatchObject({ method: 'users.info', code, retryAfterMs: undefined });
    expect(calls()).toHaveLength(1);
  });

  test('a rate limit is an error at once, with how long Slack asks to wait, and holds no other call', async () => {
    const { api } = rig.api();
    rig.slack.faults.web('users.info', { kind: 'ratelimited', retryAfter: 30 });
    expect(await failure(api.userInfo('U0ALICE'))).toMatchObject({ code: 'ratelimited', retryAfterMs: 30_000 });
    expect(await api.authTest()).toMatchObject({ teamId: 'T0TEAM' });
  });

  test('an answer without the fields that decide is an error, not a "no"', async () => {
    const { api } = rig.api();
    const user = rig.slack.world.team.user('alice');
    user.deleted = 'perhaps' as never;
    expect(await failure(api.userInfo('U0ALICE'))).toMatchObject({
      message: "Slack's users.info failed: unexpected_answer (user.deleted)",
    });
  });

  test('nothing of the token is in an error', async () => {
    const token = 'xoxb-1-2-secretsecret';
    const { api } = rig.api({ token: fixed(token) });
    for (const fault of [undefined, ...FAULTS.map(([one]) => one).filter(({ kind }) => kind !== 'hang')]) {
      if (fault !== undefined) rig.slack.faults.web('auth.test', fault);
      const error = await failure(api.authTest());
      const everything = [error.message, error.stack, JSON.stringify(error), String(error.cause)].join('\n');
      expect(everything).not.toContain('secret');
    }
  });
});

describe('the bot token', () => {
  test('if Slack refuses it and the file holds another one, the call is made with that', async () => {
    const { botToken } = rig.slack.app('capdeploy');
    let current = 'xoxb-1-2-of-yesterday';
    const reload = (): boolean => {
      current = botToken;
      return true;
    };
    const { api } = rig.api({ token: { current: () => current, reload } });
    const [first, second] = await Promise.all([api.authTest(), api.authTest()]);
    expect([first.teamId, second.teamId]).toEqual(['T0TEAM', 'T0TEAM']);
    expect(calls()).toHaveLength(4);
  });

  test('if the file holds no other one, the refusal is the answer', async () => {
    const { api } = rig.api({ token: fixed('xoxb-1-2-of-yesterday') });
    expect(await failure(api.authTest())).toMatchObject({ code: 'invalid_auth' });
    expect(calls()).toHaveLength(1);
  });
});
