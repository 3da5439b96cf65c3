import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type LocalCluster, startLocalCluster } from 'in-memory-kubernetes/cluster.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Producer } from '../../dev/demo/queue.ts';
import { appOf, ourManifest } from '../../dev/local-slack/app-manifest.ts';
import { LocalSlack } from '../../dev/local-slack/local-slack.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION, type LocalSqs, startLocalSqs } from '../../dev/local-sqs.ts';
import { API_VERSION, CAPDEPLOYJOBS, KIND } from '../../src/api/names.ts';
import { parseCommandLine, VERBS } from '../../src/chat/command-line.ts';
import { fold } from '../../src/chat/fold.ts';
import { NAMESPACES } from '../../src/kube/client.ts';
import { parseBotConfig } from '../../src/slack-bot/config.ts';
import { aRawSpec } from '../kit/builders.ts';
import { BUNDLED_PROGRAM } from '../kit/bundled-program.ts';
import { eventually } from '../kit/eventually.ts';
import { Program } from '../kit/program.ts';
import { DEFINITION, DEFINITIONS } from '../kit/store.ts';
import { documents, text } from './manifests/yaml.ts';

/** docs/chat.md and docs/chat-first-deploy.md, walked: what they show is what the program takes and says. */

const REFERENCE = 'docs/chat.md';
const TUTORIAL = 'docs/chat-first-deploy.md';
const TROUBLE = 'docs/chat-troubleshooting.md';

