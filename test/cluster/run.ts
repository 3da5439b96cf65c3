/**
 * `npm run test:real`: the tests on a real control plane and on three SQS servers. It starts everything they need, runs
 * them, and stops everything; nothing is left behind, however it ends.
 */

import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compareWithRules } from './audit.ts';
import { findBinaries, minors, onPath } from './control-plane/build.ts';
import { startControlPlane } from './control-plane/control-plane.ts';
import { install, installWhereAbsent, removeNamespaces, serverMinor, writeOperatorKubeconfig } from './install.ts';
import { Kubectl } from './kubectl.ts';
import { type Options, parseOptions, UsageError } from './options.ts';
import { letGo, scratchFolder, startProcess } from './processes.ts';
import { CHAT_BOT_ROLES, type ServiceAccount } from './rights.ts';
import { startElasticMq, startMiniStack } from './sqs-servers/index.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What has to be undone, the last one first. */
const undo: { what: string; how: () => Promise<void> | void }[] = [];
const interruption = new AbortController();

/** A cluster with everything installed. */
interface Ready {
  kubectl: Kubectl;
  kubectlProgram: string;
  /** The administrator's. */
  kubeconfig: string;
  kubernetes: string;
  /** Only of a control plane of our own. */
  auditLog: string | undefined;
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), {
    cwd: process.env.INIT_CWD ?? process.cwd(),
    minors: minors(),
  });
  const run = crypto.randomUUID().slice(0, 13);
  const scratch = scratchFolder('real');
  undo.push({ what: 'temporary files', how: scratch.remove });

  const [cluster, miniStack, elasticMq] = await all(
    options.kubeconfig === undefined
      ? ownCluster(options, scratch.path)
      : usersCluster(options.kubeconfig, scratch.path, run),
    server('MiniStack', startMiniStack),
    server('ElasticMQ', startElasticMq),
  );
  const operatorKubeconfig = join(scratch.path, 'operator.kubeconfig');
  await writeOperatorKubeconfig(cluster.kubectl, operatorKubeconfig);

  const env = {
    TEST_WORLD: 'real',
    TEST_RUN: run,
    TEST_KUBERNETES: cluster.kubernetes,
    TEST_KUBECONFIG: cluster.kubeconfig,
    TEST_OPERATOR_KUBECONFIG: operatorKubeconfig,
    TEST_KUBECTL: cluster.kubectlProgram,
    TEST_AUDIT_LOG: cluster.auditLog,
    TEST_MINISTACK_ENDPOINT: miniStack,
    TEST_ELASTICMQ_ENDPOINT: elasticMq,
    // What a worker that was killed had left there goes with the runner's own.
    TMPDIR: scratch.path,
    // A test that forgets to say which cluster it means must find none: not the user's, and not the administrator's
    // rights.
    KUBECONFIG: join(scratch.path, 'no.kubeconfig'),
    PATH: `${dirname(cluster.kubectlProgram)}:${process.env.PATH}`,
  };
  let passed = 0;
  for (let time = 1; time <= options.times; time++) {
    const what = options.times === 1 ? 'tests' : `tests, run ${time} of ${options.times}`;
    if (await step(what, () => vitest(options.rest, env))) passed += 1;
  }
  if (options.times > 1) console.log(`== ${passed} of ${options.times} runs passed`);

  let right = true;
  const { auditLog } = cluster;
  if (auditLog !== undefined) right = await step('rights', () => rights(auditLog, options.whole));
  return passed === options.times && right ? 0 : 1;
}

async function ownCluster(options: Options, scratch: string): Promise<Ready> {
  const binaries = await step('control plane: programs', async () => {
    const found = await findBinaries({
      kubernetes: options.kubernetes,
      onBuild: (what) => console.log(`== building ${what}`),
    });
    console.log(`== Kubernetes ${found.version} from ${found.source}`);
    return found;
  });
  const controlPlane = await step('control plane: start', async () => {
    const started = await startControlPlane({ binaries });
    undo.push({ what: 'control plane', how: () => started.stop() });
    return started;
  });
  const kubectlProgram = binaries.path('kubectl');
  const kubectl = new Kubectl(kubectlProgram, controlPlane.kubeconfig, join(scratch, 'kubectl'));
  await step('control plane: manifests', () => install(kubectl));
  const { kubeconfig, kubernetes, auditLog } = controlPlane;
  return { kubectl, kubectlProgram, kubeconfig, kubernetes, auditLog };
}

async function usersCluster(kubeconfig: string, scratch: string, run: string): Promise<Ready> {
  const kubectlProgram = onPath('kubectl');
  if (kubectlProgram === undefined)
    throw new Error('--kubeconfig takes kubectl on the PATH, of about your cluster’s version');
  const kubectl = new Kubectl(kubectlProgram, kubeconfig, join(scratch, 'kubectl'));
  const kubernetes = await step('cluster', () => serverMinor(kubectl));
  console.log(`== Kubernetes ${kubernetes} of ${kubeconfig}`);
  await step('manifests', async () => {
    const remove = await installWhereAbsent(kubectl);
    undo.push({ what: 'manifests', how: remove });
    undo.push({ what: 'namespaces', how: () => removeNamespaces(kubectl, run) });
  });
  return { kubectl, kubectlProgram, kubeconfig, kubernetes, auditLog: undefined };
}

