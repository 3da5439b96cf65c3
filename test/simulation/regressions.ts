import type { RunOptions } from './run.ts';

/**
 * Runs that found something once, each named after what it was. What a seed means changes with every change of the simulation; the bug itself
 * has its own test where its cause was, and its mutation in `mutations.ts` says whether it would be found again.
 */
export const REGRESSIONS: readonly (RunOptions & { readonly name: string })[] = [
  {
    // src/controller/last-word.ts
    name: 'two operators with different clocks do not correct for ever what each says of a request that is nearly due',
    seed: 7,
    steps: 200,
  },
  {
    // src/controller/report-book.ts
    name: 'a message that a deleted resource refused is not rejected in the name of the one that was created after it',
    seed: 831,
    steps: 200,
  },
  {
    // src/lanes/lane.ts, occupant
    name: 'a claim that was not started yet is not started after a newer Job that somebody resumed and suspended',
    seed: 280,
    steps: 200,
  },
];
