import type { Message } from '../messages.ts';
import type { Acknowledgement, Envelopes } from '../socket-mode/envelopes.ts';
import type { World } from '../world.ts';
import { appMention, eventCallback } from './payloads.ts';

/**
 * Tells the apps that a message mentions, in its text or in what it quotes: those with the scope, the subscription, and
 * their bot in the channel. What bots write is told too, an app's own messages not excepted.
 */
export function deliverMentions(world: World, envelopes: Envelopes, message: Message): Promise<Acknowledgement[]> {
  const channel = world.team.channel(message.channel);
  const everything = [message.text, ...message.attachments.map(({ text }) => String(text))].join('\n');
  const mentioned = world.apps.filter(
    (app) =>
      everything.includes(`<@${app.userId}>`) &&
      channel.members.has(app.userId) &&
      app.has('app_mentions:read') &&
      app.seed.events?.includes('app_mention'),
  );
  const event = appMention(world, world.team.user(message.user), message);
  return Promise.all(
    mentioned.map((app) => envelopes.deliver(app, 'events_api', eventCallback(world, app, event, channel))),
  );
}
