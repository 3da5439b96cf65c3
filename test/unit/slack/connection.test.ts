import { describe, expect, test } from 'vitest';
import { TravelClock } from '../../../dev/local-slack/clock.ts';
import type { ConnectFault, Fault } from '../../../dev/local-slack/faults.ts';
import { until } from '../../kit/eventually.ts';
import { useSlackRig } from './rig.ts';

const rig = useSlackRig();

/** It is back within 2 s of any single fault (bench/README.md). Here only a machine with other work takes longer. */
const BACK_WITHIN_MS = 15_000;
/** Of the 2 s: the first pause takes 0.5 s at most, and what is asked of Slack takes its time. */
const SECOND_PAUSE_MS = 1_000;
/** Chance at its worst. */
const longestPauses = () => {
  rig.clock.random = () => 0.9999;
};
const pauses = () => rig.lines.flatMap(({ fields }) => ('retryInMs' in fields ? [Number(fields.retryInMs)] : []));

const mentioned = () => rig.slack.as('alice').say('deploys', '@capdeploy help').delivered;

async function isServed(): Promise<void> {
  // The first time: what Slack has to repeat was not served.
  expect(await mentioned()).toMatchObject([{ acknowledged: true, attempt: 0 }]);
}

/** @returns milliseconds until Slack can deliver again, by the real clock */
async function timeToReturn(lose: () => void): Promise<number> {
  const start = performance.now();
  lose();
  await until(() => expect([rig.openings(), rig.able() > 0]).toEqual([2, true]), BACK_WITHIN_MS);
  return performance.now() - start;
}

const first = () => rig.slack.sockets()[0]!;

describe('a connection that Slack or the network ends', () => {
  const LOSSES: [string, () => void][] = [
    ['a refresh', () => first().refresh()],
    ['a warning', () => first().warn()],
    ['Socket Mode switched off', () => first().disable()],
    ['too many sockets', () => first().tooMany()],
    ['a close frame', () => first().close()],
    ['a reset', () => first().reset()],
  ];
  test.each(LOSSES)('after %s it is made again, and the old socket is gone', async (_, lose) => {
    const { app } = await rig.connectedApp();
    rig.clock.advance(10_000);
    expect(await timeToReturn(lose)).toBeLessThan(BACK_WITHIN_MS);
    await until(() => expect(app.connected()).toBe(true));
    await isServed();
    rig.clock.advance(10_000);
    // After a warning the refresh has come now.
    await until(() => expect(rig.able()).toBe(1));
    await isServed();
    await isServed();
    rig.clock.advance(2_000);
    await until(() => expect(rig.slack.sockets()).toHaveLength(1));
    expect(rig.slack.world.violations).toEqual([]);
  });

  test('if Slack falls silent, a ping without an answer tells', async () => {
    await rig.connectedApp({}, { timing: { clientPingTimeoutMs: 150 } });
    first().silence();
    await until(() => expect(rig.openings()).toBe(2));
    await until(() => expect(rig.slack.sockets().filter(({ silent }) => !silent)).toHaveLength(1));
    const delivered = mentioned();
    // Slack still takes the old socket for one, and repeats on the other what it swallows.
    rig.clock.advance(3_000);
    expect(await delivered).toMatchObject([{ acknowledged: true }]);
  });

  test('a refresh loses nothing: what came before is acknowledged, what comes after too', async () => {
    const slow = Promise.withResolvers<void>();
    await rig.connectedApp({
      options: {
        revision: {
          suggest: async () => {
            await slow.promise;
            return { options: [] };
          },
          late: () => ({ options: [] }),
        },
      },
    });
    const answer = rig.slack.envelopes.deliver(rig.slack.app('capdeploy'), 'interactive', suggestion());
    await until(() => expect(rig.slack.envelopes.deliveries).toHaveLength(1));
    first().refresh();
    await until(() => expect(rig.able()).toBe(1));
    slow.resolve();
    expect(await answer).toMatchObject({ acknowledged: true, payload: { options: [] } });
    await isServed();
  });

  test('after a warning the old socket serves until the refresh', async () => {
    await rig.connectedApp();
    first().warn();
    await until(() => expect(rig.able()).toBe(2));
    rig.clock.advance(5_000);
    await Promise.all([isServed(), isServed()]);
    const used = new Set(rig.slack.envelopes.deliveries.map(({ socket }) => socket));
    expect(used.size).toBe(2);
    rig.clock.advance(5_000);
    await until(() => expect(rig.able()).toBe(1));
    // The bot has read that.
    await isServed();
    await isServed();
    rig.clock.advance(2_000);
    await until(() => expect(rig.slack.sockets()).toHaveLength(1));
    await isServed();
  });

  test('connected() and the metric follow', async () => {
    const { app, metrics } = rig.app();
    expect(app.connected()).toBe(false);
    expect(await metrics.text()).toContain('capdeployjob_slack_connected 0');
    await until(() => expect(app.connected()).toBe(true));
    expect(await metrics.text()).toContain('capdeployjob_slack_connected 1');
    using _ = rig.slack.faults.web('apps.connections.open', { kind: 'status', status: 503 }, Number.POSITIVE_INFINITY);
    first().reset();
    await until(() => expect(app.connected()).toBe(false));
    expect(await metrics.text()).toContain('capdeployjob_slack_connected 0');
    expect(rig.lines).toContainEqual(expect.objectContaining({ level: 'warn', fields: { reason: 'connection_lost' } }));
  });
});

