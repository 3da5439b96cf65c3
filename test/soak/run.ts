/**
 * Whether one operator process stays what it is, however long it lives: `npm run soak [-- --minutes N] [--virtual-minutes N] [--seed N]`.
 *
 * Always: two hours of churn on a virtual clock, in this process (seconds). With `--minutes N` also so many real minutes of an operator
 * process of its own, against the embedded servers. Prints the curves, and fails where one grows.
 */
import { parseArgs } from 'node:util';
import { Report } from './report.ts';
import { virtualSoak } from './virtual.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '0' },
    'virtual-minutes': { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
  },
});
const report = new Report();
await virtualSoak(Number(values['virtual-minutes']), Number(values.seed), report);
console.log(`soak: ${report.passed} passed, ${report.failed} failed`);
process.exitCode = report.failed > 0 ? 1 : 0;
