import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import { startProcess, untilReady } from './processes.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'capdeployjob-processes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function groupLives(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(-pid, 0);
  } catch {
    return false;
  }
}

/**
 * A program that starts a child, which has a child itself, and a folder; it tells their names and then does as `end`
 * says.
 */
const runner = (end: string): string => `
  import { scratchFolder, startProcess } from ${JSON.stringify(fileURLToPath(new URL('processes.ts', import.meta.url)))};
  const { path } = scratchFolder('leash');
  const logFile = path + '/log';
  const { pid } = startProcess({ name: 'sh', command: 'sh', args: ['-c', 'trap "" TERM INT HUP; sleep 600 & wait'], logFile });
  console.log(JSON.stringify({ pid, path }));
  process.stdin.once('data', () => { ${end} });
`;

test.each([
  ['is killed', 'process.kill(process.pid, "SIGKILL")'],
  ['is ended by SIGTERM', 'process.kill(process.pid, "SIGTERM")'],
  ['throws where nobody catches', 'throw new Error("wanted")'],
  ['exits', 'process.exit(3)'],
])('a process that %s leaves neither children, nor theirs, nor folders', async (_, end) => {
  const program = join(folder, 'runner.ts');
  writeFileSync(program, runner(end));
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'ignore'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { pid, path } = JSON.parse(line) as { pid: number; path: string };
  expect(groupLives(pid)).toBe(true);
  expect(existsSync(path)).toBe(true);
  child.stdin.write('now\n');
  await once(child, 'exit');
  await eventually('children and folder are gone', () => !groupLives(pid) && !existsSync(path));
});

test('stopping asks first, then kills, and takes children that were left behind along', async () => {
  const logFile = join(folder, 'log');
  const deaf = startProcess({
    name: 'deaf',
    command: 'sh',
    args: ['-c', 'trap "echo no" TERM; echo ready; sleep 600 & while :; do wait; done'],
    logFile,
  });
  await eventually('the trap is set', () => readFileSync(logFile, 'utf8').includes('ready'));
  expect(groupLives(deaf.pid)).toBe(true);
  const asked = performance.now();
  await deaf.stop({ graceMs: 300 });
  expect(performance.now() - asked).toBeGreaterThan(290);
  expect(deaf.end).toBe('was ended by SIGKILL');
  expect(groupLives(deaf.pid)).toBe(false);

  const polite = startProcess({ name: 'polite', command: 'sh', args: ['-c', 'sleep 600 & exec sleep 600'], logFile });
  await polite.stop();
  expect(polite.end).toBe('was ended by SIGTERM');
  expect(groupLives(polite.pid)).toBe(false);
});

test('a process that ends, cannot be started or takes too long before it is ready says so with the end of its log', async () => {
  const logFile = join(folder, 'log');
  const start = (command: string, ...args: string[]) => startProcess({ name: 'server', command, args, logFile });
  const never = async () => false;

  const broken = start('sh', '-c', 'echo no such flag >&2; exit 3');
  await expect(untilReady(broken, never, 10_000)).rejects.toThrow(
    'server exited with 3 before it was ready:\nno such flag',
  );
  await broken.stop();

  const absent = start(join(folder, 'absent'));
  await expect(untilReady(absent, never, 10_000)).rejects.toThrow(/^server could not be started: .*ENOENT/);
  await absent.stop();

  const slow = start('sleep', '600');
  await expect(untilReady(slow, () => Promise.reject(new Error('refused')), 100)).rejects.toThrow(
    /^server was not ready within 0.1 s \(refused\):/,
  );
  await slow.stop();
});
