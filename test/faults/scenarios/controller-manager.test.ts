import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { messages } from '../site/amounts.ts';
import { onSite, within } from '../site/site.ts';
import { startTraffic } from '../site/traffic.ts';
import { expectAllIsWell } from '../site/verdict.ts';

test('the controller-manager is killed, and asked to stop, with Jobs in flight: Pods appear late, ends are seen late', async () => {
  await onSite({ resources: 6, script: (_, random) => ({ runsFor: random.between(200, 1_500) }) }, async (site) => {
    const { random, controlPlane, kubelet } = site;
    await site.startReplica();
    await site.startReplica();
    const traffic = startTraffic(site, { messages: messages(120), overMs: 40_000 });
    const ways: NodeJS.Signals[] = [];
    do {
      await pause(random.between(1_000, 4_000));
      // In flight: a container runs at this moment.
      expect(
        await within(60_000, () => kubelet.runs.some(({ endedAt }) => endedAt === undefined) || traffic.isOver),
      ).toBe(true);
      const way = ways.length % 2 === 0 ? 'SIGKILL' : 'SIGTERM';
      ways.push(way);
      await controlPlane.controllerManager.stop(way);
      await pause(random.between(0, 6_000));
      await controlPlane.controllerManager.start();
    } while (!traffic.isOver);
    site.note(`the controller-manager went ${ways.length} times`);
    expect(ways.length).toBeGreaterThan(1);
    await expectAllIsWell(site, traffic);
  });
});
