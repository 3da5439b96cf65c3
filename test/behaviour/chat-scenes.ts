import { expect } from 'vitest';
import type { HistoryEntry } from '../../src/api/capdeployjob.ts';
import type { Chat } from './chat-world.ts';
import { deployed, ended, eventually, lane, running, type World, waiting } from './world.ts';

/**
 * What people see of a deploy in chat, from the line to the history. Each scene stands for itself: on a real control
 * plane all of them have one CapDeployJob. Those that decide run where deploy/admission holds the bot.
 */
type Scene = (world: World, chat: Chat) => Promise<void>;

/** The status entry of the revision that waits for an approval in staging. */
const unapproved = (world: World, revision: string) =>
  eventually(`${revision} waits for an approval`, async () => {
    const { status } = await world.resource('web');
    return lane(status, 'staging')?.waiting?.find((each) => each.revision === revision && each.approvalMissing);
  });

/** All that has ended of a revision, the newest first, once it is so many. */
export const endings = (world: World, revision: string, count: number): Promise<HistoryEntry[]> =>
  eventually(`${count} deploys of ${revision} have ended`, async () => {
    const { status } = await world.resource('web');
    const found = status?.history?.filter((each) => each.revision === revision) ?? [];
    return found.length >= count && found;
  });

const deployLine = (revision: string, environment = 'production') => `@capdeploy deploy web ${environment} ${revision}`;

export const lineBecomesDeploy: Scene = async (world, chat) => {
  const { slack } = chat;
  const { message } = slack.as('alice').say('deploys', '@capdeploy deploy -r\u00a0web -e production\u00a0-h v1.0.0');
  const entry = await ended(world, 'web', 'v1.0.0');
  expect(entry).toMatchObject({
    environment: 'production',
    result: 'Succeeded',
    requestedBy: `${chat.actor('alice')} alice`,
    slack: { channel: message.channel, threadTs: message.ts },
  });
  await chat.reads('alice', /Understood: livesense\/web → production v1\.0\.0\nSent to .*\/web\./);
  await chat.asks('carol', 'history web production', 'v1.0.0');
};

export const freezeHolds: Scene = async (world, chat) => {
  const { slack } = chat;
  await chat.may('freeze');
  slack.as('alice').say('deploys', '@capdeploy freeze web production "incident 42 <!channel>"');
  // A mention would stand between ⟦ and ⟧.
  await chat.reads('carol', /@alice⟧ freezes [a-z0-9-]+\/web → production: incident 42 <!channel>/);
  slack.as('bob').say('deploys', deployLine('v2.0.0'));
  const [entry] = await waiting(world, 'v2.0.0');
  expect(entry).toMatchObject({ reasons: ['Frozen'] });
  expect(entry?.why).toContain('incident 42');
  const told = await chat.asks('carol', 'queue web', 'v2.0.0');
  expect(slack.world.messages.rendered(told)).toContain('incident 42');
  slack.as('bob').say('deploys', '@capdeploy unfreeze web production');
  await chat.reads('carol', /@bob⟧ thaws [a-z0-9-]+\/web → production\. It was frozen: .*incident 42 <!channel>/);
  expect(await ended(world, 'web', 'v2.0.0')).toMatchObject({ result: 'Succeeded' });
};

export const abortByClick: Scene = async (world, chat) => {
  const { slack } = chat;
  world.script = () => 'run';
  slack.as('bob').say('deploys', deployLine('v3.0.0'));
  await running(world, 'v3.0.0');
  await chat.may('abort');
  await eventually('the status says that it runs', async () => {
    const active = lane((await world.resource('web')).status, 'production')?.active ?? [];
    return active.some(({ revision }) => revision === 'v3.0.0');
  });
  const answered = await chat.asks('alice', 'queue web', 'v3.0.0');
  const form = await chat.clicks('alice', answered, 'Abort');
  expect(form.text).toContain('v3.0.0');
  expect(form.text).toContain('It is stopped where it stands.');
  expect(await form.submit()).toEqual({ result: 'closed' });
  world.script = () => ({ exitCode: 0 });
  expect(await ended(world, 'web', 'v3.0.0')).toMatchObject({ result: 'Aborted', abortedBy: chat.actor('alice') });
  await chat.reads('carol', /@alice⟧ aborts livesense\/web → production v3\.0\.0/);
};

export const retryByClick: Scene = async (world, chat) => {
  const { slack } = chat;
  world.script = () => ({ exitCode: 1 });
  slack.as('alice').say('deploys', deployLine('v4.0.0'));
  const { job, environment } = await ended(world, 'web', 'v4.0.0');
  world.script = () => ({ exitCode: 0 });
  const message = await chat.posts('retry', { environment, job });
  const form = await chat.clicks('bob', message, 'retry');
  expect(form.text).toContain('failed');
  expect(await form.submit()).toEqual({ result: 'closed' });
  const [again] = await endings(world, 'v4.0.0', 2);
  expect(again).toMatchObject({ result: 'Succeeded', requestedBy: `${chat.actor('bob')} bob` });
  await chat.reads('carol', /@bob⟧ retries livesense\/web → production v4\.0\.0/);
};

export const rollBackByClick: Scene = async (world, chat) => {
  const { slack } = chat;
  for (const revision of ['v5.0.0', 'v5.0.1']) {
    slack.as('alice').say('deploys', deployLine(revision));
    await ended(world, 'web', revision);
  }
  const { job, environment } = await ended(world, 'web', 'v5.0.1');
  const message = await chat.posts('rollback', { environment, job });
  const form = await chat.clicks('bob', message, 'rollback');
  expect(form.text).toContain('Deploys v5.0.0, which was there before v5.0.1.');
  expect(await form.submit()).toEqual({ result: 'closed' });
  const [back] = await endings(world, 'v5.0.0', 2);
  expect(back).toMatchObject({ result: 'Succeeded', requestedBy: `${chat.actor('bob')} bob` });
  await chat.reads('carol', /@bob⟧ rolls back livesense\/web → production: v5\.0\.1 → v5\.0\.0/);
};

export const approveByClick: Scene = async (world, chat) => {
  const { slack } = chat;
  slack.as('alice').say('deploys', deployLine('v6.0.0', 'staging'));
  const { job } = await unapproved(world, 'v6.0.0');
  await chat.may('approve');
  const message = await chat.posts('approve', { environment: 'staging', job });
  expect(await slack.as('alice').click(message, 'approve')).toEqual({ acknowledged: true });
  await chat.reads('alice', /who asked for a deploy cannot approve it/);
  expect(slack.as('alice').openViews).toEqual([]);
  expect((await unapproved(world, 'v6.0.0')).approvedBy).toBeUndefined();
  const form = await chat.clicks('bob', message, 'approve');
  expect(form.text).toContain('v6.0.0');
  expect(await form.submit()).toEqual({ result: 'closed' });
  expect(await ended(world, 'web', 'v6.0.0')).toMatchObject({ result: 'Succeeded', approvedBy: chat.actor('bob') });
  expect(deployed(world, 'staging')).toContain('v6.0.0');
  await chat.reads('carol', /@bob⟧ approves livesense\/web → staging v6\.0\.0/);
};
