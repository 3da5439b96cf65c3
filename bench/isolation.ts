/**
 * Whether a fault in one resource is felt by the others (invariant 9): from a message to its Job, of ten healthy
 * resources with a message a second each, without and with each fault in an eleventh one, all read by one operator
 * process.
 *
 * `npm run bench:isolation -- [--seconds N] [--times N] [part of a fault's name…]`
 *
 * The machine's mood counts for much, so each measurement with a fault stands between two without it, and ratios are
 * told: to the mean of these two. It fails where a median or a p99 (and more than 20 ms) is beyond twice its value
 * without the fault.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { CreateQueueCommand, DeleteQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { clientOf } from '../dev/in-process-client.ts';
import { CAPDEPLOYJOBS } from '../src/api/names.ts';
import { FAULTS, FAULTY, type Fault } from './isolation-faults.ts';
import { cpuSeconds, pause, quantile, startRig, until } from './rig.ts';

const { values: flags, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, times: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const seconds = Number(flags.seconds);
const HEALTHY = 10;
const MOST = 2;
/** What is below the machine's noise is no harm. Milliseconds. */
const NOISE_MS = 20;

interface Measured {
  median: number;
  p99: number;
  /** Of the operator, in percent of a core. */
  cpu: number;
  /** Of its event loop, p99 in milliseconds. */
  lag: number;
  /** Of this process, which plays Kubernetes and SQS, in percent of a core. */
  servers: number;
  /** Of this process's event loop, p99 in milliseconds. */
  serversLag: number;
}

let fault: Fault | undefined;
const rig = await startRig({
  playedPods: true,
  intercept: (queue, action) =>
    // Who fills and clears the queue is not to be held up.
    queue === FAULTY && fault?.intercept && !/^(Send|Create|Delete)/.test(action.replace('DeleteMessage', ''))
      ? fault.intercept(queue, action)
      : undefined,
});
const created = new Map<string, number>();
rig.cluster.store.onChange((type, { type: change, object }) => {
  if (type.storage === 'batch/jobs' && change === 'ADDED') {
    created.set(object.metadata.annotations?.['capdeployjob.dev/revision'] ?? '', performance.now());
  }
});
rig.cluster.store.admission.push((request) => fault?.admission?.(request));

const kube = clientOf(rig.cluster);
let sequence = 0;

async function measure(): Promise<Measured> {
  const sent = new Map<string, number>();
  const begun = performance.now();
  const cpuBefore = cpuSeconds(rig.operator.pid);
  const ownBefore = cpuSeconds(process.pid);
  const ownLag = monitorEventLoopDelay();
  ownLag.enable();
  await rig.metric('nodejs_eventloop_lag_p99_seconds');
  const sends: Promise<unknown>[] = [];
  const count = seconds * HEALTHY;
  for (let i = 0; i < count; i++) {
    await pause(Math.max(0, begun + (i * 1000) / HEALTHY - performance.now()));
    const revision = `v${sequence++}`;
    const MessageBody = JSON.stringify({ repository: 'bench', environment: 'production', revision });
    sent.set(revision, performance.now());
    sends.push(rig.sqs.send(new SendMessageCommand({ QueueUrl: queues[i % HEALTHY], MessageBody })));
    if (i % HEALTHY === 0 && fault?.everySecond) sends.push(fault.everySecond(rig, i / HEALTHY));
  }
  await Promise.all(sends);
  await until('all Jobs are there', 120, async () => [...sent.keys()].every((revision) => created.has(revision)));
  const took = [...sent].map(([revision, at]) => (created.get(revision) as number) - at);
  const share = 100 / ((performance.now() - begun) / 1000);
  const cpu = share * (cpuSeconds(rig.operator.pid) - cpuBefore);
  const servers = share * (cpuSeconds(process.pid) - ownBefore);
  const lag = 1000 * (await rig.metric('nodejs_eventloop_lag_p99_seconds'));
  return {
    median: quantile(took, 0.5),
    p99: quantile(took, 0.99),
    cpu,
    lag,
    servers,
    serversLag: ownLag.percentile(99) / 1e6,
  };
}

