/**
 * Where the in-memory Kubernetes differs from the real API server and stays so, each with its reason: the one list.
 * `differences.test.ts` asks both worlds, so that an entry which is no longer true fails; everything else in this
 * folder answers the same in both.
 */
import { eventually } from '../kit/eventually.ts';
import type { Api, Json } from './api.ts';
import { capDeployJob, configMap, container, job, pod } from './objects.ts';
import { pathsIn, said } from './suite.ts';

export interface Difference {
  what: string;
  reason: string;
  /** What a client sees, in few words. */
  ask(api: Api, ns: string): Promise<unknown>;
  local: unknown;
  real: unknown;
}

/** Tests that run in one world only. */
export const ONE_WORLD_ONLY = [
  {
    test: 'pages whose snapshot was compacted are 410 Expired (lists.test.ts)',
    world: 'local',
    reason: 'only whoever runs etcd can compact it at once; the API server itself does so every five minutes',
  },
];

/**
 * The in-memory Kubernetes does what the newest minor does. What an older one that is still supported does otherwise;
 * none of it is anything that the operator relies on. The tests that know of it ask `minor`.
 */
export const OLDER_MINORS = [
  {
    before: 36,
    test: 'a Job that is suspended while it runs … forgets when it started (job-life.test.ts)',
    what: 'status.startTime stays until the Job is resumed',
  },
  {
    before: 36,
    test: 'a Job may change some of itself while it waits … (jobs.test.ts)',
    what: 'resources of the containers cannot be changed (KEP-5440), nor anything of the template once it has run; the refusal names spec.template',
  },
];

const APPLY = { 'content-type': 'application/apply-patch+yaml' };

