import type { KnownBlock, View } from '@slack/types';

/**
 * What the bot asks of Slack's Web API. Each method makes one call, waits for it at most for its time-out, and repeats
 * nothing; so each may throw `SlackError`, `ratelimited` too.
 */
export interface SlackApi {
  /** https://docs.slack.dev/reference/methods/auth.test */
  authTest(): Promise<Self>;
  /** https://docs.slack.dev/reference/methods/users.info */
  userInfo(userId: string): Promise<UserInfo>;
  /** https://docs.slack.dev/reference/methods/conversations.info */
  channelInfo(channelId: string): Promise<ChannelInfo>;
  /** Whether the user is a member of the channel: https://docs.slack.dev/reference/methods/conversations.members */
  isMember(channelId: string, userId: string): Promise<boolean>;
  /** Ids of users: https://docs.slack.dev/reference/methods/usergroups.users.list (20 calls a minute) */
  groupMembers(groupId: string): Promise<readonly string[]>;
  /** https://docs.slack.dev/reference/methods/chat.postMessage */
  postMessage(message: Message): Promise<{ channelId: string; ts: string }>;
  /** Only one person sees it, and not for ever: https://docs.slack.dev/reference/methods/chat.postEphemeral */
  postEphemeral(message: Message & { user: string }): Promise<void>;
  /**
   * Answers a command or a click so that only the one who asked sees it; also in a channel of which the bot is no member.
   * https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
   * @param responseUrl of the envelope: for 30 minutes and 5 answers
   */
  respond(responseUrl: string, message: Omit<Message, 'channel' | 'threadTs'>): Promise<void>;
  /**
   * https://docs.slack.dev/reference/methods/views.open
   * @param triggerId of the envelope: it lives 3 s and opens one view
   */
  openView(triggerId: string, view: View): Promise<OpenView>;
  /**
   * https://docs.slack.dev/reference/methods/views.update
   * @param hash of the view that is to be replaced: `hash_conflict` if another update came first
   */
  updateView(viewId: string, view: View, hash?: string): Promise<OpenView>;
}

/** The bot itself. */
export interface Self {
  readonly teamId: string;
  readonly userId: string;
}

export interface UserInfo {
  /** The teams that the user is in: several on Enterprise Grid. */
  readonly teamIds: readonly string[];
  readonly isDeleted: boolean;
  readonly isBot: boolean;
  /** A guest of one channel or of several. */
  readonly isGuest: boolean;
  /** Is of another company, in a shared channel. */
  readonly isStranger: boolean;
  /** As people see it; chosen by the user, so for texts only. */
  readonly name: string;
  /** For example `ja-JP`. */
  readonly locale: string | undefined;
  /** IANA name, as Slack says it. */
  readonly timeZone: string | undefined;
}

export interface ChannelInfo {
  /** With another company, or an invitation to one is open. */
  readonly isShared: boolean;
  readonly isArchived: boolean;
  /** The bot is a member, so that it can post there. */
  readonly isMember: boolean;
  /** A conversation of two or of several. */
  readonly isDirect: boolean;
}

export interface Message {
  readonly channel: string;
  /** The first message of the thread. */
  readonly threadTs?: string | undefined;
  /**
   * Plain text: nothing in it becomes a mention or a link. It is the notification, and the whole message if there are
   * no blocks or Slack refuses them.
   */
  readonly text: string;
  readonly blocks?: readonly KnownBlock[];
}

export interface OpenView {
  readonly id: string;
  readonly hash: string | undefined;
}
