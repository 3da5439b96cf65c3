import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { letGo } from '../real/processes.ts';
import { buildImages } from './build.ts';
import { UnpackedImage } from './container.ts';
import { Project } from './project.ts';

/** An image as teams had it before: it knows nothing of ours, and the operator's arguments come after a command of its own. */

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

const COMMAND = [
  '/bin/sh',
  '-c',
  'eval "$(ssh-agent)" && ssh-add "$HOME/.ssh/private_key" && exec bundle exec "$@"',
  '--',
];

test('root, the key at /root/.ssh, bundle exec by command, the revision in a variable of its own: it runs as it is', async () => {
  project.secret('private_key', project.newKey('older'));
  const { code, output } = await image.run({
    command: COMMAND,
    args: ['cap', 'production', 'doctor:variables'],
    env: {
      REVISION: 'v1.0.0',
      WEB_DEPLOY_HASH: 'v1.0.0',
      REPO_URL: 'git@git.example.com:web.git',
      SERVERS: 'web1.example.com',
    },
    mounts: { '/root/.ssh': project.ssh },
    readOnlyRootFilesystem: false,
  });
  expect(output).toMatch(/Identity added: \/root\/\.ssh\/private_key/);
  expect(output).toMatch(/:branch +"v1\.0\.0"/);
  expect(code).toBe(0);
});
