import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/kube/client.ts';
import { type ApiStatus, CHAT_BOT, fromRoot, openCluster } from './cluster.ts';

/** deploy/chat and examples/chat: what kustomize makes of them, and that an API server takes it. */
const cluster = openCluster();
// Several kubectl one after the other, each a large program that takes seconds to start where the machine is busy.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const kustomize = async (folder: string) => cluster.kubectl(['kustomize', folder]);
const objectsOf = (yaml: string): KubeObject[] =>
  parseAllDocuments(yaml).map((document) => document.toJS() as KubeObject);

async function built(folder: string): Promise<KubeObject[]> {
  const { code, stdout, stderr } = await kustomize(folder);
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
  return objectsOf(stdout);
}

/** What kustomize says to an overlay. */
async function overlay(resources: readonly string[], components: readonly string[]) {
  const folder = join(await cluster.scratch(), 'overlay');
  mkdirSync(folder);
  const parts = (list: readonly string[]) => list.map((each) => relative(folder, fromRoot(each)) || '.');
  const content = { resources: parts(resources), components: parts(components) };
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(content));
  return kustomize(folder);
}

const the = <T extends KubeObject>(objects: readonly KubeObject[], kind: string, name: string): T => {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  expect(found, `${kind} ${name}`).toHaveLength(1);
  return found[0] as T;
};

interface Named {
  name: string;
  expression: string;
}
type Policy = KubeObject & { spec: { variables: Named[]; matchConditions?: Named[] } };
const POLICIES = ['capdeployjob-jobs', 'capdeployjob-chat-bot', 'capdeployjob-aborts', 'capdeployjob-freeze'];
/** The bot's account as each of the policies knows it. */
const botIn = (objects: readonly KubeObject[]) =>
  POLICIES.map((name) => {
    const { variables, matchConditions = [] } = the<Policy>(objects, 'ValidatingAdmissionPolicy', name).spec;
    const { expression = '' } =
      [...variables, ...matchConditions].find((each) => ['chatBot', 'is-the-chat-bot'].includes(each.name)) ?? {};
    return expression.replace('request.userInfo.username == ', '').replaceAll("' + '", '');
  });

const NOBODY = "'system:serviceaccount::'";
const THE_BOT = `'system:serviceaccount:${CHAT_BOT.namespace}:${CHAT_BOT.name}'`;

