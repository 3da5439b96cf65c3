import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documents, text } from '../artefacts/manifests/yaml.ts';
import { findPromtool, PlayedRules, promtool, type Rules } from './promtool.ts';

/** The alerts of deploy/ecr-login/alert, played by promtool. They need no cluster. */

const TOKEN_HOURS = 12;
const MINUTE = 60;
const HOUR = 3600;

let directory: string;
let program: string;
let rules: PlayedRules;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'capdeployjob-alert-'));
  program = findPromtool(directory);
  const [rule] = documents(text('deploy/ecr-login/alert/prometheus-rule.yaml'));
  rules = new PlayedRules(program, directory, (rule as { spec: Rules }).spec);
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const LABELS = '{namespace="capdeployjob-system",cronjob="capdeployjob-ecr-login"}';
const OVERDUE = 'CapDeployJobEcrLoginOverdue';
const NEVER = 'CapDeployJobEcrLoginNeverSucceeded';
const SUSPENDED = 'CapDeployJobEcrLoginSuspended';
const UNKNOWN = 'CapDeployJobEcrLoginUnknown';

/** Times in seconds from the beginning; the CronJob is made at 0. Samples once a minute, for two days. */
interface Story {
  /** When runs succeeded. */
  successes?: readonly number[];
  /** From when until when it is suspended. */
  suspended?: readonly [from: number, until: number];
  /** kube-state-metrics has nothing of it after this. */
  gone?: number;
  /** Another CronJob is well. */
  another?: boolean;
}
const DAYS = 2 * 24 * 60;

function seriesOf({
  successes = [],
  suspended,
  gone = Number.POSITIVE_INFINITY,
  another,
}: Story): { series: string; values: string }[] {
  const samples = (at: (seconds: number) => number | undefined): string =>
    Array.from({ length: DAYS }, (_, minute) => (minute * MINUTE > gone ? undefined : at(minute * MINUTE)))
      .map((value) => (value === undefined ? '_' : String(value)))
      .join(' ');
  const last = (now: number) => successes.filter((at) => at <= now).at(-1);
  const isSuspended = (now: number) => (suspended !== undefined && now >= suspended[0] && now < suspended[1] ? 1 : 0);
  const other = '{namespace="other",cronjob="something-else"}';
  return [
    { series: `kube_cronjob_created${LABELS}`, values: samples(() => 0) },
    { series: `kube_cronjob_spec_suspend${LABELS}`, values: samples(isSuspended) },
    { series: `kube_cronjob_status_last_successful_time${LABELS}`, values: samples(last) },
    ...(another ? [{ series: `kube_cronjob_status_last_successful_time${other}`, values: samples((now) => now) }] : []),
  ];
}

/** Which alerts fire at these moments, given in seconds. */
const firing = (story: Story, moments: readonly number[]): Promise<string[][]> =>
  rules.firing(
    seriesOf(story),
    moments.map((at) => at / MINUTE),
  );

/** Every four hours from the 23rd minute, for as long as said. */
const every4h = (until: number): number[] =>
  Array.from({ length: 12 }, (_, run) => 23 * MINUTE + run * 4 * HOUR).filter((at) => at <= until);
const LAST = 23 * MINUTE + 4 * HOUR;

test('promtool takes the rules', async () => {
  expect(await promtool(program, ['check', 'rules', rules.file])).toMatchObject({ code: 0 });
});

describe('silent', () => {
  test.each([
    ['while every run succeeds', { successes: every4h(48 * HOUR) }, [HOUR, 4 * HOUR, 12 * HOUR, 40 * HOUR]],
    ['until the first run of a new CronJob is due', {}, [4 * HOUR, 4 * HOUR + 29 * MINUTE]],
    [
      'when one run is missed or fails',
      { successes: every4h(48 * HOUR).filter((at) => at !== LAST + 4 * HOUR) },
      [LAST + 4 * HOUR, LAST + 8 * HOUR - MINUTE, LAST + 8 * HOUR],
    ],
    [
      'when one run is missed, and the next one takes its 20 minutes',
      { successes: [...every4h(LAST), LAST + 8 * HOUR + 20 * MINUTE] },
      [LAST + 8 * HOUR + 19 * MINUTE, LAST + 8 * HOUR + 25 * MINUTE],
    ],
  ])('%s', async (_, story, moments) => {
    expect(await firing(story, moments)).toEqual(moments.map(() => []));
  });
});

describe('fires', () => {
  test('when the second run in a row fails, three hours and more before the token ends, and until one succeeds', async () => {
    const back = LAST + 11 * HOUR;
    const moments = [LAST + 8.5 * HOUR, LAST + 8.5 * HOUR + 7 * MINUTE, back - MINUTE, back + MINUTE];
    expect(await firing({ successes: [...every4h(LAST), back] }, moments)).toEqual([[], [OVERDUE], [OVERDUE], []]);
    expect(LAST + TOKEN_HOURS * HOUR - (moments[1] as number)).toBeGreaterThan(3 * HOUR);
  });

  test('when no run has ever succeeded, hours before the token of the run at install ends', async () => {
    const moments = [4.5 * HOUR, 4.5 * HOUR + 7 * MINUTE, 20 * HOUR];
    expect(await firing({}, moments)).toEqual([[], [NEVER], [NEVER]]);
  });

  test('when no run has ever succeeded although other CronJobs run well', async () => {
    expect(await firing({ another: true }, [5 * HOUR])).toEqual([[NEVER]]);
  });

  test('when it is suspended: an hour later as such, and before the token ends as overdue', async () => {
    const story: Story = { successes: every4h(LAST), suspended: [LAST + HOUR, LAST + 30 * HOUR] };
    const moments = [LAST + 1.9 * HOUR, LAST + 2.1 * HOUR, LAST + 9 * HOUR];
    expect(await firing(story, moments)).toEqual([[], [SUSPENDED], [OVERDUE, SUSPENDED]]);
  });

  test('when it was made suspended and never ran', async () => {
    expect(await firing({ suspended: [0, 48 * HOUR] }, [5 * HOUR])).toEqual([[NEVER, SUSPENDED]]);
  });

  test('when the CronJob is deleted, or kube-state-metrics is not scraped', async () => {
    const moments = [LAST + 25 * MINUTE, LAST + 45 * MINUTE, LAST + TOKEN_HOURS * HOUR];
    expect(await firing({ successes: every4h(LAST), gone: LAST }, moments)).toEqual([[], [UNKNOWN], [UNKNOWN]]);
  });
});
