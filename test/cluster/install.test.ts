import { cpSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/kube/client.ts';
import {
  APPLY_PATCH,
  type ApiStatus,
  fromRoot,
  IS_OURS,
  OPERATOR,
  openCluster,
  WHY_NOT_IN_A_USERS_CLUSTER,
} from './cluster.ts';
import { readYaml } from './manifests.ts';

/**
 * What `kubectl apply -k .` installs, through a real API server. What may be done with the rights that it gives:
 * rights.test.ts.
 */
const cluster = openCluster();
// Several kubectl one after the other, each a large program that takes seconds to start where the machine is busy.
vi.setConfig({ testTimeout: 180_000 });

const ROOT = fromRoot('.');

async function kubectl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  // A warning of the API server, a deprecation in kustomize: all that is wrong without failing is told there.
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
  return stdout.trim();
}

const objects = (yaml: string): KubeObject[] =>
  parseAllDocuments(yaml).map((document) => document.toJS() as KubeObject);

const rendered = async (folder: string): Promise<KubeObject[]> => objects(await kubectl('kustomize', folder));

const KINDS = [
  'Namespace',
  'CustomResourceDefinition',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'Deployment',
  'PodDisruptionBudget',
];

const PATHS: Record<string, string> = {
  Namespace: '/api/v1/namespaces',
  CustomResourceDefinition: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  ServiceAccount: `/api/v1/namespaces/${OPERATOR.namespace}/serviceaccounts`,
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  Role: `/apis/rbac.authorization.k8s.io/v1/namespaces/${OPERATOR.namespace}/roles`,
  RoleBinding: `/apis/rbac.authorization.k8s.io/v1/namespaces/${OPERATOR.namespace}/rolebindings`,
  PodDisruptionBudget: `/apis/policy/v1/namespaces/${OPERATOR.namespace}/poddisruptionbudgets`,
  Deployment: `/apis/apps/v1/namespaces/${OPERATOR.namespace}/deployments`,
};

describe('kubectl apply -k .', () => {
  test('has one object of each kind that the operator needs', async () => {
    expect((await rendered(ROOT)).map(({ kind }) => kind).sort()).toEqual(KINDS.toSorted());
  });

  test.each(KINDS)('creates the %s without a warning, every field of it known to the API server', async (kind) => {
    const [object] = (await rendered(ROOT)).filter((each) => each.kind === kind);
    const copy = structuredClone(object!) as KubeObject & { spec: { group: string } };
    // Of another name, for all is installed; a definition's name is that of its group.
    copy.metadata.name = `copy-${crypto.randomUUID().slice(0, 8)}`;
    if (kind === 'CustomResourceDefinition') {
      copy.spec.group = 'copy.capdeployjob.dev';
      copy.metadata.name = `capdeployjobs.${copy.spec.group}`;
    }
    const { status, warnings, body } = await cluster.request('POST', PATHS[kind]!, {
      query: { dryRun: 'All', fieldValidation: 'Strict' },
      body: copy,
    });
    expect({ status, warnings }, JSON.stringify(body)).toEqual({ status: 201, warnings: [] });
  });

  // One test: the two ways to apply would take the fields from each other.
  test.skipIf(!IS_OURS)(
    `applied by the client, then by the server, changes nothing the second time${WHY_NOT_IN_A_USERS_CLUSTER}`,
    async () => {
      await kubectl('apply', '-k', ROOT);
      const again = (await kubectl('apply', '-k', ROOT)).split('\n');
      // Its selector is replaced as a whole (policy/v1 types.go, patchStrategy=replace), and kubectl calls that
      // "configured"; the diff below knows better.
      const changed = again.filter((line) => !line.endsWith(' unchanged'));
      expect(changed).toEqual(['poddisruptionbudget.policy/capdeployjob configured']);
      expect(again).toHaveLength(KINDS.length);
      expect(await kubectl('diff', '-k', ROOT)).toBe('');

      const versions = async () =>
        kubectl('get', '-o', 'jsonpath={range .items[*]}{.kind} {.metadata.resourceVersion}{"\\n"}{end}', ...INSTALLED);
      await kubectl('apply', '--server-side', '-k', ROOT);
      const before = await versions();
      await kubectl('apply', '--server-side', '-k', ROOT);
      expect(await versions()).toBe(before);
      expect(before.split('\n')).toHaveLength(KINDS.length);
      expect(await kubectl('diff', '--server-side', '-k', ROOT)).toBe('');
      // And back, as who changes his mind does: what kubectl notes of itself apart, nothing changes.
      await kubectl('apply', '-k', ROOT);
      expect(await kubectl('diff', '-k', ROOT)).toBe('');
    },
  );
});

