import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { lineBecomesDeploy } from './chat-scenes.ts';
import { inChat, WEB, withBot } from './chat-world.ts';
import { deployed, ended, eventually, inWorld, specIsSeen } from './world.ts';

const TWO = { replicas: 2 };

/** The whole way: a person in Slack, the bot, a queue, the operator, a Job. */
describe.concurrent('a deploy that is asked for in chat', () => {
  test('a line with pasted no-break spaces becomes the deploy that its author sees', inChat(lineBecomesDeploy));

  test(
    'the slash command alone opens a form, and what a person fills in is deployed',
    inChat(async (world, chat) => {
      const bob = chat.slack.as('bob');
      expect(await bob.command('deploys', '/deploy')).toEqual({ acknowledged: true });
      const form = await eventually('the form is open', () => bob.openViews.length > 0 && bob.form());
      await eventually('it shows the environments', () => form.text.includes('production') && form.text);
      await form.fill('form-environment', 'production');
      await form.search('form-revision', 'v1.0.0');
      await form.pick('form-revision', 'use v1.0.0');
      await form.fill('form-reason', 'fixes the basket');
      expect(await form.submit()).toEqual({ result: 'cleared' });
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({
        result: 'Succeeded',
        requestedBy: `${chat.actor('bob')} bob`,
        requestReason: 'fixes the basket',
      });
      await chat.reads('bob', /Sent to .*\/web\./);
    }),
  );

  test(
    'a line in Japanese is answered in Japanese, and its reason calls nobody, whatever it names',
    inChat(async (world, chat) => {
      world.script = () => ({ exitCode: 1 });
      const { slack } = chat;
      const [bot, bob] = [slack.app('capdeploy').userId, slack.world.team.user('bob').id];
      const reason = `<!channel> <@${bob}> <https://evil.test|here>`;
      const line = `<@${bot}> デプロイ web production v1.0.0 --reason "${reason}"`;
      slack.as('hanako').say('deploys', line, { raw: true });
      const { job, environment } = await ended(world, 'web', 'v1.0.0');
      await chat.reads('hanako', /受け付けました: livesense\/web → production v1\.0\.0\n.*\/web に送信しました。/);
      const form = await chat.clicks('alice', await chat.posts('retry', { environment, job }), 'retry');
      // A mention would stand between ⟦ and ⟧.
      expect(form.text).toContain(`Why: <!channel> <@${bob}> here`);
    }),
  );

  test(
    'an envelope that comes twice, and one that comes to both replicas, is one deploy',
    inChat(async (world, chat) => {
      for (const [fault, revision] of [
        ['twice', 'v1.0.0'],
        ['both', 'v1.0.1'],
      ] as const) {
        chat.slack.faults.envelope('events_api', fault);
        chat.slack.as('alice').say('deploys', `@capdeploy deploy web production ${revision}`);
        await ended(world, 'web', revision);
      }
      const sent = chat.slack.envelopes.deliveries.filter(({ type }) => type === 'events_api');
      expect(sent).toHaveLength(4);
      expect(sent[2]?.socket).not.toBe(sent[3]?.socket);
      // What is sent after them is deployed after them.
      chat.slack.as('bob').say('deploys', '@capdeploy deploy web production v1.0.2');
      await ended(world, 'web', 'v1.0.2');
      expect(deployed(world)).toEqual(['v1.0.0', 'v1.0.1', 'v1.0.2']);
      expect((await world.resource('web')).status?.history).toHaveLength(3);
    }, TWO),
  );

  test(
    'on a FIFO queue its group is the lane, and an envelope to both replicas is one message',
    inWorld(async (world) => {
      const queue = await world.createQueue('web.fifo', { FifoQueue: 'true' });
      await world.deployable('web', queue, WEB);
      // It is down when the line comes: what it has judged before is enough, and the message stays in the queue.
      const operator = world.startOperator();
      await specIsSeen(world);
      await operator.stop();
      await withBot(
        world,
        queue,
        async (chat) => {
          chat.slack.faults.envelope('events_api', 'both');
          const { message, delivered } = chat.slack
            .as('alice')
            .say('deploys', '@capdeploy deploy web production v1.0.0');
          await delivered;
          await eventually(
            'both have sent',
            async () => chat.seen('alice').filter((text) => /Sent to/.test(text)).length > 1,
          );
          expect(await world.depth(queue)).toBe(1);
          const names = ['MessageGroupId', 'MessageDeduplicationId'] as const;
          const { Messages = [] } = await world.sqs.send(
            new ReceiveMessageCommand({ QueueUrl: queue, MessageSystemAttributeNames: [...names] }),
          );
          expect(Messages).toHaveLength(1);
          const [{ Body = '', Attributes } = {}] = Messages;
          const { id } = JSON.parse(Body) as { id: string };
          expect(id).toBe(`slack-${chat.slack.world.team.id}-${message.channel}-${message.ts}`);
          expect(Attributes).toMatchObject({
            MessageGroupId: 'livesense/web/production',
            MessageDeduplicationId: expect.stringMatching(/^[0-9a-f]{64}$/),
          });
        },
        TWO,
      );
    }),
  );
});

