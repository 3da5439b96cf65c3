/**
 * Many resources read by one process, at rest: memory, CPU, and what it asks of the API server meanwhile.
 * `npm run bench:many [resources] [seconds]`
 */
import { readFileSync } from 'node:fs';
import { cpuSeconds, pause, startRig, until } from './rig.ts';

const resources = Number(process.argv[2] ?? 1000);
const seconds = Number(process.argv[3] ?? 60);
const WRITES = ['create', 'update', 'patch', 'delete'];

const rig = await startRig();
try {
  for (let i = 0; i < resources; i++) await rig.deployable(`bench-${i}`, ['production', 'staging']);
  await until('all are ready', 300, async () => {
    const { items } = rig.cluster.store.list({
      group: 'capdeployjob.dev',
      version: 'v1alpha1',
      plural: 'capdeployjobs',
      kind: 'CapDeployJob',
    });
    return items.every((item) =>
      (item as { status?: { conditions?: { type: string; status: string }[] } }).status?.conditions?.some(
        ({ type, status }) => type === 'Ready' && status === 'True',
      ),
    );
  });
  await pause(5000);
  const before = { cpu: cpuSeconds(rig.operator.pid), requests: rig.cluster.requests.counts() };
  await pause(seconds * 1000);
  const cpu = cpuSeconds(rig.operator.pid) - before.cpu;
  const heap = await rig.metric('nodejs_heap_size_used_bytes');
  const status = readFileSync(`/proc/${rig.operator.pid}/status`, 'utf8');
  const rss = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
  const asked = difference(rig.cluster.requests.counts(), before.requests);
  const writes = Object.entries(asked).filter(([name]) => WRITES.some((verb) => name.startsWith(verb)));
  console.log(`${resources} resources at rest for ${seconds} s`);
  console.log(
    `RSS ${rss.toFixed(0)} MiB  heap ${(heap / 2 ** 20).toFixed(0)} MiB  CPU ${((100 * cpu) / seconds).toFixed(1)} % of one core`,
  );
  const { series, bytes, milliseconds } = await rig.scrape();
  console.log(
    `metrics: ${series} series, ${(bytes / 2 ** 20).toFixed(1)} MiB, scraped in ${milliseconds.toFixed(0)} ms`,
  );
  console.log(
    `requests to the API server: ${JSON.stringify(asked)}; writes: ${writes.length === 0 ? 'none' : JSON.stringify(writes)}`,
  );
} finally {
  await rig.stop();
}

function difference(after: Record<string, number>, before: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after)
      .map(([name, count]): [string, number] => [name, count - (before[name] ?? 0)])
      .filter(([, count]) => count > 0),
  );
}
