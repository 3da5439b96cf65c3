import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { audit, summary } from '../audit/audit.ts';
import type { Evidence } from '../audit/evidence.ts';
import { isWrite, type Request } from './api-log.ts';
import { type Site, within } from './site.ts';
import type { Traffic } from './traffic.ts';

/** So long after the last fault everything has to be worked off, on a machine with much else to do. */
const DRAINED_WITHIN_MS = 8 * 60_000;
/** At rest the operator writes nothing: it must keep still for so long ... */
const STILL_FOR_MS = 6_000;
/** ... within this long after everything was worked off. */
const STILL_WITHIN_MS = 60_000;

/**
 * The end of every scenario: waits until all is worked off and the operator keeps still, and then asks the audit.
 * @param traffics all of the site's until now
 */
export async function expectAllIsWell(site: Site, ...traffics: readonly Traffic[]): Promise<void> {
  for (const { over } of traffics) await over;
  const traffic = {
    requests: traffics.flatMap(({ requests }) => requests),
    poison: traffics.flatMap(({ poison }) => poison),
  };
  const from = Date.now();
  const drained = await within(DRAINED_WITHIN_MS, () => isWorkedOff(site, traffic));
  site.note(`worked off ${((Date.now() - from) / 1000).toFixed(1)} s after the last message was sent`);
  const restless = drained ? await writesAtRest(site) : [];
  const evidence = await gather(site, traffic);
  site.note(summary(evidence));
  const crashed = site.replicas.flatMap(({ name, crashes }) => crashes.map((how) => `${name} ended by itself: ${how}`));
  const findings = Object.groupBy(audit(evidence), (finding) => (isKubernetesOwn(site, finding) ? 'told' : 'damage'));
  for (const finding of findings.told ?? []) site.note(finding);
  expect([...(findings.damage ?? []), ...restless, ...crashed]).toEqual([]);
  // A scenario in which nothing went through proves nothing.
  expect(evidence.runs.length).toBeGreaterThan(0);
}

const isKubernetesOwn = ({ options }: Site, finding: string): boolean =>
  options.mayMakeTwoPods === true && finding.startsWith('twoPodsOfOneJob: ');

type Sent = Pick<Traffic, 'requests' | 'poison'>;

async function isWorkedOff(site: Site, { requests, poison }: Sent): Promise<boolean> {
  const { observer, queues, kubelet, resources } = site;
  const recorded = new Set(observer.entries.map(({ revision }) => revision));
  if (!requests.every(({ revision }) => recorded.has(revision))) return false;
  if (!observer.finals.every(({ waiting, active }) => waiting === 0 && active === 0)) return false;
  for (const type of ['Ready', 'QueueReachable']) {
    if (!observer.conditions(type).every((status) => status === 'True')) return false;
  }
  if (kubelet.runs.some(({ endedAt }) => endedAt === undefined)) return false;
  try {
    for (const name of resources) {
      if ((await queues.depth(name)) > 0) return false;
      const sent = poison.filter(({ resource }) => resource === name).length;
      if ((await queues.depth(`${name}-dead`)) < sent) return false;
    }
  } catch {
    return false;
  }
  return true;
}

/** @returns what it wrote last, where it never kept still. */
async function writesAtRest({ apiLog }: Site): Promise<string[]> {
  apiLog.read();
  let stillSince = Date.now();
  let last: Request[] = [];
  for (const deadline = Date.now() + STILL_WITHIN_MS; Date.now() < deadline; await pause(200)) {
    const writes = apiLog.read().filter(isWrite);
    if (writes.length > 0) {
      stillSince = Date.now();
      last = writes;
    }
    if (Date.now() - stillSince > STILL_FOR_MS) return [];
  }
  return last.map(({ verb, uri, code }) => `at rest the operator goes on writing: ${verb} ${uri} (${code})`);
}

async function gather(site: Site, { requests, poison }: Sent): Promise<Evidence> {
  const { kubelet, observer, queues, resources } = site;
  const left: { resource: string; messages: number }[] = [];
  const deadLetters: { resource: string; body: string }[] = [];
  for (const resource of resources) {
    left.push({ resource, messages: await queues.depth(resource) });
    for (const body of await queues.deadLetters(resource)) deadLetters.push({ resource, body });
  }
  const { entries, finals } = observer;
  return { requests, poison, runs: kubelet.runs, entries, queues: left, deadLetters, resources: finals };
}
