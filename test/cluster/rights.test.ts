import { beforeAll, describe, expect, test, vi } from 'vitest';
import { fromRoot, OPERATOR, OPERATOR_USER, openCluster } from './cluster.ts';
import { covers, rightsOf, words } from './rights.ts';

/** What the operator's ServiceAccount may do in the cluster, asked of the API server for everything that it serves. */
const cluster = openCluster();
// Hundreds of questions to the API server.
vi.setConfig({ testTimeout: 180_000 });
const { rights: all, dangerous } = rightsOf([fromRoot('deploy/rbac.yaml')], OPERATOR);
/** Those that it has everywhere; the others are about its Lease. */
const rights = all.filter((right) => right.namespace === undefined);

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];

interface Resource {
  group: string;
  resource: string;
}

let served: Resource[];
let namespace: string;

beforeAll(async () => {
  namespace = await cluster.namespace();
  type Resources = { resources: { name: string }[] };
  type Groups = { groups: { name: string; preferredVersion: { groupVersion: string } }[] };
  const { body: all } = await cluster.request<Groups>('GET', '/apis');
  const versions = all.groups.map(({ name, preferredVersion }) => [name, `/apis/${preferredVersion.groupVersion}`]);
  const lists = [['', '/api/v1'], ...versions].map(async ([group = '', path = '']) => {
    const { body } = await cluster.request<Resources>('GET', path);
    return body.resources.map(({ name }) => ({ group, resource: name }));
  });
  served = (await Promise.all(lists)).flat();
});

/** A SubjectAccessReview. @param where undefined: in all namespaces. @param name undefined: any object */
async function may(
  verb: string,
  { group, resource }: Resource,
  where: string | undefined,
  name?: string,
): Promise<boolean> {
  const [plural, subresource] = resource.split('/');
  const { status, body } = await cluster.request<{ status: { allowed: boolean } }>(
    'POST',
    '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    {
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: OPERATOR_USER,
          groups: ['system:serviceaccounts', `system:serviceaccounts:${OPERATOR.namespace}`, 'system:authenticated'],
          resourceAttributes: { verb, group, resource: plural, subresource, namespace: where, name },
        },
      },
    },
  );
  expect(status).toBe(201);
  return body.status.allowed;
}

test('deploy/rbac.yaml holds no wildcard, no Secret and no right to hand out rights', () => {
  expect(dangerous).toEqual([]);
  expect(rights.length).toBeGreaterThan(10);
});

describe.each([
  ['in all namespaces', () => undefined],
  ['in a namespace', () => namespace],
])('%s', (_, where) => {
  test('it may do what deploy/rbac.yaml says, and of all else that is served no more than everybody', async () => {
    const asked = served.flatMap(({ group, resource }) => VERBS.map((verb) => ({ verb, group, resource })));
    const allowed: string[] = [];
    // Some at a time: as many as the client has connections.
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let one = asked.pop(); one; one = asked.pop())
          if (await may(one.verb, one, where())) allowed.push(words(one));
      }),
    );
    const isEverybodys = (right: string) => /^create self\w+\.auth(entication|orization)\.k8s\.io$/.test(right);
    expect(allowed.filter((right) => !isEverybodys(right)).sort()).toEqual(rights.map(words).sort());
    expect(served.length).toBeGreaterThan(60);
  });

  test.each<[verb: string, resource: string, group: string]>([
    ['get', 'secrets', ''],
    ['list', 'secrets', ''],
    ['get', 'configmaps', ''],
    ['create', 'pods', ''],
    ['get', 'pods/log', ''],
    ['create', 'pods/exec', ''],
    ['get', 'pods/exec', ''],
    ['create', 'pods/ephemeralcontainers', ''],
    ['delete', 'pods', ''],
    ['create', 'serviceaccounts/token', ''],
    ['update', 'jobs', 'batch'],
    ['deletecollection', 'jobs', 'batch'],
    ['update', 'jobs/status', 'batch'],
    ['update', 'capdeployjobs', 'capdeployjob.dev'],
    ['create', 'capdeployjobs', 'capdeployjob.dev'],
    ['update', 'capdeployjobs/finalizers', 'capdeployjob.dev'],
    ['get', 'leases', 'coordination.k8s.io'],
    ['create', 'leases', 'coordination.k8s.io'],
    ['get', 'deployments', 'apps'],
    ['create', 'clusterrolebindings', 'rbac.authorization.k8s.io'],
    ['impersonate', 'users', ''],
    ['escalate', 'clusterroles', 'rbac.authorization.k8s.io'],
  ])('it may not %s %s of the group "%s"', async (verb, resource, group) => {
    expect(rights.some((right) => covers(right, { verb, group, resource }))).toBe(false);
    expect(await may(verb, { group, resource }, where())).toBe(false);
  });
});

describe('in its own namespace', () => {
  const leases = { group: 'coordination.k8s.io', resource: 'leases' };

  test.each(['get', 'list', 'watch', 'patch'])('it may %s its Lease, and no other one', async (verb) => {
    expect(await may(verb, leases, OPERATOR.namespace, 'capdeployjob')).toBe(true);
    expect(await may(verb, leases, OPERATOR.namespace, 'another')).toBe(false);
    expect(await may(verb, leases, OPERATOR.namespace)).toBe(false);
  });

  test('it may create a Lease, and no more than that', async () => {
    expect(await may('create', leases, OPERATOR.namespace)).toBe(true);
    for (const verb of ['update', 'delete', 'deletecollection']) {
      expect(await may(verb, leases, OPERATOR.namespace, 'capdeployjob')).toBe(false);
    }
    expect(all.filter((right) => right.namespace !== undefined).map(words)).toEqual([
      ...['get', 'list', 'watch', 'patch'].map(
        (verb) => `${verb} leases.coordination.k8s.io named capdeployjob in ${OPERATOR.namespace}`,
      ),
      `create leases.coordination.k8s.io in ${OPERATOR.namespace}`,
    ]);
  });
});

test('kubectl auth can-i --list shows people the same', async () => {
  const { code, stdout, stderr } = await cluster.kubectl([
    'auth',
    'can-i',
    '--list',
    '--no-headers',
    '-n',
    namespace,
    '--as',
    OPERATOR_USER,
    '--as-group',
    'system:authenticated',
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const shown = stdout
    .split('\n')
    // resource.group/subresource  []  []  [verbs]; a path has no resource before its brackets.
    .map((line) => /^(\S+) +\[\] +\[\] +\[(.*)\]$/.exec(line))
    .flatMap((match) => (match ? match[2]!.split(' ').map((verb) => `${verb} ${match[1]}`) : []))
    .filter((right) => !/ self\w+\.auth(entication|orization)\.k8s\.io$/.test(right));
  expect(shown.sort()).toEqual(rights.map(words).sort());
});
