import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { messages } from '../site/amounts.ts';
import { onSite } from '../site/site.ts';
import { SQS_FAULTS, type SqsFault, SqsProxy } from '../site/sqs-proxy.ts';
import { startTraffic } from '../site/traffic.ts';
import { expectAllIsWell } from '../site/verdict.ts';

/** Of every request in bad weather. */
const FAULTY = 0.4;
/** What a receive that took effect but was not heard of had received comes again, and has been received once more. */
const MAX_RECEIVES = 30;

test('SQS throttles, answers 5xx, hangs, breaks off, is slow and loses answers, of one request by chance or of all for a while', async () => {
  let proxy: SqsProxy | undefined;
  const queuesThrough = async (endpoint: string) => {
    proxy = await SqsProxy.start(endpoint);
    return { endpoint: proxy.endpoint, close: proxy.close.bind(proxy) };
  };
  await onSite({ resources: 6, maxReceiveCount: MAX_RECEIVES, queuesThrough }, async (site) => {
    const chance = site.random.fork();
    const through = proxy as SqsProxy;
    await site.startReplica();
    await site.startReplica();
    const traffic = startTraffic(site, { messages: messages(120), overMs: 45_000 });
    let all: SqsFault | undefined;
    through.fault = () => all ?? (chance.chance(FAULTY) ? chance.of(SQS_FAULTS) : undefined);
    // Each of them, of all requests, for a second or two.
    const storms = SQS_FAULTS.toSorted(() => chance.next() - 0.5);
    while (!traffic.isOver || storms.length > 0) {
      await pause(chance.between(1_000, 4_000));
      all = storms.pop();
      await pause(chance.between(1_000, 2_500));
      all = undefined;
    }
    through.fault = () => undefined;
    site.note(
      `faults of SQS: ${[...through.done]
        .map(([what, times]) => `${times} ${what}`)
        .sort()
        .join(', ')}`,
    );
    for (const fault of SQS_FAULTS) {
      expect([...through.done.keys()].filter((what) => what.startsWith(`${fault} `))).not.toEqual([]);
    }
    await expectAllIsWell(site, traffic);
  });
});
