/**
 * A process beside the runner that ends what the runner leaves. It hears on its standard input what is held, and when
 * that closes, because the runner stopped, crashed or was killed with a signal that nobody can catch, it kills what is
 * still held and removes its folders.
 *
 * It is started in a session of its own, so that Ctrl-C in a terminal does not reach it.
 */

import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const groups = new Set<number>();
const folders = new Set<string>();

for await (const line of createInterface({ input: process.stdin })) {
  const { hold, group, folder } = JSON.parse(line) as { hold: boolean; group?: number; folder?: string };
  if (group !== undefined) groups[hold ? 'add' : 'delete'](group);
  if (folder !== undefined) folders[hold ? 'add' : 'delete'](folder);
}

for (const group of groups) signal(group, 'SIGKILL');
// Until they are gone they may still write into their folders. Not for ever: what waits in the kernel cannot be helped.
for (let i = 0; i < 500 && [...groups].some((group) => signal(group, 0)); i++) await sleep(10);
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });

/** @returns whether there was anybody to hear it */
function signal(group: number, what: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, what);
  } catch {
    return false;
  }
}
