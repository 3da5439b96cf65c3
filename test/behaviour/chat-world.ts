import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOCAL_REGION } from '../../dev/local-sqs.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { ChatMetrics } from '../../src/observability/chat-metrics.ts';
import { WebApi } from '../../src/slack/web-api.ts';
import { ConfigFile } from '../../src/slack-bot/config-file.ts';
import { SlackBot } from '../../src/slack-bot/slack-bot.ts';
import { SqsClients } from '../../src/sqs/clients.ts';
import { eventually } from '../kit/eventually.ts';
import { LocalSlack, type TeamSeed } from '../kit/slack/local-slack.ts';

/** Who is there: alice and bob may deploy and decide, carol may look. */
export const TEAM: TeamSeed = {
  apps: [
    {
      name: 'capdeploy',
      scopes: [
        ...['app_mentions:read', 'commands', 'chat:write', 'users:read', 'usergroups:read', 'channels:read'],
        'groups:read',
      ],
      commands: ['/deploy'],
      shortcuts: ['deploy'],
      events: ['app_mention'],
    },
  ],
  users: { alice: { tz: 'Europe/Berlin' }, bob: {}, carol: {}, hanako: { locale: 'ja-JP', tz: 'Asia/Tokyo' } },
  channels: { deploys: { members: ['alice', 'bob', 'carol', 'hanako', 'capdeploy'] } },
  groups: { release: { users: ['alice', 'bob', 'hanako'] } },
};

/** A configuration with the ids of `TEAM`. */
export const configOf = (slack: LocalSlack, namespace: string, more = ''): string => {
  const { team } = slack.world;
  const channel = team.channel('deploys').id;
  const [group] = [...team.groups.values()].map(({ id }) => id);
  return `
slack: { team: ${team.id} }
source: cluster
namespaces: [${namespace}]
rules:
  - { may: [status, queue, history], targets: ["*"], environments: ["*"], channels: [${channel}], everyone: true }
  - may: [deploy, retry, rollback, abort, freeze, approve]
    targets: ["*"]
    environments: [production, staging]
    channels: [${channel}]
    groups: [${group}]
${more}`;
};

export interface Chat extends AsyncDisposable {
  readonly slack: LocalSlack;
  readonly bot: SlackBot;
  readonly metrics: ChatMetrics;
  /** What a person sees in the channel, newest last, as lines. */
  seen(person: string): string[];
}

/** A local Slack with the team, and the bot connected to it; the rest of the world is the caller's. */
export async function startChat(options: {
  kube: KubeClient;
  namespace: string;
  queueOrigin: string;
  config?: string;
}): Promise<Chat> {
  const { kube, namespace, queueOrigin, config = '' } = options;
  const directory = mkdtempSync(join(tmpdir(), 'capdeployjob-chat-'));
  const slack = await LocalSlack.start(TEAM);
  const path = join(directory, 'slack-bot.yaml');
  writeFileSync(path, configOf(slack, namespace, config));
  const metrics = new ChatMetrics({ processMetrics: false });
  const { appToken, botToken } = slack.app('capdeploy');
  const fixed = (token: string) => ({ current: () => token, reload: () => false });
  const common = { slackApiUrl: slack.apiUrl, metrics, log: silentLog };
  const api = new WebApi({ ...common, token: fixed(botToken) });
  const sqs = new SqsClients();
  const bot = new SlackBot({
    configFile: new ConfigFile(path, silentLog),
    api,
    connection: { token: fixed(appToken), slackApiUrl: slack.apiUrl },
    kube,
    openQueue: (settings) => sqs.openForSending(settings),
    queueRules: { allowedOrigins: new Set([queueOrigin]), allowRules: [], defaultRegion: LOCAL_REGION },
    metrics,
    clock: systemClock,
    log: silentLog,
  });
  await bot.start();
  await eventually('the bot is ready', async () => bot.readiness().ok);
  return {
    slack,
    bot,
    metrics,
    seen: (person) => slack.as(person).reads.lines('deploys'),
    async [Symbol.asyncDispose]() {
      await bot.stop();
      sqs.close();
      await api.close();
      await slack[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
