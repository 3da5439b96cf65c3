import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { JOBS, type KubeObject, type ResourceType } from '../../src/kube/client.ts';
import { Connection } from '../../src/kube/connection.ts';
import { loadKubeConfig } from '../../src/kube/kubeconfig.ts';
import { collectionPath, objectPath, queryString } from '../../src/kube/paths.ts';

/**
 * A real cluster with `deploy/` and `deploy/admission/` installed once more, under names of its own and for one namespace only, so that other
 * tests can run at the same time. Built by kubectl from an overlay such as a user writes who renames namespace and ServiceAccount.
 */
export interface AdmissionWorld {
  /** Where deploys run; the policies hold here and nowhere else. */
  readonly namespace: string;
  readonly operator: User;
  /** The policies as the API server has them now. */
  policies(): Promise<PolicyObject[]>;
  /** Sends one request as somebody. */
  as(user: User): Requests;
  /** A kubeconfig with which kubectl is that user. */
  kubeconfig(user: User): string;
  /** Runs a shell script with kubectl as that user. @returns its standard output. @throws Error with what it wrote to standard error. */
  shell(user: User, script: string, env?: Record<string, string>): Promise<string>;
  /** Gives a ClusterRole to a user in the namespace; roles of deploy/admission by their own name. */
  bind(user: User, clusterRole: string): Promise<void>;
  /** What the overlay made, by kind and the name that it has in the files. */
  nameOf(kind: string, name: string): string;
  stop(): Promise<void>;
}

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface PolicyObject extends KubeObject {
  status?: { observedGeneration?: number; typeChecking?: { expressionWarnings?: unknown[] } };
}

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: objects of any type, and the API server's Status
  body: any;
}

export const PATCHES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;
export type PatchType = keyof typeof PATCHES;

export interface Requests {
  get(type: ResourceType, name: string): Promise<Answer>;
  create(type: ResourceType, object: object, query?: Query): Promise<Answer>;
  replace(type: ResourceType, object: KubeObject, subresource?: 'status'): Promise<Answer>;
  patch(type: ResourceType, name: string, patch: unknown, how?: PatchType, query?: Query): Promise<Answer>;
  patchStatus(type: ResourceType, name: string, patch: unknown): Promise<Answer>;
  delete(type: ResourceType, name: string, query?: Query): Promise<Answer>;
  deleteAll(type: ResourceType, query?: Query): Promise<Answer>;
}
type Query = Record<string, string | boolean | undefined>;

const POLICIES: ResourceType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingadmissionpolicies',
  kind: 'ValidatingAdmissionPolicy',
};

const NO_FINALIZERS = { metadata: { finalizers: null } };

const person = (name: string): User => ({ name, groups: ['system:authenticated'] });
export const serviceAccount = (namespace: string, name: string): User => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
});

/** Who asks. What each may do by RBAC is said where the world is made. */
export const USERS = {
  dora: person('dora'),
  alan: person('alan'),
  amy: person('amy'),
  eve: person('eve'),
  root: { name: 'root', groups: ['system:masters', 'system:authenticated'] },
  jobController: serviceAccount('kube-system', 'job-controller'),
  garbageCollector: serviceAccount('kube-system', 'generic-garbage-collector'),
  namespaceController: serviceAccount('kube-system', 'namespace-controller'),
} as const satisfies Record<string, User>;

