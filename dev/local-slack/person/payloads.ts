/**
 * What an app receives.
 *
 * @see https://docs.slack.dev/reference/interaction-payloads
 * @see https://docs.slack.dev/reference/events/app_mention
 */
import { randomBytes } from 'node:crypto';
import type { App } from '../app.ts';
import type { Json } from '../json.ts';
import type { Message } from '../messages.ts';
import type { Channel, User } from '../team.ts';
import type { View } from '../views.ts';
import { messageObject } from '../web-api/method.ts';
import type { World } from '../world.ts';

/** The verification token of old: it is still sent. */
const TOKEN = 'verification-token';

const channelName = (channel: Channel): string =>
  channel.im ? 'directmessage' : channel.private ? 'privategroup' : channel.name;

function interaction(world: World, app: App, user: User, type: string): Json {
  return {
    type,
    user: { id: user.id, username: user.name, name: user.name, team_id: user.otherTeam ?? world.team.id },
    api_app_id: app.id,
    token: TOKEN,
    team: { id: world.team.id, domain: world.team.domain },
    enterprise: null,
    is_enterprise_install: false,
  };
}

export interface Used {
  block: Json;
  element: Json;
  /** What was chosen or typed; nothing for a button. */
  value: Json;
}

const action = (world: World, { block, element, value }: Used): Json => ({
  action_id: element.action_id,
  block_id: block.block_id,
  type: element.type,
  ...(element.type === 'button' ? { text: element.text } : {}),
  ...(element.value === undefined ? {} : { value: element.value }),
  ...value,
  action_ts: world.messages.newTs(),
});

/** A message as the place of an interaction. An ephemeral one is not sent along. */
function inMessage(world: World, message: Message): Json {
  const channel = world.team.channel(message.channel);
  const ephemeral = message.ephemeralTo !== undefined;
  return {
    container: {
      type: 'message',
      message_ts: message.ts,
      channel_id: channel.id,
      is_ephemeral: ephemeral,
      ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
    },
    channel: { id: channel.id, name: channelName(channel) },
    ...(ephemeral ? {} : { message: messageObject(world, message, false) }),
  };
}

const inView = (world: World, view: View): Json => ({
  container: { type: 'view', view_id: view.id },
  view: world.views.object(view),
});

export function blockActionsInMessage(
  world: World,
  app: App,
  user: User,
  message: Message,
  used: Used,
  state: Json,
): Json {
  const thread = message.threadTs === undefined ? {} : { threadTs: message.threadTs };
  return {
    ...interaction(world, app, user, 'block_actions'),
    ...inMessage(world, message),
    trigger_id: world.triggers.issue(app.id, user.id),
    state: { values: state },
    response_url: world.hooks.issue(app, message.channel, user.id, { original: message, ...thread }),
    actions: [action(world, used)],
  };
}

export const blockActionsInView = (world: World, user: User, view: View, used: Used): Json => ({
  ...interaction(world, view.app, user, 'block_actions'),
  ...inView(world, view),
  trigger_id: world.triggers.issue(view.app.id, user.id, view.id),
  actions: [action(world, used)],
});

export const blockSuggestion = (world: World, app: App, user: User, place: Message | View, used: Used): Json => ({
  ...interaction(world, app, user, 'block_suggestion'),
  ...('hash' in place ? inView(world, place) : inMessage(world, place)),
  action_id: used.element.action_id,
  block_id: used.block.block_id,
  ...used.value,
});

export const viewSubmission = (world: World, user: User, view: View): Json => ({
  ...interaction(world, view.app, user, 'view_submission'),
  trigger_id: world.triggers.issue(view.app.id, user.id, view.id),
  view: world.views.object(view),
  response_urls: [],
});

export const viewClosed = (world: World, user: User, view: View, isCleared: boolean): Json => ({
  ...interaction(world, view.app, user, 'view_closed'),
  view: world.views.object(view),
  is_cleared: isCleared,
});

export const shortcut = (world: World, app: App, user: User, callbackId: string): Json => ({
  ...interaction(world, app, user, 'shortcut'),
  action_ts: world.messages.newTs(),
  callback_id: callbackId,
  trigger_id: world.triggers.issue(app.id, user.id),
});

/** @see https://docs.slack.dev/interactivity/implementing-slash-commands#app_command_handling */
export const slashCommand = (
  world: World,
  app: App,
  user: User,
  channel: Channel,
  command: string,
  text: string,
): Json => ({
  token: TOKEN,
  team_id: world.team.id,
  team_domain: world.team.domain,
  channel_id: channel.id,
  channel_name: channelName(channel),
  user_id: user.id,
  user_name: user.name,
  command,
  text,
  api_app_id: app.id,
  is_enterprise_install: 'false',
  response_url: world.hooks.issue(app, channel.id, user.id),
  trigger_id: world.triggers.issue(app.id, user.id),
});

/** Any event, in the envelope's usual frame. */
export function eventCallback(world: World, app: App, event: Json, channel?: Channel): Json {
  const installation = { enterprise_id: null, team_id: world.team.id, is_enterprise_install: false };
  return {
    token: TOKEN,
    team_id: world.team.id,
    context_team_id: world.team.id,
    context_enterprise_id: null,
    api_app_id: app.id,
    event,
    type: 'event_callback',
    event_id: `Ev0${randomBytes(5).toString('hex').toUpperCase()}`,
    event_time: Math.floor(world.clock.now() / 1000),
    authorizations: [{ ...installation, user_id: app.userId, is_bot: true }],
    is_ext_shared_channel: channel?.extShared ?? false,
    event_context: randomBytes(8).toString('hex'),
  };
}

export function appMention(world: World, user: User, message: Message): Json {
  return {
    ...messageObject(world, message, false),
    type: 'app_mention',
    channel: message.channel,
    event_ts: message.edited?.ts ?? message.ts,
    ...(user.otherTeam === undefined ? {} : { user_team: user.otherTeam, source_team: user.otherTeam }),
    ...(user.bot ? { bot_id: `B0${user.id.slice(2)}`, subtype: 'bot_message' } : {}),
  };
}
