import { expect, it } from 'vitest';
import { ruleSchema } from '../../../src/chat/rules.ts';

const RULE = {
  may: ['deploy', 'abort'],
  targets: ['deploy/web'],
  environments: ['production'],
  channels: ['C0PROD'],
  groups: ['S0RELEASE'],
};

it('takes a rule', () => {
  expect(ruleSchema.parse(RULE)).toEqual({ ...RULE, users: [] });
  expect(ruleSchema.safeParse({ ...RULE, targets: ['*'], environments: ['*'], users: ['U0ALICE'] }).success).toBe(true);
});

it.each<[string, object, string]>([
  ['a verb that is none', { may: ['deploy', 'destroy'] }, 'may.1'],
  ['no verb', { may: [] }, 'may'],
  ['help, which needs no rule', { may: ['help'] }, 'may.0'],
  ['a target without its namespace', { targets: ['web'] }, 'targets.0'],
  ['an environment that is none', { environments: ['prod;id'] }, 'environments.0'],
  ['no channel', { channels: [] }, 'channels'],
  ["a channel's name", { channels: ['#deploys'] }, 'channels.0'],
  ["a user's name", { users: ['@alice'] }, 'users.0'],
  ['a direct message', { channels: ['D0ALICE'] }, 'channels.0'],
  ["a group's name", { groups: ['@devs'] }, 'groups.0'],
  ['nobody', { groups: [] }, ''],
  ['everybody, for a deploy', { everyone: true }, 'may'],
  ['an unknown key', { group: ['S0RELEASE'] }, ''],
])('refuses %s', (_, change, path) => {
  const { success, error } = ruleSchema.safeParse({ ...RULE, ...change });
  expect(success).toBe(false);
  expect(error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
});

it('lets everybody in a channel read', () => {
  const rule = { ...RULE, may: ['status', 'queue', 'history'], groups: [], everyone: true };
  expect(ruleSchema.safeParse(rule).success).toBe(true);
});
