/**
 * Whether one operator process stays what it is, however long it lives: `npm run soak [-- --minutes N]
 * [--virtual-minutes N] [--seed N]`.
 *
 * Always: an hour of churn on a virtual clock, in this process (`--virtual-minutes`; the first 20 warm up). With
 * `--minutes N` also so many real minutes of an operator process of its own against the embedded servers; ten and more
 * say something of its memory. Prints the curves, and fails where one grows.
 */
import { parseArgs } from 'node:util';
import { realSoak } from './real.ts';
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
if (Number(values['virtual-minutes']) > 0) {
  await virtualSoak(Number(values['virtual-minutes']), Number(values.seed), report);
}
if (Number(values.minutes) > 0) await realSoak(Number(values.minutes), report);
console.log(`soak: ${report.passed} passed, ${report.failed} failed`);
process.exitCode = report.failed > 0 ? 1 : 0;
