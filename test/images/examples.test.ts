import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type CapDeployJob, parseSpec } from '../../src/api/capdeployjob.ts';
import { buildJob, sampleRequest } from '../../src/lanes/build-job.ts';
import { filesForUsers, type Shown, shown } from '../artefacts/manifests/shown.ts';
import { documents, text } from '../artefacts/manifests/yaml.ts';
import { letGo } from '../cluster/processes.ts';
import { buildImages, type ImageName } from './build.ts';
import { type ImageConfig, UnpackedImage } from './container.ts';
import { containerOf } from './pod.ts';
import { Project } from './project.ts';
import { Sshd } from './sshd.ts';

/**
 * The Pod of every CapDeployJob that README, docs and examples show deploys, as whoever copies it gets it: made by the
 * operator's own code, with its Secret, and run as kubelet and containerd would run it. Three things are put in place
 * of the example's: its image, by one that is built here; its servers and git server, by an sshd of this machine (in
 * the file of the environment, and in REPO_URL); and the network, by this machine's.
 */

/** What the images that examples name stand for, and where the project is in them. */
const IMAGES: Record<string, { name: ImageName; project: string }> = {
  'registry.example.com/web-deploy:1': { name: 'sample', project: '/project' },
  'registry.example.com/web-deploy-of-old:7': { name: 'older', project: '/app' },
};

const unpacked = new Map<ImageName, UnpackedImage>();
let project: Project;
let sshd: Sshd;

beforeAll(async () => {
  const images = await buildImages();
  await Promise.all(
    Object.values(IMAGES).map(async ({ name }) => unpacked.set(name, await UnpackedImage.of(images[name]))),
  );
});
afterAll(async () => {
  await Promise.all([...unpacked.values()].map((image) => image.remove()));
  await letGo();
});
beforeEach(async () => {
  project = new Project();
  sshd = await Sshd.start(readFileSync(join(project.folder, 'key.pub'), 'utf8'));
});
afterEach(async () => {
  await sshd?.stop();
  project.remove();
});

const [LEAST] = documents(text('examples/capdeployjob.yaml')) as unknown as [CapDeployJob & { spec: object }];

/** A part of a CapDeployJob is laid over the least one. */
const resourceOf = ({ resource, spec }: Shown): CapDeployJob =>
  (resource ?? { ...LEAST, spec: { ...LEAST.spec, ...spec } }) as unknown as CapDeployJob;

/** The template of the Job that the operator makes of a request for v1.0.0. */
function templateOf(resource: CapDeployJob) {
  const parsed = parseSpec(resource.spec);
  if ('problem' in parsed) throw new Error(parsed.problem);
  const { spec } = parsed;
  const owner = { ...resource, metadata: { ...resource.metadata, uid: 'uid' } };
  const job = buildJob(owner, spec, { ...sampleRequest(spec), revision: 'v1.0.0' });
  // biome-ignore lint/suspicious/noExplicitAny: a Pod template
  return { spec, template: (job.spec as { template: any }).template };
}

test('every image that is named somewhere is run here', () => {
  const named = filesForUsers().flatMap((file) => text(file).match(/\bimage: registry\.example\.com\S+/g) ?? []);
  expect(named.length).toBeGreaterThan(4);
  expect(shown()).toHaveLength(named.length);
});

test.each(shown().map((example): [string, Shown] => [example.where, example]))(
  'deploys: %s',
  { timeout: 240_000 },
  async (_, example) => {
    project.repository('v1.0.0');
    const { spec, template } = templateOf(resourceOf(example));
    const [environment] = spec.environments;
    const stands = IMAGES[template.spec.containers[0].image];
    const image = unpacked.get(stands?.name as ImageName);
    if (!stands || !image || !environment || !spec.sshKey) throw new Error('what it needs to deploy is missing here');

    const onServer = join(project.folder, 'server');
    for (const folder of [onServer, join(onServer, 'tmp')]) mkdirSync(folder);
    const stage = project.stage(sshd.port, `${onServer}/web`, `${onServer}/tmp`);
    const secret = {
      [spec.sshKey.key]: readFileSync(join(project.folder, 'key'), 'utf8'),
      [spec.sshKey.knownHostsKey]: sshd.knownHosts,
    };
    const container = containerOf(template, {
      image: image.config as ImageConfig,
      folder: mkdtempSync(join(project.folder, 'volumes-')),
      secrets: { [spec.sshKey.secretName]: secret },
    });
    const { code, output } = await image.run({
      ...container,
      hostNetwork: true,
      env: { ...container.env, REPO_URL: `ssh://root@127.0.0.1:${sshd.port}${project.folder}/git` },
      mounts: { ...container.mounts, [`${stands.project}/config/deploy/${environment.name}.rb`]: stage },
    });
    expect(output).toContain('deploy:log_revision');
    expect(code).toBe(0);
    expect(readFileSync(join(onServer, 'web/current/which'), 'utf8')).toBe('v1.0.0\n');
  },
);
