import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readDeployed } from '../../src/lanes/deployed.ts';
import { letGo } from '../cluster/processes.ts';
import { eventually } from '../kit/eventually.ts';
import { buildImages } from './build.ts';
import { type ContainerOptions, UnpackedImage } from './container.ts';
import { DEPLOY, Project } from './project.ts';
import { Sshd } from './sshd.ts';

/**
 * The image and the sample project against a real sshd of this machine: it is the server, and the git server as well.
 */

let image: UnpackedImage;
let project: Project;
let sshd: Sshd;
let root: string;

beforeAll(async () => {
  image = await UnpackedImage.of((await buildImages()).capistrano);
});
afterAll(async () => {
  await image?.remove();
  await letGo();
});
beforeEach(async () => {
  project = new Project();
  sshd = await Sshd.start(readFileSync(join(project.folder, 'key.pub'), 'utf8'));
  root = join(project.folder, 'server');
  mkdirSync(root);
  mkdirSync(serverTmp());
  project.file(
    'config/deploy/production.rb',
    `server "127.0.0.1", user: "root", port: ${sshd.port}, roles: %w[app web]\nset :tmp_dir, "${serverTmp()}"\n`,
  );
  project.secret('known_hosts', sshd.knownHosts, { group: DEPLOY });
});
afterEach(async () => {
  await sshd.stop();
  project.remove();
});

/** The server is this machine: what a deploy leaves in /tmp there goes with the project. */
const serverTmp = () => join(project.folder, 'tmp');
const deployRoot = () => join(root, 'production');

const repository = () => project.repository('v1.0.0', 'v1.1.0');

const deploy = (revision: string, more: Record<string, string> = {}): ContainerOptions => ({
  args: ['cap', 'production', 'deploy'],
  hostNetwork: true,
  mounts: project.mounts(),
  env: {
    REVISION: revision,
    REPO_URL: `ssh://root@127.0.0.1:${sshd.port}${project.folder}/git`,
    DEPLOY_ROOT: root,
    ...more,
  },
});

const LONG = { timeout: 240_000 };

test('a deploy, another one and a rollback, the code fetched from git by the forwarded agent', LONG, async () => {
  const commit = repository();
  const current = () => readFileSync(join(deployRoot(), 'current/which'), 'utf8').trim();
  const log = join(project.folder, 'termination-log');
  const writable = { '/dev/termination-log': log };
  // As the kubelet makes it.
  const anew = () => {
    writeFileSync(log, '');
    chmodSync(log, 0o666);
  };
  const told = () => readDeployed(readFileSync(log, 'utf8'));
  anew();
  const first = await image.run({ ...deploy('v1.0.0'), writable });
  expect(first.output).toContain('deploy:log_revision');
  expect(first.code).toBe(0);
  expect(current()).toBe('v1.0.0');
  expect(readFileSync(join(deployRoot(), 'current/REVISION'), 'utf8').trim()).toBe(commit('v1.0.0'));
  const release = readlinkSync(join(deployRoot(), 'current'));
  const placed = { commit: commit('v1.0.0'), committedAt: expect.stringMatching(/Z$/), release: basename(release) };
  expect(told()).toEqual(placed);

  anew();
  expect((await image.run({ ...deploy('v1.1.0'), writable })).code).toBe(0);
  expect(told()).toMatchObject({ commit: commit('v1.1.0') });
  expect(current()).toBe('v1.1.0');
  expect(readdirSync(join(deployRoot(), 'releases'))).toHaveLength(2);

  const rollback = { ...deploy('x'), args: ['cap', 'production', 'deploy:rollback'] };
  anew();
  expect((await image.run({ ...rollback, writable })).code).toBe(0);
  expect(readlinkSync(join(deployRoot(), 'current'))).toBe(release);
  expect(told()).toEqual(placed);
  const by = 'by capdeployjob/web-production-0';
  expect(readFileSync(join(deployRoot(), 'revisions.log'), 'utf8')).toContain(
    `Branch v1.0.0 (at ${commit('v1.0.0')}) deployed as release`,
  );
  expect(readFileSync(join(deployRoot(), 'revisions.log'), 'utf8').split('\n')[1]).toContain(by);
});