/** `kubectl get` takes several of different namespaces at once in the form type/name only within one. */
const INSTALLED = [
  '-n',
  OPERATOR.namespace,
  `namespace/${OPERATOR.namespace}`,
  'crd/capdeployjobs.capdeployjob.dev',
  `serviceaccount/${OPERATOR.name}`,
  `clusterrole/${OPERATOR.name}`,
  `clusterrolebinding/${OPERATOR.name}`,
  `role/${OPERATOR.name}`,
  `rolebinding/${OPERATOR.name}`,
  `deployment/${OPERATOR.name}`,
  `poddisruptionbudget/${OPERATOR.name}`,
];

describe('the Pod of the Deployment', () => {
  const template = async () => {
    const [deployment] = (await rendered(ROOT)).filter(({ kind }) => kind === 'Deployment');
    return (deployment!.spec as { template: { metadata: object; spec: { containers: Record<string, unknown>[] } } })
      .template;
  };
  /** @param over laid over the Pod's spec. @param container over its container's. */
  const create = async (over: object = {}, container: object = {}) => {
    const { metadata, spec } = await template();
    return cluster.request<ApiStatus>('POST', `/api/v1/namespaces/${OPERATOR.namespace}/pods`, {
      query: { dryRun: 'All', fieldValidation: 'Strict' },
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, generateName: 'operator-' },
        spec: { ...spec, containers: spec.containers.map((each) => ({ ...each, ...container })), ...over },
      },
    });
  };

  test('is let into its namespace, which enforces the restricted Pod Security standard', async () => {
    const { status, warnings, body } = await create();
    expect({ status, warnings }, JSON.stringify(body)).toEqual({ status: 201, warnings: [] });
  });

  test.each<[string, object, object, string]>([
    ['runs as root', { securityContext: {} }, {}, 'runAsNonRoot != true'],
    ['may gain rights', {}, { securityContext: {} }, 'allowPrivilegeEscalation != false'],
    ['sees the host', { hostNetwork: true }, {}, 'hostNetwork=true'],
  ])('that %s would not be: the standard is in force', async (_, over, container, words) => {
    const { status, body } = await create(over, container);
    expect(status).toBe(403);
    expect(body.message).toContain('violates PodSecurity "restricted:');
    expect(body.message).toContain(words);
  });
});

describe('examples/overlay', () => {
  const IMAGE = '123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/capdeployjob:0.1.0';
  const image = (all: KubeObject[]) => {
    const { spec } = all.find(({ kind }) => kind === 'Deployment') as unknown as {
      spec: { template: { spec: { containers: { image: string }[] } } };
    };
    return spec.template.spec.containers[0]!.image;
  };

  test('is everything that is installed, and what it patches', async () => {
    const all = await rendered(fromRoot('examples/overlay'));
    expect(all.map(({ kind }) => kind).sort()).toEqual(KINDS.toSorted());
    expect(image(all)).toBe(IMAGE);
    const { metadata } = all.find(({ kind }) => kind === 'ServiceAccount')!;
    expect(metadata.annotations).toHaveProperty(['eks.amazonaws.com/role-arn']);
    const text = JSON.stringify(all.find(({ kind }) => kind === 'Deployment'));
    expect(text).toContain('CAPDEPLOY_ALLOW_QUEUE');
  });

  test('is the same in a repository of the user’s, once its comments were followed', async () => {
    const directory = await cluster.scratch();
    for (const part of ['crds', 'deploy', 'kustomization.yaml']) {
      cpSync(fromRoot(part), join(directory, 'capdeployjob', part), { recursive: true });
    }
    cpSync(fromRoot('examples/overlay'), join(directory, 'overlay'), { recursive: true });
    const file = join(directory, 'overlay', 'kustomization.yaml');
    const text = await readFile(file, 'utf8');
    const { resources } = readYaml<{ resources: string[] }>('examples/overlay/kustomization.yaml');
    let edited = text;
    for (const resource of resources) {
      const inTheirs = resource.replace('../..', '../capdeployjob');
      expect(text).toMatch(new RegExp(`^ *# .*${inTheirs}`, 'm'));
      edited = edited.replace(`- ${resource}\n`, `- ${inTheirs}\n`);
    }
    await writeFile(file, edited);
    expect(await rendered(join(directory, 'overlay'))).toEqual(await rendered(fromRoot('examples/overlay')));
    // Or the whole repository in place of both, as a git URL names it.
    await writeFile(file, text.replace(/resources:\n(?: +[#-].*\n)+/, 'resources:\n  - ../capdeployjob\n'));
    expect(await rendered(join(directory, 'overlay'))).toEqual(await rendered(fromRoot('examples/overlay')));
  });

  test('is taken by the API server', async () => {
    for (const object of await rendered(fromRoot('examples/overlay'))) {
      const { status, warnings, body } = await cluster.request(
        'PATCH',
        `${PATHS[object.kind]}/${object.metadata.name}`,
        {
          query: { dryRun: 'All', fieldValidation: 'Strict', fieldManager: 'capdeployjob-test', force: true },
          contentType: APPLY_PATCH,
          body: object,
        },
      );
      expect({ status, warnings }, JSON.stringify(body)).toEqual({ status: 200, warnings: [] });
    }
  });
});
