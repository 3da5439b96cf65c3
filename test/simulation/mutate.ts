import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MUTATIONS, type Mutation } from './mutations.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Seeds that each mutation has to be found within, where it names no other bound. */
const DEFAULT_BOUND = 1500;

interface Outcome {
  readonly mutation: Mutation;
  readonly seeds: number;
  /** What was found; undefined where nothing was. */
  readonly message: string | undefined;
  readonly seconds: number;
}

/**
 * Plants each bug into a copy of the sources and simulates that until it is found: a simulation that finds nothing in a
 * broken operator says nothing of a sound one.
 * @param options.minutes after that no other is begun: on a slow machine the last ones are named, and not searched for.
 * @returns whether all that were searched for were found. @throws where a mutation does not fit the sources any more.
 */
export async function runMutations(options: {
  only: string | undefined;
  workers: number;
  minutes: number;
}): Promise<boolean> {
  const chosen = MUTATIONS.filter(({ name }) => options.only === undefined || name.includes(options.only));
  for (const mutation of chosen) mutated(mutation);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      for (const cleanUp of cleanUps) cleanUp();
      process.exit(1);
    });
  }
  // Another order each time: those that a slow machine has no time for are not always the same.
  const left = chosen
    .map((mutation) => ({ mutation, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ mutation }) => mutation);
  const outcomes: Outcome[] = [];
  const until = performance.now() + options.minutes * 60_000;
  await Promise.all(
    Array.from({ length: options.workers }, async () => {
      for (let mutation = left.shift(); mutation !== undefined; mutation = left.shift()) {
        const outcome = performance.now() < until ? await simulate(mutation, until - performance.now()) : undefined;
        if (outcome === undefined) console.log(`not searched for, its time was over: ${mutation.name}`);
        else outcomes.push(outcome);
        if (outcome) print(outcome);
      }
    }),
  );
  const found = outcomes.filter(({ message }) => message !== undefined).length;
  console.log(`mutations: ${found} passed, ${outcomes.length - found} failed`);
  return found === outcomes.length && found > 0;
}

function print({ mutation, seeds, message, seconds }: Outcome): void {
  const verdict = message === undefined ? `NOT FOUND in ${seeds} seeds` : `found in ${seeds} seeds`;
  console.log(`${verdict.padEnd(26)} ${seconds.toFixed(0).padStart(4)} s  ${mutation.name} (${mutation.rule})`);
  if (message !== undefined) console.log(`${' '.repeat(35)}${message.split('\n')[0]?.slice(0, 180)}`);
}

/** The file's text with the bug in it. */
export function mutated({ name, file, find, replace }: Mutation): string {
  const text = readFileSync(join(root, file), 'utf8');
  const places = text.split(find).length - 1;
  if (places !== 1)
    throw new Error(`mutation "${name}": ${file} holds ${places} times what is to be replaced:\n${find}`);
  return text.replace(find, () => replace);
}

/** Whoever ends this program early finds nothing left of it. */
const cleanUps = new Set<() => void>();

/** @returns undefined where the time was over before its seeds were. */
async function simulate(mutation: Mutation, withinMs: number): Promise<Outcome | undefined> {
  const copy = mkdtempSync(join(tmpdir(), 'capdeployjob-mutation-'));
  const begun = performance.now();
  const bound = mutation.seeds ?? DEFAULT_BOUND;
  const remove = (): void => rmSync(copy, { recursive: true, force: true });
  cleanUps.add(remove);
  try {
    for (const part of ['src', 'crds', 'dev', 'test/simulation', 'test/kit', 'package.json']) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    writeFileSync(join(copy, mutation.file), mutated(mutation));
    const args = ['test/simulation/main.ts', '--until-found', '--seeds', String(bound)];
    const text = await run(copy, args, withinMs);
    const seconds = (performance.now() - begun) / 1000;
    if (text === undefined) return undefined;
    const { seeds, message } = JSON.parse(text) as { seeds: number; message?: string };
    return { mutation, seeds, message, seconds };
  } finally {
    remove();
    cleanUps.delete(remove);
  }
}

/** @returns what it printed; undefined where its time was over. */
function run(cwd: string, args: string[], withinMs: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    const end = (): void => void child.kill('SIGKILL');
    const timer = setTimeout(end, withinMs);
    cleanUps.add(end);
    child.stdout.on('data', (data) => {
      out += data;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      cleanUps.delete(end);
      if (signal === 'SIGKILL') resolve(undefined);
      else if (code === 0) resolve(out);
      else reject(new Error(`the simulation of a mutation ended with ${code ?? signal}:\n${out}`));
    });
  });
}
