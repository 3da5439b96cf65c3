import { z } from 'zod';
import type {
  Action,
  Command,
  Envelope,
  FieldValue,
  Mention,
  Place,
  Query,
  Shortcut,
  Submission,
  ViewState,
} from './listeners.ts';
import { typedText } from './typed-text.ts';

/**
 * From Slack's payloads to plain data. Ids become parts of names later, so they are checked to be ids.
 * https://docs.slack.dev/reference/interaction-payloads
 */

const id = (first: string) => z.string().regex(new RegExp(`^[${first}][A-Z0-9]{1,30}$`));
const teamId = id('TE');
const userId = id('UW');
const channelId = id('CDG');
const ts = z.string().regex(/^\d{1,12}\.\d{6}$/);
const triggerId = z.string().min(1).max(500);
const someId = z.string().max(255);

const option = z.object({ value: z.string() });
/** What a field holds: https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload */
const field = z.object({
  value: z.string().nullish(),
  selected_option: option.nullish(),
  selected_options: z.array(option).nullish(),
  selected_date: z.string().nullish(),
  selected_time: z.string().nullish(),
  selected_date_time: z.number().nullish(),
  selected_user: z.string().nullish(),
  selected_channel: z.string().nullish(),
  selected_conversation: z.string().nullish(),
});

const view = z.object({
  id: someId,
  hash: z.string(),
  callback_id: someId,
  private_metadata: z.string(),
  state: z.object({ values: z.record(z.string(), z.record(z.string(), field)) }).optional(),
});

const interaction = z.object({
  user: z.object({ id: userId, team_id: teamId.nullish() }),
  team: z.object({ id: teamId }).nullish(),
  enterprise: z.object({ id: id('E') }).nullish(),
});

const container = z.object({
  message_ts: ts.optional(),
  channel_id: channelId.optional(),
  thread_ts: ts.optional(),
  is_ephemeral: z.boolean().optional(),
});
const placed = interaction.extend({ container: container.optional(), view: view.optional() });

const command = z.object({
  team_id: teamId,
  enterprise_id: id('E').nullish(),
  user_id: userId,
  channel_id: channelId,
  command: z.string().startsWith('/').max(80),
  text: z.string(),
  trigger_id: triggerId,
});
const shortcut = interaction.extend({ callback_id: someId, trigger_id: triggerId });
const actions = placed.extend({
  trigger_id: triggerId,
  actions: z.array(field.extend({ action_id: someId, block_id: someId })).min(1),
});
const suggestion = placed.extend({ action_id: someId, block_id: someId, value: z.string() });
const submission = interaction.extend({ trigger_id: triggerId, view });

const mention = z.object({
  team_id: teamId,
  enterprise_id: id('E').nullish(),
  authorizations: z.array(z.object({ user_id: userId, is_bot: z.boolean() })),
  event: z.object({
    user: userId.optional(),
    bot_id: z.string().optional(),
    subtype: z.string().optional(),
    edited: z.unknown().optional(),
    channel: channelId,
    ts,
    thread_ts: ts.optional(),
    text: z.string(),
    blocks: z.array(z.unknown()).optional(),
  }),
});

/** @throws ZodError if the payload is not what Slack documents; so do all of these */
export function readCommand(body: unknown): Command {
  const read = command.parse(body);
  return {
    teamId: read.team_id,
    enterpriseId: read.enterprise_id ?? undefined,
    userId: read.user_id,
    channelId: read.channel_id,
    command: read.command,
    text: read.text,
    triggerId: read.trigger_id,
  };
}

/** @returns undefined for what no person typed as a message to the bot */
export function readMention(body: unknown): Mention | undefined {
  const { team_id, enterprise_id, authorizations, event } = mention.parse(body);
  const isTyped = event.bot_id === undefined && event.subtype === undefined && event.edited === undefined;
  const bot = authorizations.find(({ is_bot }) => is_bot)?.user_id;
  if (!isTyped || event.user === undefined || bot === undefined) return undefined;
  const text = typedText(event.text, event.blocks, bot);
  if (text === undefined) return undefined;
  return {
    teamId: team_id,
    enterpriseId: enterprise_id ?? undefined,
    userId: event.user,
    channelId: event.channel,
    ts: event.ts,
    threadTs: event.thread_ts,
    text,
  };
}

export function readShortcut(body: unknown): Shortcut {
  const read = shortcut.parse(body);
  return { ...envelope(read), callbackId: read.callback_id, triggerId: read.trigger_id };
}

export function readAction(body: unknown): Action {
  const read = actions.parse(body);
  const action = read.actions[0] as (typeof read.actions)[number];
  return {
    ...envelope(read),
    actionId: action.action_id,
    blockId: action.block_id,
    value: fieldValue(action),
    triggerId: read.trigger_id,
    place: placeOf(read),
  };
}

export function readQuery(body: unknown): Query {
  const read = suggestion.parse(body);
  return {
    ...envelope(read),
    actionId: read.action_id,
    blockId: read.block_id,
    value: read.value,
    place: placeOf(read),
  };
}

export function readSubmission(body: unknown): Submission {
  const read = submission.parse(body);
  return { ...envelope(read), triggerId: read.trigger_id, view: viewState(read.view) };
}

function envelope({ user, team, enterprise }: z.infer<typeof interaction>): Envelope {
  // An app that is installed for a whole organisation is told no team.
  const teamOfEnvelope = team?.id ?? user.team_id;
  return { teamId: teamId.parse(teamOfEnvelope), enterpriseId: enterprise?.id, userId: user.id };
}

function placeOf(read: z.infer<typeof placed>): Place {
  if (read.view !== undefined) return { kind: 'view', view: viewState(read.view) };
  const place = read.container;
  return {
    kind: 'message',
    channelId: channelId.parse(place?.channel_id),
    messageTs: ts.parse(place?.message_ts),
    threadTs: place?.thread_ts,
    isEphemeral: place?.is_ephemeral ?? false,
  };
}

function viewState(read: z.infer<typeof view>): ViewState {
  const blocks = Object.entries(read.state?.values ?? {}).map(([block, fields]) => {
    const values = Object.entries(fields).map(([action, state]) => [action, fieldValue(state)] as const);
    return [block, Object.fromEntries(values.filter(([, value]) => value !== undefined))] as const;
  });
  return {
    id: read.id,
    hash: read.hash,
    callbackId: read.callback_id,
    privateMetadata: read.private_metadata,
    values: Object.fromEntries(blocks) as ViewState['values'],
  };
}

function fieldValue(state: z.infer<typeof field>): FieldValue | undefined {
  if (state.selected_options) return state.selected_options.map(({ value }) => value);
  const time = state.selected_date_time;
  const one = state.value ?? state.selected_option?.value ?? state.selected_date ?? state.selected_time;
  const chosen = state.selected_user ?? state.selected_channel ?? state.selected_conversation;
  return one ?? chosen ?? (time == null ? undefined : String(time));
}
