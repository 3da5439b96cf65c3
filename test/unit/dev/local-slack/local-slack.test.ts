import { describe, expect, test } from 'vitest';
import { TravelClock } from '../../../../dev/local-slack/clock.ts';
import { DIFFERENCES } from '../../../../dev/local-slack/differences.ts';
import { LocalSlack } from '../../../../dev/local-slack/local-slack.ts';
import { until } from '../../../kit/eventually.ts';
import { BoltApp, webClient } from './bolt-app.ts';
import { example } from './example.ts';

const resources = (): string[] =>
  process.getActiveResourcesInfo().filter((one) => /TCP(Server|Socket)Wrap|Timeout/.test(one));

test('stopped, it leaves no timer, no socket, no server, whatever went on', async () => {
  const before = resources().length;
  const clock = new TravelClock();
  {
    await using slack = await LocalSlack.start(example(), clock);
    await using bolt = await new BoltApp(slack).connect();
    slack.faults.web('auth.test', { kind: 'hang' });
    slack.faults.connect({ kind: 'hang' });
    const { url } = await webClient(slack, 'capdeploy', slack.app('capdeploy').appToken).apps.connections.open();
    new globalThis.WebSocket(String(url)).addEventListener('error', () => {});
    bolt.app.client.auth.test().catch(() => {});
    // Nobody acknowledges this: its repetition waits.
    void slack.as('alice').click(await message(bolt, slack), 'Abort');
    slack.sockets()[0]!.silence();
    await until(() => expect(slack.world.calls.map(({ answer }) => answer)).toContain('hang'));
    expect(clock.pending).toBeGreaterThan(0);
  }
  expect(clock.pending).toBe(0);
  // Not `until`: it waits by timers of its own, which would count.
  const end = performance.now() + 10_000;
  while (resources().length > before && performance.now() < end) await new Promise(setImmediate);
  expect(resources().length).toBeLessThanOrEqual(before);
});

async function message(bolt: BoltApp, slack: LocalSlack) {
  const text = { type: 'plain_text' as const, text: 'Abort' };
  const blocks = [{ type: 'actions' as const, elements: [{ type: 'button' as const, action_id: 'abort', text }] }];
  const { ts } = await bolt.app.client.chat.postMessage({ channel: 'C0DEPLOYS', text: 'x', blocks });
  return slack.message('deploys', String(ts));
}

describe('the clock', () => {
  test('fires what is due, in order, also what another timer set', () => {
    const clock = new TravelClock();
    const fired: string[] = [];
    clock.setTimeout(() => fired.push('late'), 20_000);
    clock.setTimeout(() => {
      fired.push('early');
      clock.setTimeout(() => fired.push('between'), 5000);
    }, 10_000);
    clock.clearTimeout(clock.setTimeout(() => fired.push('cancelled'), 1));
    const start = clock.now();
    clock.advance(19_000);
    expect(fired).toEqual(['early', 'between']);
    clock.advance(2000);
    expect(fired).toEqual(['early', 'between', 'late']);
    expect(clock.now() - start).toBeGreaterThanOrEqual(21_000);
    expect(clock.pending).toBe(0);
  });

  test('goes on by itself', async () => {
    const clock = new TravelClock();
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 5));
    expect(clock.pending).toBe(0);
  });
});

test('every difference says what it is here and in the real one, with a page where there is one', () => {
  expect(new Set(DIFFERENCES.map(({ what }) => what)).size).toBe(DIFFERENCES.length);
  for (const { source } of DIFFERENCES) {
    expect(source ?? 'https://docs.slack.dev').toMatch(/^https:\/\/(docs\.slack\.dev|github\.com)/);
  }
});
