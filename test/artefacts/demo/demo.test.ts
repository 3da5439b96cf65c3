import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { Demo } from './demo-process.ts';

const run = promisify(execFile);
const demos: Demo[] = [];

async function start(...args: string[]): Promise<Demo> {
  const demo = await Demo.start(...args);
  demos.push(demo);
  return demo;
}

afterEach(() => Promise.all(demos.splice(0).map((demo) => demo.remove())));

const LONG = { timeout: 60_000 };

test('Ctrl-C in the middle of a deploy ends with 130 and leaves no process and no file behind', LONG, async () => {
  const demo = await start();
  await demo.says(/v1\.0\.0 +\| .*demo:build/);
  expect((await demo.leftBehind()).length).toBeGreaterThan(1);
  demo.child.kill('SIGINT');
  expect(await demo.ended).toBe(130);
  expect(await demo.leftBehind()).toEqual([]);
});

test('a reader that goes away ends it, and nothing is left behind', LONG, async () => {
  const demo = await start();
  await demo.says(/Kubernetes {2}http/);
  demo.child.stdout?.destroy();
  demo.child.stderr?.destroy();
  expect(await demo.ended).toBe(1);
  expect(await demo.leftBehind()).toEqual([]);
});

test('--serve plays the demo, stays up, deploys what it is sent, and ends with 0', LONG, async () => {
  const demo = await start('--serve');
  expect((await demo.says(/demo: (\d+) passed, (\d+) failed/)).slice(2)).toEqual(['0']);
  const [, QUEUE_URL = ''] = await demo.says(/export QUEUE_URL=(\S+)/);
  const send = fileURLToPath(new URL('../../../dev/demo/send.ts', import.meta.url));
  const body = { repository: 'livesense/web', environment: 'staging', revision: 'v1.1.0' };
  await run(process.execPath, [send, JSON.stringify(body)], { env: { QUEUE_URL } });
  await demo.says(/staging +v1\.1\.0 +Succeeded/);
  demo.child.kill('SIGTERM');
  expect(await demo.ended).toBe(0);
  expect(await demo.leftBehind()).toEqual([]);
});

test('an argument that it does not know is refused in one line', async () => {
  const demo = await start('--server');
  expect(await demo.ended).toBe(2);
  expect(demo.output).toBe('demo: "--server": only --chat and --serve are known\n');
  expect(await demo.leftBehind()).toEqual([]);
});
