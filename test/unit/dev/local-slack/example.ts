import type { TeamSeed } from '../../../../dev/local-slack/local-slack.ts';

/**
 * A team as the tests of the local Slack use it. `bob` may less, `gina` and `sam` are guests of two kinds, `eve` is of
 * another company.
 */
export const example = (): TeamSeed => ({
  apps: [
    {
      name: 'capdeploy',
      scopes: [
        ...['app_mentions:read', 'commands', 'chat:write', 'users:read', 'usergroups:read', 'channels:read'],
        ...['groups:read', 'reactions:write', 'channels:history', 'groups:history'],
      ],
      commands: ['/deploy'],
      shortcuts: ['deploy'],
      events: ['app_mention'],
    },
    { name: 'other', scopes: ['chat:write'] },
  ],
  users: {
    alice: { tz: 'Asia/Tokyo', locale: 'ja-JP' },
    bob: { tz: 'Europe/Berlin', tzOffset: 3600, locale: 'en-GB' },
    gina: { guest: 'restricted' },
    sam: { guest: 'ultra' },
    dora: { deleted: true },
    root: { admin: true },
    workflow: { bot: true },
    eve: { otherTeam: 'T0OTHER' },
  },
  channels: {
    deploys: { members: ['alice', 'bob', 'gina', 'root', 'workflow', 'capdeploy', 'other'] },
    prod: { private: true, members: ['alice', 'capdeploy'] },
    secret: { private: true, members: ['bob'] },
    elsewhere: { members: ['bob'] },
    old: { archived: true, members: ['alice', 'capdeploy'] },
    shared: { extShared: true, members: ['alice', 'eve', 'capdeploy'] },
    direct: { im: true, members: ['alice', 'capdeploy'] },
  },
  groups: { release: { users: ['alice', 'dora'] }, gone: { users: ['alice'], disabled: true } },
});
