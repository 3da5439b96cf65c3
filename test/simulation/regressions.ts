import type { RunOptions } from './run.ts';

/**
 * What the simulation has found once, each named after what it was: seeds that find it again where its mutation
 * (`mutations.ts`) is planted. What a seed means changes with every change of the simulation; `--mutation` tells the
 * new one. The bug itself has its own test where its cause was.
 */
export const REGRESSIONS: readonly (RunOptions & { readonly name: string })[] = [
  {
    // src/operator/controller/status-damping.ts
    name: 'two operators with different clocks do not correct for ever what each says of a request that is nearly due',
    seed: 8,
    steps: 200,
  },
  {
    // src/operator/controller/intake-reports.ts
    name: 'a message that a deleted resource refused is not rejected in the name of the one that was created after it',
    seed: 628,
    steps: 200,
  },
  {
    // src/lanes/occupant.ts
    name: 'a claim that was not started yet is not started after a newer Job that somebody resumed and suspended',
    seed: 171,
    steps: 200,
  },
  {
    // src/lanes/outcome.ts
    name: 'a deploy whose Pod had succeeded when somebody suspended its Job is not recorded as aborted',
    seed: 168,
    steps: 200,
  },
];
