import { describe, expect, test } from 'vitest';
import { abortByClick, approveByClick, endings, freezeHolds, retryByClick, rollBackByClick } from './chat-scenes.ts';
import { inChat } from './chat-world.ts';
import { deployed, ended } from './world.ts';

const TWO = { replicas: 2 };

/** What people decide in chat. On a real control plane the bot is held by its policies: test/cluster/chat.test.ts. */
describe.concurrent('decisions in chat', () => {
  test('a freeze holds a deploy, which says so in the queue, until it is thawed', inChat(freezeHolds));
  test('a deploy that runs is aborted by a click in the queue', inChat(abortByClick));
  test('a deploy that failed is retried by a click', inChat(retryByClick));
  test('a deploy is rolled back by a click', inChat(rollBackByClick));
  test('a deploy is approved by a click of another person than the one who asked', inChat(approveByClick));

  test(
    'several people on one button, at two replicas, make one deploy',
    inChat(async (world, chat) => {
      world.script = () => ({ exitCode: 1 });
      chat.slack.as('alice').say('deploys', '@capdeploy deploy web production v4.0.0');
      const { job, environment } = await ended(world, 'web', 'v4.0.0');
      world.script = () => ({ exitCode: 0 });
      const message = await chat.posts('retry', { environment, job });
      const forms = [
        await chat.clicks('alice', message, 'retry'),
        await chat.clicks('bob', message, 'retry'),
        await chat.clicks('hanako', message, 'retry'),
      ];
      chat.slack.faults.envelope('interactive', 'both', 2);
      const results = await Promise.all(forms.map((form) => form.submit()));
      expect(results.map(({ result }) => result)).toContain('closed');
      expect((await endings(world, 'v4.0.0', 2))[0]).toMatchObject({ result: 'Succeeded' });
      // What is sent after them is deployed after them.
      chat.slack.as('bob').say('deploys', '@capdeploy deploy web production v4.0.1');
      await ended(world, 'web', 'v4.0.1');
      expect(deployed(world)).toEqual(['v4.0.0', 'v4.0.0', 'v4.0.1']);
      expect(await endings(world, 'v4.0.0', 2)).toHaveLength(2);
    }, TWO),
  );
});
