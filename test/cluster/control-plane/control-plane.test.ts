import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { JOBS, type KubeObject, PODS } from '../../../src/kube/client.ts';
import { HttpKubeClient } from '../../../src/kube/http/http-client.ts';
import { loadKubeConfig } from '../../../src/kube/http/kubeconfig.ts';
import { findBinaries } from './build.ts';
import { startControlPlane } from './control-plane.ts';

test('a second control plane beside the first: its API server comes back with the same data on the same port, and nothing stays', async () => {
  const binaries = await findBinaries({ kubernetes: process.env.TEST_KUBERNETES });
  const controlPlane = await startControlPlane({ binaries });
  onTestFinished(() => controlPlane.stop());
  const { apiServer, etcd, controllerManager, kubeconfig } = controlPlane;
  const kube = new HttpKubeClient({ config: loadKubeConfig({ kubeconfig }) });
  onTestFinished(() => kube.close());
  expect(await kube.serverVersion()).toEqual(binaries.kubernetes.split('.').map(Number));

  const job: KubeObject = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'kept', namespace: 'default' },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'cap', image: 'none' }] } } },
  };
  const { uid } = (await kube.create(JOBS, job)).metadata;
  const before = apiServer.pid;
  await controlPlane.restartApiServer();
  const between = apiServer.pid;
  await controlPlane.restartApiServer('SIGKILL');
  expect(new Set([before, between, apiServer.pid]).size).toBe(3);
  expect((await kube.get(JOBS, 'default', 'kept')).metadata.uid).toBe(uid);
  // The Job controller lives on, and sees the API server again.
  await expect
    .poll(async () => (await kube.list(PODS, { namespace: 'default' })).items.length, { timeout: 30_000 })
    .toBe(1);

  const files = dirname(kubeconfig);
  expect(statSync(files).mode & 0o777).toBe(0o700);
  expect(statSync(kubeconfig).mode & 0o777).toBe(0o600);
  const pids = [etcd, apiServer, controllerManager].map((component) => component.pid as number);
  await controlPlane.stop();
  expect(existsSync(files)).toBe(false);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