describe('a connection that cannot be made', () => {
  const FAULTS: [Fault, string][] = [
    [{ kind: 'status', status: 503 }, 'http_503'],
    [{ kind: 'reset' }, 'ECONNRESET'],
    [{ kind: 'html' }, 'not_json'],
    [{ kind: 'ratelimited', retryAfter: 1 }, 'ratelimited'],
    [{ kind: 'error', error: 'internal_error' }, 'internal_error'],
  ];
  test.each(FAULTS)('is tried again if apps.connections.open fails: %o', async (fault, code) => {
    longestPauses();
    const { app } = await rig.connectedApp();
    rig.slack.faults.web('apps.connections.open', fault);
    first().reset();
    await until(() => expect(app.connected()).toBe(false));
    await rig.hurry(() => expect([rig.openings(), app.connected()]).toEqual([3, true]));
    await isServed();
    expect(rig.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ code }) }),
    );
    expect(pauses()).toEqual([SECOND_PAUSE_MS]);
  });

  test.each<ConnectFault>([{ kind: 'status', status: 503 }, { kind: 'reset' }])(
    'is tried again if the handshake fails: %o',
    async (fault) => {
      longestPauses();
      const { app } = await rig.connectedApp();
      rig.slack.faults.connect(fault);
      first().reset();
      await until(() => expect(app.connected()).toBe(false));
      await rig.hurry(() => expect([rig.openings(), app.connected()]).toEqual([3, true]));
      await isServed();
      expect(pauses()).toEqual([SECOND_PAUSE_MS]);
    },
  );

  test.each(['hang', 'silent'] as const)(
    'is given up after 15 s if the handshake is answered by nothing (%s)',
    async (kind) => {
      rig.slack.faults.connect({ kind });
      const { app } = rig.app();
      await until(() => expect(rig.openings()).toBe(1));
      await until(() => expect(kind === 'hang' || rig.slack.sockets().length === 1).toBe(true));
      rig.clock.advance(14_000);
      expect(app.connected()).toBe(false);
      rig.clock.advance(1_000);
      await until(() => expect(rig.lines.map(({ fields }) => fields)).toMatchObject([{ code: 'no_hello' }]));
      await until(() => expect(app.connected()).toBe(true));
      expect(rig.slack.sockets()).toHaveLength(1);
      await isServed();
    },
  );

  test('is given up after 15 s if apps.connections.open hangs', async () => {
    rig.slack.faults.web('apps.connections.open', { kind: 'hang' });
    const { app } = rig.app();
    await until(() => expect(rig.openings()).toBe(1));
    rig.clock.advance(15_000);
    await until(() => expect(app.connected()).toBe(true));
  });

  test('waits longer from time to time, and as long as Slack says', async () => {
    using _ = rig.slack.faults.web('apps.connections.open', { kind: 'ratelimited', retryAfter: 20 }, 1);
    const failing = rig.slack.faults.web(
      'apps.connections.open',
      { kind: 'status', status: 500 },
      Number.POSITIVE_INFINITY,
    );
    const { app } = rig.app();
    for (let count = 1; count <= 9; count += 1) {
      await until(() => expect(rig.lines).toHaveLength(count));
      rig.clock.advance(30_000);
    }
    const waits = rig.lines.map(({ fields }) => (fields as { retryInMs: number }).retryInMs);
    expect(waits).toEqual([20_000, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    // From the start again after a connection that stood for 10 s.
    failing[Symbol.dispose]();
    await until(() => expect(app.connected()).toBe(true));
    rig.clock.advance(10_000);
    rig.slack.faults.web('apps.connections.open', { kind: 'status', status: 503 });
    first().reset();
    await until(() => expect(rig.lines.at(-1)?.fields).toMatchObject({ code: 'http_503', retryInMs: 500 }));
  });

  test('an eleventh socket waits for a free place', async () => {
    const others = Array.from({ length: 10 }, () => rig.app().app);
    await until(() => expect(others.every((one) => one.connected())).toBe(true));
    const { app } = rig.app();
    await until(() =>
      expect(rig.lines).toContainEqual(
        expect.objectContaining({ fields: expect.objectContaining({ code: 'too_many_websockets' }) }),
      ),
    );
    expect(app.connected()).toBe(false);
    await others[0]!.stop();
    await until(() => {
      rig.clock.advance(1_000);
      expect(app.connected()).toBe(true);
    });
  });
});

