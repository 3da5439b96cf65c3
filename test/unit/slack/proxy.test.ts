import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConnectProxy } from '../../kit/connect-proxy.ts';
import { until } from '../../kit/eventually.ts';
import { TlsFront } from '../../kit/tls-front.ts';
import { useSlackRig } from './rig.ts';

const rig = useSlackRig();

let proxy: ConnectProxy;
let front: TlsFront;

beforeEach(async () => {
  proxy = await ConnectProxy.start();
  front = await TlsFront.start(rig.slack);
});
afterEach(async () => {
  await front[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

for (const name of ['HTTPS_PROXY', 'https_proxy']) {
  test(`with ${name}, the socket and every call go by the proxy, in HTTP/1.1`, async () => {
    vi.stubEnv(name, proxy.url);
    vi.stubEnv('NO_PROXY', 'elsewhere.test');
    await talk();
    // One for apps.connections.open, one for the socket, one for auth.test.
    expect(proxy.tunnels).toEqual(Array(3).fill(front.authority));
    expect(front.protocols).toEqual(['http/1.1', 'http/1.1', 'http/1.1']);
  });
}

test('with NO_PROXY, they do not', async () => {
  vi.stubEnv('HTTPS_PROXY', proxy.url);
  vi.stubEnv('NO_PROXY', '127.0.0.1');
  await talk();
  expect(proxy.tunnels).toEqual([]);
  expect(front.protocols).toEqual(['http/1.1', 'http/1.1', 'http/1.1']);
});

test('a proxy that refuses is named as the cause', async () => {
  vi.stubEnv('HTTPS_PROXY', proxy.url);
  proxy.status = 407;
  const { app } = rig.app();
  await until(() => expect(rig.lines).toMatchObject([{ level: 'warn', fields: { code: 'proxy_407' } }]));
  await expect(rig.api().api.authTest()).rejects.toMatchObject({ code: 'proxy_407' });
  proxy.status = 200;
  await rig.hurry(() => expect(app.connected()).toBe(true));
});

test('after a loss nothing of the old connection stays open, by the proxy too', async () => {
  vi.stubEnv('HTTPS_PROXY', proxy.url);
  await talk();
  rig.slack.sockets()[0]!.reset();
  await until(() => expect(rig.able()).toBe(1));
  await until(() => expect(rig.slack.sockets()).toHaveLength(1));
  expect(await rig.slack.as('alice').say('deploys', '@capdeploy help').delivered).toMatchObject([
    { acknowledged: true },
  ]);
});

async function talk(): Promise<void> {
  const { app } = await rig.connectedApp();
  expect(app.connected()).toBe(true);
  expect(await rig.slack.as('alice').say('deploys', '@capdeploy help').delivered).toMatchObject([
    { acknowledged: true },
  ]);
  expect(await rig.api().api.authTest()).toMatchObject({ teamId: 'T0TEAM' });
}
