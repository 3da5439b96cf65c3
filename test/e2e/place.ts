import { afterAll, expect } from 'vitest';
import { LOCAL_REGION } from '../../dev/local-sqs.ts';
import type { CapDeployJob, Claim, HistoryEntry } from '../../src/api/capdeployjob.ts';
import { ANNOTATION, API_VERSION, CAPDEPLOYJOBS, KIND, LABEL } from '../../src/api/names.ts';
import { JOBS, type KubeObject, PODS, type ResourceType } from '../../src/kube/client.ts';
import type { Job, Pod } from '../../src/lanes/job.ts';
import { cdjPath, MERGE_PATCH, openCluster, path } from '../cluster/cluster.ts';
import { eventually } from '../kit/eventually.ts';
import { openQueues, type Queues } from '../kit/queues.ts';
import type { Images } from './images.ts';

/** The images that the node has. */
export const IMAGES = JSON.parse(process.env.TEST_E2E_IMAGES ?? '{}') as Images;

const SECRETS: ResourceType = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret' };

/** The user of the deploy image. */
const USER = 10_001;

/** Of a Pod, what Pod Security "restricted" asks for. */
export const RESTRICTED_POD = {
  dnsPolicy: 'Default',
  enableServiceLinks: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: USER,
    runAsGroup: USER,
    fsGroup: USER,
    seccompProfile: { type: 'RuntimeDefault' },
  },
};
/** Of a container, the same. */
export const RESTRICTED_CONTAINER = {
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
};

export interface PlaceOptions {
  /** Labels of the namespace; default: Pod Security "restricted". */
  labels?: Record<string, string>;
}

/** What a message may say. */
export type Message = Record<string, unknown>;

/**
 * A namespace for CapDeployJobs, and a queue for each. To be opened at the top of a test file, where hooks can still be
 * added: what it made goes when the tests of the file have ended.
 */
export async function openPlace(options: PlaceOptions = {}) {
  const { labels = { 'pod-security.kubernetes.io/enforce': 'restricted' } } = options;
  const cluster = openCluster();
  let opened: Queues | undefined;
  afterAll(async () => opened?.stop());
  const queues = await openQueues();
  opened = queues;
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
  const kubectl = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cluster.kubectl(['-n', namespace, ...args]);
    if (code !== 0) throw new Error(stderr);
    return stdout;
  };

  const place = {
    namespace,
    cluster,
    queues,
    create,
    kubectl,
    secret: (name: string, stringData: Record<string, string>) => create(SECRETS, { metadata: { name }, stringData }),

    /**
     * A CapDeployJob with a queue of its own, once the operator reads it. @param spec with a template, laid over the
     * usual one
     */
    async deployable(name: string, spec: Record<string, unknown>) {
      const queueUrl = await queues.create(`${namespace}-${name}`);
      await create(CAPDEPLOYJOBS, {
        apiVersion: API_VERSION,
        kind: KIND,
        metadata: { name },
        spec: {
          queue: { url: queueUrl, region: LOCAL_REGION, waitTimeSeconds: 1 },
          repositories: ['livesense/web'],
          environments: [{ name: 'production' }, { name: 'staging' }],
          tasks: ['deploy', 'deploy:rollback'],
          ...spec,
        },
      });
      await eventually(`the queue of ${name} is read`, async () =>
        (await place.resource(name)).status?.conditions?.some(
          ({ type, status }) => type === 'Ready' && status === 'True',
        ),
      );
      return {
        name,
        queueUrl,
        /** Sends a request for production. @returns its id */
        async send(message: Message): Promise<string> {
          const id = crypto.randomUUID();
          await queues.send(queueUrl, { id, repository: 'livesense/web', environment: 'production', ...message });
          return id;
        },
        /** How the request of an id ended, once it has. */
        ended: (id: string) =>
          eventually(`${id} of ${name} ends`, async () => (await place.history(name)).find((entry) => entry.id === id)),
        /** Sends a request, and waits for its end. */
        async deploy(message: Message): Promise<HistoryEntry> {
          return this.ended(await this.send(message));
        },
        /** The Job of an id, once it runs a container. */
        running: async (id: string) => {
          let seen: unknown;
          const look = async () => {
            const jobs = await place.jobs(name);
            const job = jobs.find((each) => each.metadata.annotations?.[ANNOTATION.id] === id);
            const pods = job === undefined ? [] : await place.pods(`job-name=${job.metadata.name}`);
            seen = pods.map(({ status }) => status);
            const pod = pods.find(({ status }) => status?.containerStatuses?.some(({ state }) => state?.running));
            return job !== undefined && pod !== undefined && { job, pod };
          };
          return eventually(`${id} of ${name} runs`, look).catch(async (error: Error) => {
            const known = { claim: await place.claim(name), history: await place.history(name), pods: seen };
            throw new Error(`${error.message}: ${JSON.stringify(known)}`);
          });
        },
      };
    },

    async resource(name: string): Promise<CapDeployJob> {
      const { status, body } = await cluster.request<CapDeployJob>('GET', cdjPath(namespace, name));
      if (status !== 200) throw new Error(`${name}: ${status} ${JSON.stringify(body)}`);
      return body;
    },
    async history(name: string): Promise<HistoryEntry[]> {
      return (await place.resource(name)).status?.history ?? [];
    },
    /** The deploy that holds production. */
    async claim(name: string): Promise<Claim | undefined> {
      const lanes = (await place.resource(name)).status?.environments;
      return lanes?.find((lane) => lane.name === 'production')?.active?.[0];
    },
    jobs: (name: string): Promise<Job[]> => list<Job>(JOBS, `${LABEL.name}=${name}`),
    pods: (selector: string): Promise<Pod[]> => list<Pod>(PODS, selector),
    async patchSpec(name: string, spec: Record<string, unknown>): Promise<void> {
      const options = { body: { spec }, contentType: MERGE_PATCH };
      const { status, body } = await cluster.request('PATCH', cdjPath(namespace, name), options);
      if (status !== 200) throw new Error(`${name}: ${status} ${JSON.stringify(body)}`);
    },
    /** As a person aborts a deploy. */
    deleteJob: (name: string) => kubectl('delete', 'job', name, '--wait=false'),
    deleteResource: (name: string) => kubectl('delete', 'capdeployjob', name, '--wait=false'),
    /** The log of a Job's Pod, as `kubectl logs` prints it. */
    log: (job: string) => kubectl('logs', `job/${job}`),
  };
  return place;
}

/**
 * Expects that a deploy succeeded; where it did not, the end of its log says why. @param revision that was asked for
 */
export function expectSuccess(entry: HistoryEntry, revision = entry.revision): void {
  const { result, reason, message } = entry;
  expect({ result, revision: entry.revision }, `${reason}: ${message}`).toEqual({ result: 'Succeeded', revision });
}

export type Place = Awaited<ReturnType<typeof openPlace>>;
export type Deployable = Awaited<ReturnType<Place['deployable']>>;
