import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { letGo } from '../cluster/processes.ts';
import { buildImages } from './build.ts';
import { UnpackedImage } from './container.ts';
import { DEPLOY, Project } from './project.ts';

/** examples/capistrano-app, built by its own Dockerfile on top of docker/capistrano. */

let image: UnpackedImage;
let project: Project;

beforeAll(async () => {
  image = await UnpackedImage.of((await buildImages()).sample);
});
afterAll(async () => {
  await image?.remove();
  await letGo();
});
beforeEach(() => {
  project = new Project();
});
afterEach(() => project.remove());

test('it holds the project, and lists its tasks', async () => {
  const { code, output } = await image.run();
  expect(output).toMatch(/^cap deploy:lock +# Wait until no command of an earlier deploy/m);
  expect(output).toMatch(/^cap git:host_keys /m);
  expect(code).toBe(0);
});

test.each(['production', 'staging'])('its settings for %s', async (environment) => {
  project.secret('known_hosts', 'web1 ssh-ed25519 AAAA\n', { group: DEPLOY });
  const { code, output } = await image.run({
    args: ['cap', environment, 'doctor:variables'],
    env: { REVISION: 'v1.0.0', SERVERS: 'web1,web2' },
    mounts: { '/etc/capdeployjob/ssh': project.ssh },
  });
  expect(output).toMatch(/:branch +"v1\.0\.0"/);
  expect(output).toMatch(new RegExp(`:deploy_to +"/var/www/web/${environment}"`));
  expect(output).toMatch(/:local_user +"capdeployjob\/web-production-0"/);
  expect(output).toMatch(/verify_host_key(: |=>):always/);
  expect(output).toMatch(new RegExp(`:lock_file +"/tmp/capistrano-web-${environment}\\.lock"`));
  expect(code).toBe(0);
});
