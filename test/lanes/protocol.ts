import fc from 'fast-check';
import type { DeployRequest } from '../../src/api/deploy-request.ts';
import { aRequest, at } from './builders.ts';
import { type Faults, World } from './world.ts';

const STEPS = 80;

/** Requests of one lane, some of another task, some of the same millisecond, in no order of arrival. */
const requests: fc.Arbitrary<DeployRequest[]> = fc
  .array(fc.record({ sent: fc.integer({ min: -6, max: 0 }), isOther: fc.nat(4) }), { minLength: 2, maxLength: 4 })
  .map((drawn) =>
    drawn.map(({ sent, isOther }, index) =>
      aRequest({
        id: `r${index + 1}`,
        sentAt: at(sent * 10),
        task: isOther === 0 ? 'deploy:restart' : 'deploy',
        revision: `v1.0.${index}`,
      }),
    ),
  );

/** Few faults at a time: where all happen at once, hardly any scenario gets far enough to matter. */
const rarely = fc.nat(2).map((n) => n === 0);
const faults: fc.Arbitrary<Faults> = fc.record({
  crash: rarely,
  redeliver: rarely,
  deleteByHand: rarely,
  suspendByHand: rarely,
  resumeByHand: rarely,
  freeze: rarely,
  loseStatus: rarely,
  evict: rarely,
  latePods: rarely,
  jump: rarely,
});

const choices = fc.array(fc.nat(0xffff), { minLength: STEPS / 2, maxLength: STEPS, size: 'max' });

export function run(asked: DeployRequest[], mixture: Faults, steps: readonly number[]): World {
  const world = new World(asked, mixture);
  try {
    for (const step of steps) world.step(step);
    world.drain();
  } catch (error) {
    if (error instanceof Error) error.message += `\n${world.log.join('\n')}\n${world.describe()}`;
    throw error;
  }
  return world;
}

export function outcomeOfProperty(parameters: fc.Parameters<[DeployRequest[], Faults, number[]]>): string | undefined {
  const details = fc.check(
    fc.property(requests, faults, choices, (a, b, c) => void run(a, b, c)),
    parameters,
  );
  if (!details.failed) return undefined;
  const error = details.errorInstance;
  return `after ${details.numRuns} runs (${details.numShrinks} shrinks): ${error instanceof Error ? error.message : String(error)}`;
}
