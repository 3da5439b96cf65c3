import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import type { CapDeployJob, HistoryEntry } from '../../src/api/capdeployjob.ts';
import { API_VERSION, KIND, LABEL } from '../../src/api/names.ts';
import { CAPDEPLOYJOBS, JOBS, type KubeObject, PODS, type ResourceType } from '../../src/kube/client.ts';
import type { Job, Pod } from '../../src/lanes/job.ts';
import { LOCAL_REGION } from '../../src/local/sqs.ts';
import { eventually } from '../behaviour/eventually.ts';
import { openQueues, type Queues } from '../behaviour/queues.ts';
import { cdjPath, fromRoot, MERGE_PATCH, openCluster, path } from '../real/cluster.ts';
import { letGo } from '../real/processes.ts';
import type { Images } from './images.ts';
import { run } from './node/commands.ts';
import { GitServer } from './servers/git-server.ts';
import { SshServer } from './servers/ssh-server.ts';

/** The images that the node has. */
export const IMAGES = JSON.parse(process.env.TEST_E2E_IMAGES ?? '{}') as Images;

const SECRETS: ResourceType = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret' };
const CONFIG_MAPS: ResourceType = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };

/** The user of the deploy image. */
const USER = 10_001;

export interface SiteOptions {
  /** Labels of the namespace; default: Pod Security "restricted". */
  labels?: Record<string, string>;
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

/** What a message may say. */
export type Message = Record<string, unknown>;

/**
 * A team with its own of everything: a namespace, two application servers, a repository on a git server, one deploy key, a queue for each
 * CapDeployJob. To be opened at the top of a test file, where hooks can still be added: what it started goes when the tests of the file have
 * ended.
 */
export async function openSite(options: SiteOptions = {}) {
  const { labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }, releases = ['v1.0.0', 'v1.0.1'] } = options;
  const cluster = openCluster();
  const scratch = mkdtempSync(join(tmpdir(), 'capdeployjob-site-'));
  const servers: SshServer[] = [];
  let queues: Queues | undefined;
  afterAll(async () => {
    await queues?.stop();
    for (const server of servers) await server.stop();
    await letGo();
    rmSync(scratch, { recursive: true, force: true });
  });

