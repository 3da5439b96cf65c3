import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { TEST_LABEL } from '../kit/test-namespace.ts';
import type { Kubectl } from './kubectl.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OPERATOR = { namespace: 'capdeployjob-system', serviceAccount: 'capdeployjob' } as const;

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
}

/** As docs/install.md says, on a control plane of our own. A warning of the API server is an error. */
export async function install(kubectl: Kubectl): Promise<void> {
  await kubectl.run(['apply', '--warnings-as-errors', '-k', ROOT]);
  await established(kubectl);
}

/**
 * In a cluster of somebody's, which may have it all already: creates what is not there, and changes nothing that is.
 * The Deployment is left out: the operator that is tested runs beside the tests.
 * @returns what removes it again, and nothing else
 * @throws Error that says what to do, where something there is not what this checkout has, or an operator runs there
 */
export async function installWhereAbsent(kubectl: Kubectl): Promise<() => Promise<void>> {
  await refuseRunningOperator(kubectl);
  const rendered = await kubectl.run(['kustomize', ROOT]);
  const manifests = parseAllDocuments(rendered)
    .map((document) => document.toJS() as Manifest)
    .filter(({ kind }) => kind !== 'Deployment');
  const absent: Manifest[] = [];
  for (const manifest of manifests) {
    const found = await kubectl.run(['get', '--ignore-not-found', '-o', 'name', '-f', '-'], JSON.stringify(manifest));
    if (found.trim() === '') absent.push(manifest);
    else await refuseOther(kubectl, manifest);
  }
  const created: Manifest[] = [];
  const remove = async (): Promise<void> => {
    for (const manifest of created.reverse()) {
      await kubectl.run(
        ['delete', '--ignore-not-found', '--wait', '--timeout=120s', '-f', '-'],
        JSON.stringify(manifest),
      );
    }
  };
  try {
    for (const manifest of absent) {
      // Before: who is interrupted in between does not know whether it was made.
      created.push(manifest);
      await kubectl.run(['create', '-f', '-'], JSON.stringify(manifest));
    }
    await established(kubectl);
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}

/** Removes namespaces that tests of this run made and, having been killed, left. */
export async function removeNamespaces(kubectl: Kubectl, run: string): Promise<void> {
  const selector = `${TEST_LABEL}=${run}`;
  await kubectl.run(['delete', 'namespaces', '--ignore-not-found', '--wait', '--timeout=120s', '-l', selector]);
}

/**
 * Writes a kubeconfig with a token (24 h, or as long as the cluster allows) of the operator's own ServiceAccount, and
 * so with its rights.
 */
export async function writeOperatorKubeconfig(kubectl: Kubectl, file: string): Promise<void> {
  const { namespace, serviceAccount } = OPERATOR;
  const token = await kubectl.run(['create', 'token', serviceAccount, '-n', namespace, '--duration=24h']);
  const view = await kubectl.run(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json']);
  const { cluster } = (JSON.parse(view) as { clusters: { cluster: object }[] }).clusters[0]!;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'operator', user: { token: token.trim() } }],
    // Its own namespace, as in a Pod: the Lease lies there.
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'operator', namespace } }],
    'current-context': 'test',
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
}

/** The server's minor: 1.36. */
export async function serverMinor(kubectl: Kubectl): Promise<string> {
  const { serverVersion } = JSON.parse(await kubectl.run(['version', '-o', 'json'])) as {
    serverVersion: { gitVersion: string };
  };
  return /\d+\.\d+/.exec(serverVersion.gitVersion)?.[0] ?? serverVersion.gitVersion;
}

async function established(kubectl: Kubectl): Promise<void> {
  await kubectl.run(['wait', '--for=condition=Established', '--timeout=60s', 'crd/capdeployjobs.capdeployjob.dev']);
}

/** It would take part in the tests, and the tests' deploys for its own. */
async function refuseRunningOperator(kubectl: Kubectl): Promise<void> {
  const args = ['get', 'deployments', '-A', '-l', 'app.kubernetes.io/name=capdeployjob', '-o', 'json'];
  const { items } = JSON.parse(await kubectl.run(args)) as { items: (Manifest & { spec: { replicas: number } })[] };
  const running = items.find(({ spec }) => spec.replicas > 0);
  if (running === undefined) return;
  const { namespace, name } = running.metadata;
  throw new Error(
    `an operator runs in this cluster (Deployment ${namespace}/${name}) and would disturb the tests and they it: use another cluster, ` +
      `or stop it meanwhile (kubectl -n ${namespace} scale deployment ${name} --replicas=0)`,
  );
}

/**
 * Of what is there already, this decides what the tests see; of a Namespace or ServiceAccount only that it is there.
 */
const COMPARED = ['CustomResourceDefinition', 'ClusterRole', 'ClusterRoleBinding'];

/** Compares with what the API server would make of this checkout's (defaults and all), in a dry run. */
async function refuseOther(kubectl: Kubectl, manifest: Manifest): Promise<void> {
  if (!COMPARED.includes(manifest.kind)) return;
  const input = JSON.stringify(manifest);
  const content = async (...args: string[]): Promise<unknown> => {
    const answer = JSON.parse(await kubectl.run([...args, '-o', 'json', '-f', '-'], input));
    const { metadata, status, ...rest } = answer.kind === 'List' ? answer.items[0] : answer;
    return rest;
  };
  const path = firstDifference(await content('get'), await content('replace', '--dry-run=server'));
  if (path === undefined) return;
  throw new Error(
    `${manifest.kind} ${manifest.metadata.name} of this cluster is not the one of this checkout and will not be touched: they differ in ` +
      `${path}. Install this checkout's there (kubectl apply -k .), or use another cluster`,
  );
}

/** The path of the first thing in which two JSON values differ; undefined where they are the same. */
function firstDifference(one: unknown, other: unknown, path = ''): string | undefined {
  if (isDeepStrictEqual(one, other)) return undefined;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return path;
  const [a, b] = [one, other] as [Record<string, unknown>, Record<string, unknown>];
  const key = [...Object.keys(a), ...Object.keys(b)].find((each) => !isDeepStrictEqual(a[each], b[each])) ?? '';
  return firstDifference(a[key], b[key], `${path}.${key}`);
}