// OpenShift gives a namespace a user of its own, whose group is root's, and the Secret's files that number as fsGroup.
describe.each<[string, ContainerOptions]>([
  ['23456, with root’s group and a key that all may read', { runAsUser: 23456 }],
  ['1000660000, as OpenShift gives it', { runAsUser: 1000660000, fsGroup: 1000660000 }],
])('a user that is in no list: %s', (_, user) => {
  test('deploys, and git, ssh and Ruby find it in the Pod', LONG, async () => {
    repository();
    const files = user.fsGroup === undefined ? { mode: 0o444 } : { group: user.fsGroup };
    project.secret('private_key', readFileSync(join(project.folder, 'key'), 'utf8'), files);
    project.secret('known_hosts', sshd.knownHosts, files);
    project.file(
      'lib/capistrano/tasks/in_pod.rake',
      `require "etc"
       task(:in_pod) do
         run_locally do
           execute :git, "clone", "--quiet", fetch(:repo_url), "#{Dir.home}/clone"
           execute :ssh, "-p", "${sshd.port}", "root@127.0.0.1", "echo", "by ssh"
           execute :"ssh-agent", "true"
         end
         user = Etc.getpwuid
         puts "cloned #{File.read("#{Dir.home}/clone/which").strip} for #{user.name}, #{user.uid}:#{Etc.getgrgid(user.gid).gid}"
         puts "at home" if user.dir == Dir.home && user.dir == File.expand_path("~deploy")
         puts "ssh logs in as " + \`ssh -G 127.0.0.1\`[/^user (.*)$/, 1]
       end
       before "deploy:starting", :in_pod`,
    );
    const { code, output } = await image.run({ ...deploy('v1.0.0'), ...user });
    expect(output).toContain(`cloned v1.1.0 for deploy, ${user.runAsUser}:0\n`);
    expect(output).toContain('at home\n');
    expect(output).toContain('ssh logs in as deploy\n');
    expect(output).not.toMatch(/WARNING|ld\.so/);
    expect(code).toBe(0);
    expect(readFileSync(join(deployRoot(), 'current/which'), 'utf8')).toBe('v1.0.0\n');
  });
});

describe('a server whose key is not the one in known_hosts gets nothing', () => {
  const other = () => project.newKey('other') && readFileSync(join(project.folder, 'other.pub'), 'utf8').split(' ')[1];

  test.each<[string, () => void, string]>([
    [
      'another key',
      () => project.secret('known_hosts', `[127.0.0.1]:${sshd.port} ssh-ed25519 ${other()}\n`, { group: DEPLOY }),
      'HostKeyMismatch',
    ],
    [
      'no key at all',
      () => project.secret('known_hosts', `elsewhere ssh-ed25519 ${other()}\n`, { group: DEPLOY }),
      'HostKeyUnknown',
    ],
  ])('%s, with the sample project', async (_, prepare, words) => {
    prepare();
    const { code, output } = await image.run(deploy('v1.0.0'));
    expect(output).toContain(words);
    expect(code).toBe(1);
    expect(readdirSync(root)).toEqual([]);
  });

  test.each<[string, () => void]>([
    [
      'another key',
      () => project.secret('known_hosts', `[127.0.0.1]:${sshd.port} ssh-ed25519 ${other()}\n`, { group: DEPLOY }),
    ],
    ['no key at all', () => project.secret('known_hosts', `elsewhere ssh-ed25519 ${other()}\n`, { group: DEPLOY })],
  ])('%s, with a project that says nothing about host keys, and with ssh and git', async (_, prepare) => {
    prepare();
    project.file(
      'config/deploy.rb',
      'set :application, "web"\nset :format_options, log_file: nil\nset :known_hosts, "/none"\n',
    );
    project.file(
      'lib/capistrano/tasks/careless.rake',
      `task(:net_ssh) { on(roles(:app)) { execute :touch, "${root}/reached" } }
       task(:ssh) { run_locally { execute :ssh, "-p", "${sshd.port}", "root@127.0.0.1", "touch", "${root}/reached" } }
       task(:git) { run_locally { execute :git, "ls-remote", "ssh://root@127.0.0.1:${sshd.port}${project.folder}/git" } }`,
    );
    for (const task of ['net_ssh', 'ssh', 'git']) {
      const { code, output } = await image.run({ ...deploy('v1.0.0'), args: ['cap', 'production', task] });
      expect(output, task).toMatch(
        /Host key verification failed|HostKeyMismatch|HostKeyUnknown|fingerprint .* (is unknown|does not match)/,
      );
      expect(code, task).toBe(1);
    }
    expect(existsSync(join(root, 'reached'))).toBe(false);
    expect(sshd.log).not.toContain('Accepted publickey');
  });
});

