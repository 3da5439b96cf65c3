import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { messages } from '../site/amounts.ts';
import { onSite } from '../site/site.ts';
import { TcpProxy } from '../site/tcp-proxy.ts';
import { startTraffic } from '../site/traffic.ts';
import { expectAllIsWell } from '../site/verdict.ts';

/** What a network does between the operators and the API server. */
const TROUBLES: Record<string, (network: TcpProxy) => void> = {
  'every connection is reset': (network) => network.reset(),
  'nobody gets through': (network) => network.refuse(),
  'nothing gets through, and nobody is told': (network) => network.partition(),
  'writes take effect, and no answer comes': (network) => network.mute(),
  'everything takes its time': (network) => {
    network.delayMs = 300;
  },
};

test('the network between the operators and the API server breaks, stands still, is slow and loses answers', async () => {
  let network: TcpProxy | undefined;
  const apiServerThrough = async (url: string) => {
    network = await TcpProxy.start(Number(new URL(url).port));
    return { url: `https://127.0.0.1:${network.port}`, close: network.close.bind(network) };
  };
  await onSite({ resources: 6, apiServerThrough }, async (site) => {
    const { random } = site;
    const through = network as TcpProxy;
    await site.startReplica();
    await site.startReplica();
    const traffic = startTraffic(site, { messages: messages(120), overMs: 50_000 });
    const done: string[] = [];
    let due: string[] = [];
    while (!traffic.isOver || done.length < Object.keys(TROUBLES).length) {
      if (due.length === 0) due = Object.keys(TROUBLES).sort(() => random.next() - 0.5);
      const trouble = due.pop() as string;
      await pause(random.between(1_000, 3_000));
      TROUBLES[trouble]?.(through);
      done.push(trouble);
      await pause(random.between(1_000, 6_000));
      through.heal();
    }
    site.note(`troubles of the network: ${done.join(', ')}; ${through.connections} connections`);
    expect(new Set(done)).toEqual(new Set(Object.keys(TROUBLES)));
    await expectAllIsWell(site, traffic);
  });
});