/** The code blocks of a page in one language; '' for those that name none. */
const blocksOf = (page: string, language: string): string[] =>
  [...text(page).matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(([, of, block = '']) =>
    of === language ? [block] : [],
  );
const configsOf = (page: string) => blocksOf(page, 'yaml').filter((block) => block.startsWith('slack:'));
const linesOf = (page: string) =>
  blocksOf(page, '').flatMap((block) => block.split('\n').filter((line) => line.startsWith('@capdeploy ')));

describe.each([
  [REFERENCE, 1],
  [TUTORIAL, 2],
])('%s', (page, configs) => {
  test('shows configurations that the bot takes', () => {
    expect(configsOf(page)).toHaveLength(configs);
    for (const config of configsOf(page)) expect(parseBotConfig(config, page).rules.length).toBeGreaterThan(0);
  });

  test('shows lines that the bot understands', () => {
    const said = { at: Date.parse('2026-12-01T01:00:00Z'), timeZone: 'Asia/Tokyo' };
    const read = linesOf(page).map((line) => parseCommandLine(fold(line.slice('@capdeploy '.length)), said));
    expect(read.filter((each) => 'problem' in each)).toEqual([]);
    expect(read.length).toBeGreaterThan(2);
  });
});

/** Words of the log and of answers that the page quotes, and where they come from. */
const QUOTED: [source: string, ...words: string[]][] = [
  [
    'src/slack/connection.ts',
    'could not connect to Slack',
    'Slack asked for another connection',
    'Slack refuses the app-level token: see --app-token-file',
  ],
  ['src/slack-bot/voice.ts', 'Slack did not take the'],
  ['src/slack-bot/facts.ts', 'Slack could not be asked who may; nothing is allowed'],
  ['src/slack-bot/submit.ts', 'could not send'],
  ['src/slack-bot/config-file.ts', 'the configuration before stays', '--config: ', 'is not there'],
  ['src/slack-bot/slack-bot.ts', 'decided', 'not connected to Slack', 'the bot token is of the team'],
  ['src/cli/slack-bot.ts', 'stopping: nothing more is taken, what is at work is answered'],
  ['src/cli/slack-bot-flags.ts', 'is needed'],
  ['src/base/strict-yaml.ts', 'unknown field'],
  ['src/slack/token-file.ts', 'must hold', 'it holds', 'cannot be read: '],
  ['src/kube/http/kubeconfig.ts', 'no credentials for a Kubernetes cluster'],
  ['src/actions/choose-queue.ts', 'nothing can be sent for'],
  ['src/slack-bot/try-power.ts', 'notHeld'],
  [
    'src/chat/texts/deploy.ts',
    'Could not ask Slack who you are; nothing was done. Try again in a minute.',
    'Perhaps sent: no clear answer came.',
    'Not sent:',
    'Nothing was done: no rule allows you this here.',
    'that you may use here',
    'Nothing was done: I am not in this channel.',
  ],
  [
    'src/chat/texts/decided.ts',
    'Nothing was done: who asked for a deploy cannot approve it.',
    'Nothing was done: nobody vouches for who asked for this deploy',
    'Nothing was done: the bot itself may not do this.',
    'Nothing was done: the API server has not answered for',
    'and nobody knows what is there now.',
    'Perhaps done',
  ],
];

describe(TROUBLE, () => {
  test.each(QUOTED)('quotes %s: %s', (source, ...words) => {
    const [page, program] = [text(TROUBLE).replaceAll('\n', ' '), text(source)];
    expect(words.filter((each) => !page.includes(each) || !program.includes(each))).toEqual([]);
  });

  test('names outcomes that there are', () => {
    const known = text('docs/reference/slack-bot.md').split('## Outcomes')[1] ?? '';
    const named = [...text(TROUBLE).matchAll(/outcome (`\w+`(?:, `\w+`)*(?: or `\w+`)?)/gi)].flatMap(([, list = '']) =>
      [...list.matchAll(/`\w+`/g)].map(([name]) => name),
    );
    expect(named.filter((name) => !known.includes(`| ${name} |`))).toEqual([]);
    expect(named.length).toBeGreaterThan(2);
  });
});

test('the pages name metrics that there are', () => {
  const known = text('docs/reference/metrics.md');
  const named = ['docs/monitoring.md', TROUBLE, TUTORIAL].flatMap((page) => [
    ...(text(page).match(/capdeployjob_[a-z_]+/g) ?? []),
  ]);
  expect(named.filter((name) => !known.includes(`\`${name.replace(/_bucket$/, '')}\``))).toEqual([]);
  expect(named.filter((name) => /slack|chat/.test(name)).length).toBeGreaterThan(5);
});

test('docs/chat.md shows a line for each command', () => {
  const shown = linesOf(REFERENCE).map((line) => line.split(' ')[1]);
  expect(VERBS.filter((verb) => !shown.includes(verb))).toEqual([]);
});

test('what the guide adds to an overlay is examples/chat without the operator', () => {
  const [block = ''] = blocksOf(TUTORIAL, 'yaml').filter((each) => each.startsWith('resources:'));
  const [added] = documents(block) as unknown as [Overlay];
  const [{ resources, components, configMapGenerator, patches }] = documents(
    text('examples/chat/kustomization.yaml'),
  ) as unknown as [Overlay];
  const withoutComments = (list: Overlay['patches']) =>
    list.map(({ target, patch }) => ({ target, patch: documents(patch) }));
  expect(added.resources).toEqual(resources.filter((each) => each !== '../capdeployjob'));
  expect(added).toMatchObject({ components, configMapGenerator });
  expect(withoutComments(added.patches)).toEqual(withoutComments(patches));
});

interface Overlay {
  resources: string[];
  components: string[];
  configMapGenerator: object[];
  patches: { target: object; patch: string }[];
}

/** A cluster with the CapDeployJob of the page. Nobody reads its queue. */
async function clusterWithWeb(url: string): Promise<LocalCluster & AsyncDisposable> {
  const cluster = await startLocalCluster({ kubelet: false });
  cluster.store.create(DEFINITIONS, structuredClone(DEFINITION));
  cluster.store.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'deploy' } });
  const environments = [{ name: 'staging' }, { name: 'production' }];
  const spec = aRawSpec({ queue: { url, region: LOCAL_REGION }, repositories: ['livesense/web'], environments });
  const web = { apiVersion: API_VERSION, kind: KIND, metadata: { name: 'web', namespace: 'deploy' }, spec };
  const made = cluster.store.create(CAPDEPLOYJOBS, web);
  // As an operator that has judged it, and is not there any more.
  const status = { observedGeneration: made.metadata.generation };
  cluster.store.update(CAPDEPLOYJOBS, { ...made, status }, { subresource: 'status' });
  return Object.assign(cluster, { [Symbol.asyncDispose]: () => cluster.stop() });
}

