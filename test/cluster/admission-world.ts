import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { JOBS, type KubeClient, type KubeObject, NAMESPACES, type ResourceType } from '../../src/kube/client.ts';
import { HttpKubeClient } from '../../src/kube/http/http-client.ts';
import { loadKubeConfig } from '../../src/kube/http/kubeconfig.ts';
import { testNamespace } from '../kit/test-namespace.ts';
import { Api, type Requests, serviceAccount, USERS, type User } from './admission-requests.ts';

/**
 * A real cluster with `deploy/` and `deploy/admission/` installed once more, under names of its own and for one
 * namespace only, so that other tests can run at the same time. Built by kubectl from an overlay such as a user writes
 * who renames namespace and ServiceAccount.
 */
export interface AdmissionWorld {
  /** Where deploys run; the policies hold here and nowhere else. */
  readonly namespace: string;
  readonly operator: User;
  /** The chat bot's ServiceAccount, which the policies know if the world was made with it. It has no right by itself. */
  readonly chatBot: User;
  /** The policies as the API server has them now. */
  policies(): Promise<PolicyObject[]>;
  /** Requests of somebody. @param namespace by default that of the deploys. */
  as(user: User, namespace?: string): Requests;
  /** The client of our programs, as somebody. It is closed at the end. */
  client(user: User): KubeClient;
  /**
   * The same with a token of a ServiceAccount: of who is impersonated the audit log of the suite says nothing.
   */
  clientWithToken(account: User): Promise<KubeClient>;
  /**
   * Runs a shell script with kubectl as that user. @returns its standard output. @throws Error with what it wrote to
   * standard error.
   */
  shell(user: User, script: string, env?: Record<string, string>): Promise<string>;
  /**
   * Gives a ClusterRole to a user in the namespace; roles of deploy/admission by the name that they have in the files.
   */
  bind(user: User, clusterRole: string): Promise<void>;
  /** The name that something in deploy/ or deploy/admission has here. */
  nameOf(kind: string, name: string): string;
  stop(): Promise<void>;
}

export interface PolicyObject extends KubeObject {
  status?: { observedGeneration?: number; typeChecking?: { expressionWarnings?: unknown[] } };
}

const POLICIES: ResourceType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingadmissionpolicies',
  kind: 'ValidatingAdmissionPolicy',
};

const checkout = fileURLToPath(new URL('../..', import.meta.url));

export interface WorldOptions {
  /** With `deploy/chat` and its components, so that the policies know the chat bot. */
  chat?: boolean;
  /**
   * The bot's ServiceAccount, and the namespace of the deploys, are called as in examples/chat, so that the audit log
   * can be compared with the bindings there. For one file of tests, on a control plane of our own.
   */
  asInExamples?: boolean;
}

/** examples/chat. */
const EXAMPLES = { deploys: 'deploy', chat: 'capdeployjob-chat' } as const;

