import { test } from 'vitest';
import { outcomeOfOrders, outcomeOfProperty } from './protocol.ts';

/**
 * The same runs each time; more of them, and others, for who has changed the protocol: PROTOCOL_RUNS=100000
 * PROTOCOL_SEED=7.
 */
const { PROTOCOL_RUNS = '1000', PROTOCOL_SEED = '20260310' } = process.env;

test('whatever is delivered twice, whoever crashes where, with two operators at once: the invariants hold and all comes to an end', {
  timeout: 24 * 3_600_000,
}, () => {
  const outcome = outcomeOfProperty({ seed: Number(PROTOCOL_SEED), numRuns: Number(PROTOCOL_RUNS) });
  if (outcome) throw new Error(outcome);
});

test('whatever the order in which two operators look, the same things lead to the same outcome', {
  timeout: 24 * 3_600_000,
}, () => {
  const numRuns = Math.ceil(Number(PROTOCOL_RUNS) / 25);
  const outcome = outcomeOfOrders({ seed: Number(PROTOCOL_SEED), numRuns });
  if (outcome) throw new Error(outcome);
});