describe('docs/chat-first-deploy.md, walked with a bot outside the cluster', () => {
  let directory: string;
  let slack: LocalSlack;
  let sqs: LocalSqs;
  let queue: Producer;
  const programs: Program[] = [];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'capdeployjob-guide-'));
    sqs = await startLocalSqs();
    queue = await Producer.create(sqs, 'web-deploy');
    slack = await LocalSlack.start({
      apps: [appOf(ourManifest())],
      users: { alice: {}, bob: {} },
      channels: { deploys: { members: ['alice', 'bob', 'capdeploy'] }, private: { members: ['alice'], private: true } },
    });
  });

  afterEach(async () => {
    await Promise.all(programs.splice(0).map((program) => program.kill()));
    await slack[Symbol.asyncDispose]();
    queue.close();
    await sqs.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const file = (name: string, content: string): string => {
    const path = join(directory, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };

  /** As the page says, with the ids of this Slack and the address of this queue. */
  function bot(config: string, ...flags: string[]): Program {
    const { appToken, botToken } = slack.app('capdeploy');
    const here = config
      .replace('T0123ABCD', slack.world.team.id)
      .replace(/https:\/\/sqs\.[^\s]*/, queue.queueUrl)
      .replace(/(queueUrl: .*)/, `$1\n    region: ${LOCAL_REGION}`);
    const args = [
      'slack-bot',
      `--config=${file('slack-bot.yaml', here)}`,
      `--app-token-file=${file('app-token', `${appToken}\n`)}`,
      `--bot-token-file=${file('bot-token', `${botToken}\n`)}`,
      `--slack-api-url=${slack.apiUrl}`,
      `--allow-queue-origin=${sqs.endpoint}`,
      '--health-probe-bind-address=0',
      '--metrics-bind-address=0',
      ...flags,
    ];
    const { accessKeyId, secretAccessKey } = LOCAL_CREDENTIALS;
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, HOME: directory };
    const program = new Program(BUNDLED_PROGRAM, args, env);
    programs.push(program);
    return program;
  }

  const [inCluster = '', outside = ''] = configsOf(TUTORIAL);

  async function received(): Promise<object[]> {
    const client = new SQSClient({ endpoint: sqs.endpoint, region: sqs.region, credentials: LOCAL_CREDENTIALS });
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl: queue.queueUrl }));
    client.destroy();
    return Messages.map(({ Body = '' }) => JSON.parse(Body) as object);
  }

  const reads = (person: string, words: string) =>
    eventually(`${person} reads "${words}"`, async () =>
      slack
        .as(person)
        .reads.lines('deploys')
        .some((line) => line.includes(words)),
    );

  test('the deploy that it shows reaches the queue, and the answer is the one that it shows', async () => {
    await bot(outside).logged(/^connected to Slack$/);
    const line = linesOf(TUTORIAL).find((each) => each.includes(' deploy ')) ?? '';
    const { message } = slack.as('alice').say('deploys', line);
    const [, answer = ''] = /^> (Understood: .*?)\n\n/ms.exec(text(TUTORIAL)) ?? [];
    await reads('alice', answer.replaceAll('`', '').replaceAll('\n> ', '\n'));
    expect(await received()).toEqual([
      expect.objectContaining({
        id: `slack-${slack.world.team.id}-C0DEPLOYS-${message.ts}`,
        repository: 'livesense/web',
        environment: 'staging',
        revision: 'main',
        requestedBy: `slack:${slack.world.team.id}/U0ALICE alice`,
      }),
    ]);
  });

  test('what it lets a person type in a cluster is answered, and the deploy reaches the queue', async () => {
    await using cluster = await clusterWithWeb(queue.queueUrl);
    const kubeconfig = join(directory, 'kubeconfig');
    cluster.writeKubeconfig(kubeconfig);
    const program = bot(inCluster, `--kubeconfig=${kubeconfig}`);
    await program.logged(/^connected to Slack$/);
    for (const line of linesOf(TUTORIAL)) slack.as('alice').say('deploys', line);
    await reads('alice', 'deploy -r web -e staging');
    await reads('alice', 'Rules that match you here:');
    await reads('alice', 'Sent to deploy/web.');
    expect(await received()).toMatchObject([{ repository: 'livesense/web', environment: 'staging', revision: 'main' }]);
    expect(program.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('whom no rule names is refused', async () => {
    await bot(outside).logged(/^connected to Slack$/);
    slack.as('bob').say('deploys', '@capdeploy deploy web staging main');
    await reads('bob', 'Nothing was done: no rule allows you this here.');
    expect(await received()).toEqual([]);
  });

  test('it ends with 2 if the bot token is of another team, also while it serves probes', async () => {
    const program = bot(outside.replace('T0123ABCD', 'T0OTHER'), '--health-probe-bind-address=127.0.0.1:0');
    expect(await program.ended).toBe(2);
    expect(program.stderr).toContain('the bot token is of the team T0TEAM, and the configuration names T0OTHER');
  });

  test('with source: cluster it ends with 2 if there is no cluster', async () => {
    const program = bot(inCluster);
    expect(await program.ended).toBe(2);
    expect(program.stderr).toContain('no credentials for a Kubernetes cluster');
  });
});
