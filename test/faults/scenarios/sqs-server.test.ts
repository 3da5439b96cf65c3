import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { messages } from '../site/amounts.ts';
import { onSite, within } from '../site/site.ts';
import { startTraffic } from '../site/traffic.ts';
import { expectAllIsWell } from '../site/verdict.ts';

/** A queue that could not be read for this long is told of (`queueReadDeadlineMs`). */
const TOLD_AFTER_MS = 90_000;
const SHORT_OUTAGES = 4;
/**
 * ElasticMQ copies a message to the dead-letter queue before it removes it from its own. Killed in between it copies it
 * again when it is back, its database refuses that, and from then on it stores nothing more of what it acknowledges
 * ("Failed to notify queue event listener" in its log): the next kill loses it. SQS does not, so here is none. Poison
 * meets outages in sqs-trouble and in the simulation.
 */
const poison = false;

test('the SQS server is killed (kill -9) and comes back with its messages, once for so long that each resource says so', async () => {
  await onSite({ resources: 6 }, async (site) => {
    const { random, sqs, observer } = site;
    await site.startReplica();
    await site.startReplica();
    const first = startTraffic(site, { messages: messages(80), overMs: 15_000, poison });
    let outages = 0;
    do {
      await pause(random.between(1_000, 4_000));
      await sqs.kill();
      await pause(random.between(0, 2_000));
      await sqs.restart();
      outages += 1;
      // It starts in seconds, or in many more on a machine with much else to do: producers must get on.
    } while (!first.isOver && outages < SHORT_OUTAGES);
    await expectAllIsWell(site, first);

    // What is on the queue when it goes is there when it comes back; what is sent meanwhile is sent again.
    const second = startTraffic(site, { messages: messages(40), overMs: 2_000, poison });
    await pause(random.between(500, 1_500));
    await sqs.kill();
    const goneAt = Date.now();
    expect(await within(TOLD_AFTER_MS + 60_000, () => observer.conditions('QueueReachable').every(isFalse))).toBe(true);
    expect(Date.now() - goneAt).toBeGreaterThan(TOLD_AFTER_MS - 5_000);
    expect(observer.conditions('Ready').every(isFalse)).toBe(true);
    await sqs.restart();
    site.note(
      `the SQS server went ${outages} times for seconds, and once for ${Math.round((Date.now() - goneAt) / 1000)} s`,
    );
    await expectAllIsWell(site, first, second);
  });
});

const isFalse = (status: string): boolean => status === 'False';
