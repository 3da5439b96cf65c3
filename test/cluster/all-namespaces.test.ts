import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../../dev/local-sqs.ts';
import { bundle } from '../../docker/operator/bundle.ts';
import packageJson from '../../package.json' with { type: 'json' };
import type { KubeObject } from '../../src/kube/client.ts';
import { createWorld, ended, eventually, message, turns, type World } from '../behaviour/world.ts';
import { Program } from '../kit/program.ts';
import { cdjPath, fromEnvironment, OPERATOR, openCluster } from './cluster.ts';
import { created, type Resource, resource } from './resources.ts';

/**
 * The operator as the Deployment runs it: the bundle of the image, in a process of its own, with the ServiceAccount's
 * token and for all namespaces. It takes care of every CapDeployJob in the cluster: test/config/cluster.ts runs this
 * file when no other test runs.
 */
const cluster = openCluster();
// It is bundled, started, deploys, and is stopped.
vi.setConfig({ testTimeout: 180_000 });
const WEB = { repository: 'livesense/web', environment: 'production', revision: 'v1.0.0' };

let world: World;
let operator: Program | undefined;
let second: Program | undefined;

beforeEach(async () => {
  world = await createWorld();
});
afterEach(async () => {
  await Promise.all([operator?.kill(), second?.kill()]);
  operator = second = undefined;
  // In a cluster of somebody's it would stay behind.
  await cluster.request('DELETE', LEASE);
  await world.stop();
});

const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${OPERATOR.namespace}/leases/capdeployjob`;

async function program(instance: string, ...flags: string[]): Promise<Program> {
  const folder = await cluster.scratch();
  await bundle(folder);
  const env = {
    CAPDEPLOY_KUBECONFIG: fromEnvironment('TEST_OPERATOR_KUBECONFIG'),
    CAPDEPLOY_METRICS_BIND_ADDRESS: '127.0.0.1:0',
    CAPDEPLOY_HEALTH_PROBE_BIND_ADDRESS: '127.0.0.1:0',
    AWS_REGION: LOCAL_REGION,
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    HOSTNAME: instance,
  };
  return new Program(join(folder, 'capdeploy.js'), ['controller', '--leader-elect', ...flags], env);
}

async function start(...flags: string[]): Promise<{ probes: string; metrics: string }> {
  operator = await program('capdeployjob-0', ...flags);
  return (await operator.logged(/^started$/)) as { probes: string; metrics: string };
}

test('deploys what is asked for in one namespace, sees another one, and hands over and ends with 0 when it is told to', async () => {
  const queue = await world.createQueue('web');
  // What other tests left behind is not read: only this queue.
  const arn = await world.queueArn(queue);
  const { probes, metrics } = await start(
    `--allow-queue-origin=${new URL(queue).origin}`,
    `--allow-queue=${world.namespace}=${arn}`,
  );
  await operator!.logged(/^caches are complete/);
  expect(await (await fetch(`http://${probes}/healthz`)).text()).toBe('ok');
  await eventually('it is ready', async () => (await fetch(`http://${probes}/readyz`)).status === 200);

  await world.deployable('web', queue, { repositories: ['livesense/web'] });
  await turns(world, 'web', 'Ready', 'True', 'AsExpected');
  await world.send(queue, message({ ...WEB, requestedBy: 'alice' }));
  expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ ...WEB, result: 'Succeeded', requestedBy: 'alice' });
  expect(world.kubelet.diary).toMatchObject([
    { environment: 'production', args: ['cap', 'production', 'deploy'], env: { REVISION: 'v1.0.0' } },
  ]);
  await eventually('the message is deleted', async () => (await world.depth(queue)) === 0);

  const elsewhere = await cluster.namespace();
  await created(cluster, resource(elsewhere, 'web', { queue: { url: await world.createQueue('elsewhere') } }));
  await eventually('the other namespace is seen, and is told that its queue may not be read', async () => {
    const { body } = await cluster.request<Resource>('GET', cdjPath(elsewhere, 'web'));
    const { conditions = [] } = (body.status ?? {}) as { conditions?: Record<string, unknown>[] };
    return conditions.find(({ type, reason }) => type === 'QueueReachable' && reason === 'QueueNotAllowed');
  });

  const shown = await (await fetch(`http://${metrics}/metrics`)).text();
  const ours = shown.split('\n').filter((line) => line.includes(`namespace="${world.namespace}"`));
  expect(ours).toContainEqual(expect.stringMatching(/^capdeployjob_messages_received_total\{.*\} 1$/));
  expect(ours).toContainEqual(expect.stringMatching(/^capdeployjob_jobs_created_total\{.*\} 1$/));
  expect(ours).toContainEqual(expect.stringMatching(/^capdeployjob_deploys_total\{.*result="Succeeded".*\} 1$/));
  expect(shown).not.toMatch(/^capdeployjob_kube_request_errors_total\{.*kind="forbidden".*\} [1-9]/m);

  second = await program(
    'capdeployjob-1',
    `--allow-queue-origin=${new URL(queue).origin}`,
    `--allow-queue=${world.namespace}=${arn}`,
  );
  await second.logged(/^another replica leads$/);
  const toldAt = performance.now();
  operator!.signal('SIGTERM');
  await second.logged(/^working$/);
  const tookMs = performance.now() - toldAt;
  expect(await operator!.ended).toBe(0);
  expect(tookMs).toBeLessThan(1000);
  const { body: lease } = await cluster.request<KubeObject & { spec: object }>('GET', LEASE);
  expect(lease.spec).toMatchObject({
    holderIdentity: expect.stringMatching(/^capdeployjob-1_/),
    leaseDurationSeconds: 15,
    leaseTransitions: 1,
  });
  second.signal('SIGTERM');
  expect(await second.ended).toBe(0);
  const { log } = operator!;
  expect(log.at(-1)).toMatchObject({ level: 'info', msg: 'stopped' });
  expect(log.find(({ msg }) => msg === 'started')).toMatchObject({ version: packageJson.version, namespaces: [] });
  expect(log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  expect(JSON.stringify(log)).not.toContain('Forbidden');
});
