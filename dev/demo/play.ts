import { join } from 'node:path';
import type { KubeObject } from '../../src/kube/client.ts';
import { startLocalSqs } from '../local-sqs.ts';
import { type Operator, startOperator } from '../operator-process.ts';
import { prepareApplication } from './capistrano.ts';
import { DemoCluster } from './cluster.ts';
import { checks, runsOf, type Sent } from './expectations.ts';
import { createSampleRepository } from './git-repository.ts';
import { Narrator } from './narrator.ts';
import { exists, readDeployed } from './observed.ts';
import { Producer } from './queue.ts';
import { showChecks, showDeployed, showHowToPlay, showRuns } from './report.ts';
import { BUILD_SECONDS, messages, NAMESPACE, namespace, QUEUE, RESOURCE, resource, secret } from './scenario.ts';
import type { Table } from './table.ts';

export interface PlayOptions {
  /** Empty, and the demo's own: everything that it writes lies in it. */
  directory: string;
  table: Table;
  serve: boolean;
  /** Aborts when the demo is to end early, with the reason. */
  signal: AbortSignal;
  /** What is to be stopped at the end, whatever comes; the last one first. */
  atEnd: (stop: () => Promise<unknown>) => void;
}

const READY_MS = 30_000;
const DONE_MS = 60_000;

/** The demo from its first line to its last. @returns whether everything was as expected. */
export async function play({ directory, table, serve, signal, atEnd }: PlayOptions): Promise<boolean> {
  const startedAt = performance.now();
  const trap = join(directory, 'pwned');

  table.heading('Kubernetes API, SQS server and git repository, all on this machine');
  const repository = await createSampleRepository(directory);
  const application = await prepareApplication(directory, repository.url, BUILD_SECONDS);
  const sqs = await startLocalSqs();
  atEnd(() => sqs.stop());
  const cluster = await DemoCluster.start(directory, application.image);
  atEnd(() => cluster.stop());
  const producer = await Producer.create(sqs, QUEUE);
  atEnd(async () => producer.close());
  signal.throwIfAborted();

  await cluster.applyDefinition();
  const objects: KubeObject[] = [namespace(), secret(), resource(producer.queueUrl)];
  for (const object of objects) await cluster.apply(object);
  table.line(
    `  Kubernetes  ${cluster.server}: CustomResourceDefinition, Secret and CapDeployJob "${RESOURCE}" applied`,
  );
  table.line(`  SQS         ${producer.queueUrl}`);
  table.line(`  deploys by  ${application.capistrano}`);

  const operator = startOperator({
    kubeconfig: cluster.kubeconfig,
    queueOrigin: sqs.endpoint,
    flags: [`--namespace=${NAMESPACE}`, '--metrics-bind-address=0'],
  });
  atEnd(() => operator.stop());
  const narrator = new Narrator({
    client: cluster.client,
    namespace: NAMESPACE,
    table,
    followLog: (pod, onLine, end) => cluster.followLog(pod, onLine, end),
  });
  atEnd(() => narrator.stop());
  table.line('  operator    capdeploy controller --kubeconfig … --allow-queue-origin …');
  table.heading('what happens');
  table.columns();
  narrator.start();
  const wait = (condition: () => boolean, what: string, milliseconds: number) =>
    unlessEnded(operator, narrator.until(condition, what, milliseconds, signal));
  await wait(() => narrator.ready, 'the operator reads the queue', READY_MS);

  const sent: Sent[] = [];
  for (const message of messages(trap)) {
    const at = new Date().toISOString();
    const messageId = await producer.send(message.body);
    sent.push({ message, messageId, at });
    const { environment, revision } = message.body;
    table.row({ resource: `message ${messageId.slice(0, 8)}`, environment, revision, what: `sent: ${message.title}` });
  }
  const poison = sent.filter(({ message }) => message.rejected).length;
  const accounted = () =>
    narrator.history.size >= sent.length - poison && narrator.rejections.size >= poison && narrator.allFinished();
  // What is missing then shows in the checks.
  await wait(accounted, 'every message is accounted for', DONE_MS).catch((error: unknown) => {
    if (signal.aborted) throw error;
    table.line(`  ${(error as Error).message}`);
  });
  await narrator.logsTold(signal);

  const operatorEnd = serve ? undefined : await operator.stop();
  const deployed = await Promise.all(
    ['production', 'staging'].map((environment) => readDeployed(application.deployRoot, environment)),
  );
  showDeployed(table, deployed, (commit) => titleOf(repository.commits, commit));
  const seen = {
    sent,
    history: [...narrator.history.values()],
    rejections: [...narrator.rejections.values()],
    jobs: [...narrator.jobs.values()],
    pods: [...narrator.pods.values()],
    waits: narrator.waits,
    deployed,
    commits: repository.commits,
    queueDepth: await producer.depth(),
    trapSprung: await exists(trap),
    operatorEnd,
  };
  showRuns(table, runsOf(seen));
  const seconds = (performance.now() - startedAt) / 1000;
  const good = showChecks(table, checks(seen), application.capistrano, seconds);
  if (!good) showLog(table, operator);
  if (!serve) return good;

  showHowToPlay(table, {
    kubeconfig: cluster.kubeconfig,
    queueUrl: producer.queueUrl,
    sqs: sqs.endpoint,
    namespace: NAMESPACE,
  });
  table.columns();
  await unlessEnded(operator, until(signal));
  return good;
}

/** An operator that ends by itself is the end of the demo: what it said last is the reason. */
async function unlessEnded<T>(operator: Operator, waiting: Promise<T>): Promise<T> {
  const ended = operator.ended.then((code) => {
    throw new Error(`the operator ended with ${code}:\n${operator.log.slice(-20).join('\n')}`);
  });
  return Promise.race([waiting, ended]);
}

/** Waits for the signal, and rejects with its reason. */
function until(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
}

function showLog(table: Table, operator: Operator): void {
  table.heading('the last lines of the operator');
  for (const line of operator.log.slice(-40)) table.line(`  ${line}`);
}

function titleOf(commits: Readonly<Record<string, string>>, commit: string): string {
  const revision = Object.keys(commits).find((name) => commits[name] === commit);
  return `REVISION ${commit.slice(0, 12)}${revision ? ` (${revision})` : ''}`;
}
