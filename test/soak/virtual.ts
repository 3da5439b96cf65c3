import { Churn } from './churn.ts';
import type { Report } from './report.ts';
import { Retained } from './retained.ts';

const SAMPLE_MINUTES = 5;
/** Caches fill, code is compiled. */
const WARM_UP_MINUTES = 20;

/**
 * Bounded by themselves, and by intention filled up to there: how many entries at most, for each object that has them.
 */
const BOUNDS: Record<string, number> = {
  'EventRecorder.#remembered': 5_000,
  'LabelValues.#known': 50,
  'Rejections.#recorded': 5_000,
};

/**
 * So many minutes of churn on a virtual clock, in this process: its heap, its objects, and what these hold, must not
 * grow.
 */
export async function virtualSoak(minutes: number, seed: number, report: Report): Promise<void> {
  const retained = new Retained();
  const classes = await retained.load();
  report.check('the classes of the operator are found', classes >= 35, String(classes));
  const churn = new Churn(seed);
  const heap: number[] = [];
  const series: number[] = [];
  const counts: Map<string, number>[] = [];
  report.head(['virtual minutes', 'heap MiB', 'Jobs', 'Pods', 'entries held', 'abort signals', 'lines of metrics']);
  await churn.begin();
  for (let minute = 1; minute <= minutes; minute += 1) {
    await churn.minute();
    if (minute < WARM_UP_MINUTES || minute % SAMPLE_MINUTES !== 0) continue;
    const count = await retained.count();
    const lines = (await churn.world.metrics.text()).split('\n').length;
    heap.push(retained.heap());
    counts.push(count);
    series.push(lines);
    const held = [...count].reduce(
      (sum, [name, size]) => (name.includes('.') && BOUNDS[name] === undefined ? sum + size : sum),
      0,
    );
    report.row([
      minute,
      (heap.at(-1) as number) / 2 ** 20,
      churn.world.count('jobs'),
      churn.world.count('pods'),
      held,
      count.get('AbortSignal') ?? 0,
      lines,
    ]);
  }
  report.flat('heap after collection', heap, { share: 0.05, least: 2 ** 20 });
  report.flat('lines of metrics', series, { share: 0.25, least: 20 });
  for (const name of new Set(counts.flatMap((count) => [...count.keys()]))) {
    const values = counts.map((count) => count.get(name) ?? 0);
    const bound = BOUNDS[name];
    if (bound === undefined) report.flat(name, values, { share: 0.25, least: 10 });
    else
      report.check(
        `${name} holds at most ${bound}`,
        values.every((value) => value <= bound * 20),
        values.join(' '),
      );
  }
  await churn.end();
  // Drops what was kept of them for the next scrape.
  await churn.world.metrics.text();
  const left = await retained.count();
  for (const name of ['Poller', 'Batch', 'Rejections', 'VisibilityHeartbeat']) {
    report.check(`no ${name} is left when every resource is gone`, (left.get(name) ?? 0) === 0, String(left.get(name)));
  }
  const entries = [...left].filter(([name, size]) => name.includes('.') && size > 0 && !MAY_STAY.has(name));
  report.check(
    'nothing is held of resources that are gone',
    entries.length === 0,
    entries.map((each) => each.join(' ')).join(', '),
  );
  await churn.world.stop();
  retained.close();
}

/**
 * Not of a resource: names of Events that were written and values of labels (both bounded), and parts of the caches.
 */
const MAY_STAY = new Set([
  'EventRecorder.#remembered',
  'Cache.#reflectors',
  'Cache.#handlers',
  'Indexer.#indexes',
  'MetricFactory.definitions',
  'LabelValues.#known',
]);
