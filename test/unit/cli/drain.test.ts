import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type LocalCluster, startLocalCluster } from 'in-memory-kubernetes/cluster.ts';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { clientOf } from '../../../dev/in-process-client.ts';
import { LOCAL_CREDENTIALS, type LocalSqs, startLocalSqs } from '../../../dev/local-sqs.ts';
import { CAPDEPLOYJOBS } from '../../../src/api/names.ts';
import { NAMESPACES } from '../../../src/kube/client.ts';
import { BUNDLED_PROGRAM } from '../../kit/bundled-program.ts';
import { Program } from '../../kit/program.ts';
import { DEFINITION, DEFINITIONS } from '../../kit/store.ts';

/** Signals while a long poll is under way: what a roll-out does to every operator. */

let directory: string;
let cluster: LocalCluster;
let sqs: LocalSqs;
let program: Program;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'capdeployjob-drain-'));
  [cluster, sqs] = await Promise.all([startLocalCluster({ kubelet: false }), startLocalSqs()]);
  cluster.writeKubeconfig(join(directory, 'kubeconfig'));
  const producer = new SQSClient({ endpoint: sqs.endpoint, region: sqs.region, credentials: LOCAL_CREDENTIALS });
  await producer.send(new CreateQueueCommand({ QueueName: 'web' }));
  producer.destroy();
  const client = clientOf(cluster);
  await client.create(DEFINITIONS, DEFINITION);
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'deploy' } });
  await client.create(CAPDEPLOYJOBS, {
    apiVersion: 'capdeployjob.dev/v1alpha1',
    kind: 'CapDeployJob',
    metadata: { name: 'web', namespace: 'deploy' },
    spec: {
      queue: { url: sqs.queueUrl('web'), waitTimeSeconds: 3 },
      environments: [{ name: 'production' }],
      template: { spec: { containers: [{ name: 'cap', image: 'web' }] } },
    },
  });
});
afterAll(async () => {
  await Promise.all([cluster.stop(), sqs.stop()]);
  await rm(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  program = new Program(
    BUNDLED_PROGRAM,
    [
      'controller',
      `--kubeconfig=${join(directory, 'kubeconfig')}`,
      `--allow-queue-origin=${sqs.endpoint}`,
      '--metrics-bind-address=127.0.0.1:0',
      '--health-probe-bind-address=0',
    ],
    {
      AWS_REGION: sqs.region,
      AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    },
  );
  await reading();
});
afterEach(() => program.kill());

/** Resolves when the queue is being read: a poll is under way. */
async function reading(): Promise<void> {
  const { metrics } = await program.logged(/^started$/);
  await expect
    .poll(async () => (await fetch(`http://${metrics}/metrics`)).text(), { timeout: 15_000 })
    .toMatch(/capdeployjob_queue_last_poll_age_seconds\{namespace="deploy",name="web"\} [0-9.]+/);
}

test('the first SIGTERM waits for the poll under way, closes everything and ends with 0', async () => {
  program.signal('SIGTERM');
  expect(await program.ended).toBe(0);
  expect(program.log.filter(({ level }) => level !== 'info')).toEqual([]);
});

test('the second signal ends at once with 1', async () => {
  program.signal('SIGTERM');
  await program.logged(/^stopping/);
  const secondAt = performance.now();
  program.signal('SIGINT');
  expect(await program.ended).toBe(1);
  expect(performance.now() - secondAt).toBeLessThan(2000);
});
