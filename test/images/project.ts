import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scratchFolder } from '../cluster/processes.ts';

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

  /** Writes a file of the Secret, of root. @param options.mode default: 0440 with a group, else 0400 */
  secret(name: string, content: string, options: { group?: number; mode?: number } = {}): this {
    const path = join(this.ssh, name);
    rmSync(path, { force: true });
    writeFileSync(path, content);
    chownSync(path, 0, options.group ?? 0);
    chmodSync(path, options.mode ?? (options.group === undefined ? 0o400 : 0o440));
    return this;
  }

  /** Writes the file of an environment whose one server is the sshd at this port. @returns its path */
  stage(port: number, deployTo: string, temporary: string): string {
    const path = join(this.folder, 'stage.rb');
    const lines = [
      `server "127.0.0.1", user: "root", port: ${port}, roles: %w[app web]`,
      `set :deploy_to, "${deployTo}"`,
      `set :tmp_dir, "${temporary}"`,
    ];
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  }

  /** A key pair `<name>` and `<name>.pub` in the folder. @returns the private key */
  newKey(name: string, ...options: string[]): string {
    const path = join(this.folder, name);
    rmSync(path, { force: true });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'a deploy key', ...options, '-f', path]);
    return execFileSync('cat', [path], { encoding: 'utf8' });
  }

  /**
   * Makes a git repository `git` in the folder: a commit for each tag, with a file `which` that holds it. @returns the
   * commit of a tag
   */
  repository(...tags: string[]): (tag: string) => string {
    const folder = join(this.folder, 'git');
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
        encoding: 'utf8',
        env: { PATH: process.env.PATH ?? '', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
      }).trim();
    mkdirSync(folder);
    git('init', '--quiet', '--initial-branch=main');
    for (const tag of tags) {
      writeFileSync(join(folder, 'which'), `${tag}\n`);
      git('add', '.');
      git('commit', '--quiet', '--message', tag);
      git('tag', tag);
    }
    return (tag) => git('rev-parse', tag);
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
  puts "name: " + Etc.getpwuid.name
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