test('the same careless project reaches a server that known_hosts names', async () => {
  project.file('config/deploy.rb', 'set :application, "web"\nset :format_options, log_file: nil\n');
  project.file(
    'lib/capistrano/tasks/careless.rake',
    `task(:net_ssh) { on(roles(:app)) { execute :touch, "${root}/reached" } }`,
  );
  const { code } = await image.run({ ...deploy('v1.0.0'), args: ['cap', 'production', 'net_ssh'] });
  expect(code).toBe(0);
  expect(existsSync(join(root, 'reached'))).toBe(true);
});

test('without known_hosts it warns, and reaches nobody', async () => {
  execFileSync('rm', [join(project.ssh, 'known_hosts')]);
  const { code, output } = await image.run(deploy('v1.0.0'));
  expect(output).toContain(
    'WARNING: no known_hosts at /etc/capdeployjob/ssh/known_hosts: no server can be told from an impostor.',
  );
  expect(output).toContain('HostKeyUnknown');
  expect(code).toBe(1);
});

test('a git server that known_hosts does not name gives the servers nothing', async () => {
  repository();
  // The same sshd under another name, which Capistrano's own wrapper would take for a stranger and trust.
  const { code, output } = await image.run(
    deploy('v1.0.0', { REPO_URL: `ssh://root@localhost:${sshd.port}${project.folder}/git` }),
  );
  expect(output).toContain('Host key verification failed');
  expect(code).toBe(1);
  expect(existsSync(join(deployRoot(), 'current'))).toBe(false);
});

describe('what an aborted deploy leaves running on a server', () => {
  const slow = (seconds: string, pty: boolean) => {
    repository();
    project.file(
      'lib/capistrano/tasks/slow.rake',
      `task(:slow) { on(roles(:app)) { execute :sleep, "${seconds}" } }
       ${pty ? 'namespace(:load) { task(:defaults) { set :pty, true } }' : ''}
       after "deploy:updated", :slow if ENV["SLOW"]`,
    );
    return image.start(deploy('v1.0.0', { SLOW: 'yes' }));
  };
  /** Seconds by which the command is told from that of any other test. */
  const unlike = (seconds: string) => `${seconds}.${1000 + Math.floor(Math.random() * 9000)}`;
  const runs = (seconds: string) =>
    readdirSync('/proc').some((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `sleep\0${seconds}\0`;
      } catch {
        return false;
      }
    });

  test('runs to its end, and the next deploy waits for it', LONG, async () => {
    const seconds = unlike('20');
    const container = slow(seconds, false);
    await eventually('the command runs on the server', () => runs(seconds), 60_000);
    await container.signal('TERM');
    await container.ended;
    expect(container.code).toBe(1);
    expect(runs(seconds)).toBe(true);
    const next = image.start(deploy('v1.1.0'));
    await next.says('a command of an earlier deploy still runs; waiting for it, up to 120 s');
    expect(runs(seconds)).toBe(true);
    await next.says('git:wrapper');
    expect(runs(seconds)).toBe(false);
    await next.ended;
    expect(next.code).toBe(0);
    expect(readFileSync(join(deployRoot(), 'current/which'), 'utf8').trim()).toBe('v1.1.0');
  });

  test('and if that takes too long, the next one fails before it touches anything', LONG, async () => {
    const seconds = unlike('30');
    const container = slow(seconds, false);
    await eventually('the command runs on the server', () => runs(seconds), 60_000);
    await container.signal('TERM');
    await container.ended;
    project.file('lib/capistrano/tasks/wait.rake', 'namespace(:load) { task(:defaults) { set :lock_wait, 1 } }');
    const { code, output } = await image.run(deploy('v1.1.0'));
    expect(output).toContain(
      `on 127.0.0.1, a command of an earlier deploy still runs after 1 s. See who holds it: fuser -v ${serverTmp()}/`,
    );
    expect(output).not.toContain('git:wrapper');
    expect(code).toBe(1);
    expect(runs(seconds)).toBe(true);
    await eventually('the command has ended', () => !runs(seconds), 60_000);
  });

  test('is ended with the connection if the project asks for a terminal', LONG, async () => {
    const seconds = unlike('60');
    const container = slow(seconds, true);
    await eventually('the command runs on the server', () => runs(seconds), 60_000);
    await container.signal('TERM');
    await container.ended;
    await eventually('the command has ended', () => !runs(seconds), 10_000);
  });
});