describe.concurrent('who may not deploy in chat', () => {
  test(
    'gets nothing: not by a line, a form or the button of another',
    inChat(async (world, chat, { queue }) => {
      const carol = chat.slack.as('carol');
      world.script = () => ({ exitCode: 1 });
      chat.slack.as('alice').say('deploys', '@capdeploy deploy web production v1.0.0');
      const { job, environment } = await ended(world, 'web', 'v1.0.0');
      carol.say('deploys', '@capdeploy deploy web production v6.6.6');
      await chat.reads('carol', /no rule allows you this here/);
      const before = chat.seen('carol').length;
      await carol.click(await chat.posts('retry', { environment, job }), 'retry');
      await carol.command('deploys', '/deploy', 'web production v6.6.6');
      await carol.command('deploys', '/deploy');
      await eventually('she is refused each time', async () => chat.seen('carol').length === before + 4);
      expect(carol.openViews).toEqual([]);
      expect(chat.seen('carol').filter((text) => text.includes('no rule allows you this here'))).toHaveLength(4);
      expect(await world.depth(queue)).toBe(0);
      expect(deployed(world)).toEqual(['v1.0.0']);
    }),
  );

  test(
    'is everybody if Slack does not say who is in a group',
    inChat(async (world, chat, { queue }) => {
      {
        using _ = chat.slack.faults.web(
          'usergroups.users.list',
          { kind: 'status', status: 503 },
          Number.POSITIVE_INFINITY,
        );
        chat.slack.as('alice').say('deploys', '@capdeploy deploy web production v6.6.6');
        await chat.reads('alice', /Could not ask Slack who you are; nothing was done/);
      }
      expect(await world.depth(queue)).toBe(0);
      // What failed is asked again a little later.
      await eventually('Slack is asked again', async () => {
        await chat.slack.as('alice').command('deploys', '/deploy', 'whoami');
        return chat.seen('alice').some((text) => text.includes('production, staging'));
      });
      chat.slack.as('alice').say('deploys', '@capdeploy deploy web production v1.0.0');
      await ended(world, 'web', 'v1.0.0');
      expect(deployed(world)).toEqual(['v1.0.0']);
    }),
  );

  test(
    'is decided by the configuration before if the new one is wrong',
    inChat(async (world, chat) => {
      chat.configure((text) => text.replace('rules:', 'rulez:'));
      chat.slack.as('alice').say('deploys', '@capdeploy deploy web production v1.0.0');
      await ended(world, 'web', 'v1.0.0');
      chat.configure((text) => text.replace('rulez:', 'rules:').replace('[deploy, retry, ', '['));
      chat.slack.as('alice').say('deploys', '@capdeploy deploy web production v6.6.6');
      await chat.reads('alice', /no rule allows you this here/);
      const metrics = await chat.metrics.text();
      for (const success of ['false', 'true']) {
        expect(metrics).toMatch(new RegExp(`config_reloads_total\\{success="${success}"\\} 1`));
      }
      expect(deployed(world)).toEqual(['v1.0.0']);
    }),
  );
});
