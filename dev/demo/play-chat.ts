import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appOf, ourManifest } from '../local-slack/app-manifest.ts';
import { LocalSlack } from '../local-slack/local-slack.ts';
import type { Person } from '../local-slack/person/person.ts';
import { type Program, startProgram } from '../program-process.ts';
import { Channel } from './channel.ts';
import { chatChecks } from './expectations-chat.ts';
import { exists, readDeployed } from './observed.ts';
import { showChecks, showDeployed, titleOf } from './report.ts';
import { NAMESPACE, RESOURCE } from './scenario.ts';
import { type PlayOptions, type Stage, setStage, showLog, unlessEnded, untilAborted } from './stage.ts';

const CHANNEL = 'deploys';
/** Alice and carol may release, bob may look. */
const PEOPLE = ['alice', 'bob', 'carol'];
const DONE_MS = 60_000;

/** `npm run demo -- --chat`: deploys asked for in a Slack on this machine. @returns whether everything was as expected */
export async function playChat(options: PlayOptions): Promise<boolean> {
  const { directory, table, serve, signal, atEnd } = options;
  const startedAt = performance.now();
  const trap = join(directory, 'pwned');
  const stage = await setStage(options, true);
  const slack = await startSlack();
  atEnd(() => slack[Symbol.asyncDispose]());
  const bot = startProgram('slack-bot', {
    kubeconfig: await stage.cluster.kubeconfigOfChatBot(),
    queueOrigin: stage.sqs.endpoint,
    flags: [...(await writeSettings(directory, slack)), `--slack-api-url=${slack.apiUrl}`, '--metrics-bind-address=0'],
  });
  atEnd(() => bot.stop());
  const channel = new Channel(slack, CHANNEL, PEOPLE, table);
  atEnd(() => channel.stop());
  channel.start();
  const until = (what: string, condition: () => boolean) =>
    unlessEnded(bot, unlessEnded(stage.operator, channel.until(what, condition, DONE_MS, signal)));
  await until('the bot is connected', () => slack.sockets().length > 0);
  table.row({ resource: 'capdeploy slack-bot', what: 'connected to Slack' });

  await story({ stage, slack, bot, channel, until, trap });

  await stage.narrator.logsTold(signal);
  const environments = ['production', 'staging'];
  const deployed = await Promise.all(environments.map((name) => readDeployed(stage.application.deployRoot, name)));
  showDeployed(table, deployed, (commit) => titleOf(stage.repository.commits, commit));
  const checks = chatChecks({
    history: [...stage.narrator.history.values()],
    deployed,
    commits: stage.repository.commits,
    actorOf: (name) => `slack:${slack.world.team.id}/${slack.world.team.user(name).id}`,
    lines: channel.lines,
    queueDepth: await stage.producer.depth(),
    trapSprung: await exists(trap),
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const good = showChecks(table, checks, stage.application.capistrano, seconds);
  if (!good) showLog(table, bot);
  if (serve) {
    table.heading('everything stays up; Ctrl-C ends it and takes it all away');
    await unlessEnded(bot, untilAborted(signal));
  }
  return good;
}

interface Scene {
  stage: Stage;
  slack: LocalSlack;
  bot: Program;
  channel: Channel;
  until: (what: string, condition: () => boolean) => Promise<void>;
  trap: string;
}

async function story({ stage, slack, bot, channel, until, trap }: Scene): Promise<void> {
  const { narrator } = stage;
  const [alice, bob, carol] = PEOPLE.map((name) => slack.as(name)) as [Person, Person, Person];
  const says = (pattern: RegExp) =>
    until(`somebody says ${pattern}`, () => channel.lines.some((line) => pattern.test(line)));
  const waits = (pattern: RegExp) =>
    until(`a request waits: ${pattern}`, () => [...narrator.waits.values()].flat().some((why) => pattern.test(why)));
  const ended = (count: number) =>
    until(`${count} deploys have ended`, () => narrator.history.size >= count && narrator.allFinished());
  const shows = (person: Person, text: string) =>
    until(`a view shows "${text}"`, () => person.openViews.length > 0 && person.form().text.includes(text));

  // As it comes out of a wiki page: the blanks are no-break spaces.
  alice.say(CHANNEL, '@capdeploy deploy -r\u00a0web -e\u00a0production -h\u00a0v1.0.0');
  await ended(1);

  await alice.command(CHANNEL, '/deploy');
  await shows(alice, 'Environment');
  await alice.form().fill('form-environment', 'production');
  await shows(alice, 'v1.0.0 is there since');
  const form = alice.form();
  await form.search('form-revision', 'v1.1.0');
  await form.pick('form-revision', 'use v1.1.0');
  await form.fill('form-reason', 'fixes the basket');
  await form.submit();
  await shows(alice, 'v1.0.0 → v1.1.0');
  await alice.form().submit();
  await ended(2);

  bob.say(CHANNEL, '@capdeploy deploy web production v1.0.0');
  await says(/no rule allows you this here/);
  alice.say(CHANNEL, `@capdeploy deploy web production main$(touch\${IFS}${trap})`);
  await says(/is not usable as revision/);

  alice.say(CHANNEL, '@capdeploy deploy web staging main');
  await waits(/approval/);
  // With the first deploy that waits the bot finds out by a dry run whether the API server lets it approve.
  await until('the bot may approve', () => bot.log.some((line) => /"power":"approve".*may do this/.test(line)));
  carol.say(CHANNEL, '@capdeploy queue web');
  await click(carol, 'Approve', until);
  await ended(3);

  carol.say(CHANNEL, '@capdeploy freeze web production incident 42');
  await says(/capdeploy: .*incident 42/);
  carol.say(CHANNEL, '@capdeploy rollback web production');
  await click(carol, 'Roll back', until);
  await waits(/frozen/);
  bob.say(CHANNEL, '@capdeploy status web');
  await says(/Frozen: .*incident 42/);
  carol.say(CHANNEL, '@capdeploy unfreeze web production');
  await ended(4);
  bob.say(CHANNEL, '@capdeploy history web');
  await says(/✅[\s\S]*✅[\s\S]*✅[\s\S]*✅/);
}

/** A button under an answer that only this person sees, and the question that it opens. */
async function click(person: Person, label: string, until: Scene['until']): Promise<void> {
  const withButton = () =>
    person.reads.ephemerals(CHANNEL).findLast(({ text }) => text.includes(`[${label}]`))?.message;
  await until(`${person.user.name} sees [${label}]`, () => withButton() !== undefined);
  const message = withButton();
  if (message) await person.click(message, label);
  await until(`${person.user.name} is asked once more`, () => person.openViews.length > 0);
  await person.form().submit();
}

async function startSlack(): Promise<LocalSlack> {
  return await LocalSlack.start({
    apps: [appOf(ourManifest())],
    users: Object.fromEntries(PEOPLE.map((name) => [name, {}])),
    channels: { [CHANNEL]: { members: [...PEOPLE, 'capdeploy'] } },
    groups: { release: { users: ['alice', 'carol'] } },
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
protected: [production]
confirm: [production]
# Who sends to the local SQS server has no id there.
approveUnverified: true
rules:
  - { may: [status, queue, history], targets: ["*"], environments: ["*"], channels: [${channel}], everyone: true }
  - may: [deploy, retry, rollback, abort, freeze, approve]
    targets: [${NAMESPACE}/${RESOURCE}]
    environments: [production, staging]
    channels: [${channel}]
    groups: [${release}]
`;
  const { appToken, botToken } = slack.app('capdeploy');
  const files: Record<string, string> = { config, 'app-token-file': appToken, 'bot-token-file': botToken };
  return await Promise.all(
    Object.entries(files).map(async ([flag, text]) => {
      const path = join(directory, `slack-bot-${flag}`);
      await writeFile(path, text, { mode: 0o600 });
      return `--${flag}=${path}`;
    }),
  );
}
