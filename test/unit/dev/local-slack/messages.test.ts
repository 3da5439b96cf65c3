import { describe, expect, test } from 'vitest';
import type { Json } from '../../../../dev/local-slack/json.ts';
import { webClient } from './bolt-app.ts';
import { code, refusal, useSlack } from './rig.ts';

const rig = useSlack();

describe('posting', () => {
  test('into what does not exist, is not known, is archived, or has the bot not in it', async () => {
    expect(await code(rig.post({ channel: 'C0NONE' }))).toBe('channel_not_found');
    expect(await code(rig.post({ channel: '#deploys' }))).toBe('channel_not_found');
    expect(await code(rig.post({ channel: rig.channel('secret').id }))).toBe('channel_not_found');
    expect(await code(rig.post({ channel: rig.channel('elsewhere').id }))).toBe('not_in_channel');
    expect(await code(rig.post({ channel: rig.channel('old').id }))).toBe('is_archived');
  });

  test('with chat:write.public also into public channels without the bot', async () => {
    await rig.begin((seed) => seed.apps[0]!.scopes.push('chat:write.public'));
    await rig.post({ channel: rig.channel('elsewhere').id });
    expect(await code(rig.post({ channel: rig.channel('secret').id }))).toBe('channel_not_found');
  });

  test('no text, too much text, too much in blocks', async () => {
    expect(await code(rig.post({ text: '' }))).toBe('no_text');
    await rig.post({ text: 'x'.repeat(40_000) });
    expect(await code(rig.post({ text: 'x'.repeat(40_001) }))).toBe('msg_too_long');
    rig.clock.advance(10_000);
    const section = (length: number): Json => ({ type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(length) } });
    const overhead = JSON.stringify([section(0), section(0), section(0), section(0), section(0)]).length;
    const full = (rest: number): Json[] => [...[1, 2, 3].map(() => section(3000)), section(2000), section(rest)];
    await rig.post({ blocks: full(1000 - overhead) });
    expect(await code(rig.post({ blocks: full(1001 - overhead) }))).toBe('msg_blocks_too_long');
  });

  test('blocks that break a rule: where, and in what words', async () => {
    const blocks = [
      { type: 'actions', elements: [{ type: 'button', text: { type: 'plain_text', text: 'x'.repeat(76) } }] },
    ];
    const message = 'must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]';
    expect(await refusal(rig.post({ blocks }))).toMatchObject({
      error: 'invalid_blocks',
      errors: [message],
      response_metadata: { messages: [`[ERROR] ${message}`] },
    });
  });

  test('threads', async () => {
    const ts = await rig.post();
    const reply = await rig.post({ thread_ts: ts, text: 'in the thread' });
    await rig.post({ thread_ts: ts, text: 'for all', reply_broadcast: true });
    const { reads } = rig.slack.as('alice');
    expect(reads.lines('deploys')).toEqual(['capdeploy: x [2 replies]', 'capdeploy: for all']);
    expect(reads.thread('deploys', ts).map(({ text }) => text)).toEqual(['x', 'in the thread', 'for all']);
    rig.clock.advance(10_000);
    expect(await code(rig.post({ thread_ts: '1234567890.000001' }))).toBe('thread_not_found');
    const whisper = await rig.api('chat.postEphemeral', { channel: 'C0DEPLOYS', user: 'U0ALICE', text: 'x' });
    expect(await code(rig.post({ thread_ts: whisper.message_ts }))).toBe('thread_not_found');
    const reaction = { channel: 'C0DEPLOYS', timestamp: whisper.message_ts, name: 'x' };
    expect(await code(rig.api('reactions.add', reaction))).toBe('not_reactable');
    rig.clock.advance(10_000);
    expect(await code(rig.post({ thread_ts: 'yesterday' }))).toBe('invalid_thread_ts');
    expect(await code(rig.post({ thread_ts: reply }))).toBe('cannot_reply_to_message');
    rig.clock.advance(10_000);
    expect(await code(rig.post({ reply_broadcast: true }))).toBe('invalid_arguments');
  });

  test('metadata: its form, its size, and who reads it', async () => {
    const metadata = { event_type: 'deploy', event_payload: { job: 'web-1', what: 'outcome' } };
    await rig.post({ metadata });
    const history = (more: Json): Promise<Json> =>
      rig.api('conversations.history', { channel: rig.channel('deploys').id, ...more });
    expect((await history({})).messages).toEqual([expect.not.objectContaining({ metadata })]);
    expect((await history({ include_all_metadata: true })).messages).toEqual([expect.objectContaining({ metadata })]);
    const payload = (length: number): Json => ({ event_type: 'd', event_payload: { job: 'x'.repeat(length) } });
    const room = 4000 - JSON.stringify(payload(0)).length;
    await rig.post({ metadata: payload(room) });
    rig.clock.advance(10_000);
    expect(await code(rig.post({ metadata: payload(room + 1) }))).toBe('metadata_too_large');
    expect(await code(rig.post({ metadata: { event_type: 'd' } }))).toBe('invalid_metadata_format');
    expect(await code(rig.post({ metadata: '{' }))).toBe('invalid_metadata_format');
    rig.clock.advance(10_000);
    expect(await code(rig.post({ metadata: { event_type: 'a b', event_payload: {} } }))).toBe(
      'invalid_metadata_schema',
    );
    expect(await code(rig.post({ metadata: { event_type: 'd', event_payload: { a: {} } } }))).toBe(
      'invalid_metadata_schema',
    );
  });
});

