import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { messages } from '../site/amounts.ts';
import { isWrite } from '../site/api-log.ts';
import type { Replica } from '../site/replica.ts';
import { ELECTS, LEASE_MS, leader, onSite, type Site, within } from '../site/site.ts';
import { TcpProxy } from '../site/tcp-proxy.ts';
import { startTraffic } from '../site/traffic.ts';
import { expectAllIsWell } from '../site/verdict.ts';

/** After its waking or coming back, an old leader has noticed within this time that it is none any more. */
const NOTICES_WITHIN_MS = 5_000;

test('the leader is stopped (SIGSTOP), or cut off, for longer than its lease, and comes back while deploys start', async () => {
  await onSite({ resources: 6 }, async (site) => {
    const { random } = site;
    const port = Number(new URL(site.controlPlane.url).port);
    const networks = new Map<Replica, TcpProxy>();
    try {
      for (let count = 0; count < 2; count++) {
        const network = await TcpProxy.start(port);
        networks.set(await site.startReplica({ apiServer: `https://127.0.0.1:${network.port}` }), network);
      }
      const traffic = startTraffic(site, { messages: messages(150), overMs: 60_000 });
      const absences: { old: Replica; how: string; from: number; until: number }[] = [];
      const ways = ['stopped', 'cut off', 'deaf'];
      while (!traffic.isOver || absences.length < ways.length) {
        const old = await theLeader(site);
        const network = networks.get(old) as TcpProxy;
        const how = ways[absences.length % ways.length] as string;
        if (how === 'stopped') old.freeze();
        else if (how === 'cut off') network.partition();
        else network.mute();
        const from = Date.now();
        // Until somebody else leads, and then until that one has started a deploy.
        if (ELECTS)
          expect(await within(10 * LEASE_MS, async () => ![undefined, old].includes(await leader(site)))).toBe(true);
        const started = site.kubelet.runs.length;
        await within(10_000, () => site.kubelet.runs.length > started || traffic.isOver);
        await pause(random.between(0, 2_000));
        absences.push({ old, how, from, until: Date.now() });
        old.wake();
        network.heal();
        // By its process: one that has lost its leadership ends, and is started again.
        await pause(NOTICES_WITHIN_MS);
      }
      site.note(
        `the leader was away ${absences.length} times: ${absences.map(({ how, from, until }) => `${how} for ${((until - from) / 1000).toFixed(1)} s`).join(', ')}`,
      );
      await expectAllIsWell(site, traffic);
      lateWrites(site, absences);
    } finally {
      for (const network of networks.values()) await network.close();
    }
  });
});

async function theLeader(site: Site): Promise<Replica> {
  if (!ELECTS) return site.random.of(site.replicas);
  let found: Replica | undefined;
  expect(
    await within(60_000, async () => {
      found = await leader(site);
      return found !== undefined;
    }),
  ).toBe(true);
  return found as Replica;
}

/**
 * What an old leader still wrote when it came back: what it had sent, or was about to send, when it was stopped. No
 * lease can rule that out, and the lane protocol makes it harmless (that is what the audit has just said). But it ends:
 * with the process that was the leader.
 */
function lateWrites(site: Site, absences: readonly { old: Replica; until: number }[]): void {
  site.apiLog.read();
  for (const { old, until } of absences) {
    const late = site.apiLog.requests.filter(
      (one) =>
        one.credentialId === old.credentialId &&
        isWrite(one) &&
        one.receivedAt >= until - 100 &&
        one.receivedAt < until + NOTICES_WITHIN_MS,
    );
    const told = (code: (one: number) => boolean) => late.filter((one) => code(one.code)).length;
    site.note(
      `${old.name}, back: ${told((code) => code < 300)} late writes took effect, ${told((code) => code >= 400)} were refused`,
    );
  }
}
