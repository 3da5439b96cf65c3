import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The only thing of a node that no namespace takes along: the control groups of its Pods. They lie in one group that is
 * named after the process that made it, so that nodes do not meet, and that is removed when the node is gone.
 */

const ROOT = '/sys/fs/cgroup';
const PREFIX = 'capdeployjob-e2e-';

/** The one of version 2; or those of version 1 and, where systemd has it too, one of version 2 without controllers. */
export function hierarchies(): string[] {
  const isHierarchy = (folder: string) => existsSync(join(folder, 'cgroup.procs'));
  if (isHierarchy(ROOT)) return [ROOT];
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isHierarchy(join(ROOT, entry.name)))
    .map(({ name }) => join(ROOT, name));
}

/** @returns the name of the group, from the root of each hierarchy */
export function createGroup(): string {
  sweep();
  return createGroupIn('', `${PREFIX}${process.pid}`);
}

/** @param parent from the root of each hierarchy. @returns the name of the new group, from there as well */
export function createGroupIn(parent: string, name: string): string {
  for (const hierarchy of hierarchies()) {
    const above = join(hierarchy, parent);
    const group = join(above, name);
    mkdirSync(group, { recursive: true });
    // Version 1: a group without processors and memory nodes of its own takes no process.
    for (const file of ['cpuset.mems', 'cpuset.cpus']) {
      if (existsSync(join(group, file)) && !existsSync(join(group, 'cgroup.controllers'))) {
        writeFileSync(join(group, file), readFileSync(join(above, file)));
      }
    }
    if (existsSync(join(group, 'cgroup.controllers'))) passControllersOn(above, group);
  }
  return join(parent, name);
}

/** Version 2: a group has the controllers that the one above passes on. */
function passControllersOn(...groups: string[]): void {
  for (const group of groups) {
    const controllers = readFileSync(join(group, 'cgroup.controllers'), 'utf8').trim().split(' ').filter(Boolean);
    writeFileSync(join(group, 'cgroup.subtree_control'), controllers.map((name) => `+${name}`).join(' '));
  }
}

/** Removes the groups of this process, once their processes are gone. @throws Error where they stay for ten seconds */
export async function removeGroup(name: string): Promise<void> {
  const left = () => hierarchies().filter((hierarchy) => !removeTree(join(hierarchy, name)));
  for (let attempt = 0; left().length > 0; attempt++) {
    if (attempt === 100) throw new Error(`control groups stay: ${left().map((hierarchy) => join(hierarchy, name))}`);
    await sleep(100);
  }
}

/** Those of a runner that was killed. */
function sweep(): void {
  for (const hierarchy of hierarchies()) {
    for (const name of readdirSync(hierarchy).filter((entry) => entry.startsWith(PREFIX))) {
      if (!existsSync(join('/proc', name.slice(PREFIX.length)))) removeTree(join(hierarchy, name));
    }
  }
}

/** @returns whether it is gone: a group with processes in it stays */
function removeTree(group: string): boolean {
  if (!existsSync(group)) return true;
  const below = readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const gone = below.map(({ name }) => removeTree(join(group, name)));
  if (gone.includes(false)) return false;
  try {
    rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}