/** @throws Error where TEST_KUBECONFIG names no cluster, or where the component cannot be built or applied. */
export async function admissionWorld({
  chat = false,
  asInExamples = false,
}: WorldOptions = {}): Promise<AdmissionWorld> {
  const kubeconfigFile = process.env.TEST_KUBECONFIG;
  if (!kubeconfigFile) throw new Error('TEST_KUBECONFIG is not set: run this with  npm run test:real');
  const api = new Api(kubeconfigFile);
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'admission-')));
  // A letter first: YAML reads 9e4 as a number.
  const suffix = `-t${randomBytes(4).toString('hex')}`;
  const namespace = asInExamples ? EXAMPLES.deploys : `deploy${suffix}`;
  const operatorNamespace = `operator${suffix}`;
  const chatNamespace = asInExamples ? EXAMPLES.chat : `chat${suffix}`;
  const chatSuffix = asInExamples ? '' : suffix;
  const namespaces = [namespace, operatorNamespace, chatNamespace];
  const bin = join(scratch, 'bin');
  mkdirSync(bin);
  if (process.env.TEST_KUBECTL) symlinkSync(process.env.TEST_KUBECTL, join(bin, 'kubectl'));
  const root = api.as(USERS.root, namespace);
  const manifest = join(scratch, 'objects.json');
  const clients: HttpKubeClient[] = [];

  const shellOf = (kubeconfig: string) => {
    const PATH = [bin, process.env.PATH].join(delimiter);
    return (script: string, env: Record<string, string> = {}) =>
      shell(script, { PATH, KUBECONFIG: kubeconfig, HOME: scratch, ...env });
  };
  const kubectl = shellOf(kubeconfigFile);
  const clientOf = (kubeconfig: string) => {
    const client = new HttpKubeClient({ config: () => loadKubeConfig({ kubeconfig }) });
    clients.push(client);
    return client;
  };
  const stop = async () => {
    try {
      await kubectl(`if [ -e ${manifest} ]; then kubectl delete -f ${manifest} --ignore-not-found --wait=false; fi`);
      // A finalizer that a test has set would keep the namespace for ever.
      for (const { metadata } of ((await root.list(JOBS)).body.items ?? []) as KubeObject[]) {
        if (metadata.finalizers) await root.patch(JOBS, metadata.name, { metadata: { finalizers: null } });
      }
      for (const name of namespaces) await api.clusterWide('DELETE', NAMESPACES, name);
    } finally {
      await Promise.all(clients.map((client) => client.close()));
      await api.close();
      rmSync(scratch, { recursive: true, force: true });
    }
  };

  try {
    const folder = overlay(
      scratch,
      { namespace: operatorNamespace, nameSuffix: suffix },
      chat ? { namespace: chatNamespace, nameSuffix: chatSuffix } : undefined,
    );
    const built = await kubectl(`kubectl kustomize ${folder}`);
    const { objects, names } = forThisRun(built, suffix, namespace);
    for (const name of namespaces) {
      const { status, body } = await api.clusterWide('POST', NAMESPACES, undefined, testNamespace(name));
      if (status !== 201) throw new Error(`namespace ${name}: ${status}: ${body.message}`);
    }
    writeFileSync(manifest, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    await kubectl(`kubectl apply -f ${manifest}`);
    const policies = objects.filter(({ kind }) => kind === POLICIES.kind);
    return {
      namespace,
      operator: serviceAccount(operatorNamespace, `capdeployjob${suffix}`),
      chatBot: serviceAccount(chatNamespace, `capdeployjob-slack-bot${chatSuffix}`),
      as: (user, where = namespace) => api.as(user, where),
      client: (user) => clientOf(impersonating(user, kubeconfigFile, scratch)),
      clientWithToken: async ({ name: account }) => {
        const [, , where, name] = account.split(':');
        const token = (await kubectl(`kubectl -n ${where} create token ${name}`)).trim();
        return clientOf(kubeconfigWith({ token }, kubeconfigFile, join(scratch, `${where}-${name}.kubeconfig`)));
      },
      policies: () =>
        Promise.all(policies.map(async ({ metadata }) => (await api.clusterWide('GET', POLICIES, metadata.name)).body)),
      shell: (user, script, env) => shellOf(impersonating(user, kubeconfigFile, scratch))(script, env),
      bind: async (user, clusterRole) => {
        const role = names.get(`ClusterRole/${clusterRole}`) ?? clusterRole;
        const binding = `${user.name}-${clusterRole} --clusterrole=${role} --user=${user.name}`;
        await kubectl(`kubectl -n ${namespace} create rolebinding ${binding}`);
      },
      nameOf: (kind, name) => {
        const found = names.get(`${kind}/${name}`);
        if (!found) throw new Error(`the overlay holds no ${kind} ${name}`);
        return found;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Renamed {
  namespace: string;
  nameSuffix: string;
}

/**
 * Writes the overlay of a user who renames: first the operator's own names and the chat bot's, then the components, which
 * read them.
 * @returns its folder.
 */
function overlay(scratch: string, operator: Renamed, chat: Renamed | undefined): string {
  const folder = join(scratch, 'overlay');
  const write = (where: string, content: object) => {
    mkdirSync(where, { recursive: true });
    writeFileSync(join(where, 'kustomization.yaml'), JSON.stringify(content));
  };
  const renamed = (name: string, names: Renamed, what: string) => {
    const where = join(folder, name);
    write(where, { ...names, resources: [join(relative(where, checkout), what)] });
    return name;
  };
  const resources = [renamed('operator', operator, '.')];
  const components = ['deploy/admission'];
  if (chat) {
    resources.push(renamed('chat', chat, 'deploy/chat'));
    components.push('deploy/chat/operate', 'deploy/chat/approve');
  }
  write(folder, { resources, components: components.map((each) => join(relative(folder, checkout), each)) });
  return folder;
}

/**
 * What the overlay holds, the operator itself and the CRD left out; the component's objects get names of this run, too,
 * and hold in one namespace.
 */
function forThisRun(yaml: string, suffix: string, namespace: string) {
  const names = new Map<string, string>();
  const objects = parseAllDocuments(yaml)
    .map((document) => document.toJS() as KubeObject)
    .filter(({ kind }) => !['Namespace', 'CustomResourceDefinition', 'Deployment'].includes(kind));
  for (const { kind, metadata, spec } of objects as (KubeObject & { spec?: Record<string, unknown> })[]) {
    const name = metadata.name.replace(suffix, '');
    // The policies name the bot's account: it keeps the name that the overlay gave it.
    if (kind !== 'ServiceAccount') metadata.name = name + suffix;
    names.set(`${kind}/${name}`, metadata.name);
    if (kind !== 'ValidatingAdmissionPolicyBinding') continue;
    Object.assign(spec ?? {}, {
      policyName: spec?.policyName + suffix,
      matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
    });
  }
  return { objects, names };
}

/** Writes a kubeconfig with which kubectl is that user, once: another kubectl may be reading it. @returns the file. */
function impersonating(user: User, kubeconfig: string, scratch: string): string {
  const file = join(scratch, `${user.name.replaceAll(':', '_')}.kubeconfig`);
  if (existsSync(file)) return file;
  const config = parse(readFileSync(kubeconfig, 'utf8')) as { users: { user: object }[] };
  return kubeconfigWith({ ...config.users[0]?.user, as: user.name, 'as-groups': user.groups }, kubeconfig, file);
}

/** Writes a kubeconfig with these credentials for the same cluster. @returns the file. */
function kubeconfigWith(credentials: object, kubeconfig: string, file: string): string {
  const config = parse(readFileSync(kubeconfig, 'utf8')) as { users: { user: object }[] };
  for (const each of config.users) each.user = credentials;
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

/** @returns what it wrote to standard output. @throws Error with what it wrote to standard error. */
function shell(script: string, env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env, maxBuffer: 64 * 1024 * 1024 };
    execFile('bash', ['-euo', 'pipefail', '-c', script], options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${script}: ${stderr || error.message}`));
      else resolve(stdout);
    });
  });
}
