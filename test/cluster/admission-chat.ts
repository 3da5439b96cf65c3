import { readFileSync } from 'node:fs';
import { beforeAll } from 'vitest';
import type { CapDeployJob } from '../../src/api/capdeployjob.ts';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { JOBS } from '../../src/kube/client.ts';
import { eventually } from '../kit/eventually.ts';
import {
  ABORTED_BY,
  type AdmissionWorld,
  APPROVED_BY,
  annotate,
  FREEZE,
  foreignJob,
  openAdmission,
  outcome,
  resource,
  startedJob,
  USERS,
  type User,
  waitingJob,
} from './admission.ts';
import { fromRoot } from './cluster.ts';

/** People of Slack. */
export const ALICE = 'slack:T0TEAM/U0ALICE';
export const BOB = 'slack:T0TEAM/U0BOB';

/** Stands for the chat bot in a table: its name is not known before its world is there. */
export const BOT: User = { name: '(the chat bot)', groups: [] };

export interface ChatWorld {
  readonly world: AdmissionWorld;
  /** The CapDeployJob whose deploys the bot may approve. It is there within tests and hooks. */
  web(): CapDeployJob;
  /** The user, or the bot's account if it is BOT. */
  the(user: User): User;
}

/**
 * A world that knows the chat bot. The bot's account has the ClusterRoles of deploy/chat and deploy/chat/operate, and may
 * approve the deploys of one CapDeployJob. Call it once, at the top of the file.
 */
export function openChatAdmission(): ChatWorld {
  const world = openAdmission({ chat: true });
  let web: CapDeployJob;
  beforeAll(async () => {
    web = await resource(world);
    await bindRoles(world, web);
    await rolesCount(world, web);
  }, 60_000);
  return { world, web: () => web, the: (user) => (user === BOT ? world.chatBot : user) };
}

async function bindRoles(world: AdmissionWorld, { metadata }: CapDeployJob): Promise<void> {
  const role = roleOfTheDocs(world.namespace, metadata.name);
  await Promise.all([
    world.bind(world.chatBot, 'capdeployjob-slack-bot'),
    world.bind(world.chatBot, 'capdeployjob-slack-bot-operate'),
    world.shell(
      USERS.root,
      `echo "$ROLE" | kubectl apply -f -
       kubectl -n ${world.namespace} create rolebinding bot-approves --role=slack-bot-approves-web --user=${world.chatBot.name}`,
      { ROLE: role },
    ),
  ]);
}

/** The Role that docs/chat-permissions.md shows for who approves for some repositories only. */
function roleOfTheDocs(namespace: string, resource: string): string {
  const blocks = readFileSync(fromRoot('docs/chat-permissions.md'), 'utf8').matchAll(/^```yaml\n(.*?)^```/gms);
  const [yaml] = [...blocks].map(([, text = '']) => text).filter((text) => text.includes('slack-bot-approves-web'));
  if (yaml === undefined) throw new Error('docs/chat-permissions.md shows no Role slack-bot-approves-web');
  return yaml.replace('namespace: deploy', `namespace: ${namespace}`).replace('[web]', `[${resource}]`);
}

/** The API server takes a moment to hear of a new role or policy. */
async function rolesCount(world: AdmissionWorld, web: CapDeployJob): Promise<void> {
  const [waiting, started] = await Promise.all([waitingJob(world, web), startedJob(world, web)]);
  const theirs = foreignJob(world);
  await world.as(USERS.root).create(JOBS, theirs);
  const bot = world.as(world.chatBot);
  await eventually('the roles and policies count', async () => {
    const may = [
      await bot.patch(JOBS, waiting.metadata.name, annotate({ [APPROVED_BY]: BOB }), 'merge', { dryRun: 'All' }),
      await bot.patch(JOBS, started.metadata.name, annotate({ [ABORTED_BY]: BOB }), 'merge', { dryRun: 'All' }),
      await bot.patch(CAPDEPLOYJOBS, web.metadata.name, annotate({ [FREEZE]: `${BOB}: x` }), 'merge', {
        dryRun: 'All',
      }),
    ];
    const unnamed = await bot.delete(JOBS, started.metadata.name, { dryRun: 'All' });
    const foreign = await bot.delete(JOBS, theirs.metadata.name, { dryRun: 'All' });
    const mayNot = [unnamed, foreign];
    return (
      may.every((answer) => outcome(answer) === 'allowed') && !mayNot.some((answer) => outcome(answer) === 'allowed')
    );
  });
}
