import { z } from 'zod';
import { cleanText } from '../text/escape.ts';
import type { ChannelInfo, UserInfo } from './slack-api.ts';
import { SlackError } from './slack-error.ts';

/** What the Web API answers, as far as it is read. A field that decides who may do something must be there. */

const text = z.string().optional();

/** https://docs.slack.dev/reference/objects/user-object */
const user = z.object({
  user: z.object({
    id: z.string(),
    team_id: z.string().optional(),
    enterprise_user: z.object({ teams: z.array(z.string()) }).optional(),
    deleted: z.boolean(),
    is_bot: z.boolean(),
    is_workflow_bot: z.boolean().optional(),
    // Missing for who has left.
    is_restricted: z.boolean().optional(),
    is_ultra_restricted: z.boolean().optional(),
    // There only for who is one.
    is_stranger: z.boolean().optional(),
    name: text,
    real_name: text,
    profile: z.object({ display_name: text, real_name: text }).optional(),
    tz: z.string().nullish(),
    locale: text,
  }),
});

/** https://docs.slack.dev/reference/objects/conversation-object */
const channel = z.object({
  channel: z.object({
    is_archived: z.boolean(),
    is_im: z.boolean(),
    is_mpim: z.boolean().optional(),
    // Missing for a conversation of two.
    is_ext_shared: z.boolean().optional(),
    is_pending_ext_shared: z.boolean().optional(),
    // Of the bot; missing for conversations.
    is_member: z.boolean().optional(),
  }),
});

const members = z.object({
  members: z.array(z.string()),
  response_metadata: z.object({ next_cursor: text }).optional(),
});

const view = z.object({ view: z.object({ id: z.string(), hash: text }) });

export const ANSWERS = {
  self: z.object({ team_id: z.string(), user_id: z.string() }),
  user,
  channel,
  members,
  group: z.object({ users: z.array(z.string()) }),
  posted: z.object({ channel: z.string(), ts: z.string() }),
  done: z.object({}),
  view,
} as const;

/** @throws SlackError `unexpected_answer`, with the names of the fields, if the answer is another one */
export function readAnswer<T>(method: string, schema: z.ZodType<T>, answer: unknown): T {
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  const detail = read.error.issues.map(({ path }) => path.join('.')).join(', ');
  throw new SlackError(method, 'unexpected_answer', { detail });
}

export function userInfo(answer: z.infer<typeof user>): UserInfo {
  const { user: found } = answer;
  const names = [found.profile?.display_name, found.profile?.real_name, found.real_name, found.name];
  return {
    teamIds: [...new Set([found.team_id ?? [], found.enterprise_user?.teams ?? []].flat())],
    isDeleted: found.deleted,
    isBot: found.is_bot || found.is_workflow_bot === true,
    // What is not said to be false counts as true.
    isGuest: found.is_restricted !== false || found.is_ultra_restricted !== false,
    isStranger: found.is_stranger === true,
    name: names.map((name) => cleanText(name ?? '')).find((name) => name !== undefined) ?? found.id,
    locale: found.locale,
    timeZone: found.tz ?? undefined,
  };
}

export function channelInfo(answer: z.infer<typeof channel>): ChannelInfo {
  const { channel: found } = answer;
  const isDirect = found.is_im || found.is_mpim === true;
  return {
    // What is not said to be false counts as true.
    isShared: !found.is_im && (found.is_ext_shared !== false || found.is_pending_ext_shared === true),
    isArchived: found.is_archived,
    isMember: found.is_member !== false,
    isDirect,
  };
}
