import type { Profile } from './profile.ts';
import { type RunOptions, type RunResult, runSeed } from './run.ts';

export interface Shrunk {
  readonly options: RunOptions;
  readonly result: RunResult;
  /** How many runs it took. */
  readonly runs: number;
}

const SIMPLER: readonly Partial<Profile>[] = [
  { podFates: [['succeeds', 1]] },
  { sideFates: [['ends soon after', 1]] },
  { sideCars: 0 },
  { traps: 0 },
  { reportMs: 0 },
  { skewMs: 0 },
  { finishesEarly: false },
  { podLagMs: 0 },
  { gaps: 0 },
  { ends: 0 },
  { replicas: 1 },
  { election: false },
];

/**
 * Looks for a shorter story of the same violation: fewer steps, fewer special things in them, Pods that do as they
 * should. Leaves out halves, then quarters, then single steps (Zeller's ddmin), for at most so long (milliseconds).
 */
export async function shrink(failing: RunOptions, found: RunResult, withinMs: number): Promise<Shrunk> {
  const until = performance.now() + withinMs;
  let best: RunOptions = { ...failing, steps: found.steps + (found.drainSteps > 0 ? 0 : 1) };
  let result = found;
  let runs = 0;
  const holds = async (options: RunOptions): Promise<boolean> => {
    if (performance.now() > until) return false;
    runs += 1;
    const next = await runSeed(options);
    if (next.violation?.rule !== found.violation?.rule) return false;
    best = options;
    result = next;
    return true;
  };
  for (let smaller = true; smaller && performance.now() < until; ) {
    smaller = false;
    for (const simpler of SIMPLER) {
      const isSimplified = Object.keys(simpler).every((key) => best.profile && key in best.profile);
      if (!isSimplified) await holds({ ...best, profile: { ...best.profile, ...simpler } });
    }
    const before = result.special.length;
    for (let size = Math.ceil(result.special.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let end = result.special.length; end > 0; end = Math.min(end - size, result.special.length)) {
        const without = result.special.slice(Math.max(0, end - size), end);
        await holds({ ...best, leftOut: new Set([...(best.leftOut ?? []), ...without]) });
      }
    }
    const last = result.special.at(-1) ?? 0;
    if (last + 1 < best.steps) await holds({ ...best, steps: last + 1 });
    smaller = result.special.length < before;
  }
  result = await runSeed({ ...best, keepsLines: true });
  return { options: best, result, runs };
}
