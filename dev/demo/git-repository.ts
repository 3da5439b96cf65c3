import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What the demo deploys: a real git repository with two releases and a branch that is ahead of both. */
export interface SampleRepository {
  /** What Capistrano clones from. */
  readonly url: string;
  /** Commit of each revision that a message may name. */
  readonly commits: Readonly<Record<string, string>>;
}

const COMMITS = [
  { text: 'Hello from the first release\n', subject: 'First release', tag: 'v1.0.0' },
  { text: 'Hello from the second release\n', subject: 'Second release', tag: 'v1.1.0' },
  { text: 'Hello from the branch\n', subject: 'Work for the next release', tag: undefined },
];
const BRANCH = 'main';

/** Nobody's settings: a gpgsign, a template or a hook of the person at the terminal has no place in a demo. */
const ENVIRONMENT = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Demo',
  GIT_AUTHOR_EMAIL: 'demo@example.com',
  GIT_COMMITTER_NAME: 'Demo',
  GIT_COMMITTER_EMAIL: 'demo@example.com',
};

/** @throws Error with one line where git is not installed. */
export async function createSampleRepository(directory: string): Promise<SampleRepository> {
  const work = join(directory, 'app');
  await mkdir(work, { recursive: true });
  const git = async (...args: string[]) => (await run('git', args, { cwd: work, env: ENVIRONMENT })).stdout.trim();
  try {
    await git('init', '--quiet', `--initial-branch=${BRANCH}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('git is not installed: the demo deploys from a real git repository');
  }
  const commits: Record<string, string> = {};
  for (const { text, subject, tag } of COMMITS) {
    await writeFile(join(work, 'index.html'), text);
    await git('add', 'index.html');
    await git('commit', '--quiet', '--message', subject);
    if (tag) await git('tag', '--annotate', '--message', subject, tag);
    commits[tag ?? BRANCH] = await git('rev-parse', 'HEAD');
  }
  return { url: work, commits };
}
