import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startLocalCluster } from 'in-memory-kubernetes/cluster.ts';
import { parse } from 'yaml';
import { clientOf } from '../dev/in-process-client.ts';
import { appOf, ourManifest } from '../dev/local-slack/app-manifest.ts';
import type { Json } from '../dev/local-slack/json.ts';
import { LocalSlack } from '../dev/local-slack/local-slack.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION, startLocalSqs } from '../dev/local-sqs.ts';
import { type Program, startProgram } from '../dev/program-process.ts';
import { bundle } from '../docker/operator/bundle.ts';
import type { CapDeployJob } from '../src/api/capdeployjob.ts';
import { CAPDEPLOYJOBS } from '../src/api/names.ts';
import type { KubeClient, KubeObject } from '../src/kube/client.ts';
import { quantile, until } from './rig.ts';

export const PEOPLE = Array.from({ length: 40 }, (_, place) => `person${place}`);

/** Milliseconds from Slack's first delivery to the acknowledgement, by kind of envelope; NaN for none. */
export type Acknowledgements = Map<string, number[]>;

export interface SlackBotRig extends AsyncDisposable {
  slack: LocalSlack;
  bots: readonly Program[];
  /** From now on neither SQS nor the API server answers. */
  hang(): void;
  /** When SQS was last asked to take a message, in milliseconds; NaN if it never was. */
  sentAt(): number;
  acknowledgements: Acknowledgements;
  /** The sum over all bots of a sample of their metrics. */
  metric(sample: string): Promise<number>;
}

/** Bots as the image holds them, each in a process of its own, with a Slack, an SQS and an API server in this one. */
export async function startSlackBots(resources: number, replicas = 1): Promise<SlackBotRig> {
  await using ends = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'capdeployjob-bench-'));
  ends.defer(() => rmSync(directory, { recursive: true, force: true }));
  let isHanging = false;
  let sentAt = Number.NaN;
  const hang = () => (isHanging ? new Promise<undefined>(() => {}) : undefined);
  const sqs = await startLocalSqs({
    intercept: (_, action) => {
      if (action === 'SendMessage') sentAt = performance.now();
      return hang();
    },
  });
  ends.defer(() => sqs.stop());
  const cluster = await startLocalCluster({ kubelet: false, intercept: hang });
  ends.defer(() => cluster.stop());
  await createResources(clientOf(cluster), resources, sqs);
  const slack = ends.use(await startSlack());
  // The sources take more memory than what the image holds.
  await bundle(join(directory, 'dist'));
  cluster.writeKubeconfig(join(directory, 'kubeconfig'));
  const ports = Array.from({ length: replicas }, () => 20_000 + Math.floor(Math.random() * 20_000));
  const bots = ports.map((port) => startBot(slack, directory, sqs.endpoint, port));
  ends.defer(async () => void (await Promise.all(bots.map((bot) => bot.stop()))));
  await until('the bots are connected', 60, async () => slack.sockets().length === replicas);
  const stop = ends.move();
  return {
    slack,
    bots,
    hang: () => {
      isHanging = true;
    },
    sentAt: () => sentAt,
    acknowledgements: timeAcknowledgements(slack),
    metric: async (sample) => {
      const texts = await Promise.all(
        ports.map(async (port) => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
      );
      const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line.startsWith(`${sample} `));
      return lines.reduce((sum, line) => sum + Number(line.slice(sample.length)), 0);
    },
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  };
}

async function createResources(kube: KubeClient, count: number, sqs: Awaited<ReturnType<typeof startLocalSqs>>) {
  const definitions = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' };
  const crd = readFileSync(new URL('../crds/capdeployjobs.yaml', import.meta.url), 'utf8');
  await kube.create({ ...definitions, kind: 'CustomResourceDefinition' }, parse(crd) as KubeObject);
  const client = new SQSClient({ endpoint: sqs.endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS });
  for (let place = 0; place < count; place += 1) {
    const name = `app-${place}`;
    await client.send(new CreateQueueCommand({ QueueName: name }));
    const created = await kube.create<KubeObject>(CAPDEPLOYJOBS, {
      apiVersion: 'capdeployjob.dev/v1alpha1',
      kind: 'CapDeployJob',
      metadata: { name, namespace: 'default' },
      spec: {
        queue: { url: sqs.queueUrl(name) },
        environments: [{ name: 'production' }, { name: 'staging' }],
        template: { spec: { containers: [{ name: 'cap', image: 'bench' }] } },
      },
    });
    // No operator runs, and the bot sends nothing for what none has judged.
    const { generation: observedGeneration } = created.metadata;
    await kube.replaceStatus(CAPDEPLOYJOBS, {
      ...created,
      status: { observedGeneration, ...statusOf(name) },
    } as KubeObject);
  }
  client.destroy();
}

