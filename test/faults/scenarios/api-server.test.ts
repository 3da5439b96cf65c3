import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { messages } from '../site/amounts.ts';
import { onSite } from '../site/site.ts';
import { startTraffic } from '../site/traffic.ts';
import { expectAllIsWell } from '../site/verdict.ts';

test('the API server is killed, and asked to stop, and comes back each time, while messages come in', async () => {
  await onSite({ resources: 6, mayMakeTwoPods: true }, async (site) => {
    const { random, controlPlane } = site;
    await site.startReplica();
    await site.startReplica();
    const traffic = startTraffic(site, { messages: messages(150), overMs: 40_000 });
    const ways: NodeJS.Signals[] = [];
    do {
      await pause(random.between(2_000, 5_000));
      // Each way at least once.
      const way = ways.includes('SIGKILL')
        ? ways.includes('SIGTERM')
          ? random.of(['SIGKILL', 'SIGTERM'] as const)
          : 'SIGTERM'
        : 'SIGKILL';
      ways.push(way);
      await controlPlane.apiServer.stop(way);
      await pause(random.between(0, 3_000));
      await controlPlane.apiServer.start();
    } while (!traffic.isOver);
    site.note(`the API server went ${ways.length} times: ${ways.join(', ')}`);
    expect(new Set(ways)).toEqual(new Set(['SIGKILL', 'SIGTERM']));
    await expectAllIsWell(site, traffic);
  });
});
