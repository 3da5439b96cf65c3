/**
 * `npm run test:e2e`: deploys by the operator as it is installed, on a real node. Everything is started in namespaces
 * of its own, and nothing is left, however it ends.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { letGo, scratchFolder, startProcess } from '../cluster/processes.ts';
import { createGroup, removeGroup } from './node/cgroups.ts';
import { prepare } from './prepare.ts';
import { cniFolder, NAMESPACES } from './requirements.ts';
import type { Rig } from './rig.ts';

const USAGE = `npm run test:e2e -- [--serve | --times N] [filters and options of vitest]

  --serve         run no tests: keep the node with its operator up until Ctrl-C, and say how to get in
  --times N       run the tests N times in a row on the one node
  anything else   goes to vitest: a part of a file's name, -t <part of a test's name>`;

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const interruption = new AbortController();
/** The shell's number for a process that a signal ended. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
for (const [signal, code] of Object.entries(SIGNALS)) {
  process.on(signal, () => {
    // A second one: at once. What is held ends all the same (leash.ts).
    if (interruption.signal.aborted) process.exit(code);
    process.exitCode = code;
    interruption.abort(new Error(signal));
  });
}
// Whoever reads what is printed may be gone first (Ctrl-C ends a whole pipe): what was made is undone all the same.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

/** @returns the exit code of the tests */
async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options === undefined) return 2;
  const images = await prepare();
  interruption.signal.throwIfAborted();
  const scratch = scratchFolder('e2e');
  const controlGroup = createGroup();
  try {
    const pidFile = join(scratch.path, 'pid');
    const enter = `sudo nsenter --target "$(pgrep -P "$(cat ${pidFile})")" --mount --net --pid --ipc --uts --wdns="$PWD" --`;
    const cni = cniFolder() as string;
    const rig: Rig = { scratch: scratch.path, images, cni, controlGroup, enter, ...options };
    const file = join(scratch.path, 'rig.json');
    writeFileSync(file, JSON.stringify(rig));
    return await runInside(file, scratch.path, pidFile);
  } finally {
    await removeGroup(controlGroup);
    scratch.remove();
  }
}

/** @returns undefined where they are wrong, which is told */
function parseOptions(args: readonly string[]): Pick<Rig, 'times' | 'serve' | 'vitest'> | undefined {
  const [first = '', second = ''] = args;
  if (first === '--serve' && args.length === 1) return { serve: true, times: 1, vitest: [] };
  if (first === '--times' && /^[1-9]\d{0,3}$/.test(second)) {
    return { serve: false, times: Number(second), vitest: args.slice(2) };
  }
  if (!args.some((arg) => /^--(serve|times|help)\b/.test(arg))) return { serve: false, times: 1, vitest: args };
  console.error(USAGE);
  return undefined;
}

async function runInside(rig: string, scratch: string, pidFile: string): Promise<number> {
  const node = startProcess({
    name: 'node',
    command: 'unshare',
    args: [
      ...[...NAMESPACES, '--kill-child', '--propagation', 'private', 'bash', here('node/pid-1.sh')],
      ...[process.execPath, here('inside.ts'), rig],
    ],
    env: { TMPDIR: scratch },
  });
  writeFileSync(pidFile, String(node.pid));
  // The kernel does the tidying: with pid 1 goes everything in its namespaces.
  const end = () => void node.stop({ signal: 'SIGKILL' });
  interruption.signal.addEventListener('abort', end);
  await node.ended;
  await node.stop();
  interruption.signal.throwIfAborted();
  return node.code ?? 1;
}

let code = 1;
try {
  code = await main(process.argv.slice(2));
} catch (error) {
  console.error(`e2e: ${(error as Error).message}`);
}
await letGo();
process.exit(process.exitCode ?? code);
