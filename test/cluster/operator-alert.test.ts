import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Metrics } from '../../src/observability/metrics.ts';
import { documents, text } from '../artefacts/manifests/yaml.ts';
import { findPromtool, PlayedRules, promtool, type Rules, type Series } from './promtool.ts';

/** The alerts of docs/monitoring.md on what operators serve, played by promtool. They need no cluster. */

const FAILED = 'CapDeployJobDeployFailed';
const REJECTED = 'CapDeployJobMessageRejected';
const MINUTES = 90;
const web = 'deploy/web';
const production = { environment: 'production', waiting: 0, active: 0 };

let directory: string;
let program: string;
/** As the page has them, and with what stands after `or` left out. */
let whole: PlayedRules;
let increases: PlayedRules;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'capdeployjob-alert-'));
  program = findPromtool(directory);
  const [, yaml = ''] = /^```yaml\n(groups:.*?)^```$/ms.exec(text('docs/monitoring.md')) ?? [];
  const rules = documents(yaml)[0] as unknown as Rules;
  whole = new PlayedRules(program, mkdtempSync(join(directory, 'whole-')), rules);
  increases = new PlayedRules(program, mkdtempSync(join(directory, 'increases-')), {
    groups: rules.groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({ ...rule, expr: rule.expr.replace(/\s+or\s.*\)\n?$/s, ')') })),
    })),
  });
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What happens to a process at which minute; it is scraped once a minute, right after. */
type Story = Record<number, (metrics: Metrics) => void>;

/** The series of processes, each of which has a name of its own in Prometheus. */
async function scraped(stories: Record<string, { from?: number; until?: number; story: Story }>): Promise<Series[]> {
  const samples = new Map<string, string[]>();
  for (const [pod, { from = 0, until = MINUTES, story }] of Object.entries(stories)) {
    const clock = { now: 0 };
    const metrics = new Metrics({ processMetrics: false, now: () => clock.now });
    for (let minute = from; minute < until; minute += 1) {
      clock.now = minute * 60_000;
      story[minute]?.(metrics);
      for (const line of (await metrics.text()).split('\n')) {
        const [, name, labels, value = ''] =
          /^(capdeployjob_(?:deploys|rejections)_total)\{(.*)\} (\d+)$/.exec(line) ?? [];
        if (name === undefined) continue;
        const series = `${name}{pod="${pod}",${labels}}`;
        if (!samples.has(series)) samples.set(series, Array(MINUTES).fill('_'));
        (samples.get(series) as string[])[minute] = value;
      }
    }
  }
  return [...samples].map(([series, values]) => ({ series, values: stale(values).join(' ') }));
}

/** A series that a scrape does not show any more ends there. */
const stale = (values: readonly string[]): string[] =>
  values.map((value, minute) => (value === '_' && (values[minute - 1] ?? '_') !== '_' ? 'stale' : value));

const begin = (metrics: Metrics) => metrics.lanes(web, [production]);
const failed = (metrics: Metrics) => metrics.deployEnded(web, 'production', 'Failed');

test('promtool takes the rules', async () => {
  expect(await promtool(program, ['check', 'rules', whole.file])).toMatchObject({ code: 0 });
});

describe('the first failure and the first rejection after a start', () => {
  const series = () =>
    scraped({
      a: { story: { 0: begin, 30: failed, 60: (metrics) => metrics.messageRejected(web, 'NotJSON') } },
    });
  const moments = [29, 31, 44, 47, 61, 74, 77];
  const fires = [[], [FAILED], [FAILED], [], [REJECTED], [REJECTED], []];

  test('fire for fifteen minutes', async () => {
    expect(await whole.firing(await series(), moments)).toEqual(fires);
  });

  test('are seen by increase() alone: their counters were there with 0', async () => {
    expect(await increases.firing(await series(), moments)).toEqual(fires);
  });
});

test.each(['Failed', 'Aborted', 'Missed', 'Unknown'] as const)(
  'a deploy that ended while no operator ran fires, although its %s was counted before the first scrape',
  async (result) => {
    const recorded = (metrics: Metrics) => {
      begin(metrics);
      metrics.deployEnded(web, 'production', result);
    };
    const series = await scraped({
      a: { until: 30, story: { 0: begin } },
      b: { from: 30, story: { 35: recorded } },
    });
    expect(await whole.firing(series, [34, 36, 48, 52])).toEqual([[], [FAILED], [FAILED], []]);
  },
);

describe('nothing fires', () => {
  const later = [0, 2, 20, 31, 33, 45, 59, 61, 63, 75, 89];
  const silence = later.map(() => []);
  const good = (metrics: Metrics) => {
    for (const result of ['Succeeded', 'Superseded', 'Refused'] as const)
      metrics.deployEnded(web, 'production', result);
  };

  test('while deploys succeed or are superseded, and when another replica takes over', async () => {
    const series = await scraped({
      a: { until: 31, story: { 0: begin, 10: good, 20: good } },
      b: { from: 31, story: { 32: begin, 40: good } },
    });
    expect(await whole.firing(series, later)).toEqual(silence);
  });

  test('when an environment with failures, or the whole resource, is removed and comes back', async () => {
    const gone: Story[] = [
      { 30: (metrics) => metrics.lanes(web, []), 60: begin },
      { 30: (metrics) => metrics.resourceRemoved(web), 60: begin },
      { 30: (metrics) => metrics.lanes(web, []), 40: begin },
    ];
    for (const story of gone) {
      const series = await scraped({ a: { story: { 0: begin, 1: failed, 2: failed, ...story } } });
      const moments = later.filter((at) => at > 18);
      expect(await whole.firing(series, moments)).toEqual(moments.map(() => []));
    }
  });
});
