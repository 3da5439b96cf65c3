import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { letGo } from '../cluster/processes.ts';
import { buildImages } from './build.ts';
import { type ContainerOptions, UnpackedImage } from './container.ts';
import { DEPLOY, Project, TASKS } from './project.ts';

let image: UnpackedImage;
let project: Project;

beforeAll(async () => {
  image = await UnpackedImage.of((await buildImages()).capistrano);
});
afterAll(async () => {
  await image?.remove();
  await letGo();
});
beforeEach(() => {
  project = new Project();
  project.file('lib/capistrano/tasks/show.rake', TASKS);
  project.secret('known_hosts', 'web1.example.com ssh-ed25519 AAAA\n', { group: DEPLOY });
});
afterEach(() => project.remove());

const cap = (...tasks: string[]) => ['cap', 'production', ...tasks];
const env = { REVISION: 'v1.0.0' };

test('it says who it is, is no root, and runs cap -T unless told otherwise', () => {
  expect(image.config).toMatchObject({
    User: '10001:10001',
    WorkingDir: '/project',
    Cmd: ['cap', '-T'],
    Labels: {
      'org.opencontainers.image.title': 'capdeployjob-capistrano',
      'org.opencontainers.image.licenses': 'Apache-2.0',
    },
  });
});

test('with nothing but a project it lists the tasks', async () => {
  const { code, output } = await image.run({ mounts: { '/project': project.path } });
  expect(output).toContain('cap deploy:lock');
  expect(output).toContain('cap deploy:rollback');
  expect(code).toBe(0);
});

test('it holds Capistrano 3, git and ssh', async () => {
  expect(await image.run({ args: ['cap', '--version'] })).toEqual({
    code: 0,
    output: expect.stringMatching(/^Capistrano Version: 3\.\d+\.\d+ /),
  });
  const { output } = await image.run({
    command: ['sh', '-c', 'git --version; ssh -V; ruby --version; rsync --version'],
  });
  expect(output).toMatch(/git version 2\.\d+.*OpenSSH_9.*ruby 3\.\d/s);
});

describe.each<[string, ContainerOptions]>([
  ['with a read-only root file system and no volume', {}],
  ['with a read-only root file system and an emptyDir at /tmp', { tmp: true }],
  ['as a user that it does not know, with fsGroup', { runAsUser: 12345, fsGroup: DEPLOY }],
  ['as a user that it knows, and that has no home', { runAsUser: 65534, fsGroup: DEPLOY }],
  ['as root', { runAsUser: 0 }],
  ['with a root file system that can be written to', { readOnlyRootFilesystem: false }],
])('%s', (_, options) => {
  test('a task finds the key in an agent, and its settings', async () => {
    const { code, output } = await image.run({ ...options, args: cap('show'), mounts: project.mounts(), env });
    expect(output).toMatch(/^capdeployjob: REVISION=v1\.0\.0 cap production show\n/);
    expect(output).toMatch(/agent: 256 SHA256:\S+ a deploy key \(ED25519\)\n/);
    expect(output).toContain(`user: ${options.runAsUser ?? DEPLOY}\n`);
    expect(output).toMatch(/^name: (deploy|nobody|root)$/m);
    expect(output).toContain('revision: v1.0.0\n');
    expect(output).toContain('known hosts: /etc/capdeployjob/ssh/known_hosts\n');
    expect(output).toContain('umlaut: UTF-8\n');
    expect(output).not.toContain('WARNING');
    expect(code).toBe(0);
  });
});

describe('a user that is in no list', () => {
  test('lists the tasks', async () => {
    const { code, output } = await image.run({ runAsUser: 23456, mounts: { '/project': project.path } });
    expect(output).toContain('cap deploy:rollback');
    expect(code).toBe(0);
  });

  test('keeps a home of its own, where it can be written to; its group has a name, too', async () => {
    const shows = 'task(:home) { puts "home: #{Etc.getpwuid.dir} #{Dir.home} #{Etc.getgrgid.name}" }';
    project.file('lib/capistrano/tasks/home.rake', shows);
    const home = {
      runAsUser: 23456,
      runAsGroup: 34567,
      tmp: true,
      env: { ...env, HOME: '/tmp', SSH_KEY_DIRECTORY: '' },
    };
    const { output } = await image.run({ ...home, args: cap('home'), mounts: { '/project': project.path } });
    expect(output).toContain('home: /tmp /tmp deploy\n');
  });

  test('is told what an image of its own lacks', async () => {
    project.file('none', '');
    const [library = ''] = globSync('usr/lib/*/libnss_wrapper.so', { cwd: image.root });
    const mounts = { '/project': project.path, [`/${library}`]: join(project.path, 'none') };
    const { output } = await image.run({ runAsUser: 23456, mounts });
    expect(output).toContain(
      'WARNING: user 23456 has no name in this image, and ssh and git refuse to run for it: install',
    );
  });
});

