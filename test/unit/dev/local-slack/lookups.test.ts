import { describe, expect, test } from 'vitest';
import type { Json } from '../../../../dev/local-slack/json.ts';
import { code, refusal, useSlack } from './rig.ts';

const rig = useSlack();

describe('who is who', () => {
  const person = async (name: string): Promise<Json> =>
    (await rig.client.users.info({ user: rig.user(name), include_locale: true })).user as Json;

  test('guests, bots, those who left, strangers; time zone and locale', async () => {
    expect(await person('alice')).toMatchObject({
      tz: 'Asia/Tokyo',
      locale: 'ja-JP',
      is_restricted: false,
      deleted: false,
    });
    expect(await person('gina')).toMatchObject({ is_restricted: true, is_ultra_restricted: false });
    expect(await person('sam')).toMatchObject({ is_restricted: true, is_ultra_restricted: true });
    expect(await person('workflow')).toMatchObject({ is_bot: true });
    expect(await person('eve')).toMatchObject({ is_stranger: true, team_id: 'T0OTHER' });
    expect(await person('dora')).toMatchObject({ deleted: true });
    expect(await person('dora')).not.toHaveProperty('tz');
    expect(await code(rig.client.users.info({ user: 'U0NOBODY' }))).toBe('user_not_found');
  });

  test('channels: shared, archived, private, direct; what is hidden does not exist', async () => {
    const channel = async (name: string): Promise<Json> =>
      (await rig.client.conversations.info({ channel: rig.channel(name).id })).channel as Json;
    expect(await channel('deploys')).toMatchObject({ is_member: true, is_private: false, is_ext_shared: false });
    expect(await channel('elsewhere')).toMatchObject({ is_member: false });
    expect(await channel('prod')).toMatchObject({ is_private: true });
    expect(await channel('old')).toMatchObject({ is_archived: true });
    expect(await channel('shared')).toMatchObject({ is_ext_shared: true, is_shared: true });
    expect(await code(rig.client.conversations.info({ channel: rig.channel('secret').id }))).toBe('channel_not_found');
  });

  test('a direct message needs a scope of its own', async () => {
    expect(await refusal(rig.client.conversations.info({ channel: rig.channel('direct').id }))).toMatchObject({
      error: 'missing_scope',
      needed: 'im:read',
    });
  });

  test('members, page by page', async () => {
    const members = (more: Json): Promise<Json> =>
      rig.api('conversations.members', { channel: rig.channel('prod').id, ...more });
    const first = await members({ limit: 1 });
    expect(first.members).toEqual([rig.user('alice')]);
    const { next_cursor: cursor } = first.response_metadata as { next_cursor: string };
    expect(await members({ limit: 1, cursor })).toMatchObject({
      members: [rig.user('capdeploy')],
      response_metadata: { next_cursor: '' },
    });
    expect(await code(members({ cursor: 'x' }))).toBe('invalid_cursor');
    expect(await code(members({ limit: 1001 }))).toBe('invalid_limit');
  });

  test('user groups: those who left are not in them; a disabled one is not there', async () => {
    const users = async (usergroup: string, more = {}): Promise<unknown> =>
      (await rig.client.usergroups.users.list({ usergroup, ...more })).users;
    expect(await users('S0RELEASE')).toEqual([rig.user('alice')]);
    expect(await code(users('S0NONE'))).toBe('no_such_subteam');
    expect(await code(users('S0GONE'))).toBe('no_such_subteam');
    expect(await users('S0GONE', { include_disabled: true })).toEqual([rig.user('alice')]);
  });
});
