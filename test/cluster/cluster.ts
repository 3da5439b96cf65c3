import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import type { KubeObject, ResourceType } from '../../src/kube/client.ts';
import { loadKubeConfig } from '../../src/kube/http/kubeconfig.ts';
import { collectionPath, objectPath } from '../../src/kube/http/paths.ts';
import { HttpApi } from '../kit/http-api.ts';
import { testNamespace } from '../kit/test-namespace.ts';
import { Kubectl, type Result } from './kubectl.ts';

/**
 * The running cluster that `npm run test:real` hands to its tests by environment variables: a plain HTTP client with
 * all rights, which shows status and warnings of each answer, and kubectl. What a test makes in it lies in namespaces
 * of its own, removed at the end.
 */
export interface Cluster {
  /** Sends as the cluster's administrator. Throws for no status: the test says what it expects. */
  request<T = KubeObject>(method: Method, path: string, options?: RequestOptions): Promise<Answer<T>>;
  /** Runs kubectl with the administrator's rights. Resolves whatever its exit code is. */
  kubectl(args: readonly string[], input?: string): Promise<Result>;
  /** Creates a namespace of a name that nothing else has. @returns its name. */
  namespace(labels?: Record<string, string>): Promise<string>;
  /** A directory that is removed at the end. */
  scratch(): Promise<string>;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RequestOptions {
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  contentType?: string;
}

export interface Answer<T = KubeObject> {
  status: number;
  /** The texts of the Warning headers (RFC 7234, code 299), which kubectl prints as "Warning: …". */
  warnings: string[];
  body: T;
}

/** metav1.Status as far as tests look at it. */
export interface ApiStatus {
  reason: string;
  message: string;
  details?: { causes?: { reason: string; field: string; message: string }[] };
}

export const MERGE_PATCH = 'application/merge-patch+json';
export const APPLY_PATCH = 'application/apply-patch+yaml';

/** The ServiceAccount that deploy/ gives the operator. */
export const OPERATOR = { namespace: 'capdeployjob-system', name: 'capdeployjob' } as const;
export const OPERATOR_USER = `system:serviceaccount:${OPERATOR.namespace}:${OPERATOR.name}`;

/** The ServiceAccount that deploy/chat gives the chat bot. */
export const CHAT_BOT = { namespace: 'capdeployjob-chat', name: 'capdeployjob-slack-bot' } as const;

/**
 * Whether the control plane was started for these tests alone, or is a user's (`--kubeconfig`), where what was there
 * stays as it was.
 */
export const IS_OURS = Boolean(process.env.TEST_AUDIT_LOG);
/** To be put behind the name of a test that is skipped there. */
export const WHY_NOT_IN_A_USERS_CLUSTER = IS_OURS
  ? ''
  : ' (not in a cluster of a user’s: it would change what is there)';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A path of the checkout. */
export const fromRoot = (relative: string): string => join(ROOT, relative);

/** @throws Error that says how these tests are run, where the variable is not set. */
export function fromEnvironment(variable: string): string {
  const value = process.env[variable];
  if (value) return value;
  throw new Error(`${variable} is not set: these tests need a cluster, run them with  npm run test:real`);
}

/** Call it once, at the top of a test file: what it opens and creates goes when the tests of the file have ended. */
export function openCluster(): Cluster {
  const kubeconfig = fromEnvironment('TEST_KUBECONFIG');
  const api = new HttpApi(() => loadKubeConfig({ kubeconfig }));
  const namespaces: string[] = [];
  const directories: string[] = [];
  const newDirectory = async (purpose: string): Promise<string> => {
    const directory = await mkdtemp(join(tmpdir(), `capdeployjob-${purpose}-`));
    directories.push(directory);
    return directory;
  };
  let kubectl: Promise<Kubectl> | undefined;

  const cluster: Cluster = {
    async request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<Answer<T>> {
      const { contentType = 'application/json', ...rest } = options;
      const answer = await api.request<T>(method, path, { ...rest, headers: { 'content-type': contentType } });
      return { ...answer, warnings: warningsOf(answer.warnings) };
    },

    async kubectl(args, input) {
      // What it remembers of the API belongs into no home directory.
      kubectl ??= newDirectory('kubectl').then(
        (cache) => new Kubectl(process.env.TEST_KUBECTL || 'kubectl', kubeconfig, cache),
      );
      return (await kubectl).try(args, input);
    },

    async namespace(labels = {}) {
      const name = `capdeployjob-test-${crypto.randomUUID().slice(0, 13)}`;
      const { status, body } = await cluster.request('POST', '/api/v1/namespaces', {
        body: testNamespace(name, labels),
      });
      if (status !== 201) throw new Error(`namespace ${name}: ${status} ${JSON.stringify(body)}`);
      namespaces.push(name);
      return name;
    },

    scratch: () => newDirectory('scratch'),
  };

  afterAll(async () => {
    for (const name of namespaces) await cluster.request('DELETE', `/api/v1/namespaces/${name}`);
    await api.close();
    for (const directory of directories) await rm(directory, { recursive: true, force: true });
  });
  return cluster;
}

/** Every CapDeployJob of a namespace, or one of them. */
export const cdjPath = (namespace: string, name?: string, subresource?: 'status'): string =>
  path(CAPDEPLOYJOBS, namespace, name, subresource);

export const path = (type: ResourceType, namespace: string, name?: string, subresource?: 'status'): string =>
  name === undefined ? collectionPath(type, namespace) : objectPath(type, namespace, name, subresource);

/** `299 - "text"`, the quotes and backslashes in it escaped; several in one header or in several. */
function warningsOf(headers: readonly string[]): string[] {
  return headers.flatMap((value) =>
    [...value.matchAll(/299 [^ ]+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replace(/\\(.)/g, '$1')),
  );
}
