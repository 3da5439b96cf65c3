import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalSlack } from '../../test/kit/slack/local-slack.ts';
import { startProgram } from '../program-process.ts';
import { Channel } from './channel.ts';
import type { Check } from './expectations.ts';
import { exists, readDeployed } from './observed.ts';
import { showChecks, showDeployed, titleOf } from './report.ts';
import { NAMESPACE, RESOURCE } from './scenario.ts';
import { type PlayOptions, setStage, showLog, untilAborted } from './stage.ts';

const CHANNEL = 'deploys';
const PEOPLE = ['alice', 'bob'];
const DONE_MS = 60_000;

/** `npm run demo -- --chat`: deploys asked for in a Slack on this machine. @returns whether everything was as expected */
export async function playChat(options: PlayOptions): Promise<boolean> {
  const { directory, table, serve, signal, atEnd } = options;
  const startedAt = performance.now();
  const trap = join(directory, 'pwned');
  const stage = await setStage(options);
  const { repository, application, narrator, wait } = stage;

  const slack = await startSlack();
  atEnd(() => slack[Symbol.asyncDispose]());
  const bot = startProgram('slack-bot', {
    kubeconfig: stage.cluster.kubeconfig,
    queueOrigin: stage.sqs.endpoint,
    flags: [...(await writeSettings(directory, slack)), `--slack-api-url=${slack.apiUrl}`, '--metrics-bind-address=0'],
  });
  atEnd(() => bot.stop());
  const channel = new Channel(slack, CHANNEL, PEOPLE, table);
  atEnd(() => channel.stop());
  channel.start();
  const says = async (pattern: RegExp) => {
    const ended = bot.ended.then(() => true);
    const deadline = performance.now() + DONE_MS;
    while (!channel.lines.some((line) => pattern.test(line))) {
      signal.throwIfAborted();
      if (performance.now() > deadline) throw new Error(`nobody said ${pattern} in #${CHANNEL}`);
      await Promise.race([ended.then(() => Promise.reject(new Error('the bot has ended'))), pause()]);
    }
  };
  await waitFor(() => slack.sockets().length > 0, signal);
  table.row({ resource: 'capdeploy slack-bot', what: 'connected to Slack' });

  const alice = slack.as('alice');
  const bob = slack.as('bob');
  const isDone = (count: number) =>
    wait(() => narrator.history.size >= count && narrator.allFinished(), `${count} deploys have ended`, DONE_MS);

  // As it comes out of a wiki page: the blanks are no-break spaces.
  alice.say(CHANNEL, '@capdeploy deploy -r\u00a0web -e\u00a0production -h\u00a0v1.0.0');
  await isDone(1);
  alice.say(CHANNEL, '@capdeploy deploy web production v1.1.0 --reason "fixes the basket"');
  await isDone(2);
  bob.say(CHANNEL, '@capdeploy deploy web production main');
  await says(/no rule allows you this here/);
  alice.say(CHANNEL, `@capdeploy deploy web production main$(touch\${IFS}${trap})`);
  await says(/is not usable as revision/);
  return await finish();

  async function finish(): Promise<boolean> {
    await narrator.logsTold(signal);
    const deployed = await Promise.all([readDeployed(application.deployRoot, 'production')]);
    showDeployed(table, deployed, (commit) => titleOf(repository.commits, commit));
    const history = [...narrator.history.values()];
    const by = `slack:${slack.world.team.id}/${slack.world.team.user('alice').id} alice`;
    const checks: Check[] = [
      { ok: history.every(({ result }) => result === 'Succeeded'), text: 'every deploy that was asked for succeeded' },
      { ok: history.every(({ requestedBy }) => requestedBy === by), text: 'the history says who asked for each' },
      { ok: history.length === 2, text: 'bob, whom no rule allows to deploy, deployed nothing' },
      { ok: !(await exists(trap)), text: 'what was put into a revision for a shell was run by nobody' },
      { ok: (await stage.producer.depth()) === 0, text: 'the queue is empty' },
    ];
    const good = showChecks(table, checks, application.capistrano, (performance.now() - startedAt) / 1000);
    if (!good) showLog(table, bot);
    if (serve) await untilAborted(signal);
    return good;
  }
}

async function startSlack(): Promise<LocalSlack> {
  return await LocalSlack.start({
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
    users: { alice: {}, bob: {} },
    channels: { [CHANNEL]: { members: [...PEOPLE, 'capdeploy'] } },
    groups: { release: { users: ['alice'] } },
  });
}

/** @returns the flags that name the files */
async function writeSettings(directory: string, slack: LocalSlack): Promise<string[]> {
  const { team } = slack.world;
  const [release] = [...team.groups.values()].map(({ id }) => id);
  const channel = team.channel(CHANNEL).id;
  const config = `slack: { team: ${team.id} }
source: cluster
namespaces: [${NAMESPACE}]
rules:
  - { may: [status, queue, history], targets: ["*"], environments: ["*"], channels: [${channel}], everyone: true }
  - may: [deploy, retry, rollback]
    targets: [${NAMESPACE}/${RESOURCE}]
    environments: [production, staging]
    channels: [${channel}]
    groups: [${release}]
`;
  const { appToken, botToken } = slack.app('capdeploy');
  const files = {
    config: [`slack-bot.yaml`, config],
    'app-token-file': ['app-token', appToken],
    'bot-token-file': ['bot-token', botToken],
  };
  return await Promise.all(
    Object.entries(files).map(async ([flag, [name = '', text = '']]) => {
      const path = join(directory, name);
      await writeFile(path, text, { mode: 0o600 });
      return `--${flag}=${path}`;
    }),
  );
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

async function waitFor(condition: () => boolean, signal: AbortSignal): Promise<void> {
  while (!condition()) {
    signal.throwIfAborted();
    await pause();
  }
}
