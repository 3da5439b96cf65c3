import { expect, test, vi } from 'vitest';
import { ConnectProxy } from '../kit/connect-proxy.ts';
import { TlsFront } from '../kit/tls-front.ts';
import { lineBecomesDeploy } from './chat-scenes.ts';
import { inChat } from './chat-world.ts';

/** Alone in its file: the proxy is in the environment of the process. */
test('behind a CONNECT proxy a line becomes a deploy, and all that goes to Slack goes by the proxy', async () => {
  await using ends = new AsyncDisposableStack();
  const proxy = ends.use(await ConnectProxy.start());
  let front: TlsFront | undefined;
  const prepare = async (slack: Parameters<typeof TlsFront.start>[0]) => {
    front = ends.use(await TlsFront.start(slack));
    vi.stubEnv('HTTPS_PROXY', proxy.url);
    vi.stubEnv('NO_PROXY', 'elsewhere.test');
  };
  await inChat(
    async (world, chat) => {
      await lineBecomesDeploy(world, chat);
      const toSlack = proxy.tunnels.filter((tunnel) => tunnel === front?.authority);
      // At least one for the socket, and one for calls.
      expect(toSlack.length).toBeGreaterThan(1);
      expect(front?.protocols).toEqual(toSlack.map(() => 'http/1.1'));
    },
    { prepare },
  )();
});
