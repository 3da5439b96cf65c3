import { describe, expect, test } from 'vitest';
import { type Chat, startChat } from './chat-world.ts';
import { deployed, ended, eventually, inWorld, served, type World } from './world.ts';

/** The whole way: a person in Slack, the bot, a queue, the operator, a Job. */
const inChat = (run: (world: World, chat: Chat) => Promise<void>) =>
  inWorld(async (world) => {
    const { queue } = await served(world, { repositories: ['livesense/web'] });
    await using chat = await startChat({
      kube: world.kube,
      namespace: world.namespace,
      queueOrigin: new URL(queue).origin,
    });
    await run(world, chat);
  });

const reads = (chat: Chat, person: string, text: RegExp) =>
  eventually(`${person} reads ${text}`, async () => chat.seen(person).some((line) => text.test(line)));

describe.concurrent('deploy by a line', () => {
  test(
    'a line with pasted no-break spaces becomes the deploy that its author sees',
    inChat(async (world, chat) => {
      const { message } = chat.slack
        .as('alice')
        .say('deploys', '@capdeploy deploy -r\u00a0web -e production\u00a0-h v1.0.0');
      await ended(world, 'web', 'v1.0.0');
      expect(deployed(world)).toEqual(['v1.0.0']);
      const entry = (await world.resource('web')).status?.history?.[0];
      expect(entry).toMatchObject({
        environment: 'production',
        result: 'Succeeded',
        requestedBy: `slack:${chat.slack.world.team.id}/${chat.slack.world.team.user('alice').id} alice`,
        slack: { channel: message.channel, threadTs: message.ts },
      });
      await reads(chat, 'alice', /Understood: livesense\/web → production v1\.0\.0\nSent to .*\/web\./);
    }),
  );
});
