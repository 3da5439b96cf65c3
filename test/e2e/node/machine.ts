import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './commands.ts';

/**
 * What a node would change on the machine, changed for its own mount namespace only.
 */

/** Where everything of the node lies that dies with it: memory. */
export const NODE_FOLDER = '/run/node';

/** Settings of the whole kernel that a kubelet checks, and changes where they are not to its liking. */
const KUBELETS_WISHES = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
} as const;

/** Kubelet, containerd and CNI have folders there that no option of theirs moves. */
const WRITTEN_TO = ['/var/lib', '/var/log'];

export async function separateFromMachine(): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'e2e', '/run']);
  mkdirSync(NODE_FOLDER);
  for (const folder of WRITTEN_TO) {
    const layer = join('/run/layers', folder);
    for (const part of ['upper', 'work']) mkdirSync(join(layer, part), { recursive: true });
    const options = `lowerdir=${folder},upperdir=${join(layer, 'upper')},workdir=${join(layer, 'work')}`;
    await run('mount', ['-t', 'overlay', '-o', options, 'e2e', folder]);
  }
  // The kubelet reads its wishes fulfilled, and leaves the kernel alone.
  for (const [setting, value] of Object.entries(KUBELETS_WISHES)) {
    const file = join('/run/layers', setting.replaceAll('/', '.'));
    writeFileSync(file, `${value}\n`);
    await run('mount', ['--bind', file, join('/proc/sys', setting)]);
  }
}