export const DIFFERENCES: Difference[] = [
  {
    what: 'server-side apply is 415',
    reason: 'the operator and the demo do not use it, and kubectl applies on the client unless told otherwise',
    ask: async (api, ns) =>
      (await api.patch(`${pathsIn(ns).maps}/ssa?fieldManager=me`, JSON.stringify(configMap('ssa')), APPLY)).status,
    local: 415,
    real: 201,
  },
  {
    what: 'rules in CEL are not asked',
    reason:
      'an evaluator of CEL is no part of an in-memory Kubernetes: the rules of the CRD are tested on the real API server',
    ask: async (api, ns) =>
      (await api.post(`${pathsIn(ns).cdj}?dryRun=All`, capDeployJob('cel', { waitingDeadlineSeconds: 1 }))).status,
    local: 201,
    real: 422,
  },
  {
    what: 'a member that stands twice in a JSON object is not refused under fieldValidation=Strict',
    reason: 'JSON.parse keeps the last one and does not tell; no client here writes one',
    ask: async (api, ns) => {
      const body = JSON.stringify(configMap('twice')).replace('"x":"1"', '"x":"1","x":"2"');
      return (await api.post(`${pathsIn(ns).maps}?fieldValidation=Strict&dryRun=All`, body)).status;
    },
    local: 201,
    real: 400,
  },
  {
    what: 'which Go struct a value of the wrong kind does not fit into is named after the kind',
    reason: 'the names of Go structs are no part of the API; path, value and status are the same',
    ask: async (api, ns) =>
      /Go struct field (\w+)/.exec(
        said(await api.post(`${pathsIn(ns).jobs}?dryRun=All`, job('x', { backoffLimit: 'x' }))),
      )?.[1],
    local: 'Job',
    real: 'JobSpec',
  },
  {
    what: 'values within messages about immutable fields are JSON of the API, not of Go structs',
    reason: 'the real text is a dump of internal structs that nobody can rely on',
    ask: async (api, ns) => {
      const { jobs } = pathsIn(ns);
      await api.post(jobs, job('dump'));
      const template = { spec: { containers: [container({ image: 'other:1' })] } };
      return said(await api.patch(`${jobs}/dump`, { spec: { template } })).includes('"Containers"');
    },
    local: false,
    real: true,
  },
  {
    what: 'Pods get no service account token and no default tolerations',
    reason:
      'there is no API server within reach of the processes that the local kubelet runs, and no node to be tainted',
    ask: async (api, ns) => {
      const { spec } = (await api.post(`${pathsIn(ns).pods}?dryRun=All`, pod('admitted'))).body;
      return { volumes: (spec.volumes ?? []).length, tolerations: (spec.tolerations ?? []).length };
    },
    local: { volumes: 0, tolerations: 0 },
    real: { volumes: 1, tolerations: 2 },
  },
  {
    what: 'a namespace holds no ConfigMap kube-root-ca.crt',
    reason: 'nothing in the in-memory Kubernetes speaks TLS',
    ask: async (api, ns) => {
      const path = `${pathsIn(ns).maps}/kube-root-ca.crt`;
      if (process.env.TEST_WORLD !== 'real') return (await api.get(path)).status;
      await eventually('kube-root-ca.crt', async () => (await api.get(path)).status === 200);
      return 200;
    },
    local: 404,
    real: 200,
  },
  {
    what: 'there is no namespace but default',
    reason: 'kube-system and its like hold what runs a cluster, and here nothing does',
    ask: async (api) => (await api.get('/api/v1/namespaces/kube-system')).status,
    local: 404,
    real: 200,
  },
  {
    what: 'the status of a Job, written by a client, is not judged',
    reason:
      'only the Job controller writes it, and ours writes what the real one does; the tests of the API write the status of Pods',
    ask: async (api, ns) => {
      const { jobs } = pathsIn(ns);
      await api.post(jobs, job('judged'));
      return (await api.patch(`${jobs}/judged/status?dryRun=All`, { status: { active: -1 } })).status;
    },
    local: 200,
    real: 422,
  },
  {
    what: 'requests above limits, security contexts, tolerations and other parts of Pods that deploys hardly use are not judged',
    reason: 'the dry run that judges a template is asked of the real API server where it counts',
    ask: async (api, ns) => {
      const resources = { limits: { cpu: '1' }, requests: { cpu: '2' } };
      const containers = [container({ resources })];
      return (await api.post(`${pathsIn(ns).jobs}?dryRun=All`, job('parts', {}, { containers }))).status;
    },
    local: 201,
    real: 422,
  },
  {
    what: 'finished Jobs with ttlSecondsAfterFinished stay',
    reason: 'the operator never sets it on Jobs: it deletes them itself, after their outcome is recorded',
    ask: async (api, ns) => {
      const { jobs, pods } = pathsIn(ns);
      await api.post(jobs, job('ttl', { suspend: false, ttlSecondsAfterFinished: 0 }));
      const find = async (): Promise<Json> => (await api.get(`${pods}?labelSelector=job-name%3Dttl`)).body.items[0];
      const { name } = (await eventually('the Pod', find)).metadata;
      await api.patch(`${pods}/${name}/status`, { status: { phase: 'Succeeded' } });
      if (process.env.TEST_WORLD === 'real') {
        await eventually('the end of the Job', async () => (await api.get(`${jobs}/ttl`)).status === 404);
        return 'gone';
      }
      const done = async () => (await api.get(`${jobs}/ttl`)).body.status.completionTime;
      await eventually('the Job to be Complete', done);
      return 'there';
    },
    local: 'there',
    real: 'gone',
  },
  {
    what: 'a quota refuses nothing: the type is not served',
    reason:
      'tests that need a refusal put one into the admission of the store, or name a service account that is not there',
    ask: async (api, ns) => (await api.get(`/api/v1/namespaces/${ns}/resourcequotas`)).status,
    local: 404,
    real: 200,
  },
  {
    what: 'eviction and ephemeral containers are not served',
    reason: 'there are no nodes to be drained, and no containers to be entered',
    ask: async (api, ns) => {
      const { pods } = pathsIn(ns);
      await api.post(pods, pod('evicted'));
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'evicted' } };
      return (await api.post(`${pods}/evicted/eviction`, eviction)).status;
    },
    local: 404,
    real: 201,
  },
  {
    what: 'a PUT does not create Leases and Events that are not there',
    reason: 'clients create them; of all types only few do this, and nobody here asks for it',
    ask: async (api, ns) =>
      (await api.put(`${pathsIn(ns).leases}/put`, { metadata: { name: 'put' }, spec: {} })).status,
    local: 404,
    real: 201,
  },
  {
    what: 'a POST to the path of a custom resource does not create it',
    reason: 'the real one does it by accident (a create with a name, meant for sub-resources)',
    ask: async (api, ns) => (await api.post(`${pathsIn(ns).cdj}/posted`, capDeployJob('posted'))).status,
    local: 405,
    real: 201,
  },
  {
    what: 'answers are JSON, whatever else a client would take',
    reason:
      'kubectl and the client libraries take JSON as well; YAML and protobuf are read only as far as kubectl sends them',
    ask: async (api, ns) => (await api.get(pathsIn(ns).maps, { accept: 'application/yaml' })).headers['content-type'],
    local: 'application/json',
    real: 'application/yaml',
  },
  {
    what: 'the old path /api/v1/watch/… is not served',
    reason: 'deprecated since Kubernetes 1.11; kubectl and the client libraries use the parameter',
    ask: async (api, ns) => {
      const stream = await api.watch(`/api/v1/watch/namespaces/${ns}/configmaps`);
      stream.stop();
      return stream.status;
    },
    local: 404,
    real: 200,
  },
  {
    what: 'discovery comes group by group, not aggregated, and OpenAPI in version 3 only',
    reason: 'kubectl falls back to what there is',
    ask: async (api) => {
      const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
      return [(await api.get('/apis', { accept })).body.kind, (await api.get('/openapi/v2')).status];
    },
    local: ['APIGroupList', 404],
    real: ['APIGroupDiscoveryList', 200],
  },
  {
    what: 'columns of tables are not described',
    reason: 'kubectl does not show the descriptions',
    ask: async (api, ns) => {
      const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
      const { columnDefinitions } = (await api.get(pathsIn(ns).jobs, { accept })).body;
      return columnDefinitions.find((each: Json) => each.name === 'Status').description;
    },
    local: '',
    real: 'Status of the job.',
  },
];