async function withFault(next: Fault): Promise<Measured> {
  await rig.sqs.send(new CreateQueueCommand({ QueueName: FAULTY }));
  await next.prepare?.(rig);
  fault = next;
  await kube.create(CAPDEPLOYJOBS, {
    apiVersion: 'capdeployjob.dev/v1alpha1',
    kind: 'CapDeployJob',
    metadata: { name: FAULTY, namespace: 'default' },
    spec: {
      queue: { url: rig.queueUrl(FAULTY) },
      environments: [{ name: 'production' }],
      template: { spec: { containers: [{ name: 'cap', image: 'bench' }] } },
      ...next.spec,
    },
  });
  await next.settle?.(rig);
  const measured = await measure();
  const { uid = '', resourceVersion = '' } = (await kube.get(CAPDEPLOYJOBS, 'default', FAULTY)).metadata;
  void resourceVersion;
  rig.cluster.store.delete(CAPDEPLOYJOBS, 'default', FAULTY, {
    preconditions: { uid },
    propagationPolicy: 'Background',
  });
  fault = undefined;
  for (const name of [FAULTY, `${FAULTY}-dead`]) {
    await rig.sqs.send(new DeleteQueueCommand({ QueueUrl: rig.queueUrl(name) })).catch(() => {});
  }
  // What it leaves behind is cleared away before anything else is measured.
  await until('the Jobs of the faulty resource are gone', 120, async () => {
    const { items } = await kube.list(
      { group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job' },
      { labelSelector: `capdeployjob.dev/name=${FAULTY}` },
    );
    return items.length === 0;
  });
  await pause(2000);
  return measured;
}

const queues: string[] = [];
const say = (name: string, ...cells: string[]) =>
  console.log(`| ${name.padEnd(50)} | ${cells.map((cell) => cell.padStart(14)).join(' | ')} |`);
const both = (a: Measured, b: Measured, field: keyof Measured) => (a[field] + b[field]) / 2;

try {
  for (let i = 0; i < HEALTHY; i++) queues.push(await rig.deployable(`healthy-${i}`, ['production']));
  await until(
    'all queues are read',
    60,
    async () => (await rig.metric('capdeployjob_queue_last_poll_age_seconds')) > 0,
  );
  await pause(2000);
  const chosen = FAULTS.filter(
    ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
  );
  if (chosen.length === 0) throw new Error(`no fault has a name with: ${positionals.join(', ')}`);
  await measure();
  console.log(`${HEALTHY} healthy resources with a message a second each; ${seconds} s each time`);
  say(
    'fault in another resource',
    'median',
    'p99',
    'median ms',
    'p99 ms',
    'CPU %',
    'loop lag ms',
    'servers CPU %',
    'servers lag ms',
  );
  let before = await measure();
  const bad: string[] = [];
  for (let time = 0; time < Number(flags.times); time++) {
    for (const next of chosen) {
      const measured = await withFault(next);
      const after = await measure();
      const cell = (field: keyof Measured) =>
        `${both(before, after, field).toFixed(0)} → ${measured[field].toFixed(0)}`;
      const ratio = (field: 'median' | 'p99') => measured[field] / both(before, after, field);
      say(
        next.name,
        `× ${ratio('median').toFixed(2)}`,
        `× ${ratio('p99').toFixed(2)}`,
        cell('median'),
        cell('p99'),
        cell('cpu'),
        cell('lag'),
        cell('servers'),
        cell('serversLag'),
      );
      for (const field of ['median', 'p99'] as const) {
        if (ratio(field) > MOST && measured[field] > NOISE_MS)
          bad.push(`${next.name}: ${field} × ${ratio(field).toFixed(2)}`);
      }
      before = after;
    }
  }
  for (const line of bad) console.log(`beyond × ${MOST}: ${line}`);
  if (bad.length > 0) process.exitCode = 1;
} finally {
  await rig.stop();
}
