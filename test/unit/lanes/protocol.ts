import fc from 'fast-check';
import type { DeployRequest } from '../../../src/api/deploy-request.ts';
import { aRequest, at } from '../../kit/builders.ts';
import { type Faults, type Happening, type Rules, World } from './world.ts';

const STEPS = 80;

const TASKS = ['deploy:restart', 'deploy:rollback'];

/** Requests of one lane, some of another task, some of the same millisecond, some for later, in no order of arrival. */
const requests: fc.Arbitrary<DeployRequest[]> = fc
  .array(
    fc.record({
      sent: fc.integer({ min: -6, max: 0 }),
      task: fc.nat(7),
      notBefore: fc.integer({ min: -30, max: 8 }),
      expiresAt: fc.integer({ min: 1, max: 60 }),
    }),
    { minLength: 2, maxLength: 4 },
  )
  .map((drawn) =>
    drawn.map(({ sent, task, notBefore, expiresAt }, index) =>
      aRequest({
        id: `r${index + 1}`,
        sentAt: at(sent * 10),
        task: TASKS[task] ?? 'deploy',
        revision: `v1.0.${index}`,
        notBefore: notBefore > 0 ? at(notBefore * 60) : undefined,
        expiresAt: expiresAt <= 15 ? at(expiresAt * 60) : undefined,
      }),
    ),
  );

const rules: fc.Arbitrary<Rules> = fc.record({
  concurrencyPolicy: fc.constantFrom('Queue', 'Supersede', 'Replace'),
  requireApproval: fc.nat(3).map((n) => n === 0),
  windows: fc.nat(3).map((n) => n === 0),
});

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
  approve: rarely,
  edit: rarely,
  skew: rarely,
});

const choices = fc.array(fc.nat(0xffff), { minLength: STEPS / 2, maxLength: STEPS, size: 'max' });

export function run(asked: DeployRequest[], mixture: Faults, policies: Rules, steps: readonly number[]): World {
  const world = new World(asked, mixture, policies);
  try {
    for (const step of steps) world.step(step);
    world.drain();
  } catch (error) {
    if (error instanceof Error) error.message += `\n${world.log.join('\n')}\n${world.describe()}`;
    throw error;
  }
  return world;
}

export function outcomeOfProperty(
  parameters: fc.Parameters<[DeployRequest[], Faults, Rules, number[]]>,
): string | undefined {
  const details = fc.check(
    fc.property(requests, faults, rules, choices, (a, b, c, d) => void run(a, b, c, d)),
    parameters,
  );
  if (!details.failed) return undefined;
  const error = details.errorInstance;
  return `after ${details.numRuns} runs (${details.numShrinks} shrinks): ${error instanceof Error ? error.message : String(error)}`;
}

const NO_FAULTS: Faults = {
  crash: false,
  redeliver: false,
  deleteByHand: false,
  suspendByHand: false,
  resumeByHand: false,
  freeze: false,
  loseStatus: false,
  evict: false,
  latePods: false,
  jump: false,
  approve: false,
  edit: false,
  skew: false,
};

const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.record({
    what: fc.constantFrom<Happening['what']>(
      'arrives',
      'arrives',
      'arrives',
      'is approved',
      'is deleted',
      'the freeze turns',
      'the deploy ends',
      'the deploy ends',
    ),
    id: fc.constantFrom('r1', 'r2', 'r3', 'r4'),
  }),
  { minLength: 3, maxLength: 9 },
);

/** The same things happen; between them the operators' passes come in this order or in that one. */
export function outcomeOfOrders(
  parameters: fc.Parameters<[DeployRequest[], Rules, Happening[], number[]]>,
): string | undefined {
  const live = (asked: DeployRequest[], policies: Rules, events: Happening[], choose: () => number) => {
    const world = new World(asked, NO_FAULTS, { ...policies, windows: false });
    try {
      for (const event of events) {
        world.happen(event);
        world.settle(choose);
      }
    } catch (error) {
      if (error instanceof Error) error.message += `\n${world.log.join('\n')}\n${world.describe()}`;
      throw error;
    }
    return world;
  };
  const details = fc.check(
    fc.property(requests, rules, happenings, choices, (asked, policies, events, steps) => {
      // Bounds in time would make it matter by a second when somebody looked.
      const untimed = asked.map((request) => ({ ...request, notBefore: undefined, expiresAt: undefined }));
      let next = 0;
      const one = live(untimed, policies, events, () => 0);
      const other = live(untimed, policies, events, () => steps[next++ % steps.length] ?? 0);
      const [first, second] = [one.outcome(), other.outcome()].map((outcome) => JSON.stringify(outcome));
      if (first !== second) throw new Error(`${first}\n${second}\n${one.describe()}\n${other.describe()}`);
    }),
    parameters,
  );
  if (!details.failed) return undefined;
  const error = details.errorInstance;
  return `after ${details.numRuns} runs: ${JSON.stringify(details.counterexample?.slice(0, 3))}\n${error instanceof Error ? error.message : String(error)}`;
}