const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** @throws Error where TEST_KUBECONFIG names no cluster, or where the component cannot be built or applied. */
export async function admissionWorld(): Promise<AdmissionWorld> {
  const kubeconfigFile = process.env.TEST_KUBECONFIG;
  if (!kubeconfigFile) throw new Error('TEST_KUBECONFIG is not set: run this with  npm run test:real');
  const connection = new Connection(() => loadKubeConfig({ kubeconfig: kubeconfigFile }), {
    maxConnections: 8,
    connectTimeoutMs: 10_000,
    headersTimeoutMs: 30_000,
  });
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'admission-')));
  const run = randomBytes(4).toString('hex');
  const namespace = `deploy-${run}`;
  const operatorNamespace = `operator-${run}`;
  const suffix = `-${run}`;

  const send = async (user: User | undefined, method: string, path: string, body?: unknown, contentType?: string) => {
    const endpoint = await connection.endpoint();
    const impersonation = user ? { 'impersonate-user': user.name, 'impersonate-group': [...user.groups] } : {};
    const response = await endpoint.requests.request({
      origin: endpoint.origin,
      path: endpoint.basePath + path,
      method: method as 'GET',
      headers: {
        ...endpoint.headers,
        ...impersonation,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.statusCode, body: await response.body.json() } as Answer;
  };
  const must = async (answer: Promise<Answer>): Promise<Answer> => {
    const { status, body } = await answer;
    if (status >= 300) throw new Error(`${status}: ${body.message}`);
    return { status, body };
  };

  const as = (user: User | undefined): Requests => ({
    get: (type, name) => send(user, 'GET', objectPath(type, namespace, name)),
    create: (type, object, query = {}) =>
      send(user, 'POST', collectionPath(type, namespace) + queryString(query), object),
    replace: (type, object, subresource) =>
      send(user, 'PUT', objectPath(type, namespace, object.metadata.name, subresource), object),
    patch: (type, name, patch, how = 'merge', query = {}) =>
      send(
        user,
        'PATCH',
        objectPath(type, namespace, name) + queryString(how === 'apply' ? { fieldManager: 'test', ...query } : query),
        patch,
        PATCHES[how],
      ),
    patchStatus: (type, name, patch) =>
      send(user, 'PATCH', objectPath(type, namespace, name, 'status'), patch, PATCHES.merge),
    delete: (type, name, query = {}) =>
      send(
        user,
        'DELETE',
        objectPath(type, namespace, name) + queryString({ propagationPolicy: 'Background', ...query }),
      ),
    deleteAll: (type, query = {}) => send(user, 'DELETE', collectionPath(type, namespace) + queryString(query)),
  });

  const kubectl = (args: readonly string[], env: Record<string, string> = {}) =>
    command('kubectl', args, { KUBECONFIG: kubeconfigFile, HOME: scratch, ...env });

  // The overlay's own names come first, as they would for a user who renames; then the component reads them.
  const overlay = join(scratch, 'overlay');
  const up = (folder: string) => relative(folder, checkout);
  const write = (folder: string, lines: string[]) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'kustomization.yaml'), lines.join('\n'));
  };
  const renamed = join(overlay, 'renamed');
  write(renamed, [`namespace: ${operatorNamespace}`, `nameSuffix: ${suffix}`, `resources: [${up(renamed)}]`]);
  write(overlay, ['resources: [renamed]', `components: [${up(overlay)}/deploy/admission]`]);
  const built = parseAllDocuments(await kubectl(['kustomize', overlay])).map(
    (document) => document.toJS() as KubeObject,
  );
  const names = new Map<string, string>();
  const objects = built
    .filter(({ kind }) => !['Namespace', 'CustomResourceDefinition', 'Deployment'].includes(kind))
    .map((object) => {
      const name = object.metadata.name.replace(suffix, '');
      names.set(`${object.kind}/${name}`, name + suffix);
      object.metadata.name = name + suffix;
      if (object.kind === 'ValidatingAdmissionPolicyBinding') {
        const spec = object.spec as Record<string, unknown>;
        spec.policyName += suffix;
        spec.matchResources = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
      }
      return object;
    });
  const nameOf = (kind: string, name: string) => {
    const found = names.get(`${kind}/${name}`);
    if (!found) throw new Error(`the overlay holds no ${kind} ${name}`);
    return found;
  };

  const manifest = join(scratch, 'objects.json');
  writeFileSync(manifest, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  for (const name of [namespace, operatorNamespace]) {
    await must(
      send(undefined, 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
    );
  }
  await kubectl(['apply', '-f', manifest]);

  const kubeconfig = (user: User): string => {
    const file = join(scratch, `${user.name.replaceAll(':', '_')}.kubeconfig`);
    const config = parse(readFileSync(kubeconfigFile, 'utf8')) as { users: { user: Record<string, unknown> }[] };
    for (const each of config.users) Object.assign(each.user, { as: user.name, 'as-groups': user.groups });
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  };

  return {
    namespace,
    operator: serviceAccount(operatorNamespace, `capdeployjob${suffix}`),
    as,
    nameOf,
    kubeconfig,
    policies: async () =>
      Promise.all(
        objects
          .filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
          .map(
            async ({ metadata }) =>
              (await must(send(undefined, 'GET', `${collectionPath(POLICIES, undefined)}/${metadata.name}`))).body,
          ),
      ),
    shell: (user, script, env = {}) =>
      command('bash', ['-euo', 'pipefail', '-c', script], { KUBECONFIG: kubeconfig(user), HOME: scratch, ...env }),
    bind: async (user, clusterRole) => {
      const name = names.get(`ClusterRole/${clusterRole}`) ?? clusterRole;
      await kubectl([
        '-n',
        namespace,
        'create',
        'rolebinding',
        `${user.name}-${clusterRole}`,
        `--clusterrole=${name}`,
        `--user=${user.name}`,
      ]);
    },
    stop: async () => {
      try {
        await kubectl(['delete', '-f', manifest, '--ignore-not-found', '--wait=false']);
        // A finalizer that a test has set would keep the namespace for ever.
        const { items } = (await must(send(undefined, 'GET', collectionPath(JOBS, namespace)))).body;
        for (const { metadata } of items as KubeObject[]) {
          if (!metadata.finalizers) continue;
          await send(undefined, 'PATCH', objectPath(JOBS, namespace, metadata.name), NO_FINALIZERS, PATCHES.merge);
        }
        for (const name of [namespace, operatorNamespace])
          await send(undefined, 'DELETE', `/api/v1/namespaces/${name}`);
      } finally {
        await connection.close();
        rmSync(scratch, { recursive: true, force: true });
      }
    },
  };
}

/** @returns what it wrote to standard output. @throws Error with what it wrote to standard error. */
function command(program: string, args: readonly string[], env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      [...args],
      { env: { PATH: process.env.PATH, ...env }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`${program} ${args[0]}: ${stderr || error.message}`));
        else resolve(stdout);
      },
    );
  });
}
