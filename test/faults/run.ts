/**
 * `npm run test:faults`: real faults on a real control plane and SQS server. Builds what the scenarios need and runs
 * them; each starts what it breaks by itself, and nothing is left behind, however it ends.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundle } from '../../docker/operator/bundle.ts';
import { findBinaries } from '../cluster/control-plane/build.ts';
import { letGo, scratchFolder, startProcess } from '../cluster/processes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const USAGE = `npm run test:faults -- [--seed N] [--messages N] [parts of scenarios' file names]

  --seed N       what is left to chance is drawn from it; without it, from another one each time, which is printed
  --messages N   at most so many in each scenario: quicker, and proves less`;

async function main(): Promise<number> {
  const { seed, messages, filters } = options();
  const scratch = scratchFolder('faults-run');
  try {
    const { version } = await findBinaries({ onBuild: (what) => console.log(`== building ${what}`) });
    const operator = join(scratch.path, 'capdeploy.js');
    await bundle(scratch.path);
    console.log(`== Kubernetes ${version}`);
    const vitest = startProcess({
      name: 'vitest',
      command: process.execPath,
      args: [
        join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
        'run',
        '--config',
        join(ROOT, 'test/config/faults.ts'),
        ...filters,
      ],
      cwd: ROOT,
      env: {
        TEST_FAULTS_BUNDLE: operator,
        TEST_FAULTS_SEED: seed,
        TEST_FAULTS_MESSAGES: messages,
        // What a scenario that was killed left there goes with this runner's own.
        TMPDIR: scratch.path,
        // A client that does not say which cluster it means must find none.
        KUBECONFIG: join(scratch.path, 'no.kubeconfig'),
      },
    });
    // Asked to end, vitest cancels its scenarios, which then stop what they have started.
    const end = (): void => vitest.signal('SIGINT');
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
    await vitest.ended;
    await vitest.stop();
    return vitest.code ?? 1;
  } finally {
    scratch.remove();
    await letGo();
  }
}

function options(): { seed: string | undefined; messages: string | undefined; filters: string[] } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seed: { type: 'string' }, messages: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) throw new Error(USAGE);
  for (const [name, value] of [
    ['seed', values.seed],
    ['messages', values.messages],
  ] as const) {
    if (value !== undefined && !/^\d{1,10}$/.test(value)) throw new Error(`--${name} is "${value}": it takes a number`);
  }
  return { seed: values.seed, messages: values.messages, filters: positionals };
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`test:faults: ${(error as Error).message}`);
  process.exitCode = 1;
}
