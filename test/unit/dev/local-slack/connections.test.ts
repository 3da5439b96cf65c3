import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../../../kit/eventually.ts';
import { useSlack } from './rig.ts';

const rig = useSlack();

const openings = (): number => rig.slack.world.calls.filter(({ method }) => method === 'apps.connections.open').length;

describe('connections', () => {
  test('hello says how many sockets there are and how long this one lives', async () => {
    await rig.bolt.connect();
    const { received } = await rig.bareSocket();
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
    const status = (url: string): Promise<number> =>
      new Promise((resolve) => {
        const socket = new WebSocket(url);
        rig.closing({ [Symbol.asyncDispose]: async () => socket.terminate() });
        socket.on('open', () => resolve(101));
        socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
        socket.on('error', () => {});
      });
    const url = await rig.socketUrl();
    expect(await status(url)).toBe(101);
    expect(await status(url)).toBe(401);
    const late = await rig.socketUrl();
    rig.clock.advance(30_001);
    expect(await status(late)).toBe(401);
  });

  test('a ping is answered until the socket falls silent', async () => {
    const { socket } = await rig.bareSocket();
    const pongs: string[] = [];
    socket.on('pong', (data) => pongs.push(String(data)));
    socket.ping('one');
    await until(() => expect(pongs).toEqual(['one']));
    rig.slack.sockets()[0]!.silence();
    socket.ping('two');
    // Another socket is served meanwhile.
    const other = await rig.bareSocket();
    other.socket.ping('three');
    await new Promise((resolve) => other.socket.once('pong', resolve));
    expect(pongs).toEqual(['one']);
  });

  test('an eleventh socket is one too many', async () => {
    for (let count = 0; count < 10; count += 1) await rig.bareSocket();
    const { received } = await rig.bareSocket();
    expect(received).toMatchObject([{ type: 'disconnect', reason: 'too_many_websockets' }]);
    expect(rig.slack.sockets('capdeploy').filter(({ takesEnvelopes }) => takesEnvelopes)).toHaveLength(10);
  });

  test('a warning comes 10 s before the refresh; then the socket takes nothing more', async () => {
    const { socket, received } = await rig.bareSocket();
    rig.slack.sockets()[0]!.warn();
    await until(() => expect(received[1]).toMatchObject({ type: 'disconnect', reason: 'warning' }));
    expect(rig.slack.sockets()[0]!.takesEnvelopes).toBe(true);
    rig.clock.advance(10_000);
    await until(() => expect(received[2]).toMatchObject({ reason: 'refresh_requested' }));
    expect(rig.slack.sockets()[0]!.takesEnvelopes).toBe(false);
    rig.clock.advance(10_000);
    await until(() => expect(socket.readyState).toBeGreaterThanOrEqual(socket.CLOSING));
  });

  test('Slack answers a close but leaves the connection: a client that waits for its end waits', async () => {
    const url = await rig.socketUrl();
    const socket = new globalThis.WebSocket(url);
    await new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }));
    socket.close(1000);
    await until(() => expect(rig.slack.sockets()[0]!.takesEnvelopes).toBe(false));
    // Another connection is made and heard of meanwhile.
    await rig.bareSocket();
    expect(rig.slack.sockets()).toHaveLength(2);
    expect(socket.readyState).toBe(socket.CLOSING);
  });

  const LOSSES: [string, () => void][] = [
    ['a refresh', () => rig.slack.sockets()[0]!.refresh()],
    ['a warning', () => rig.slack.sockets()[0]!.warn()],
    ['Socket Mode switched off', () => rig.slack.sockets()[0]!.disable()],
    ['a close', () => rig.slack.sockets()[0]!.close()],
    ['a reset', () => rig.slack.sockets()[0]!.reset()],
    ['silence', () => rig.slack.sockets()[0]!.silence()],
  ];
  test.each(LOSSES)('after %s the bot connects again and hears what is said then', async (_, lose) => {
    rig.bolt.app.event('app_mention', async () => {});
    await rig.bolt.connect();
    lose();
    await until(() => expect(openings()).toBe(2));
    await until(() => expect(rig.slack.sockets().some((one) => one.takesEnvelopes && !one.silent)).toBe(true));
    const { delivered } = rig.slack.as('alice').say('deploys', '@capdeploy deploy');
    await until(() => expect(rig.slack.envelopes.deliveries).toHaveLength(1));
    // What went to the old socket is repeated on the new one.
    if (rig.slack.envelopes.deliveries[0]!.socket?.silent) rig.clock.advance(3000);
    expect(await delivered).toMatchObject([{ acknowledged: true }]);
  });

  test('what a silent socket swallows comes again on another one', async () => {
    rig.bolt.app.event('app_mention', async () => {});
    await rig.bolt.connect();
    await rig.replica((other) => other.app.event('app_mention', async () => {}));
    rig.slack.sockets()[0]!.silence();
    const { delivered } = rig.slack.as('alice').say('deploys', '@capdeploy deploy');
    expect(rig.slack.envelopes.deliveries[0]!.socket!.silent).toBe(true);
    rig.clock.advance(3000);
    expect(await delivered).toEqual([{ acknowledged: true, payload: {}, attempt: 1 }]);
  });

  test('a handshake refused, reset, or without hello; then it works', async () => {
    rig.bolt.app.event('app_mention', async () => {});
    rig.slack.faults.connect({ kind: 'status', status: 503 });
    rig.slack.faults.connect({ kind: 'reset' });
    await rig.bolt.connect().catch(() => {});
    await until(() => expect(rig.slack.sockets()).toHaveLength(1));
    expect(openings()).toBe(3);
    expect(await rig.slack.as('alice').say('deploys', '@capdeploy deploy').delivered).toMatchObject([
      { acknowledged: true },
    ]);
  });

  test('a handshake that hangs, and one without hello, do not connect', async () => {
    for (const kind of ['hang', 'silent'] as const) {
      rig.slack.faults.connect({ kind });
      const url = await rig.socketUrl();
      const socket = new WebSocket(url);
      const events: string[] = [];
      socket.on('error', () => {});
      for (const event of ['open', 'message']) socket.on(event, () => events.push(event));
      rig.closing({ [Symbol.asyncDispose]: async () => socket.terminate() });
      // Another socket gets through meanwhile, so the first one had its time.
      await rig.bareSocket();
      await rig.bareSocket();
      expect(events).toEqual(kind === 'hang' ? [] : ['open']);
    }
  });
});
