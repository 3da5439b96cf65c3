/**
 * users.info, usergroups.users.list.
 *
 * @see https://docs.slack.dev/reference/methods/users.info
 * @see https://docs.slack.dev/reference/methods/usergroups.users.list
 */
import { SlackError } from '../slack-error.ts';
import { userObject } from '../team.ts';
import type { Method } from './method.ts';

export const users: Record<string, Method> = {
  'users.info': {
    token: 'bot',
    scopes: ['users:read'],
    tier: 'tier4',
    json: false,
    required: { user: 'string' },
    optional: { include_locale: 'boolean' },
    run: ({ world, args }) => {
      const user = world.team.users.get(String(args.user));
      if (user === undefined) throw new SlackError('user_not_found');
      return { user: userObject(world.team, user, args.include_locale === true) };
    },
  },
  'usergroups.users.list': {
    token: 'bot',
    scopes: ['usergroups:read'],
    tier: 'tier2',
    json: false,
    required: { usergroup: 'string' },
    optional: { include_disabled: 'boolean', team_id: 'string' },
    run: ({ world, args }) => {
      const group = world.team.groups.get(String(args.usergroup));
      const listed = group !== undefined && (!group.disabled || args.include_disabled === true);
      if (!listed) throw new SlackError('no_such_subteam');
      // Those who have left are no members any more.
      return { users: [...group.users].filter((id) => !world.team.users.get(id)?.deleted) };
    },
  },
};
