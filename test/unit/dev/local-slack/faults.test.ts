import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Fault } from '../../../../dev/local-slack/faults.ts';
import { LocalSlack } from '../../../../dev/local-slack/local-slack.ts';
import { until } from '../../../kit/eventually.ts';
import { BoltApp, webClient } from './bolt-app.ts';
import { example } from './example.ts';

let slack: LocalSlack;
beforeEach(async () => {
  slack = await LocalSlack.start(example());
});
afterEach(() => slack[Symbol.asyncDispose]());

const post = (text = 'x'): Promise<unknown> => webClient(slack).chat.postMessage({ channel: 'C0DEPLOYS', text });
const lines = (): string[] => slack.as('alice').reads.lines('deploys');
const failure = (call: Promise<unknown>): Promise<{ code?: string; message: string }> =>
  call.then(
    () => ({ message: 'none' }),
    (error: { code?: string; message: string }) => error,
  );

const FAULTS: [Fault, string][] = [
  [{ kind: 'status', status: 503 }, 'slack_webapi_http_error'],
  [{ kind: 'reset' }, 'slack_webapi_request_error'],
  [{ kind: 'html' }, 'slack_webapi_platform_error'],
  [{ kind: 'ratelimited', retryAfter: 30 }, 'slack_webapi_rate_limited_error'],
  [{ kind: 'error', error: 'fatal_error' }, 'slack_webapi_platform_error'],
];
test.each(FAULTS)('%o: the client says so, and nothing was done; the next call works', async (fault, code) => {
  slack.faults.web('chat.postMessage', fault);
  await webClient(slack).auth.test();
  expect(await failure(post())).toMatchObject({ code });
  expect(lines()).toEqual([]);
  await post();
  expect(lines()).toEqual(['capdeploy: x']);
});

test('an answer lost after the effect, by a reset or for ever', async () => {
  slack.faults.web('chat.postMessage', { kind: 'lost' });
  expect(await failure(post('one'))).toMatchObject({ code: 'slack_webapi_request_error' });
  slack.faults.web('*', { kind: 'lostHang' });
  const { botToken } = slack.app('capdeploy');
  const abandoned = new AbortController();
  const body = new URLSearchParams({ token: botToken, channel: 'C0DEPLOYS', text: 'two' });
  const hanging = fetch(`${slack.apiUrl}chat.postMessage`, { method: 'POST', body, signal: abandoned.signal });
  await until(() => expect(lines()).toEqual(['capdeploy: one', 'capdeploy: two']));
  abandoned.abort();
  await expect(hanging).rejects.toThrow('aborted');
  expect(slack.world.calls.map(({ answer }) => answer)).toEqual(['lost', 'lostHang']);
});

test('a call that hangs, and one of a time that lasts', async () => {
  {
    using _ = slack.faults.web('chat.postMessage', { kind: 'hang' }, Number.POSITIVE_INFINITY);
    let answered = false;
    for (const text of ['one', 'two']) {
      post(text).then(
        () => {
          answered = true;
        },
        () => {},
      );
    }
    await until(() => expect(slack.world.calls).toHaveLength(2));
    await webClient(slack).auth.test();
    expect(answered).toBe(false);
  }
  await post('three');
  expect(lines()).toEqual(['capdeploy: three']);
});

test.each<Fault>([
  { kind: 'status', status: 503 },
  { kind: 'reset' },
  { kind: 'html' },
  { kind: 'ratelimited', retryAfter: 1 },
])('apps.connections.open fails (%o), and the bot comes back', async (fault) => {
  await using bolt = await new BoltApp(slack).connect();
  bolt.app.event('app_mention', async () => {});
  slack.faults.web('apps.connections.open', fault, 2);
  slack.sockets()[0]!.reset();
  await until(() => expect(slack.sockets('capdeploy').filter(({ takesEnvelopes }) => takesEnvelopes)).toHaveLength(1));
  expect(await slack.as('alice').say('deploys', '@capdeploy deploy').delivered).toMatchObject([{ acknowledged: true }]);
  expect(slack.world.calls.filter(({ method }) => method === 'apps.connections.open')).toHaveLength(4);
});

test('a response_url and a webhook fail too', async () => {
  const hook = slack.webhook('capdeploy', 'deploys');
  slack.faults.web('incoming_webhook', { kind: 'status', status: 500 });
  expect((await fetch(hook, { method: 'POST', body: '{"text":"x"}' })).status).toBe(500);
  const url = slack.world.hooks.issue(slack.app('capdeploy'), 'C0DEPLOYS', 'U0ALICE');
  slack.faults.web('response_url', { kind: 'lost' });
  await expect(fetch(url, { method: 'POST', body: '{"text":"x"}' })).rejects.toThrow();
  expect(lines()).toEqual(['capdeploy: x (only visible to you)']);
});
