import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { startChatBotApi } from '../../dev/chat-bot-api.ts';
import { appOf, ourManifest } from '../../dev/local-slack/app-manifest.ts';
import { LocalSlack, type TeamSeed } from '../../dev/local-slack/local-slack.ts';
import type { Message } from '../../dev/local-slack/messages.ts';
import type { Form } from '../../dev/local-slack/person/form.ts';
import { LOCAL_REGION } from '../../dev/local-sqs.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { type Log, silentLog } from '../../src/base/log.ts';
import { type DeployButton, type DeployValue, deployButton } from '../../src/chat/buttons.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { HttpKubeClient } from '../../src/kube/http/http-client.ts';
import { ChatMetrics } from '../../src/observability/chat-metrics.ts';
import { WebApi } from '../../src/slack/web-api.ts';
import { ConfigFile } from '../../src/slack-bot/config-file.ts';
import { POWERS, type Power } from '../../src/slack-bot/self-check.ts';
import { SlackBot } from '../../src/slack-bot/slack-bot.ts';
import { SqsClients } from '../../src/sqs/clients.ts';
import { anonymous } from '../kit/api-server.ts';
import { eventually, until } from '../kit/eventually.ts';
import { isReal } from '../kit/which-world.ts';
import { inWorld, type Served, served, specIsSeen, type World } from './world.ts';

/** Who is there: alice, bob and hanako may deploy and decide, carol may look. */
const TEAM: TeamSeed = {
  apps: [appOf(ourManifest())],
  users: { alice: { tz: 'Europe/Berlin' }, bob: {}, carol: {}, hanako: { locale: 'ja-JP', tz: 'Asia/Tokyo' } },
  channels: { deploys: { members: ['alice', 'bob', 'carol', 'hanako', 'capdeploy'] } },
  groups: { release: { users: ['alice', 'bob', 'hanako'] } },
};

/** A configuration with the ids of `TEAM`. @param more lines at its end */
const configOf = (slack: LocalSlack, namespace: string, more: string): string => {
  const { team } = slack.world;
  const channel = team.channel('deploys').id;
  const [group] = [...team.groups.values()].map(({ id }) => id);
  return `
slack: { team: ${team.id} }
source: cluster
namespaces: [${namespace}]
# The queue servers of the tests name nobody's IAM role.
approveUnverified: true
limits: { perUserPerMinute: 100 }
rules:
  - { may: [status, queue, history], targets: ["*"], environments: ["*"], channels: [${channel}], everyone: true }
  - may: [deploy, retry, rollback, abort, freeze, approve]
    targets: ["*"]
    environments: [production, staging]
    channels: [${channel}]
    groups: [${group}]
${more}`;
};

/** What the CapDeployJob "web" is in these tests. */
export const WEB = {
  repositories: ['livesense/web'],
  environments: [{ name: 'production' }, { name: 'staging', requireApproval: true }],
};

export interface Chat extends AsyncDisposable {
  readonly slack: LocalSlack;
  /** Of the first replica. */
  readonly metrics: ChatMetrics;
  /** `slack:<team>/<user>` of a person. */
  actor(person: string): string;
  /** All that a person can read in #deploys, in threads and by oneself alone too. */
  seen(person: string): string[];
  /** Waits until the person reads it. */
  reads(person: string, text: RegExp): Promise<unknown>;
  /** Posts a button about a deploy of "web", as the notifier does. */
  posts(kind: DeployButton, value: Omit<DeployValue, 'target'>): Promise<Message>;
  /** Asks the bot for something that the person alone reads, until the answer says this. */
  asks(person: string, line: string, answer: string): Promise<Message>;
  /** Clicks, and waits for the view that asks once more. */
  clicks(person: string, message: Message, button: string): Promise<Form>;
  /** Waits until the self-check of each replica has turned the power on. */
  may(power: Power): Promise<unknown>;
  /** Writes the configuration file; each replica reads it again. */
  configure(change: (text: string) => string): void;
}

export interface ChatOptions {
  /** As the bot's account. */
  kube: KubeClient;
  namespace: string;
  queueOrigin: string;
  replicas?: number;
  /** Of the bots; Slack has its own. */
  clock?: Clock;
  /** Before the bot connects. */
  prepare?: (slack: LocalSlack) => Promise<void>;
}

