import { drain } from './drain.ts';
import { sendMessage } from './messages.ts';
import type { Profile } from './profile.ts';
import { Random } from './random.ts';
import { SPECIAL_ACTS } from './specials.ts';
import { Violation } from './violation.ts';
import { World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly steps: number;
  /** Steps in which nothing special happens although the seed says so: what shrinking leaves out. */
  readonly leftOut?: ReadonlySet<number>;
  readonly calmPods?: boolean;
  /** Instead of what the seed draws: what shrinking simplifies. */
  readonly profile?: Partial<Profile>;
  readonly keepsLines?: boolean;
}

export interface RunResult {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** Steps with faults, and the steps of the drain after them. */
  readonly steps: number;
  readonly drainSteps: number;
  /** The steps in which something special happened. */
  readonly special: readonly number[];
  readonly hash: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly lines: readonly string[];
}

/** More than any run takes: one that goes on writing for ever must not go on for ever. */
const MOST_DRAIN_STEPS = 30_000;

/**
 * One run: a world of its own from one seed. Each step is the next thing in order, or something special; which, is
 * drawn from the seed and the number of the step alone. Invariants are checked after each step.
 */
export async function runSeed(options: RunOptions): Promise<RunResult> {
  const { seed, steps, leftOut } = options;
  const world = new World(options);
  const special: number[] = [];
  let done = 0;
  let drainSteps = 0;
  let violation: Violation | undefined;
  // The program ends itself on such an error (src/cli/process.ts).
  const failed = (error: unknown): void => world.oracle.operatorFailed(error);
  process.on('unhandledRejection', failed);
  try {
    world.startReplicas();
    sendFirst(world);
    for (; done < steps; done += 1) {
      const random = new Random(seed, 'step', done);
      const isSpecial = random.chance(world.profile.unrest) && !leftOut?.has(done);
      if (isSpecial && (await SPECIAL_ACTS[random.weighted(world.profile.weights)](world, random))) special.push(done);
      else await world.stepInOrder();
      await world.settled();
      world.oracle.check();
    }
    await drain(world, async () => {
      drainSteps += 1;
      if (drainSteps > MOST_DRAIN_STEPS) throw new Violation('liveness', 'it goes on for ever');
      await world.stepInOrder();
      world.oracle.check();
    });
  } catch (error) {
    violation = error instanceof Violation ? error : unexpected(error);
  } finally {
    process.off('unhandledRejection', failed);
  }
  const hash = world.trace.hash.toString(16).padStart(8, '0');
  const { counts, lines } = world.trace;
  return { seed, violation, steps: done, drainSteps, special, hash, counts, lines };
}

/** A run in which nobody asks for anything is a waste of time. */
function sendFirst(world: World): void {
  const random = world.random('first messages');
  for (let count = 1 + random.int(4); count > 0; count -= 1) {
    world.happened('message is sent', sendMessage(world, random.pick(world.setting.places), random));
  }
}

function unexpected(error: unknown): Violation {
  return new Violation('unexpected error', error instanceof Error ? (error.stack ?? error.message) : String(error));
}
