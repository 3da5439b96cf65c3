import { KINDS_OF_PODS } from './fates.ts';
import { SPECIALS } from './profile.ts';
import type { RunResult } from './run.ts';
import type { Shrunk } from './shrink.ts';

/** What a set of runs came to, added up as they end. */
export class Totals {
  passed = 0;
  steps = 0;
  drainSteps = 0;
  readonly counts = new Map<string, number>();
  readonly failed: { seed: number; message: string }[] = [];

  add({ seed, violation, steps, drainSteps, counts }: Summary): void {
    if (violation === undefined) this.passed += 1;
    else this.failed.push({ seed, message: violation });
    this.steps += steps;
    this.drainSteps += drainSteps;
    for (const [kind, count] of counts) this.counts.set(kind, (this.counts.get(kind) ?? 0) + count);
  }

  get seeds(): number {
    return this.passed + this.failed.length;
  }

  /** Kinds of faults, of acts and of Pods that did not happen once. */
  get missing(): string[] {
    return [...SPECIALS, ...KINDS_OF_PODS].filter((kind) => !this.counts.has(kind));
  }
}

/** A run's result as one process tells it to another. */
export interface Summary {
  readonly seed: number;
  readonly violation: string | undefined;
  readonly steps: number;
  readonly drainSteps: number;
  readonly counts: readonly (readonly [string, number])[];
}

export const summaryOf = ({ seed, violation, steps, drainSteps, counts }: RunResult): Summary => ({
  seed,
  violation: violation?.message,
  steps,
  drainSteps,
  counts: [...counts],
});

export function printTotals(totals: Totals, seconds: number): void {
  const all = totals.steps + totals.drainSteps;
  console.log(
    `${totals.seeds} seeds, ${totals.steps} steps with faults, ${totals.drainSteps} steps of coming to rest, ${seconds.toFixed(0)} s: ${Math.round(all / seconds)} steps/s`,
  );
  const kinds = [...totals.counts].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [kind, count] of kinds) console.log(`  ${String(count).padStart(8)}  ${kind}`);
}

/** What goes on all the time, and tells nothing. */
const NOISE = / Lease | leases? |BOOKMARK|MODIFIED Lease|receive \S+( → ok)?$/;
const FIRST_LINES = 400;
const LAST_LINES = 100;

/** How to see a run again, and the story itself. */
export function printShrunk({ options, result, runs }: Shrunk): void {
  const { seed, steps, profile } = options;
  const only = result.special.join(',');
  console.log(`\nshrunk in ${runs} runs; to see it again:`);
  console.log(
    `  npm run simulate -- --seed ${seed} --steps ${steps} --only ${only || 'none'}${profile ? ` --profile '${JSON.stringify(profile)}'` : ''} --trace\n`,
  );
  const story = result.lines.filter((line) => !NOISE.test(line));
  const cut = story.length > FIRST_LINES + LAST_LINES;
  for (const line of cut ? story.slice(0, FIRST_LINES) : story) console.log(line);
  if (cut) {
    console.log(`          … ${story.length - FIRST_LINES - LAST_LINES} lines, all of them with --trace …`);
    for (const line of story.slice(-LAST_LINES)) console.log(line);
  }
  console.log(`\n${result.violation?.message}`);
}