describe('the app-level token', () => {
  test('if Slack refuses it, that is said, and a new one is used', async () => {
    const { appToken } = rig.slack.app('capdeploy');
    let token = appToken.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    let reloads = 0;
    const reload = (): boolean => {
      reloads += 1;
      return false;
    };
    const { app } = rig.app({}, { token: { current: () => token, reload } });
    await until(() => expect(rig.lines).toHaveLength(1));
    expect(rig.lines[0]).toMatchObject({ level: 'error', fields: { code: 'invalid_auth' } });
    expect(reloads).toBe(1);
    token = appToken;
    await until(() => expect(app.connected()).toBe(true));
  });

  test('stands in no line of the log, nor does the address of the socket', async () => {
    const { appToken } = rig.slack.app('capdeploy');
    await rig.connectedApp();
    rig.slack.faults.connect({ kind: 'status', status: 401 });
    rig.slack.faults.web('apps.connections.open', { kind: 'status', status: 500 });
    first().reset();
    await rig.hurry(() => expect([rig.openings(), rig.able()]).toEqual([4, 1]));
    const text = JSON.stringify(rig.lines.map(({ fields, message }) => [Object.values(fields).map(String), message]));
    expect(text).not.toContain(appToken);
    expect(text).not.toMatch(/ticket|ws:\/\//);
  });
});

test('a token that no connection can be made with is a failure like others', async () => {
  let token = '';
  const { app } = rig.app({}, { token: { current: () => token, reload: () => false } });
  await until(() => expect(rig.lines).toMatchObject([{ level: 'warn', fields: { code: 'unexpected' } }]));
  token = rig.slack.app('capdeploy').appToken;
  await rig.hurry(() => expect(app.connected()).toBe(true));
});

describe('the end', () => {
  test('leaves no socket and no timer, whatever it was doing', async () => {
    // Those of Slack's library, which knows no clock of ours; the clock's own do not count here.
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const clock = new TravelClock();
    const { app } = await rig.connectedApp({}, { clock });
    const socket = first();
    await app.stop();
    await until(() => expect(rig.slack.sockets()).toEqual([]));
    expect(socket.closedWith).toBe(1000);
    expect(app.connected()).toBe(false);
    expect(clock.pending).toBe(0);
    for (const fault of ['hang', 'silent'] as const) {
      rig.slack.faults.connect({ kind: fault });
      const opened = rig.openings();
      const { app: other } = rig.app({}, { clock });
      await until(() => expect(rig.openings()).toBe(opened + 1));
      await other.stop();
      await until(() => expect(rig.slack.sockets()).toEqual([]));
      expect(clock.pending).toBe(0);
    }
    rig.slack.faults.web('apps.connections.open', { kind: 'hang' });
    const { app: third } = rig.app({}, { clock });
    await third.stop();
    expect(rig.slack.sockets()).toEqual([]);
    expect(clock.pending).toBe(0);
    // Undici ends its own within a second.
    await until(() => expect(timers()).toBeLessThanOrEqual(before));
  });

  test('comes after the acknowledgement of what has come in', async () => {
    const slow = Promise.withResolvers<void>();
    const { app } = await rig.connectedApp({
      options: {
        revision: {
          suggest: async () => {
            await slow.promise;
            return { options: [] };
          },
          late: () => ({ options: [] }),
        },
      },
    });
    const answer = rig.slack.envelopes.deliver(rig.slack.app('capdeploy'), 'interactive', suggestion());
    await until(() => expect(rig.slack.envelopes.deliveries).toHaveLength(1));
    // It has arrived when something that was sent later is answered.
    await isServed();
    const stopped = app.stop();
    slow.resolve();
    await stopped;
    expect(await answer).toMatchObject({ acknowledged: true });
  });
});

test('a message of unknown shape is acknowledged if it has an id, and dropped; the connection stands', async () => {
  const { app } = await rig.connectedApp();
  const socket = first();
  const strange = [null, 7, { type: 'events_api', envelope_id: 'x', payload: {} }, { type: 'close' }];
  for (const message of strange) socket.send(message as never);
  socket.send({ type: 'events_api', envelope_id: 'y', payload: { event: { type: 'disconnected' } } });
  socket.send({ type: 'interactive', envelope_id: 'z', payload: null });
  await isServed();
  expect(app.connected()).toBe(true);
  expect(rig.openings()).toBe(1);
  // Slack knows nothing of them here, so the three answers are to what it never sent.
  expect(rig.slack.world.violations).toEqual(Array(3).fill('acknowledged late, or what was never sent'));
  expect(rig.lines.filter(({ level }) => level === 'error')).toHaveLength(6);
});

function suggestion() {
  const { world } = rig.slack;
  return {
    type: 'block_suggestion',
    user: { id: world.team.user('alice').id },
    team: { id: world.team.id },
    container: { type: 'message', message_ts: '1700000000.000100', channel_id: 'C0DEPLOYS' },
    action_id: 'revision',
    block_id: 'revision',
    value: 'v1',
  };
}
