import type { KubeObject } from '../../src/kube/client.ts';
import { type LocalSqs, startLocalSqs } from '../local-sqs.ts';
import { type Program, startOperator } from '../program-process.ts';
import { prepareApplication, type SampleApplication } from './capistrano.ts';
import { DemoCluster } from './cluster.ts';
import { createSampleRepository, type SampleRepository } from './git-repository.ts';
import { Narrator } from './narrator.ts';
import { Producer } from './queue.ts';
import { BUILD_SECONDS, NAMESPACE, namespace, QUEUE, RESOURCE, resource, secret } from './scenario.ts';
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

/** What every play of the demo needs, and is there already: the CapDeployJob, its queue, and an operator that reads it. */
export interface Stage {
  readonly repository: SampleRepository;
  readonly application: SampleApplication;
  readonly sqs: LocalSqs;
  readonly cluster: DemoCluster;
  readonly producer: Producer;
  readonly operator: Program;
  readonly narrator: Narrator;
  /** Waits for what the narrator has seen. @throws Error that says what was waited for, or that the operator ended */
  wait(condition: () => boolean, what: string, milliseconds: number): Promise<void>;
}

const READY_MS = 30_000;

/**
 * @param isApproved whether deploys to staging need an approval
 * @returns when the operator reads the queue
 */
export async function setStage({ directory, table, signal, atEnd }: PlayOptions, isApproved = false): Promise<Stage> {
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
  const objects: KubeObject[] = [namespace(), secret(), resource(producer.queueUrl, isApproved)];
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
  const wait = (condition: () => boolean, what: string, milliseconds: number) =>
    unlessEnded(operator, narrator.until(condition, what, milliseconds, signal));
  table.heading('what happens');
  table.columns();
  narrator.start();
  await wait(() => narrator.ready, 'the operator reads the queue', READY_MS);
  return { repository, application, sqs, cluster, producer, operator, narrator, wait };
}

/** A program that ends by itself is the end of the demo: what it said last is the reason. */
export async function unlessEnded<T>(program: Program, waiting: Promise<T>): Promise<T> {
  const ended = program.ended.then((code) => {
    throw new Error(`capdeploy ${program.command} ended with ${code}:\n${program.log.slice(-20).join('\n')}`);
  });
  return Promise.race([waiting, ended]);
}

/** Waits for the signal, and rejects with its reason. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
}

export function showLog(table: Table, program: Program): void {
  table.heading(`the last lines of capdeploy ${program.command}`);
  for (const line of program.log.slice(-40)) table.line(`  ${line}`);
}
