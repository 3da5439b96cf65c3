/**
 * The chat bot in a process of its own, at a Slack on this machine: how soon a line is on the queue, how soon envelopes
 * are acknowledged while SQS and the API server hang, and what memory it takes. `npm run bench:slack-bot [envelopes]`
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startLocalCluster } from 'in-memory-kubernetes/cluster.ts';
import { parse } from 'yaml';
import { clientOf } from '../dev/in-process-client.ts';
import { appOf, ourManifest } from '../dev/local-slack/app-manifest.ts';
import { LocalSlack } from '../dev/local-slack/local-slack.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION, startLocalSqs } from '../dev/local-sqs.ts';
import { startProgram } from '../dev/program-process.ts';
import { bundle } from '../docker/operator/bundle.ts';
import { CAPDEPLOYJOBS } from '../src/api/names.ts';
import type { KubeObject } from '../src/kube/client.ts';
import { pause, until } from './rig.ts';

const ENVELOPES = Number(process.argv[2] ?? 10_000);
const RESOURCES = 100;
const LINES = 200;
const PEOPLE = Array.from({ length: 20 }, (_, place) => `person${place}`);
const AT_ONCE = 50;

await using ends = new AsyncDisposableStack();
const directory = mkdtempSync(join(tmpdir(), 'capdeployjob-bench-'));
ends.defer(() => rmSync(directory, { recursive: true, force: true }));

let isHanging = false;
const hang = () => (isHanging ? new Promise<undefined>(() => {}) : undefined);
/** Milliseconds, when SQS was asked to take a message. */
let sentAt = Number.NaN;
const sqs = await startLocalSqs({
  intercept: (_, action) => {
    if (action === 'SendMessage') sentAt = performance.now();
    return hang();
  },
});
ends.defer(() => sqs.stop());
const cluster = await startLocalCluster({ kubelet: false, intercept: hang });
ends.defer(() => cluster.stop());
const kube = clientOf(cluster);
const definitions = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' };
const crd = readFileSync(new URL('../crds/capdeployjobs.yaml', import.meta.url), 'utf8');
await kube.create({ ...definitions, kind: 'CustomResourceDefinition' }, parse(crd) as KubeObject);
const client = new SQSClient({ endpoint: sqs.endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS });
ends.defer(() => client.destroy());
for (let count = 0; count < RESOURCES; count += 1) {
  await client.send(new CreateQueueCommand({ QueueName: `app-${count}` }));
  const made = await kube.create<KubeObject>(CAPDEPLOYJOBS, {
    apiVersion: 'capdeployjob.dev/v1alpha1',
    kind: 'CapDeployJob',
    metadata: { name: `app-${count}`, namespace: 'default' },
    spec: {
      queue: { url: sqs.queueUrl(`app-${count}`) },
      environments: [{ name: 'production' }, { name: 'staging' }],
      template: { spec: { containers: [{ name: 'cap', image: 'bench' }] } },
    },
  });
  // No operator runs, and the bot sends nothing for what none has judged.
  const { generation: observedGeneration } = made.metadata;
  await kube.replaceStatus(CAPDEPLOYJOBS, { ...made, status: { observedGeneration } });
}

