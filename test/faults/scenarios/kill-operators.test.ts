import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { messages } from '../site/amounts.ts';
import { onSite } from '../site/site.ts';
import { startTraffic } from '../site/traffic.ts';
import { expectAllIsWell } from '../site/verdict.ts';

test('two operators, one of which is killed every few seconds (kill -9) while messages come in on twenty queues', async () => {
  await onSite({ resources: 20 }, async (site) => {
    const { random } = site;
    await site.startReplica();
    await site.startReplica();
    const amount = messages(2_000);
    const traffic = startTraffic(site, { messages: amount, overMs: amount * 60 });
    let kills = 0;
    while (!traffic.isOver) {
      await pause(random.between(1_000, 5_000));
      const victim = random.of(site.replicas);
      await victim.kill();
      kills += 1;
      // As a kubelet does after its first crash: at once; after the next ones later.
      await pause(random.of([0, 0, 1_000, 3_000]));
      victim.start();
    }
    site.note(`${kills} operators were killed`);
    expect(kills).toBeGreaterThan(2);
    await expectAllIsWell(site, traffic);
  });
});
