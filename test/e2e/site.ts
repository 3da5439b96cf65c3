import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { ResourceType } from '../../src/kube/client.ts';
import { fromRoot } from '../cluster/cluster.ts';
import { letGo } from '../cluster/processes.ts';
import { run } from './node/commands.ts';
import { IMAGES, openPlace, type PlaceOptions, RESTRICTED_CONTAINER, RESTRICTED_POD } from './place.ts';
import { GitServer } from './servers/git-server.ts';
import { SshServer } from './servers/ssh-server.ts';

export { type Deployable, expectSuccess, IMAGES, type Message } from './place.ts';

const CONFIG_MAPS: ResourceType = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };

export interface SiteOptions extends PlaceOptions {
  /** Tags that the repository has from the beginning. */
  releases?: readonly string[];
}

interface ProjectFile {
  path: string;
  text: string;
}

/** The project of examples/, with the tasks of these tests and a third stage that is like the others. */
const projectFiles = ((): ProjectFile[] => {
  const example = fromRoot('examples/capistrano-app');
  const files = readdirSync(example, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^Capfile$|\.r(b|ake)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: file.slice(example.length + 1), text: readFileSync(file, 'utf8') }));
  const production = files.find((file) => file.path === 'config/deploy/production.rb');
  const tasks = readFileSync(fromRoot('test/e2e/servers/timeline.rake'), 'utf8');
  return [
    ...files,
    { path: 'lib/capistrano/tasks/timeline.rake', text: tasks },
    { path: 'config/deploy/canary.rb', text: production?.text ?? '' },
  ];
})();

/** By the name of the ConfigMap that holds it. */
const PROJECTS = {
  /** What teams copy. */
  project: projectFiles,
  /** What Capistrano does by itself. */
  'project-without-lock': projectFiles.filter((file) => !file.path.endsWith('/lock.rake')),
};
export type Project = keyof typeof PROJECTS;

/** No key of a ConfigMap holds a slash. */
const keyOf = (file: string): string => file.replaceAll('/', '__');

/** Puts each file in its place. */
const volumeOf = (project: Project) => ({
  name: 'project',
  configMap: { name: project, items: PROJECTS[project].map(({ path: file }) => ({ key: keyOf(file), path: file })) },
});

/**
 * A team with its own of everything: a namespace, two application servers, a repository on a git server, one deploy
 * key, a queue for each CapDeployJob. To be opened at the top of a test file, where hooks can still be added: what it
 * started goes when the tests of the file have ended.
 */
export async function openSite(options: SiteOptions = {}) {
  const { releases = ['v1.0.0', 'v1.0.1'] } = options;
  const place = await openPlace(options);
  const scratch = mkdtempSync(join(tmpdir(), 'capdeployjob-site-'));
  const servers: SshServer[] = [];
  afterAll(async () => {
    for (const server of servers) await server.stop();
    await letGo();
    rmSync(scratch, { recursive: true, force: true });
  });

  const key = join(scratch, 'key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'deploy', '-f', key]);
  const publicKey = readFileSync(`${key}.pub`, 'utf8').trim();
  const fingerprint = (await run('ssh-keygen', ['-l', '-f', `${key}.pub`])).split(' ')[1] as string;
  const [git, web1, web2] = await Promise.all([
    GitServer.start(publicKey, scratch),
    SshServer.start('web', 'deploy', publicKey),
    SshServer.start('web', 'deploy', publicKey),
  ]);
  servers.push(git.ssh, web1, web2);
  for (const tag of releases) await git.release(tag);

  const privateKey = readFileSync(key, 'utf8');
  const knownHosts = `${[web1, web2, git.ssh].map((server) => server.knownHost).join('\n')}\n`;
  await place.secret('web-ssh-key', { private_key: privateKey, known_hosts: knownHosts });
  for (const [name, files] of Object.entries(PROJECTS)) {
    const data = Object.fromEntries(files.map((file) => [keyOf(file.path), file.text]));
    await place.create(CONFIG_MAPS, { metadata: { name }, data });
  }

  const site = {
    ...place,
    web1,
    web2,
    web: [web1, web2] as const,
    git,
    privateKey,
    publicKey,
    knownHosts,
    /** Of the deploy key, as sshd writes it: SHA256:… */
    fingerprint,

    /** A Pod template under Pod Security "restricted". @param env of its container, over what it always gets */
    template(env: Record<string, string> = {}, project: Project = 'project') {
      const all = {
        SERVERS: `${web1.address},${web2.address}`,
        REPO_URL: git.url,
        ...env,
      };
      return {
        spec: {
          ...RESTRICTED_POD,
          containers: [
            {
              name: 'cap',
              image: IMAGES.capistrano.tag,
              workingDir: '/project',
              env: Object.entries(all).map(([name, value]) => ({ name, value })),
              securityContext: { ...RESTRICTED_CONTAINER.securityContext, readOnlyRootFilesystem: true },
              resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '512Mi' } },
              volumeMounts: [
                { name: 'project', mountPath: '/project', readOnly: true },
                { name: 'tmp', mountPath: '/tmp' },
              ],
            },
          ],
          volumes: [volumeOf(project), { name: 'tmp', emptyDir: {} }],
        },
      };
    },

    /**
     * A CapDeployJob that deploys to the servers. @param env of its container, where the spec has no template of its
     * own
     */
    deployable: (name: string, spec: Record<string, unknown> = {}, env: Record<string, string> = {}) =>
      place.deployable(name, { sshKey: { secretName: 'web-ssh-key' }, template: site.template(env), ...spec }),
  };
  return site;
}