function server(name: string, start: () => Promise<{ endpoint: string; stop(): Promise<void> }>): Promise<string> {
  return step(name, async () => {
    const { endpoint, stop } = await start();
    undo.push({ what: name, how: stop });
    return endpoint;
  });
}

/** @returns whether all tests passed */
async function vitest(args: readonly string[], env: Record<string, string | undefined>): Promise<boolean> {
  const program = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const running = startProcess({
    name: 'vitest',
    command: process.execPath,
    args: [program, 'run', '--config', join(ROOT, 'test/config/cluster.ts'), ...args],
    cwd: ROOT,
    env,
  });
  // On SIGINT it cancels its tests, whose hooks then clean up.
  const how = (): Promise<void> => running.stop({ signal: 'SIGINT', graceMs: 15_000 });
  undo.push({ what: 'tests', how });
  await running.ended;
  await running.stop();
  return running.code === 0;
}

interface Program {
  what: string;
  rbacFiles: readonly string[];
  serviceAccount: ServiceAccount;
  /** Where its rights stand, for the line that people read. */
  where: string;
}

const PROGRAMS: readonly Program[] = [
  {
    what: 'the operator',
    rbacFiles: ['deploy/rbac.yaml'],
    serviceAccount: { namespace: 'capdeployjob-system', name: 'capdeployjob' },
    where: 'deploy/rbac.yaml',
  },
  {
    what: 'the chat bot',
    rbacFiles: [...CHAT_BOT_ROLES, 'examples/chat/role-bindings.yaml'],
    serviceAccount: { namespace: 'capdeployjob-chat', name: 'capdeployjob-slack-bot' },
    where: 'deploy/chat',
  },
];

/**
 * Compares what each program asked for with what it may. A right that a part of the tests did not use is no mistake.
 */
async function rights(auditLog: string, whole: boolean): Promise<boolean> {
  let all = true;
  for (const { what, rbacFiles, serviceAccount, where } of PROGRAMS) {
    const files = rbacFiles.map((file) => join(ROOT, file));
    const found = await compareWithRules({ auditLog, rbacFiles: files, serviceAccount }).catch((error: Error) => {
      // Of some tests only, and none of them had this program.
      if (!whole) return undefined;
      throw error;
    });
    if (found === undefined) continue;
    const good = whole ? found.ok : found.missing.length === 0 && found.dangerous.length === 0;
    if (whole || !good) console.log(found.text);
    console.log(`== rights of ${what}: ${good ? `as in ${where}` : `not as in ${where}, see above`}`);
    all &&= good;
  }
  return all;
}

async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  interruption.signal.throwIfAborted();
  const start = performance.now();
  const say = (how: string): void => {
    console.log(`== ${what}: ${how}${((performance.now() - start) / 1000).toFixed(1)} s`);
  };
  try {
    const result = await work();
    say('');
    return result;
  } catch (error) {
    if (!interruption.signal.aborted) {
      say('failed after ');
      tellOnce(error);
    }
    throw error;
  }
}

const told = new WeakSet<object>();

/** At once, while other steps are still under way, and not again at the end. */
function tellOnce(error: unknown): void {
  if (told.has(error as object)) return;
  told.add(error as object);
  console.error(`test:real: ${(error as Error).message}`);
}

/** As Promise.all, but when one fails the others have ended too, and what they have started is known. */
async function all<T extends readonly unknown[]>(...work: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
}

/** Also what could not be undone is told, and makes the runner fail. */
async function undoAll(): Promise<void> {
  const start = performance.now();
  const any = undo.length > 0;
  for (let last = undo.pop(); last !== undefined; last = undo.pop()) {
    try {
      await last.how();
    } catch (error) {
      process.exitCode = 1;
      console.error(`${last.what}: could not be stopped or removed: ${(error as Error).message}`);
    }
  }
  await letGo();
  if (any) console.log(`== stopping: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

/** The shell's number for a process that a signal ended. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
let interruptedBy: keyof typeof SIGNALS | undefined;
for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) {
  process.on(signal, () => {
    // A second one: at once. What is held ends all the same (leash.ts).
    if (interruptedBy !== undefined) process.exit(SIGNALS[signal]);
    interruptedBy = signal;
    console.error(`${signal}: stopping everything`);
    interruption.abort(new Error(signal));
  });
}

// Whoever reads what is printed may be gone first (Ctrl-C ends a whole pipe): what was made is undone all the same.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const running = main();
let code: number;
try {
  const interrupted = new Promise<never>((_, reject) => {
    interruption.signal.addEventListener('abort', () => reject(interruption.signal.reason));
  });
  code = await Promise.race([running, interrupted]);
} catch (error) {
  code = error instanceof UsageError ? 2 : 1;
  if (interruptedBy === undefined) tellOnce(error);
}
await undoAll();
if (interruptedBy !== undefined) {
  // What was just being started when it was interrupted, and is known only now.
  await Promise.race([running.catch(() => {}), sleep(60_000)]);
  await undoAll();
}
process.exit(interruptedBy === undefined ? Math.max(code, Number(process.exitCode ?? 0)) : SIGNALS[interruptedBy]);
