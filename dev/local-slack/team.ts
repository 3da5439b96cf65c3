/**
 * The workspace: its people, channels and groups, as a test seeds them, and how the Web API shows them.
 *
 * @see https://docs.slack.dev/reference/objects/user-object
 * @see https://docs.slack.dev/reference/objects/conversation-object
 */
import type { Json } from './json.ts';

export interface UserSeed {
  /** `U0ALICE` for `alice`, if not given. */
  id?: string;
  realName?: string;
  /** IANA name. */
  tz?: string;
  /** Seconds east of UTC. */
  tzOffset?: number;
  locale?: string;
  /** A guest of several channels (`restricted`) or of one (`ultra`). */
  guest?: 'restricted' | 'ultra';
  /** A bot or a workflow. */
  bot?: boolean;
  deleted?: boolean;
  admin?: boolean;
  /** The team of a stranger in a shared channel. */
  otherTeam?: string;
}

export interface ChannelSeed {
  /** `C0DEPLOYS` for `deploys`, if not given; `D…` for `im`. */
  id?: string;
  /** Names of users, and of apps' bots. */
  members: string[];
  private?: boolean;
  archived?: boolean;
  /** With another company (Slack Connect). */
  extShared?: boolean;
  /** An invitation of another company is open. */
  pendingExtShared?: boolean;
  /** A conversation of two. */
  im?: boolean;
}

export interface GroupSeed {
  id?: string;
  users: string[];
  disabled?: boolean;
}

export interface User extends Omit<UserSeed, 'id'> {
  id: string;
  name: string;
}

export interface Channel extends Omit<ChannelSeed, 'id' | 'members'> {
  id: string;
  name: string;
  members: Set<string>;
}

export interface Group {
  id: string;
  name: string;
  users: Set<string>;
  disabled: boolean;
}

const idOf = (prefix: string, name: string): string => `${prefix}0${name.toUpperCase().replace(/[^A-Z0-9]/g, '')}`;

export class Team {
  readonly id = 'T0TEAM';
  readonly name = 'Example';
  readonly domain = 'example';
  readonly users = new Map<string, User>();
  readonly channels = new Map<string, Channel>();
  readonly groups = new Map<string, Group>();

  addUser(name: string, seed: UserSeed = {}): User {
    const user: User = { ...seed, id: seed.id ?? idOf('U', name), name };
    this.users.set(user.id, user);
    return user;
  }

  addChannel(name: string, seed: ChannelSeed): Channel {
    const members = new Set(seed.members.map((member) => this.user(member).id));
    const channel: Channel = { ...seed, id: seed.id ?? idOf(seed.im ? 'D' : 'C', name), name, members };
    this.channels.set(channel.id, channel);
    return channel;
  }

  addGroup(name: string, seed: GroupSeed): Group {
    const users = new Set(seed.users.map((user) => this.user(user).id));
    const group: Group = { id: seed.id ?? idOf('S', name), name, users, disabled: seed.disabled ?? false };
    this.groups.set(group.id, group);
    return group;
  }

  /** By id or name. */
  user(key: string): User {
    return find(this.users, key, 'user');
  }

  /** By id or name. */
  channel(key: string): Channel {
    return find(this.channels, key, 'channel');
  }

  /** By id or name. */
  group(key: string): Group {
    return find(this.groups, key, 'user group');
  }

  /** Whether the user can open the channel: all but guests and strangers can open a public one. */
  canRead(user: User, channel: Channel): boolean {
    if (channel.members.has(user.id)) return true;
    return !channel.private && !channel.im && user.guest === undefined && user.otherTeam === undefined;
  }
}

function find<T extends { name: string }>(map: Map<string, T>, key: string, kind: string): T {
  const found = map.get(key) ?? [...map.values()].find(({ name }) => name === key);
  if (found === undefined) throw new Error(`the test names a ${kind} that was not seeded: ${key}`);
  return found;
}

/** `user` of `users.info`. A deleted user has no time zone. */
export function userObject(team: Team, user: User, includeLocale: boolean): Json {
  const realName = user.realName ?? user.name;
  return {
    id: user.id,
    team_id: user.otherTeam ?? team.id,
    name: user.name,
    deleted: user.deleted ?? false,
    ...(user.deleted ? {} : timeZone(user)),
    real_name: realName,
    profile: { real_name: realName, display_name: user.name, team: user.otherTeam ?? team.id },
    ...(user.otherTeam === undefined ? {} : { is_stranger: true }),
    is_admin: user.admin ?? false,
    is_owner: false,
    is_primary_owner: false,
    is_restricted: user.guest !== undefined,
    is_ultra_restricted: user.guest === 'ultra',
    is_bot: user.bot ?? false,
    is_app_user: false,
    updated: 1_767_225_600,
    ...(includeLocale ? { locale: user.locale ?? 'en-US' } : {}),
  };
}

const timeZone = (user: User): Json => ({
  tz: user.tz ?? 'Asia/Tokyo',
  tz_label: user.tz ?? 'Japan Standard Time',
  tz_offset: user.tzOffset ?? 32_400,
});

/** `channel` of `conversations.info`. */
export function channelObject(team: Team, channel: Channel, reader: string, options: Json): Json {
  const base = {
    id: channel.id,
    created: 1_767_225_600,
    is_archived: channel.archived ?? false,
    is_im: channel.im ?? false,
    is_org_shared: false,
    context_team_id: team.id,
    ...(options.include_locale === true ? { locale: 'en-US' } : {}),
    ...(options.include_num_members === true ? { num_members: channel.members.size } : {}),
  };
  if (channel.im) return { ...base, user: [...channel.members].find((member) => member !== reader) };
  return {
    ...base,
    name: channel.name,
    name_normalized: channel.name,
    // Since 2021 private channels too are `is_channel`; `is_group` tells of an old one.
    is_channel: true,
    is_group: false,
    is_mpim: false,
    is_private: channel.private ?? false,
    is_general: false,
    is_shared: channel.extShared ?? false,
    is_ext_shared: channel.extShared ?? false,
    is_pending_ext_shared: channel.pendingExtShared ?? false,
    shared_team_ids: [team.id],
    is_member: channel.members.has(reader),
  };
}
