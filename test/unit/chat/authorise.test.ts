import { describe, expect, it } from 'vitest';
import {
  ANYWHERE,
  type Asked,
  authorise,
  type Channel,
  type Facts,
  type Person,
  type Refusal,
  UNKNOWN,
  type Unmet,
  unmetOf,
} from '../../../src/chat/authorise.ts';
import { VERBS } from '../../../src/chat/command-line.ts';
import { type Rule, ruleSchema } from '../../../src/chat/rules.ts';

const PERSON: Person = { isOfTeam: true, isDeleted: false, isBot: false, isGuest: false, isStranger: false };
const CHANNEL: Channel = { isShared: false, isArchived: false, isDirect: false };
const FACTS: Facts = { person: PERSON, channel: CHANNEL, groups: new Map([['S0RELEASE', true]]) };
const ASKED: Asked = {
  verb: 'deploy',
  target: 'deploy/web',
  environment: 'staging',
  isProtected: false,
  user: 'U0ALICE',
  channel: 'C0PROD',
};
const rule = (over: object = {}): Rule =>
  ruleSchema.parse({
    may: ['deploy', 'freeze', 'status'],
    targets: ['deploy/web'],
    environments: ['staging', 'production'],
    channels: ['C0PROD'],
    groups: ['S0RELEASE'],
    ...over,
  });

const verdict = (rules: Rule[], asked: Partial<Asked> = {}, facts: Partial<Facts> = {}) =>
  authorise(rules, { ...ASKED, ...asked }, { ...FACTS, ...facts });

describe('what a rule allows', () => {
  it('is allowed, and the rule is named', () => {
    expect(verdict([rule({ may: ['abort'] }), rule()])).toEqual({ allowed: true, rule: 1 });
  });

  it.each<[string, object, Partial<Asked>]>([
    ['a user by id', { groups: [], users: ['U0ALICE'] }, {}],
    ['any target', { targets: ['*'] }, { target: 'other/api' }],
    ['any environment', { environments: ['*'] }, {}],
    ['a protected environment by its name', {}, { environment: 'production', isProtected: true }],
    ['a thaw to who may freeze', { may: ['freeze'] }, { verb: 'unfreeze' }],
    ['reading to everybody in the channel', { may: ['status'], groups: [], everyone: true }, { verb: 'status' }],
    ['reading a protected environment by "*"', { environments: ['*'] }, { verb: 'status', isProtected: true }],
    ['a status of everything', {}, { verb: 'status', target: ANYWHERE, environment: ANYWHERE }],
  ])('%s', (_, over, asked) => {
    expect(verdict([rule(over)], asked)).toEqual({ allowed: true, rule: 0 });
  });
});

describe('what no rule allows', () => {
  it.each<[string, object, Partial<Asked>, Unmet[]]>([
    ['another verb', {}, { verb: 'rollback' }, ['verb']],
    ['an approval by who may deploy', {}, { verb: 'approve' }, ['verb']],
    ['another target', {}, { target: 'other/web' }, ['target']],
    ['another environment', {}, { environment: 'preview' }, ['environment']],
    [
      'a protected environment by "*"',
      { environments: ['*'] },
      { environment: 'production', isProtected: true },
      ['protected'],
    ],
    ['another channel', {}, { channel: 'C0DEPLOYS' }, ['channel']],
    ['another user', { groups: [], users: ['U0BOB'] }, {}, ['person']],
    ['an unknown target, for a deploy', {}, { target: '' }, ['target']],
    ['a name in another case', {}, { environment: 'Staging' }, ['environment']],
    ['several things at once', {}, { verb: 'abort', channel: 'C0X' }, ['verb', 'channel']],
  ])('%s', (_, over, asked, unmet) => {
    expect(verdict([rule(over)], asked)).toEqual({ allowed: false, because: 'noRule' });
    expect(unmetOf(rule(over), { ...ASKED, ...asked }, FACTS)).toEqual(unmet);
  });

  it('two rules that hold half each', () => {
    const halves = [rule({ channels: ['C0X'] }), rule({ targets: ['deploy/api'] })];
    expect(verdict(halves)).toEqual({ allowed: false, because: 'noRule' });
  });

  it('anything, without rules', () => {
    for (const verb of VERBS.filter((each) => each !== 'whoami' && each !== 'help')) {
      expect(verdict([], { verb })).toEqual({ allowed: false, because: 'noRule' });
    }
  });

  it('a group of which the user is no member, though another one is not known', () => {
    const groups = new Map<string, boolean>([['S0RELEASE', false]]);
    expect(verdict([rule()], {}, { groups })).toEqual({ allowed: false, because: 'noRule' });
  });
});

describe('people and channels that may do nothing, whatever the rules', () => {
  const everything = [
    rule({ may: ['deploy', 'abort', 'approve', 'freeze', 'retry', 'rollback', 'status', 'queue', 'history'] }),
  ];
  it.each<[Refusal, Partial<Facts>]>([
    ['otherTeam', { person: { ...PERSON, isOfTeam: false } }],
    ['deleted', { person: { ...PERSON, isDeleted: true } }],
    ['bot', { person: { ...PERSON, isBot: true } }],
    ['guest', { person: { ...PERSON, isGuest: true } }],
    ['stranger', { person: { ...PERSON, isStranger: true } }],
    ['unseenChannel', { channel: { ...CHANNEL, isUnseen: true } }],
    ['sharedChannel', { channel: { ...CHANNEL, isShared: true } }],
    ['archivedChannel', { channel: { ...CHANNEL, isArchived: true } }],
    ['directMessage', { channel: { ...CHANNEL, isDirect: true } }],
    ['lookupFailed', { person: UNKNOWN }],
    ['lookupFailed', { channel: UNKNOWN }],
  ])('%s', (because, facts) => {
    for (const verb of VERBS) expect(verdict(everything, { verb }, facts)).toEqual({ allowed: false, because });
  });
});

describe('a look-up of a group that failed', () => {
  it.each([[new Map([['S0RELEASE', UNKNOWN]] as const)], [new Map()]])('allows nothing, and says so', (groups) => {
    expect(verdict([rule()], {}, { groups })).toEqual({ allowed: false, because: 'lookupFailed' });
  });

  it('is no matter if another rule, or another group, allows', () => {
    const groups = new Map<string, boolean | typeof UNKNOWN>([
      ['S0DEVS', UNKNOWN],
      ['S0RELEASE', true],
    ]);
    expect(verdict([rule({ groups: ['S0DEVS'] }), rule()], {}, { groups })).toEqual({ allowed: true, rule: 1 });
    expect(verdict([rule({ groups: ['S0DEVS', 'S0RELEASE'] })], {}, { groups })).toEqual({ allowed: true, rule: 0 });
  });

  it('is no matter if the rule would not have allowed', () => {
    const groups = new Map([['S0RELEASE', UNKNOWN]] as const);
    expect(verdict([rule()], { verb: 'abort' }, { groups })).toEqual({ allowed: false, because: 'noRule' });
  });
});

it('whoami and help need no rule', () => {
  expect(verdict([], { verb: 'whoami' })).toEqual({ allowed: true, rule: undefined });
  expect(verdict([], { verb: 'help' })).toEqual({ allowed: true, rule: undefined });
});