test('root takes a key of mode 0400, and one where older images have it', async () => {
  project.secret('private_key', readFileSync(join(project.folder, 'key'), 'utf8'));
  for (const at of ['/etc/capdeployjob/ssh', '/root/.ssh']) {
    const { code, output } = await image.run({ runAsUser: 0, args: cap('show'), mounts: project.mounts(at), env });
    expect(output).toMatch(/agent: 256 SHA256:/);
    expect(output).toContain(`known hosts: ${at}/known_hosts\n`);
    expect(code).toBe(0);
  }
});

test.each([
  ['cap --version', ['cap', '--version'], 0],
  ['a task that exits with 23', cap('failing'), 23],
  ['a task that there is not', cap('no_such_task'), 1],
  ['an environment that there is not', ['cap', 'nowhere', 'deploy'], 1],
])('%s: the exit code is that of cap', async (_, args, code) => {
  expect((await image.run({ args, mounts: project.mounts(), env })).code).toBe(code);
});

describe('SIGTERM', () => {
  test.each([
    ['a task of 60 s', 'slow', 1],
    ['a program of 60 s that a task runs', 'slow_program', 1],
    ['a task that answers it by itself', 'stubborn', 42],
  ])('ends %s within seconds, with the exit code of cap, and leaves nothing behind', async (_, task, code) => {
    const container = image.start({ args: cap(task), mounts: project.mounts(), env, readOnlyRootFilesystem: false });
    await container.says('slow now');
    expect((await container.processes()).join('\n')).toMatch(/ssh-agent .*\/ruby .*cap production/s);
    const start = performance.now();
    await container.signal('TERM');
    await container.ended;
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(container.code).toBe(code);
    expect(readdirSync(join(image.root, 'tmp'))).toEqual([]);
  });
});

describe('a key that cannot be used is an error that says what to do', () => {
  test.each<[string, (project: Project) => void, string[]]>([
    ['an empty file', (p) => p.secret('private_key', '', { group: DEPLOY }), ['that ssh-add takes: it is empty.']],
    [
      'a key that only root may read',
      (p) => p.secret('private_key', p.newKey('second')),
      [
        'cannot be read by user 10001, groups 10001: set securityContext: { runAsNonRoot: true, fsGroup: 10001 } in spec.template.spec',
      ],
    ],
    [
      'a key with a passphrase',
      (p) => p.secret('private_key', p.newKey('second', '-N', 'secret words'), { group: DEPLOY }),
      ['has a passphrase'],
    ],
    [
      'an RSA key with a passphrase, in PEM',
      (p) =>
        p.secret('private_key', p.newKey('second', '-t', 'rsa', '-m', 'PEM', '-N', 'secret words'), { group: DEPLOY }),
      ['has a passphrase'],
    ],
    [
      'a public key',
      (p) => p.secret('private_key', 'ssh-ed25519 AAAA a key', { group: DEPLOY }),
      ['that ssh-add takes: it is a public key: store the other file of the pair'],
    ],
  ])('%s', async (_, prepare, words) => {
    prepare(project);
    const { code, output } = await image.run({ args: cap('show'), mounts: project.mounts(), env });
    for (const word of words) expect(output).toContain(word);
    expect(output).not.toContain('agent:');
    expect(code).toBe(1);
  });

  test('none at all', async () => {
    const { code, output } = await image.run({ args: cap('show'), mounts: { '/project': project.path }, env });
    expect(output).toContain(
      'no SSH key at /etc/capdeployjob/ssh/private_key, nor at /home/deploy/.ssh/private_key: name its Secret in spec.sshKey',
    );
    expect(code).toBe(1);
  });
});

test.each<[string, (key: string) => string]>([
  ['that lacks its last end of line', (key) => key.trimEnd()],
  ['with carriage returns', (key) => key.replaceAll('\n', '\r\n')],
])('a key %s is taken', async (_, change) => {
  project.secret('private_key', change(project.newKey('second')), { group: DEPLOY });
  const { output } = await image.run({ args: cap('show'), mounts: project.mounts(), env });
  expect(output).toMatch(/agent: 256 SHA256:/);
});

test('an injection is refused before anything is run, and leaves no trace', async () => {
  const injection = `a$(touch\${IFS}/tmp/pwned)`;
  const options = { args: cap('deploy'), mounts: project.mounts(), readOnlyRootFilesystem: false };
  const { code, output } = await image.run({ ...options, env: { REVISION: injection } });
  expect(output).toContain(`capdeployjob: ERROR: REVISION "${injection}" must be`);
  expect(code).toBe(2);
  expect(existsSync(join(image.root, 'tmp/pwned'))).toBe(false);
});

test('a shell is to be had by another entry point alone', async () => {
  expect(await image.run({ args: ['sh', '-c', 'echo inside'] })).toEqual({
    code: 2,
    output: expect.stringContaining('docker run -it --entrypoint sh'),
  });
  expect(await image.run({ command: ['sh', '-c', 'echo inside'] })).toEqual({ code: 0, output: 'inside\n' });
});
