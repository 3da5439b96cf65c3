import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { currentNamespace, loadKubeConfig } from '../../../src/kube/http/kubeconfig.ts';

/** In which namespace the Lease lies. */

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'capdeployjob-namespace-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function kubeconfig(context: object): string {
  const file = join(directory, 'kubeconfig');
  writeFileSync(
    file,
    JSON.stringify({
      'current-context': 'here',
      contexts: [
        { name: 'there', context: { cluster: 'one', user: 'me', namespace: 'elsewhere' } },
        { name: 'here', context: { cluster: 'one', user: 'me', ...context } },
      ],
      clusters: [{ name: 'one', cluster: { server: 'http://127.0.0.1:1' } }],
      users: [{ name: 'me', user: {} }],
    }),
  );
  return file;
}

/** The files that a kubelet mounts into a Pod. */
function pod(namespace: string | undefined): { inClusterRoot: string; env: NodeJS.ProcessEnv; home: string } {
  const mounted = join(directory, 'var/run/secrets/kubernetes.io/serviceaccount');
  mkdirSync(mounted, { recursive: true });
  writeFileSync(join(mounted, 'token'), 'token');
  writeFileSync(join(mounted, 'ca.crt'), '');
  if (namespace !== undefined) writeFileSync(join(mounted, 'namespace'), namespace);
  // client-node asks the process itself.
  vi.stubEnv('KUBERNETES_SERVICE_HOST', '127.0.0.1');
  vi.stubEnv('KUBERNETES_SERVICE_PORT', '1');
  return { inClusterRoot: directory, env: { KUBERNETES_SERVICE_HOST: '127.0.0.1' }, home: directory };
}

test('in a Pod it is that of the Pod', () => {
  expect(currentNamespace(loadKubeConfig(pod('capdeployjob-system')))).toBe('capdeployjob-system');
});

test('elsewhere it is that of the current context', () => {
  expect(currentNamespace(loadKubeConfig({ kubeconfig: kubeconfig({ namespace: 'deploy' }), env: {} }))).toBe('deploy');
});

test.each([
  ['a context without one', () => loadKubeConfig({ kubeconfig: kubeconfig({}), env: {} })],
  ['a context with an empty one', () => loadKubeConfig({ kubeconfig: kubeconfig({ namespace: '' }), env: {} })],
  ['a Pod whose file is missing', () => loadKubeConfig(pod(undefined))],
])('of %s nobody knows it: `default` would be a guess', (_, load) => {
  expect(currentNamespace(load())).toBeUndefined();
});
