import { chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../node/commands.ts';
import { SshServer } from './ssh-server.ts';

/** A git repository behind ssh, on a machine of its own: whoever clones must show the deploy key. */
export class GitServer {
  readonly ssh: SshServer;
  /** As Capistrano's repo_url. */
  readonly url: string;
  readonly #work: string;
  readonly #env: Record<string, string>;
  readonly #revisions = new Map<string, string>();

  private constructor(ssh: SshServer, work: string) {
    this.ssh = ssh;
    this.#work = work;
    const settings = `${work}.gitconfig`;
    writeFileSync(settings, SETTINGS);
    this.#env = { GIT_CONFIG_GLOBAL: settings, GIT_CONFIG_NOSYSTEM: '1' };
    this.url = `${ssh.user}@${ssh.address}:app.git`;
  }

  /** @param scratch a folder for the working tree */
  static async start(authorizedKey: string, scratch: string): Promise<GitServer> {
    const ssh = await SshServer.start('git', 'git', authorizedKey);
    const work = join(scratch, 'app');
    const server = new GitServer(ssh, work);
    mkdirSync(work);
    await server.#git('init', '--quiet', '--initial-branch=main');
    await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', server.#bare]);
    return server;
  }

  /**
   * Commits what makes this revision another one than those before, as a tag of that name and on main. @returns its
   * full SHA
   */
  async release(tag: string): Promise<string> {
    writeFileSync(join(this.#work, 'index.html'), `${tag}\n`);
    await this.#git('add', '.');
    await this.#git('commit', '--quiet', '--message', tag);
    await this.#git('tag', tag);
    const sha = (await this.#git('rev-parse', 'HEAD')).trim();
    this.#revisions.set(tag, sha);
    await this.#publish('main', tag);
    return sha;
  }

  /** A branch that points at main, of any name that git allows. */
  async branch(name: string): Promise<void> {
    await this.#git('branch', name, 'main');
    await this.#publish(`refs/heads/${name}:refs/heads/${name}`);
  }

  /** The full SHA of a tag. @throws Error where it was not released */
  sha(tag: string): string {
    const sha = this.#revisions.get(tag);
    if (sha === undefined) throw new Error(`${tag} was not released`);
    return sha;
  }

  get #bare(): string {
    return this.ssh.path(`${this.ssh.home}/app.git`);
  }

  async #publish(...refs: string[]): Promise<void> {
    await this.#git('push', '--quiet', this.#bare, ...refs);
    // It was written by root, and git touches only what is its user's own.
    const { uid, gid } = statSync(this.ssh.path(this.ssh.home));
    const files = readdirSync(this.#bare, { recursive: true, encoding: 'utf8' });
    for (const file of ['', ...files]) chownSync(join(this.#bare, file), uid, gid);
  }

  #git(...args: string[]): Promise<string> {
    return run('git', ['-C', this.#work, ...args], { env: this.#env });
  }
}

/** Nobody's own settings; and a repository may belong to the server's user, though it is root who pushes. */
const SETTINGS = '[user]\nname = alice\nemail = alice@example.com\n[safe]\ndirectory = *\n';