describe('updating', () => {
  const update = (more: Json): Promise<unknown> =>
    rig.client.apiCall('chat.update', { channel: rig.channel('deploys').id, text: 'new', ...more });

  test('an own message is edited in place', async () => {
    const blocks = [{ type: 'section', text: { type: 'plain_text', text: 'running' } }];
    const ts = await rig.post({ blocks, metadata: { event_type: 'deploy', event_payload: { job: 'web-1' } } });
    await update({ ts, blocks: [{ type: 'section', text: { type: 'plain_text', text: 'done :white_check_mark:' } }] });
    expect(rig.slack.as('alice').reads.lines('deploys')).toEqual(['capdeploy: done ✅']);
    expect(rig.slack.message('deploys', ts).metadata).toMatchObject({ event_type: 'deploy' });
    // Without `blocks` the old ones stay; an empty list removes them.
    await update({ ts, text: 'only the notification' });
    expect(rig.slack.as('alice').reads.lines('deploys')).toEqual(['capdeploy: done ✅']);
    await update({ ts, text: 'plain', blocks: [], metadata: {} });
    expect(rig.slack.as('alice').reads.lines('deploys')).toEqual(['capdeploy: plain (edited)']);
    expect(rig.slack.message('deploys', ts).metadata).toBeUndefined();
  });

  test('what cannot be updated', async () => {
    const ts = await rig.post();
    const others = await webClient(rig.slack, 'other').chat.postMessage({
      channel: rig.channel('deploys').id,
      text: 'of another app',
    });
    const whisper = await rig.client.chat.postEphemeral({
      channel: rig.channel('deploys').id,
      user: rig.user('alice'),
      text: 'x',
    });
    expect(await code(update({ ts: others.ts }))).toBe('cant_update_message');
    expect(await code(update({ ts: rig.slack.as('alice').say('deploys', 'of alice').message.ts }))).toBe(
      'cant_update_message',
    );
    expect(await code(update({ ts: whisper.message_ts }))).toBe('message_not_found');
    expect(await code(update({ ts: '1234567890.000001' }))).toBe('message_not_found');
    expect(await code(update({ ts, text: undefined }))).toBe('no_text');
    expect(await code(update({ ts, channel: rig.channel('secret').id }))).toBe('channel_not_found');
    await update({ ts, text: 'x'.repeat(4000) });
    expect(await code(update({ ts, text: 'x'.repeat(4001) }))).toBe('msg_too_long');
    rig.slack.as('root').remove(rig.slack.message('deploys', ts));
    expect(await code(update({ ts }))).toBe('message_not_found');
    rig.slack.world.team.channel('deploys').archived = true;
    expect(await code(update({ ts: others.ts }))).toBe('is_inactive');
  });
});

