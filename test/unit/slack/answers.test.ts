import { describe, expect, test } from 'vitest';
import { ANSWERS, channelInfo, readAnswer, userInfo } from '../../../src/slack/answers.ts';

const user = (more: object = {}) => ({ id: 'U0ALICE', team_id: 'T0TEAM', deleted: false, is_bot: false, ...more });
const notGuest = { is_restricted: false, is_ultra_restricted: false };
const readUser = (given: object) => userInfo(readAnswer('users.info', ANSWERS.user, { ok: true, user: given }));
const readChannel = (given: object) =>
  channelInfo(readAnswer('conversations.info', ANSWERS.channel, { ok: true, channel: given }));

describe('a user', () => {
  test('of whom Slack does not say that they are no guest, is one', () => {
    expect(readUser(user(notGuest)).isGuest).toBe(false);
    expect(readUser(user()).isGuest).toBe(true);
    expect(readUser(user({ is_restricted: false })).isGuest).toBe(true);
    expect(readUser(user({ ...notGuest, is_restricted: true })).isGuest).toBe(true);
  });

  test('of Enterprise Grid is in several teams', () => {
    const teams = { enterprise_user: { teams: ['T0TEAM', 'T0SECOND'] } };
    expect(readUser(user(teams)).teamIds).toEqual(['T0TEAM', 'T0SECOND']);
    expect(readUser(user({ team_id: undefined })).teamIds).toEqual([]);
  });

  test('that a workflow is, is a bot', () => {
    expect(readUser(user({ is_workflow_bot: true })).isBot).toBe(true);
  });

  test('has the name that people see, without what hides or reorders text', () => {
    const profile = { display_name: '', real_name: 'Alice\u202e\u200b B' };
    expect(readUser(user({ name: 'alice', profile })).name).toBe('Alice B');
    expect(readUser(user({ name: 'alice' })).name).toBe('alice');
    expect(readUser(user()).name).toBe('U0ALICE');
  });
});

describe('a channel', () => {
  const ours = { is_archived: false, is_im: false, is_ext_shared: false };

  test('of which Slack does not say that it is not shared, is shared', () => {
    expect(readChannel(ours)).toEqual({
      isShared: false,
      isArchived: false,
      isMember: true,
      isDirect: false,
    });
    expect(readChannel({ ...ours, is_member: false }).isMember).toBe(false);
    expect(readChannel({ ...ours, is_ext_shared: undefined }).isShared).toBe(true);
    expect(readChannel({ ...ours, is_pending_ext_shared: true }).isShared).toBe(true);
  });

  test('of two or of several people is direct', () => {
    expect(readChannel({ is_archived: false, is_im: true })).toEqual({
      isShared: false,
      isArchived: false,
      isMember: true,
      isDirect: true,
    });
    expect(readChannel({ ...ours, is_mpim: true }).isDirect).toBe(true);
  });

  test.each(['is_archived', 'is_im'])('without %s is no answer', (name) => {
    expect(() => readChannel({ ...ours, [name]: undefined })).toThrow(`unexpected_answer (channel.${name})`);
  });
});