/** A local Slack with the team, and the bot connected to it; the rest of the world is the caller's. */
export async function startChat(options: ChatOptions): Promise<Chat> {
  const { kube, namespace, queueOrigin, replicas = 1, clock = systemClock, prepare } = options;
  await using ends = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'capdeployjob-chat-'));
  ends.defer(() => rmSync(directory, { recursive: true, force: true }));
  const slack = ends.use(await LocalSlack.start(TEAM));
  await prepare?.(slack);
  const path = join(directory, 'slack-bot.yaml');
  let text = configOf(slack, namespace, '');
  writeFileSync(path, text);
  const sqs = new SqsClients();
  ends.defer(() => sqs.close());
  const { appToken, botToken } = slack.app('capdeploy');
  const fixed = (token: string) => ({ current: () => token, reload: () => false });

  const startReplica = async () => {
    const metrics = new ChatMetrics({ processMetrics: false });
    const powers = new Set<unknown>();
    const log: Log = { ...silentLog, info: (fields, message) => void notePower(powers, fields, message) };
    const configFile = new ConfigFile(path, silentLog, (isGood) => metrics.configReloaded(isGood));
    const common = { slackApiUrl: slack.apiUrl, metrics, log };
    const api = new WebApi({ ...common, token: fixed(botToken) });
    ends.defer(() => api.close());
    const bot = new SlackBot({
      configFile,
      api,
      connection: { token: fixed(appToken), slackApiUrl: slack.apiUrl },
      kube,
      openQueue: (settings) => sqs.openForSending(settings),
      queueRules: { allowedOrigins: new Set([queueOrigin]), allowRules: [], defaultRegion: LOCAL_REGION },
      metrics,
      clock,
      log,
    });
    await bot.start();
    ends.defer(() => bot.stop());
    await eventually('the bot is ready', async () => bot.readiness().ok);
    return { api, configFile, metrics, powers };
  };
  const first = await startReplica();
  const all = [first];
  while (all.length < replicas) all.push(await startReplica());

  const person = (name: string) => slack.as(name);
  const seen = (name: string) => {
    const { reads } = person(name);
    const channel = reads.channel('deploys');
    const replies = channel
      .filter((each) => each.replies > 0)
      .flatMap(({ ts }) => reads.thread('deploys', ts).slice(1));
    const all = [...channel, ...replies, ...reads.ephemerals('deploys')];
    return [...new Map(all.map(({ ts, text }) => [ts, text])).values()];
  };
  const stop = ends.move();
  return {
    slack,
    metrics: first.metrics,
    actor: (name) => `slack:${slack.world.team.id}/${slack.world.team.user(name).id}`,
    seen,
    reads: (name, wanted) => until(() => expect(seen(name).join('\n')).toMatch(wanted)),
    posts: async (kind, value) => {
      const button = deployButton(kind, kind, { target: `${namespace}/web`, ...value });
      const blocks = [{ type: 'actions' as const, elements: [button] }];
      const { id: channel } = slack.world.team.channel('deploys');
      const { ts } = await first.api.postMessage({ channel, text: `${kind} ${value.job}`, blocks });
      return slack.message('deploys', ts);
    },
    asks: (name, line, wanted) =>
      eventually(`${name} is told ${wanted}`, async () => {
        const { reads } = person(name);
        const before = reads.ephemerals('deploys').length;
        person(name).say('deploys', `@capdeploy ${line}`);
        const told = await eventually('there is an answer', async () => reads.ephemerals('deploys')[before]);
        return told.text.includes(wanted) && told.message;
      }),
    clicks: async (name, message, button) => {
      expect(await person(name).click(message, button)).toEqual({ acknowledged: true });
      return await until(() => person(name).form());
    },
    may: (power) => eventually(`the bot may ${power}`, async () => all.every(({ powers }) => powers.has(power))),
    configure: (change) => {
      text = change(text);
      writeFileSync(path, text);
      for (const { configFile } of all) configFile.reload();
    },
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  };
}

/** What the self-check says of a power that it has turned on. */
function notePower(on: Set<unknown>, fields: object, message: string): void {
  const { power } = fields as { power?: Power };
  if (power !== undefined && POWERS.includes(power) && message.startsWith('the chat bot may do this')) on.add(power);
}

type BotOptions = Pick<ChatOptions, 'replicas' | 'clock' | 'prepare'>;

/** A test with "web", its operator and the bot in a world of its own. On a real control plane the bot has all rights. */
export const inChat = (run: (world: World, chat: Chat, served: Served) => Promise<void>, options?: BotOptions) =>
  inWorld(async (world) => {
    const web = await served(world, WEB);
    await specIsSeen(world);
    await withBot(world, web.queue, (chat) => run(world, chat, web), options);
  });

/** The bot in a world of the test's own making. */
export async function withBot(
  world: World,
  queue: string,
  run: (chat: Chat) => Promise<void>,
  options: BotOptions = {},
): Promise<void> {
  await using ends = new AsyncDisposableStack();
  const kube = isReal ? world.kube : await asTheBot(world, ends);
  const { namespace } = world;
  const chat = ends.use(await startChat({ ...options, kube, namespace, queueOrigin: new URL(queue).origin }));
  await run(chat);
  expect(chat.slack.world.violations).toEqual([]);
}

async function asTheBot(world: World, ends: AsyncDisposableStack): Promise<KubeClient> {
  const server = await startChatBotApi(world.store);
  ends.defer(() => server.stop());
  const client = new HttpKubeClient({ config: anonymous(server.url) });
  ends.defer(() => client.close());
  return client;
}
