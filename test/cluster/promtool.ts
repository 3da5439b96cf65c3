/**
 * promtool, to test alerting rules with: `PROMTOOL`, else the one on the PATH, else the one in Debian's package
 * prometheus, which is fetched (19 MB, less than a second) and unpacked, not installed: no rights of root are needed
 * for that, and no Prometheus starts.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { stringify } from 'yaml';

/** @param scratch a folder to unpack in. @returns the path of the program. @throws Error that says what to install. */
export function findPromtool(scratch: string): string {
  const { PROMTOOL, PATH = '' } = process.env;
  const onPath = PATH.split(delimiter).map((folder) => join(folder, 'promtool'));
  const found = (PROMTOOL ? [PROMTOOL] : onPath).find(runs);
  if (found !== undefined) return found;
  if (PROMTOOL) throw new Error(`PROMTOOL=${PROMTOOL} cannot be run`);
  const folder = join(scratch, 'prometheus');
  mkdirSync(folder);
  try {
    execFileSync('apt-get', ['-qq', 'download', 'prometheus'], { cwd: folder, stdio: 'pipe' });
    const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.deb'));
    execFileSync('dpkg', ['-x', archive, '.'], { cwd: folder, stdio: 'pipe' });
  } catch (error) {
    throw new Error('no promtool: install it (Debian: apt-get install prometheus), or set PROMTOOL', { cause: error });
  }
  return join(folder, 'usr/bin/promtool');
}

function runs(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

/** Resolves whatever its exit code is. */
export function promtool(program: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}

export interface Rules {
  groups: { rules: { alert: string; expr: string }[] }[];
}

/** A series in promtool's notation: its samples are a minute apart, `_` is none. */
export interface Series {
  series: string;
  values: string;
}

/** Alerting rules in a file, to be played. */
export class PlayedRules {
  readonly #program: string;
  readonly #folder: string;
  readonly #names: string[];
  readonly file: string;

  constructor(program: string, folder: string, rules: Rules) {
    this.#program = program;
    this.#folder = folder;
    this.#names = rules.groups.flatMap((group) => group.rules.map(({ alert }) => alert));
    this.file = join(folder, 'rules.yaml');
    writeFileSync(this.file, stringify(rules));
  }

  /**
   * @param minutes since the beginning. @returns which alerts fire at each of these moments. @throws Error with what
   * promtool says of a mistake.
   */
  async firing(series: readonly Series[], minutes: readonly number[]): Promise<string[][]> {
    // Asked whether none fires, promtool names each that does, and when.
    const asked = minutes.flatMap((at) =>
      this.#names.map((alertname) => ({ eval_time: `${at}m`, alertname, exp_alerts: [] })),
    );
    const file = join(this.#folder, `${crypto.randomUUID()}.yaml`);
    const test = { interval: '1m', input_series: series, alert_rule_test: asked };
    writeFileSync(file, stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests: [test] }));
    const { code, output } = await promtool(this.#program, ['test', 'rules', file]);
    const told = [...output.matchAll(/alertname: *(\w+), time: *(\w+)/g)].map(([, name = '', time = '']) => ({
      name,
      at: minutesOf(time),
    }));
    if (code !== 0 && told.length === 0) throw new Error(output);
    return minutes.map((at) => this.#names.filter((name) => told.some((one) => one.name === name && one.at === at)));
  }
}

/** `1d2h30m` as Prometheus writes durations. */
function minutesOf(duration: string): number {
  const units: Record<string, number> = { d: 24 * 60, h: 60, m: 1, s: 1 / 60 };
  return [...duration.matchAll(/(\d+)([dhms])/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? Number.NaN),
    0,
  );
}
