/**
 * Stands in for Capistrano where none is installed: `node stand-in-cap.ts cap <environment> deploy` does what
 * Capistrano 3 does by default, in the same order and places (releases/<timestamp>, REVISION, current, revisions.log),
 * from a real git repository, and only on this machine. It knows no Capfile and no other task. Settings: REVISION,
 * REPO_URL, DEPLOY_ROOT, DEMO_BUILD_SECONDS.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, appendFile, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

const KEEP_RELEASES = 3;

const [program, environment, task] = process.argv.slice(2);
if (program !== 'cap' || !environment || task !== 'deploy') {
  fail(`(stand-in) only "cap <environment> deploy" is known here, not ${JSON.stringify(process.argv.slice(2))}`);
}
const revision = required('REVISION');
const deployTo = join(required('DEPLOY_ROOT'), environment);
const repository = required('REPO_URL');

say(`stand-in for Capistrano: deploying ${revision} to ${environment}`);
const repo = join(deployTo, 'repo');
const releases = join(deployTo, 'releases');

step('deploy:check:directories');
await mkdir(releases, { recursive: true });
await mkdir(join(deployTo, 'shared'), { recursive: true });

if (await exists(join(repo, 'HEAD'))) {
  step('git:update');
  await git(['remote', 'update', '--prune'], repo);
} else {
  step('git:clone');
  await git(['clone', '--quiet', '--mirror', repository, repo], deployTo);
}
const commit = (await git(['rev-list', '--max-count=1', revision, '--'], repo)).toString().trim();

step('git:create_release');
const timestamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
const release = join(releases, timestamp);
await mkdir(release, { recursive: true });
await command('tar', ['-x', '-f', '-', '-C', release], deployTo, await git(['archive', revision], repo));
await writeFile(join(release, 'REVISION'), `${commit}\n`);

step('demo:build');
await delay(Number(process.env.DEMO_BUILD_SECONDS ?? 1) * 1000);

step('deploy:symlink:release');
// As `ln -s` and `mv` do it: there is no moment without a current.
await symlink(release, join(releases, 'current'));
await rename(join(releases, 'current'), join(deployTo, 'current'));

step('deploy:cleanup');
const old = (await readdir(releases))
  .filter((name) => /^\d{14}$/.test(name))
  .sort()
  .slice(0, -KEEP_RELEASES);
for (const name of old) await rm(join(releases, name), { recursive: true });

step('deploy:log_revision');
const user = process.env.DEPLOYED_BY ?? 'capdeployjob';
await appendFile(
  join(deployTo, 'revisions.log'),
  `Branch ${revision} (at ${commit}) deployed as release ${timestamp} by ${user}\n`,
);
say(`deployed ${commit.slice(0, 7)} as release ${timestamp}`);

function say(line: string): void {
  console.log(line);
}

function step(name: string): void {
  say(`(stand-in) ${name}`);
}

function fail(line: string): never {
  console.error(line);
  process.exit(1);
}

function required(name: string): string {
  return process.env[name] || fail(`(stand-in) ${name} is not set`);
}

function git(args: string[], cwd: string): Promise<Buffer> {
  return command('git', args, cwd);
}

/** No shell anywhere: what a message carries stays one argument. */
async function command(name: string, args: string[], cwd: string, input?: Buffer): Promise<Buffer> {
  const child = spawn(name, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(input);
  const [output, [code]] = await Promise.all([buffer(child.stdout), once(child, 'close')]);
  if (code !== 0) fail(`(stand-in) ${name} ${args.join(' ')} failed with ${code}`);
  return output;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
