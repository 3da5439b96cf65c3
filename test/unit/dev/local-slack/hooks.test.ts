import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TravelClock } from '../../../../dev/local-slack/clock.ts';
import type { Json } from '../../../../dev/local-slack/json.ts';
import { LocalSlack } from '../../../../dev/local-slack/local-slack.ts';
import { BoltApp } from './bolt-app.ts';
import { example } from './example.ts';

let clock: TravelClock;
let slack: LocalSlack;

beforeEach(async () => {
  clock = new TravelClock();
  slack = await LocalSlack.start(example(), clock);
});
afterEach(() => slack[Symbol.asyncDispose]());

const send = async (url: string, body: unknown): Promise<[number, string]> => {
  const answer = await fetch(url, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
  return [answer.status, await answer.text()];
};

describe('response_url', () => {
  const issue = (): string => slack.world.hooks.issue(slack.app('capdeploy'), 'C0DEPLOYS', 'U0ALICE');
  const refused = (error: string): string => JSON.stringify({ ok: false, error });

  test('answers its person, or all; replaces and deletes its first answer', async () => {
    const url = issue();
    expect(await send(url, { text: 'one' })).toEqual([200, 'ok']);
    expect(slack.as('alice').reads.lines('deploys')).toEqual(['capdeploy: one (only visible to you)']);
    await send(url, { replace_original: true, text: 'two' });
    expect(slack.as('alice').reads.lines('deploys')).toEqual(['capdeploy: two (edited) (only visible to you)']);
    await send(url, { delete_original: true });
    await send(url, { response_type: 'in_channel', text: 'for all' });
    expect(slack.as('bob').reads.lines('deploys')).toEqual(['capdeploy: for all']);
  });

  test('five times, whatever comes of it', async () => {
    const url = issue();
    expect(await send(url, '{')).toEqual([400, refused('invalid_json')]);
    expect(await send(url, {})).toEqual([400, refused('no_text')]);
    expect(await send(url, { text: 'x', blocks: [{ type: 'table' }] })).toEqual([400, refused('invalid_blocks')]);
    expect(await send(url, { replace_original: true, text: 'x' })).toEqual([400, refused('message_not_found')]);
    expect((await send(url, { text: 'x', colour: 'red' }))[0]).toBe(400);
    expect(await send(url, { text: 'x' })).toEqual([404, refused('used_url')]);
  });

  test('within 30 minutes; not in an archived channel', async () => {
    const url = issue();
    clock.advance(30 * 60_000 - 5000);
    expect(await send(url, { text: 'x' })).toEqual([200, 'ok']);
    clock.advance(5001);
    expect(await send(url, { text: 'x' })).toEqual([404, refused('expired_url')]);
    expect((await send(`${url}x`, { text: 'x' }))[0]).toBe(404);
    slack.world.team.channel('deploys').archived = true;
    expect(await send(issue(), { text: 'x' })).toEqual([400, refused('is_archived')]);
  });

  test('Bolt’s `respond` throws what the URL answers', async () => {
    await using bolt = new BoltApp(slack);
    const statuses: unknown[] = [];
    bolt.app.command('/deploy', async ({ ack, respond }) => {
      await ack();
      for (let count = 0; count < 6; count += 1) {
        statuses.push(
          await respond(`answer ${count}`).then(
            () => 200,
            (error: { statusCode?: number; message: string }) => error.message,
          ),
        );
      }
    });
    await bolt.connect();
    await slack.as('alice').command('deploys', '/deploy');
    await expect.poll(() => statuses).toHaveLength(6);
    expect(statuses[5]).toContain('404');
    expect(slack.as('alice').reads.ephemerals('deploys')).toHaveLength(5);
  });
});

describe('an incoming webhook', () => {
  const blocks = (text: string): Json[] => [{ type: 'section', text: { type: 'mrkdwn', text } }];

  test('posts into its channel, one message a second', async () => {
    const url = slack.webhook('capdeploy', 'deploys');
    for (const text of ['one', 'two', 'three']) expect(await send(url, { text })).toEqual([200, 'ok']);
    const limited = await fetch(url, { method: 'POST', body: '{"text":"four"}' });
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '1']);
    expect(slack.as('bob').reads.lines('deploys')).toHaveLength(3);
  });

  test('says in plain text what is wrong', async () => {
    const url = slack.webhook('capdeploy', 'deploys');
    expect(await send(url, '{')).toEqual([400, 'invalid_payload']);
    expect(await send(url, {})).toEqual([400, 'no_text']);
    expect(await send(url, { blocks: blocks('x'.repeat(3001)) })).toEqual([400, 'invalid_blocks']);
    clock.advance(10_000);
    expect(await send(url, { text: 'x', channel: '#prod' })).toEqual([403, 'action_prohibited']);
    expect(await send(`${url}x`, { text: 'x' })).toEqual([404, 'no_service']);
    expect(await send(slack.webhook('capdeploy', 'old'), { text: 'x' })).toEqual([410, 'channel_is_archived']);
    slack.app('capdeploy').tokenState = 'token_revoked';
    expect(await send(url, { text: 'x' })).toEqual([404, 'no_active_hooks']);
  });
});