const slack = ends.use(
  await LocalSlack.start({
    apps: [appOf(ourManifest())],
    users: Object.fromEntries(PEOPLE.map((name) => [name, {}])),
    channels: { deploys: { members: [...PEOPLE, 'capdeploy'] } },
  }),
);
const { team } = slack.world;
const users = PEOPLE.map((name) => team.user(name).id);
const { appToken, botToken } = slack.app('capdeploy');
const config = `slack: { team: ${team.id} }
source: cluster
rules:
  - may: [status, queue, history, deploy, retry, rollback, abort, approve, freeze]
    targets: ["*"]
    environments: [production, staging]
    channels: [${team.channel('deploys').id}]
    users: [${users}]
limits: { perUserPerMinute: 600 }
`;
const file = (name: string, text: string) => {
  writeFileSync(join(directory, name), text, { mode: 0o600 });
  return join(directory, name);
};
cluster.writeKubeconfig(join(directory, 'kubeconfig'));
const metricsPort = 20_000 + Math.floor(Math.random() * 20_000);
// The sources take more memory than what the image holds.
await bundle(join(directory, 'dist'));
const bot = startProgram('slack-bot', {
  program: join(directory, 'dist/capdeploy.js'),
  // As deploy/chat/deployment.yaml sets it.
  nodeOptions: ['--max-semi-space-size=1'],
  kubeconfig: join(directory, 'kubeconfig'),
  queueOrigin: sqs.endpoint,
  flags: [
    `--config=${file('slack-bot.yaml', config)}`,
    `--app-token-file=${file('app-token', appToken)}`,
    `--bot-token-file=${file('bot-token', botToken)}`,
    `--slack-api-url=${slack.apiUrl}`,
    `--metrics-bind-address=127.0.0.1:${metricsPort}`,
    '--log-level=error',
  ],
});
ends.defer(async () => void (await bot.stop()));
await until('the bot is connected', 60, async () => slack.sockets().length > 0);

const memory = () => {
  const status = readFileSync(`/proc/${bot.pid}/status`, 'utf8');
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  return `RSS ${of('VmRSS').toFixed(0)} MiB (anonymous ${of('RssAnon').toFixed(0)})`;
};
/** @returns how many envelopes were acknowledged within so many seconds, by the bot's own histogram */
const acknowledged = async () => {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const of = (le: string) =>
    Number(new RegExp(`slack_ack_seconds_bucket\\{le="${le.replace('+', '\\+')}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
  return { all: of('+Inf'), within200ms: of('0.2'), within3s: of('3') };
};
const quantile = (sorted: readonly number[], part: number) =>
  sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;

console.log(`${RESOURCES} CapDeployJobs; at rest: ${memory()}`);

const times: number[] = [];
for (let count = 0; count < LINES; count += 1) {
  const before = performance.now();
  sentAt = Number.NaN;
  slack
    .as(PEOPLE[count % PEOPLE.length]!)
    .say('deploys', `@capdeploy deploy app-${count % RESOURCES} production v1.0.${count}`);
  await until('SQS has it', 10, async () => sentAt >= before);
  times.push(sentAt - before);
  await pause(20);
}
times.sort((a, b) => a - b);
console.log(
  `line → SQS, ${LINES} lines: p50 ${quantile(times, 0.5).toFixed(0)} ms, p95 ${quantile(times, 0.95).toFixed(0)} ms, max ${times.at(-1)?.toFixed(0)} ms`,
);

console.log(`after ${LINES} deploys: ${memory()}`);

isHanging = true;
const start = await acknowledged();
let lost = 0;
for (let done = 0; done < ENVELOPES; done += AT_ONCE) {
  const batch = Array.from({ length: AT_ONCE }, async (_, place) => {
    const person = slack.as(PEOPLE[place % PEOPLE.length]!);
    const line = `app-${place} production v2.0.${done + place}`;
    if (place % 5 === 4) return (await person.command('deploys', '/deploy', line)).acknowledged;
    const verb = place % 5 === 3 ? `abort app-${place} production` : `deploy ${line}`;
    const [answer] = await person.say('deploys', `@capdeploy ${verb}`).delivered;
    return answer?.acknowledged ?? false;
  });
  lost += (await Promise.all(batch)).filter((isAcknowledged) => !isAcknowledged).length;
}
const end = await acknowledged();
const all = end.all - start.all;
console.log(
  `${all} envelopes while SQS and the API server hang: ${(((end.within200ms - start.within200ms) / all) * 100).toFixed(2)} % acknowledged within 200 ms, ${all - (end.within3s - start.within3s)} after 3 s, ${lost} not at all`,
);
console.log(`after them: ${memory()}`);
isHanging = false;
