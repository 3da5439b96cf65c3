import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scratchFolder } from '../real/processes.ts';

const sample = fileURLToPath(new URL('../../examples/capistrano-app', import.meta.url));

/** The user, and the group, of the image. */
export const DEPLOY = 10001;

/** A copy of the sample project and a Secret's folder, to be mounted into containers. */
export class Project {
  readonly folder: string;
  readonly remove: () => void;

  constructor() {
    const { path, remove } = scratchFolder('project');
    this.folder = path;
    this.remove = remove;
    chmodSync(path, 0o755);
    cpSync(sample, this.path, { recursive: true });
    mkdirSync(this.ssh);
    // As a Secret is mounted where fsGroup is set.
    this.secret('private_key', this.newKey('key'), { group: DEPLOY });
  }

  get path(): string {
    return join(this.folder, 'project');
  }

  /** Holds private_key and known_hosts. */
  get ssh(): string {
    return join(this.folder, 'ssh');
  }

  /** Writes a file of the project. */
  file(name: string, content: string): this {
    writeFileSync(join(this.path, name), content);
    return this;
  }

  /** Writes a file of the Secret, of root: 0440 with a group, else 0400. */
  secret(name: string, content: string, options: { group?: number } = {}): this {
    const path = join(this.ssh, name);
    rmSync(path, { force: true });
    writeFileSync(path, content);
    chownSync(path, 0, options.group ?? 0);
    chmodSync(path, options.group === undefined ? 0o400 : 0o440);
    return this;
  }

  /** A key pair `<name>` and `<name>.pub` in the folder. @returns the private key */
  newKey(name: string, ...options: string[]): string {
    const path = join(this.folder, name);
    rmSync(path, { force: true });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'a deploy key', ...options, '-f', path]);
    return execFileSync('cat', [path], { encoding: 'utf8' });
  }

  /** What a container mounts. */
  mounts(at = '/etc/capdeployjob/ssh'): Record<string, string> {
    return { '/project': this.path, [at]: this.ssh };
  }
}

/** Tasks to look at the inside with; each says a line that a test waits for. */
export const TASKS = `
task(:show) do
  puts "agent: " + \`ssh-add -l\`
  puts "user: " + \`id -u\`
  puts "revision: #{fetch(:branch)}"
  puts "known hosts: #{fetch(:known_hosts)}"
  puts "umlaut: #{"ä".encoding}"
  $stdout.flush
end
task(:slow) { puts "slow now"; $stdout.flush; sleep 60 }
task(:slow_program) { puts "slow now"; $stdout.flush; run_locally { execute :sleep, 60 } }
task(:stubborn) { trap("TERM") { exit! 42 }; puts "slow now"; $stdout.flush; sleep 60 }
task(:failing) { exit 23 }
`;
