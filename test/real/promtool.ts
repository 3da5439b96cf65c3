/**
 * promtool, to test alerting rules with: `PROMTOOL`, else the one on the PATH, else the one in Debian's package prometheus, which is fetched
 * (19 MB, less than a second) and unpacked, not installed: no rights of root are needed for that, and no Prometheus starts.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @param scratch a folder to unpack in. @returns the path of the program. @throws Error that says what to install. */
export function findPromtool(scratch: string): string {
  const { PROMTOOL, PATH = '' } = process.env;
  const onPath = PATH.split(delimiter).map((folder) => join(folder, 'promtool'));
  const found = (PROMTOOL ? [PROMTOOL] : onPath).find(runs);
  if (found !== undefined) return found;
  if (PROMTOOL) throw new Error(`PROMTOOL=${PROMTOOL} cannot be run`);
  const folder = join(scratch, 'prometheus');
  mkdirSync(folder);
  try {
    execFileSync('apt-get', ['-qq', 'download', 'prometheus'], { cwd: folder, stdio: 'pipe' });
    const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.deb'));
    execFileSync('dpkg', ['-x', archive, '.'], { cwd: folder, stdio: 'pipe' });
  } catch (error) {
    throw new Error('no promtool: install it (Debian: apt-get install prometheus), or set PROMTOOL', { cause: error });
  }
  return join(folder, 'usr/bin/promtool');
}

function runs(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

/** Resolves whatever its exit code is. */
export function promtool(program: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}