/** Ten deploys in the history, the last of which failed: what a retry is about. */
const statusOf = (name: string): CapDeployJob['status'] =>
  ({
    environments: [{ name: 'production' }, { name: 'staging' }],
    history: Array.from({ length: 10 }, (_, place) => ({
      job: `${name}-${place}`,
      id: `slack-T0-C0-17000000${place}`,
      repository: name,
      environment: place % 2 === 0 ? 'production' : 'staging',
      task: 'deploy',
      revision: `v0.${10 - place}.0`,
      requestedBy: 'slack:T0/U0 person0',
      sentAt: '2026-01-01T00:00:00.000Z',
      startedAt: '2026-01-01T00:00:01.000Z',
      finishedAt: '2026-01-01T00:02:00.000Z',
      result: place === 0 ? 'Failed' : 'Succeeded',
      reason: place === 0 ? 'PodFailed' : 'Completed',
    })),
  }) as CapDeployJob['status'];

const startSlack = () =>
  LocalSlack.start({
    apps: [appOf(ourManifest())],
    users: Object.fromEntries(PEOPLE.map((name) => [name, {}])),
    channels: { deploys: { members: [...PEOPLE, 'capdeploy'] } },
  });

function startBot(slack: LocalSlack, directory: string, queueOrigin: string, metricsPort: number): Program {
  const { team } = slack.world;
  const { appToken, botToken } = slack.app('capdeploy');
  const config = `slack: { team: ${team.id} }
source: cluster
rules:
  - may: [status, queue, history, deploy, retry, rollback, abort, approve, freeze]
    targets: ["*"]
    environments: [production, staging]
    channels: [${team.channel('deploys').id}]
    users: [${PEOPLE.map((name) => team.user(name).id)}]
limits: { perUserPerMinute: 600 }
`;
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  return startProgram('slack-bot', {
    program: join(directory, 'dist/capdeploy.js'),
    // As deploy/chat/deployment.yaml sets it.
    nodeOptions: ['--max-semi-space-size=1', '--max-old-space-size=192'],
    kubeconfig: join(directory, 'kubeconfig'),
    queueOrigin,
    flags: [
      `--config=${file('slack-bot.yaml', config)}`,
      `--app-token-file=${file('app-token', appToken)}`,
      `--bot-token-file=${file('bot-token', botToken)}`,
      `--slack-api-url=${slack.apiUrl}`,
      `--metrics-bind-address=127.0.0.1:${metricsPort}`,
      '--log-level=error',
    ],
  });
}

/** From here on, as Slack sees it: the way there, the way back, and what this process has to do meanwhile are in it. */
function timeAcknowledgements({ envelopes }: LocalSlack): Acknowledgements {
  const times: Acknowledgements = new Map();
  const deliver = envelopes.deliver.bind(envelopes);
  envelopes.deliver = async (app, type, payload) => {
    const start = performance.now();
    const answer = await deliver(app, type, payload);
    const isFirst = answer.acknowledged && answer.attempt === 0;
    const kind = kindOf(type, payload);
    if (!times.has(kind)) times.set(kind, []);
    times.get(kind)?.push(isFirst ? performance.now() - start : Number.NaN);
    return answer;
  };
  return times;
}

const kindOf = (type: string, payload: Json): string => (type === 'interactive' ? String(payload.type) : type);

/** Resident memory of a process in MiB, and the part of it that is no file's. */
export function memoryOf({ pid }: Program): { rss: number; anonymous: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  return { rss: of('VmRSS'), anonymous: of('RssAnon') };
}

/** One line a kind: how many, p50, p99, the longest, and how many were not acknowledged at the first delivery. */
export function report(times: Acknowledgements): string[] {
  return [...times].sort().map(([kind, all]) => {
    const good = all.filter((time) => !Number.isNaN(time));
    const at = (share: number) => `${quantile(good, share).toFixed(0)} ms`;
    return `  ${kind}: ${all.length}, p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}, missed ${all.length - good.length}`;
  });
}