describe('ephemeral messages', () => {
  test('one person sees it, in no history', async () => {
    await rig.client.chat.postEphemeral({
      channel: rig.channel('deploys').id,
      user: rig.user('alice'),
      text: 'only you',
    });
    expect(rig.slack.as('alice').reads.lines('deploys')).toEqual(['capdeploy: only you (only visible to you)']);
    expect(rig.slack.as('bob').reads.lines('deploys')).toEqual([]);
    expect((await rig.client.conversations.history({ channel: rig.channel('deploys').id })).messages).toEqual([]);
  });

  test('who is not in the channel', async () => {
    const whisper = (channel: string, name: string): Promise<unknown> =>
      rig.client.chat.postEphemeral({ channel: rig.channel(channel).id, user: rig.user(name), text: 'x' });
    expect(await code(whisper('deploys', 'eve'))).toBe('user_not_in_channel');
    expect(await code(whisper('elsewhere', 'bob'))).toBe('not_in_channel');
    expect(await code(whisper('old', 'alice'))).toBe('is_archived');
  });
});

describe('reactions', () => {
  const add = (timestamp: string, name = 'x', channel = 'deploys'): Promise<unknown> =>
    rig.client.reactions.add({ channel: rig.channel(channel).id, timestamp, name });
  const remove = (timestamp: string, name = 'x'): Promise<unknown> =>
    rig.client.reactions.remove({ channel: rig.channel('deploys').id, timestamp, name });

  test('are added and removed once', async () => {
    const { ts } = rig.slack.as('alice').say('deploys', 'please').message;
    await add(ts, 'hourglass_flowing_sand');
    expect(await code(add(ts, 'hourglass_flowing_sand'))).toBe('already_reacted');
    await remove(ts, 'hourglass_flowing_sand');
    expect(await code(remove(ts, 'hourglass_flowing_sand'))).toBe('no_reaction');
    await add(ts, 'white_check_mark');
    expect(rig.slack.as('alice').reads.lines('deploys')).toEqual(['alice: please ✅(capdeploy)']);
  });

  test('what cannot be reacted to', async () => {
    const { ts } = rig.slack.as('alice').say('deploys', 'please').message;
    expect(await code(add(ts, 'no-such-emoji'))).toBe('invalid_name');
    expect(await code(add('1234567890.000001'))).toBe('message_not_found');
    expect(await code(add('now'))).toBe('bad_timestamp');
    expect(await code(add(ts, 'x', 'elsewhere'))).toBe('not_in_channel');
    expect(await code(add(ts, 'x', 'secret'))).toBe('channel_not_found');
    expect(await code(add(ts, 'x', 'old'))).toBe('is_archived');
  });
});

describe('history', () => {
  test('the newest first, between two moments, page by page, without replies', async () => {
    const said = ['one', 'two', 'three'].map((text) => rig.slack.as('alice').say('deploys', text).message.ts);
    rig.slack.as('alice').say('deploys', 'a reply', { thread: said[0]! });
    const texts = async (more: Json): Promise<unknown> =>
      (
        (await rig.api('conversations.history', { channel: rig.channel('deploys').id, ...more })).messages as Json[]
      ).map(({ text }) => text);
    expect(await texts({})).toEqual(['three', 'two', 'one']);
    expect(await texts({ limit: 2 })).toEqual(['three', 'two']);
    expect(await texts({ oldest: said[1] })).toEqual(['three']);
    expect(await texts({ oldest: said[1], inclusive: true })).toEqual(['three', 'two']);
    expect(await texts({ latest: said[1] })).toEqual(['one']);
    expect(await code(texts({ latest: 'x' }))).toBe('invalid_ts_latest');
    expect(await code(texts({ channel: rig.channel('elsewhere').id }))).toBe('not_in_channel');
  });
});
