import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { letGo } from '../cluster/processes.ts';
import { buildImages } from './build.ts';
import { UnpackedImage } from './container.ts';
import { Project } from './project.ts';

/**
 * An image as teams had it before: it knows nothing of ours, and the operator's arguments come after a command of its
 * own.
 */

let image: UnpackedImage;
let project: Project;

beforeAll(async () => {
  image = await UnpackedImage.of((await buildImages()).older);
});
afterAll(async () => {
  await image?.remove();
  await letGo();
});
beforeEach(() => {
  project = new Project();
});
afterEach(() => project.remove());

const SLOW = 'task(:slow) { puts "slow now"; $stdout.flush; sleep 60 }';

const COMMAND = [
  '/bin/sh',
  '-c',
  'eval "$(ssh-agent)" && ssh-add "$HOME/.ssh/private_key" && exec bundle exec "$@"',
  '--',
];

const options = (...tasks: string[]) => ({
  command: COMMAND,
  args: ['cap', 'production', ...tasks],
  env: {
    REVISION: 'v1.0.0',
    WEB_DEPLOY_HASH: 'v1.0.0',
    REPO_URL: 'git@git.example.com:web.git',
    SERVERS: 'web1.example.com',
  },
  mounts: { '/root/.ssh': project.ssh, '/app/lib': join(project.path, 'lib') },
  readOnlyRootFilesystem: false,
});

test('root, the key at /root/.ssh, bundle exec by command, the revision in a variable of its own: it runs as it is', async () => {
  project.secret('private_key', project.newKey('older'));
  const { code, output } = await image.run(options('doctor:variables'));
  expect(output).toMatch(/Identity added: \/root\/\.ssh\/private_key/);
  expect(output).toMatch(/:branch +"v1\.0\.0"/);
  expect(code).toBe(0);
});

test('a command that hands over with exec passes SIGTERM on to cap', async () => {
  project.secret('private_key', project.newKey('older')).file('lib/capistrano/tasks/slow.rake', SLOW);
  const container = image.start(options('slow'));
  await container.says('slow now');
  const start = performance.now();
  await container.signal('TERM');
  await container.ended;
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(container.code).toBe(1);
  expect(container.output).toContain('SignalException: SIGTERM');
});
