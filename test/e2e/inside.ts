/**
 * Runs in the node's namespaces, below pid-1.sh: starts a node with its control plane, the queue server and the
 * operator, runs the tests, and ends with their exit code. It stops nothing: everything ends with pid 1.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBinaries } from '../cluster/control-plane/build.ts';
import { startControlPlane } from '../cluster/control-plane/control-plane.ts';
import { Kubectl } from '../cluster/kubectl.ts';
import { startProcess } from '../cluster/processes.ts';
import { startMiniStack } from '../cluster/sqs-servers/index.ts';
import { importImage, startContainerd } from './node/containerd.ts';
import { NODE_NAME, startNode, startScheduler } from './node/kubelet.ts';
import { separateFromMachine } from './node/machine.ts';
import { createNetwork, forwardFromPods, NODE_ADDRESS, serveApi, wrapPlugins } from './node/network.ts';
import { installOperator } from './operator.ts';
import { COMPONENTS, type Rig } from './rig.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

async function main(rig: Rig): Promise<number> {
  const logs = join(rig.scratch, 'logs');
  mkdirSync(logs);
  await separateFromMachine();
  await createNetwork();
  const binaries = await findBinaries({ components: COMPONENTS });

  const containers = step('containerd and images', async () => {
    wrapPlugins(rig.cni);
    await startContainerd({ name: NODE_NAME, pauseImage: rig.images.pause.tag, logs });
    for (const { archive } of Object.values(rig.images)) await importImage(NODE_NAME, archive);
  });
  const queues = step('MiniStack', async () => forwardFromPods((await startMiniStack()).endpoint));
  const controlPlane = await step('control plane', () => startControlPlane({ binaries, nodeAddress: NODE_ADDRESS }));
  await serveApi(Number(new URL(controlPlane.url).port));
  const kubectlProgram = binaries.path('kubectl');
  const kubectl = new Kubectl(kubectlProgram, controlPlane.kubeconfig, join(rig.scratch, 'kubectl'));
  await containers;
  await step('kubelet', async () => {
    const parts = { controlPlane, binaries, logs, controlGroup: rig.controlGroup };
    await startScheduler(parts);
    const ready = ['get', 'node', NODE_NAME, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'];
    await startNode(parts, async () => (await kubectl.run(ready)) === 'True');
  });
  const { endpoint } = await queues;
  await step('operator', () =>
    installOperator(kubectl, { image: rig.images.operator.tag, queueOrigin: endpoint, scratch: rig.scratch }),
  );

  const env = {
    TEST_WORLD: 'real',
    TEST_RUN: crypto.randomUUID().slice(0, 13),
    TEST_KUBERNETES: controlPlane.kubernetes,
    TEST_KUBECONFIG: controlPlane.kubeconfig,
    TEST_KUBECTL: kubectlProgram,
    TEST_AUDIT_LOG: controlPlane.auditLog,
    TEST_SQS: 'ministack',
    TEST_SQS_ENDPOINT: endpoint,
    TEST_E2E_IMAGES: JSON.stringify(rig.images),
    TEST_E2E_CONTROL_GROUP: rig.controlGroup,
    // A test that forgets to say which cluster it means must find none.
    KUBECONFIG: join(rig.scratch, 'no.kubeconfig'),
    PATH: `${dirname(kubectlProgram)}:${process.env.PATH}`,
  };
  if (rig.serve) return serve(rig, env);
  let failures = 0;
  for (let time = 1; time <= rig.times; time++) {
    const what = rig.times === 1 ? 'tests' : `tests, run ${time} of ${rig.times}`;
    if ((await step(what, () => vitest(rig.vitest, env))) !== 0) failures += 1;
  }
  if (failures > 0) await tellOfTheOperator(kubectl);
  if (rig.times > 1) console.log(`== ${rig.times - failures} of ${rig.times} runs passed`);
  return failures === 0 ? 0 : 1;
}

/** What it said, for whoever looks for the cause of a failure: it is gone in a moment. */
async function tellOfTheOperator(kubectl: Kubectl): Promise<void> {
  const pods = ['-n', 'capdeployjob-system', '-l', 'app.kubernetes.io/name=capdeployjob', '--prefix', '--tail=60'];
  const { stdout, stderr } = await kubectl.try(['logs', ...pods]);
  console.error(`== the end of the operator's log\n${stdout}${stderr}`);
}

/** Until it is ended: for people who look around, or run one test again and again. */
async function serve(rig: Rig, env: Record<string, string>): Promise<never> {
  const enter = join(rig.scratch, 'enter');
  const lines = Object.entries(env).map(([name, value]) => `export ${name}='${value}'`);
  const script = ['#!/bin/bash', ...lines, `export KUBECONFIG="$TEST_KUBECONFIG" TMPDIR='${rig.scratch}'`];
  writeFileSync(enter, [...script, 'exec "$@"', ''].join('\n'), { mode: 0o700 });
  console.log(`serving until Ctrl-C. In another terminal:\n  ${rig.enter} ${enter} bash`);
  console.log('and there: kubectl get pods -A;  npx vitest run --config test/config/e2e.ts');
  return new Promise(() => setInterval(() => {}, 3_600_000));
}

async function vitest(args: readonly string[], env: Record<string, string>): Promise<number> {
  const running = startProcess({
    name: 'vitest',
    command: process.execPath,
    args: [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--config', join(ROOT, 'test/config/e2e.ts'), ...args],
    cwd: ROOT,
    env,
  });
  await running.ended;
  return running.code ?? 1;
}

async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  console.log(`== ${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

// Nobody waits for what has failed once something else has.
process.on('unhandledRejection', () => {});
let code = 1;
try {
  code = await main(JSON.parse(readFileSync(process.argv[2] as string, 'utf8')) as Rig);
} catch (error) {
  console.error(`e2e: ${(error as Error).message}`);
}
// Pid 1 ends with this process, and takes everything along.
process.exit(code);