describe('kustomize', () => {
  const [OPERATOR, CHAT, ADMISSION] = ['.', 'deploy/chat', 'deploy/admission'];
  const [OPERATE, APPROVE] = ['deploy/chat/operate', 'deploy/chat/approve'];

  test('builds the bot alone, which only looks', async () => {
    const objects = await built(fromRoot(CHAT));
    expect(objects.map(({ kind }) => kind)).toEqual(['Namespace', 'ServiceAccount', 'ClusterRole', 'Deployment']);
  });

  test.each<[string, string[], string[]]>([
    ['no component', [], [NOBODY, NOBODY, NOBODY, NOBODY]],
    ['operate', [OPERATE], [THE_BOT, THE_BOT, THE_BOT, THE_BOT]],
    ['approve', [APPROVE], [THE_BOT, THE_BOT, NOBODY, NOBODY]],
    ['both', [OPERATE, APPROVE], [THE_BOT, THE_BOT, THE_BOT, THE_BOT]],
    ['both the other way round', [APPROVE, OPERATE], [THE_BOT, THE_BOT, THE_BOT, THE_BOT]],
  ])('tells the policies of the bot with %s', async (_, components, expected) => {
    const { code, stdout, stderr } = await overlay([OPERATOR, CHAT], [ADMISSION, ...components]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(botIn(objectsOf(stdout))).toEqual(expected);
  });

  test.each<[string, string[], string[], RegExp]>([
    ['operate without the policies', [OPERATOR, CHAT], [OPERATE], /no matches for Id ValidatingAdmissionPolicy/],
    ['approve without the policies', [OPERATOR, CHAT], [APPROVE], /no matches for Id ValidatingAdmissionPolicy/],
    ['operate before the policies', [OPERATOR, CHAT], [OPERATE, ADMISSION], /no matches for Id/],
    ['operate without the bot', [OPERATOR], [ADMISSION, OPERATE], /nothing selected by ServiceAccount/],
    ['approve without the bot', [OPERATOR], [ADMISSION, APPROVE], /nothing selected by ServiceAccount/],
  ])('fails on %s', async (_, resources, components, words) => {
    const { code, stderr } = await overlay(resources, components);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(words);
  });
});

describe('examples/chat', () => {
  let objects: KubeObject[];
  beforeAll(async () => {
    const folder = await cluster.scratch();
    cpSync(fromRoot('examples/chat'), join(folder, 'chat'), { recursive: true });
    symlinkSync(fromRoot('.'), join(folder, 'capdeployjob'));
    objects = await built(join(folder, 'chat'));
  });

  test('has the image in both programs, the configuration under the name that the Pod mounts, and a known bot', () => {
    expect(JSON.stringify(objects).match(/"image":"[^"]*"/g)).toEqual(
      Array(2).fill('"image":"registry.example.com/capdeployjob:0.1.0"'),
    );
    const config = the<KubeObject & { data: object }>(objects, 'ConfigMap', CHAT_BOT.name);
    expect(config.metadata.namespace).toBe(CHAT_BOT.namespace);
    expect(Object.keys(config.data)).toEqual(['slack-bot.yaml']);
    expect(botIn(objects)).toEqual([THE_BOT, THE_BOT, THE_BOT, THE_BOT]);
    expect(the(objects, 'ServiceAccount', CHAT_BOT.name).metadata.annotations).toHaveProperty([
      'eks.amazonaws.com/role-arn',
    ]);
  });

  test('has a role behind each of its bindings', () => {
    const bindings = objects.filter(({ kind, metadata }) => kind === 'RoleBinding' && metadata.namespace === 'deploy');
    expect(bindings).toHaveLength(3);
    for (const { roleRef } of bindings as (KubeObject & { roleRef: { kind: string; name: string } })[]) {
      the(objects, roleRef.kind, roleRef.name);
    }
  });

  const PATHS: Record<string, (namespace: string) => string> = {
    Namespace: () => '/api/v1/namespaces',
    ServiceAccount: (namespace) => `/api/v1/namespaces/${namespace}/serviceaccounts`,
    ConfigMap: (namespace) => `/api/v1/namespaces/${namespace}/configmaps`,
    ClusterRole: () => '/apis/rbac.authorization.k8s.io/v1/clusterroles',
    RoleBinding: (namespace) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
    Deployment: (namespace) => `/apis/apps/v1/namespaces/${namespace}/deployments`,
  };
  const DRY = { dryRun: 'All', fieldValidation: 'Strict' };

  test('is taken by the API server without a warning, every field of it known', async () => {
    const namespace = await cluster.namespace({ 'pod-security.kubernetes.io/warn': 'restricted' });
    const ofTheBot = objects.filter(({ metadata }) => metadata.name.startsWith('capdeployjob-slack-bot'));
    expect(ofTheBot).toHaveLength(9);
    for (const object of [...ofTheBot, the(objects, 'Namespace', CHAT_BOT.namespace)]) {
      const { name, namespace: _, ...metadata } = object.metadata;
      const copy = { ...object, metadata: { ...metadata, name: `${name}-${crypto.randomUUID().slice(0, 8)}` } };
      const path = PATHS[object.kind]?.(namespace) ?? '';
      const { status, warnings, body } = await cluster.request('POST', path, { query: DRY, body: copy });
      expect({ status, warnings }, JSON.stringify(body)).toEqual({ status: 201, warnings: [] });
    }
  });

  test('has a Pod that the restricted Pod Security standard lets in', async () => {
    const namespace = await cluster.namespace({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const { spec } = the<KubeObject & { spec: { template: { spec: object } } }>(objects, 'Deployment', CHAT_BOT.name);
    const pod = { ...spec.template.spec, serviceAccountName: 'default' };
    const body = { apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'bot-' }, spec: pod };
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const answer = await cluster.request<ApiStatus>('POST', path, { query: DRY, body });
    expect({ status: answer.status, warnings: answer.warnings }, answer.body.message).toEqual({
      status: 201,
      warnings: [],
    });
  });
});