  const key = join(scratch, 'key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'deploy', '-f', key]);
  const publicKey = readFileSync(`${key}.pub`, 'utf8').trim();
  const fingerprint = (await run('ssh-keygen', ['-l', '-f', `${key}.pub`])).split(' ')[1] as string;
  const [git, web1, web2, opened] = await Promise.all([
    GitServer.start(publicKey, scratch),
    SshServer.start('web', 'deploy', publicKey),
    SshServer.start('web', 'deploy', publicKey),
    openQueues(),
  ]);
  servers.push(git.ssh, web1, web2);
  queues = opened;
  for (const tag of releases) await git.release(tag);

  const namespace = await cluster.namespace(labels);
  const create = async (type: ResourceType, object: Record<string, unknown>): Promise<KubeObject> => {
    const { group, version, kind } = type;
    const body = { apiVersion: group === '' ? version : `${group}/${version}`, kind, ...object };
    const answer = await cluster.request('POST', path(type, namespace), { body });
    if (answer.status !== 201) throw new Error(`${kind}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const list = async <T>(type: ResourceType, labelSelector: string): Promise<T[]> => {
    const answer = await cluster.request<{ items: T[] }>('GET', path(type, namespace), { query: { labelSelector } });
    return answer.body.items;
  };
  const remove = async (kind: string, name: string): Promise<void> => {
    const { code, stderr } = await cluster.kubectl(['-n', namespace, 'delete', kind, name, '--wait=false']);
    if (code !== 0) throw new Error(stderr);
  };
  const secret = (name: string, data: Record<string, string>) =>
    create(SECRETS, { metadata: { name }, stringData: data });
  const privateKey = readFileSync(key, 'utf8');
  const knownHosts = `${[web1, web2, git.ssh].map((server) => server.knownHost).join('\n')}\n`;
  await secret('web-ssh-key', { private_key: privateKey, known_hosts: knownHosts });
  for (const [name, files] of Object.entries(PROJECTS)) {
    const data = Object.fromEntries(files.map((file) => [keyOf(file.path), file.text]));
    await create(CONFIG_MAPS, { metadata: { name }, data });
  }

  const site = {
    namespace,
    web1,
    web2,
    web: [web1, web2] as const,
    git,
    privateKey,
    publicKey,
    knownHosts,
    /** Of the deploy key, as sshd writes it: SHA256:… */
    fingerprint,
    cluster,
    queues: opened,
    secret,
    create,

    /** A Pod template under Pod Security "restricted". @param env of its container, over what it always gets */
    template(env: Record<string, string> = {}, project: Project = 'project') {
      const all = {
        SERVERS: `${web1.address},${web2.address}`,
        REPO_URL: git.url,
        ...env,
      };
      return {
        spec: {
          dnsPolicy: 'Default',
          enableServiceLinks: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: USER,
            runAsGroup: USER,
            fsGroup: USER,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'cap',
              image: IMAGES.capistrano.tag,
              workingDir: '/project',
              env: Object.entries(all).map(([name, value]) => ({ name, value })),
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
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

    /** A CapDeployJob with a queue of its own, once the operator reads it. @param spec laid over the usual one */
    async deployable(name: string, spec: Record<string, unknown> = {}, env: Record<string, string> = {}) {
      const queueUrl = await opened.create(`${namespace}-${name}`);
      await create(CAPDEPLOYJOBS, {
        apiVersion: API_VERSION,
        kind: KIND,
        metadata: { name },
        spec: {
          queue: { url: queueUrl, region: LOCAL_REGION, waitTimeSeconds: 1 },
          repositories: ['livesense/web'],
          environments: [{ name: 'production' }, { name: 'staging' }],
          tasks: ['deploy', 'deploy:rollback'],
          sshKey: { secretName: 'web-ssh-key' },
          template: site.template(env),
          ...spec,
        },
      });
      await eventually(`the queue of ${name} is read`, async () =>
        (await site.resource(name)).status?.conditions?.some(
          ({ type, status }) => type === 'Ready' && status === 'True',
        ),
      );
      return {
        name,
        queueUrl,
        /** Sends a request for production. @returns its id */
        async send(message: Message): Promise<string> {
          const id = crypto.randomUUID();
          await opened.send(queueUrl, { id, repository: 'livesense/web', environment: 'production', ...message });
          return id;
        },
        /** How the request of an id ended, once it has. */
        ended: (id: string) =>
          eventually(`${id} of ${name} ends`, async () => (await site.history(name)).find((entry) => entry.id === id)),
        /** Sends a request, and waits for its end. */
        async deploy(message: Message): Promise<HistoryEntry> {
          return this.ended(await this.send(message));
        },
        /** The Job of an id, once it runs a container. */
        running: (id: string) =>
          eventually(`${id} of ${name} runs`, async () => {
            const job = (await site.jobs(name)).find(
              (each) => each.metadata.annotations?.['capdeployjob.dev/id'] === id,
            );
            const pods = job === undefined ? [] : await site.pods(`job-name=${job.metadata.name}`);
            const pod = pods.find(({ status }) => status?.containerStatuses?.some(({ state }) => state?.running));
            return job !== undefined && pod !== undefined && { job, pod };
          }),
      };
    },

    async resource(name: string): Promise<CapDeployJob> {
      const { status, body } = await cluster.request<CapDeployJob>('GET', cdjPath(namespace, name));
      if (status !== 200) throw new Error(`${name}: ${status} ${JSON.stringify(body)}`);
      return body;
    },
    async history(name: string): Promise<HistoryEntry[]> {
      return (await site.resource(name)).status?.history ?? [];
    },
    jobs: (name: string): Promise<Job[]> => list<Job>(JOBS, `${LABEL.name}=${name}`),
    pods: (selector: string): Promise<Pod[]> => list<Pod>(PODS, selector),
    async patchSpec(name: string, spec: Record<string, unknown>): Promise<void> {
      const options = { body: { spec }, contentType: MERGE_PATCH };
      const { status, body } = await cluster.request('PATCH', cdjPath(namespace, name), options);
      if (status !== 200) throw new Error(`${name}: ${status} ${JSON.stringify(body)}`);
    },
    /** As a person aborts a deploy. */
    deleteJob: (name: string) => remove('job', name),
    deleteResource: (name: string) => remove('capdeployjob', name),
    /** The log of a Job's Pod, as `kubectl logs` prints it. */
    async log(job: string): Promise<string> {
      const { code, stdout, stderr } = await cluster.kubectl(['-n', namespace, 'logs', `job/${job}`]);
      if (code !== 0) throw new Error(stderr);
      return stdout;
    },
  };
  return site;
}

/** Expects that a deploy succeeded; where it did not, the end of its log says why. @param revision that was asked for */
export function expectSuccess(entry: HistoryEntry, revision = entry.revision): void {
  const { result, reason, message } = entry;
  expect({ result, revision: entry.revision }, `${reason}: ${message}`).toEqual({ result: 'Succeeded', revision });
}

export type Site = Awaited<ReturnType<typeof openSite>>;
export type Deployable = Awaited<ReturnType<Site['deployable']>>;
