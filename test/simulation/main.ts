import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runMutations } from './mutate.ts';
import { printShrunk, printTotals, type Summary, summaryOf, Totals } from './report.ts';
import { type RunOptions, runSeed } from './run.ts';
import { shrink } from './shrink.ts';

/** `npm run simulate`: many seeds on all cores, one seed again, or the mutations. See docs/simulation.md. */

const { values: flags } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    steps: { type: 'string', default: '200' },
    workers: { type: 'string', default: String(availableParallelism()) },
    minutes: { type: 'string', default: '600' },
    only: { type: 'string' },
    profile: { type: 'string' },
    trace: { type: 'boolean', default: false },
    'until-found': { type: 'boolean', default: false },
    mutations: { type: 'boolean', default: false },
    mutation: { type: 'string' },
    worker: { type: 'boolean', default: false },
  },
});

const steps = Number(flags.steps);
const CHUNK = 10;
const SHRINK_MS = 60_000;
/**
 * A bug that makes the program fail is found by any test: what is asked of a simulation is to find those that do not.
 */
const CRASHES = ['the operator failed', 'unexpected error'];

if (flags.worker) work();
else if (flags.mutations || flags.mutation !== undefined) {
  const ok = await runMutations({
    only: flags.mutation,
    workers: Number(flags.workers),
    minutes: Number(flags.minutes),
  });
  process.exitCode = ok ? 0 : 1;
} else if (flags['until-found']) await untilFound();
else if (flags.seed !== undefined) await again(Number(flags.seed));
else await many();

/** Seeds until the first that finds something: for the mutations. Prints one line of JSON. */
async function untilFound(): Promise<void> {
  const first = Number(flags.first);
  for (let seed = first; seed < first + Number(flags.seeds); seed += 1) {
    const { violation } = await runSeed({ seed, steps });
    if (violation === undefined || CRASHES.includes(violation.rule)) continue;
    console.log(JSON.stringify({ seeds: seed - first + 1, seed, message: violation.message.slice(0, 400) }));
    return;
  }
  console.log(JSON.stringify({ seeds: Number(flags.seeds) }));
}

/** One seed, twice: the second run must be the first one again. */
async function again(seed: number): Promise<void> {
  const whole = await runSeed({ seed, steps });
  const kept = flags.only === undefined ? undefined : new Set(flags.only.split(',').map(Number));
  const options: RunOptions = {
    seed,
    steps,
    ...(kept
      ? { leftOut: new Set(Array.from({ length: steps }, (_, step) => step).filter((step) => !kept.has(step))) }
      : {}),
    ...(flags.profile === undefined ? {} : { profile: JSON.parse(flags.profile) }),
  };
  const result = await runSeed({ ...options, keepsLines: flags.trace });
  if (flags.trace) for (const line of result.lines) console.log(line);
  if (kept === undefined && flags.profile === undefined && whole.hash !== result.hash) {
    throw new Error(`seed ${seed} does not replay: ${whole.hash}, then ${result.hash}`);
  }
  console.log(`seed ${seed}: ${result.steps} steps, then ${result.drainSteps}, hash ${result.hash}`);
  if (result.violation === undefined) return;
  console.log(result.violation.message);
  process.exitCode = 1;
  if (!flags.trace) printShrunk(await shrink(options, result, SHRINK_MS));
}

async function many(): Promise<void> {
  const totals = new Totals();
  const begun = performance.now();
  const until = begun + Number(flags.minutes) * 60_000;
  const last = Number(flags.first) + Number(flags.seeds);
  let next = Number(flags.first);
  const workers = Array.from({ length: Number(flags.workers) }, () => {
    const child = fork(import.meta.filename, ['--worker', '--steps', String(steps)]);
    return new Promise<void>((resolve, reject) => {
      const hand = (): void => {
        const seeds: number[] = [];
        while (seeds.length < CHUNK && next < last && performance.now() < until && totals.failed.length < 5) {
          seeds.push(next);
          next += 1;
        }
        if (seeds.length === 0) child.disconnect();
        else child.send(seeds);
      };
      child.on('message', (summaries) => {
        for (const summary of summaries as Summary[]) totals.add(summary);
        hand();
      });
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
      hand();
    });
  });
  await Promise.all(workers);
  printTotals(totals, (performance.now() - begun) / 1000);
  for (const { seed, message } of totals.failed) console.log(`seed ${seed}: ${message}`);
  const missing = totals.seeds >= 500 ? totals.missing : [];
  if (missing.length > 0) console.log(`never happened: ${missing.join(', ')}`);
  const [failing] = totals.failed.toSorted((a, b) => a.seed - b.seed);
  if (failing) {
    const options = { seed: failing.seed, steps };
    printShrunk(await shrink(options, await runSeed(options), SHRINK_MS));
  }
  console.log(`simulation: ${totals.passed} passed, ${totals.failed.length} failed`);
  process.exitCode = totals.failed.length > 0 || totals.passed === 0 || missing.length > 0 ? 1 : 0;
}

function work(): void {
  process.on('message', async (seeds: number[]) => {
    const summaries: Summary[] = [];
    for (const seed of seeds) summaries.push(summaryOf(await runSeed({ seed, steps })));
    process.send?.(summaries);
  });
}
