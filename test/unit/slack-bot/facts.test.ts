import { beforeEach, describe, expect, test } from 'vitest';

import { TravelClock } from '../../../dev/local-slack/clock.ts';
import { type Log, silentLog } from '../../../src/base/log.ts';

import { UNKNOWN } from '../../../src/chat/authorise.ts';
import type { UserInfo } from '../../../src/slack/slack-api.ts';
import { SlackError } from '../../../src/slack/slack-error.ts';
import { SlackFacts } from '../../../src/slack-bot/facts.ts';

const ALICE: UserInfo = {
  teamIds: ['T0TEAM'],
  isDeleted: false,
  isBot: false,
  isGuest: false,
  isStranger: false,
  name: 'alice',
  locale: 'ja-JP',
  timeZone: 'Asia/Tokyo',
};
const CHANNEL = { isShared: false, isArchived: false, isDirect: false };
const SEEN = { ...CHANNEL, isMember: true };

let clock: TravelClock;
let asked: string[];
/** What the next look-ups wait for or throw, by method. */
let answers: Record<string, () => Promise<unknown>>;
let settings: { team: string; lookupTimeoutMs: number };
/** The team of the bot token, or why Slack does not say it. */
let token: string | SlackError;
let tokenAsked: number;
let errors: object[];
const log: Log = { ...silentLog, error: (fields) => void errors.push(fields) };
let facts: SlackFacts;

beforeEach(() => {
  clock = new TravelClock();
  asked = [];
  token = 'T0TEAM';
  tokenAsked = 0;
  errors = [];
  answers = {};
  settings = { team: 'T0TEAM', lookupTimeoutMs: 1_500 };
  const look = async <T>(what: string, id: string, usual: T): Promise<T> => {
    asked.push(`${what} ${id}`);
    return (await (answers[what]?.() ?? usual)) as T;
  };
  const api = {
    authTest: async () => {
      tokenAsked += 1;
      if (typeof token !== 'string') throw token;
      return { teamId: token, userId: 'U0BOT' };
    },
    userInfo: (id: string) => look('user', id, ALICE),
    channelInfo: (id: string) => look('channel', id, SEEN),
    groupMembers: (id: string) => look('group', id, id === 'S0RELEASE' ? ['U0ALICE'] : []),
    isMember: (channel: string, user: string) => look('member', `${channel} ${user}`, user === 'U0ALICE'),
  };
  facts = new SlackFacts({ api, settings: () => settings, clock, log });
});

const fail = async (): Promise<never> => {
  throw new SlackError('users.info', 'internal_error');
};

describe('facts', () => {
  test('are what authorise takes, and what texts need', async () => {
    expect(await facts.person('U0ALICE')).toEqual({ ...ALICE, teamIds: undefined, isOfTeam: true });
    expect(await facts.channel('C0DEPLOYS')).toEqual(CHANNEL);
    expect(await facts.groups('U0ALICE', ['S0RELEASE', 'S0DEVS'])).toEqual(
      new Map([
        ['S0RELEASE', true],
        ['S0DEVS', false],
      ]),
    );
    expect(await facts.isMember('C0DEPLOYS', 'U0ALICE')).toBe(true);
    expect(await facts.isMember('C0DEPLOYS', 'U0BOB')).toBe(false);
  });

  test('say who is of the team by the configuration of now', async () => {
    answers.user = async () => ({ ...ALICE, teamIds: ['T0ELSEWHERE', 'T0SECOND'] });
    expect(await facts.person('U0ALICE')).toMatchObject({ isOfTeam: false });
    settings.team = 'T0SECOND';
    expect(await facts.person('U0ALICE')).toMatchObject({ isOfTeam: false });
    token = 'T0SECOND';
    clock.advance(60_000);
    expect(await facts.person('U0ALICE')).toMatchObject({ isOfTeam: true });
    expect(asked).toEqual(['user U0ALICE', 'user U0ALICE']);
  });

  test('say that a conversation of two is one, without a look-up for which the bot has no scope', async () => {
    answers.channel = fail;
    expect(await facts.channel('D0ALICE')).toMatchObject({ isDirect: true });
    expect(asked).toEqual([]);
  });

  test('say that the bot does not see a channel if Slack knows no such channel', async () => {
    answers.channel = async () => {
      throw new SlackError('conversations.info', 'channel_not_found');
    };
    expect(await facts.channel('C0SECRET')).toMatchObject({ isUnseen: true });
    answers.channel = fail;
    expect(await facts.channel('C0OTHER')).toBe(UNKNOWN);
  });

  test('say the same of a public channel in which the bot is not, and ask again soon: it may be invited', async () => {
    answers.channel = async () => ({ ...SEEN, isMember: false });
    expect(await facts.channel('C0PUBLIC')).toEqual({ ...CHANNEL, isUnseen: true });
    answers = {};
    expect(await facts.channel('C0PUBLIC')).toMatchObject({ isUnseen: true });
    clock.advance(5_000);
    expect(await facts.channel('C0PUBLIC')).toEqual(CHANNEL);
  });

  test('are kept for 60 s, each by its own key', async () => {
    await facts.person('U0ALICE');
    clock.advance(59_000);
    await facts.person('U0ALICE');
    await facts.person('U0BOB');
    await facts.groups('U0ALICE', ['S0RELEASE']);
    await facts.groups('U0BOB', ['S0RELEASE']);
    expect(asked).toEqual(['user U0ALICE', 'user U0BOB', 'group S0RELEASE']);
    clock.advance(1_000);
    await facts.person('U0ALICE');
    expect(asked).toHaveLength(4);
  });

  test('are asked for once at a time for each key', async () => {
    const answer = Promise.withResolvers<UserInfo>();
    answers.user = () => answer.promise;
    const both = Promise.all([facts.person('U0ALICE'), facts.person('U0ALICE'), facts.person('U0BOB')]);
    answer.resolve(ALICE);
    expect((await both).map((person) => person !== UNKNOWN && person.name)).toEqual(['alice', 'alice', 'alice']);
    expect(asked).toEqual(['user U0ALICE', 'user U0BOB']);
  });
});

describe('a look-up that fails', () => {
  test.each(['user', 'channel', 'group', 'member'])(
    'makes it unknown for 5 s, so that a burst of clicks is one look-up: %s',
    async (what) => {
      answers[what] = fail;
      const all = async () => {
        const person = await facts.person('U0ALICE');
        const channel = await facts.channel('C0DEPLOYS');
        const groups = await facts.groups('U0ALICE', ['S0RELEASE']);
        const member = await facts.isMember('C0DEPLOYS', 'U0ALICE');
        return Object.entries({ user: person, channel, group: groups.get('S0RELEASE'), member });
      };
      expect((await all()).filter(([, value]) => value === UNKNOWN)).toEqual([[what, UNKNOWN]]);
      answers = {};
      clock.advance(4_000);
      expect((await all()).filter(([, value]) => value === UNKNOWN)).toEqual([[what, UNKNOWN]]);
      clock.advance(1_000);
      expect((await all()).filter(([, value]) => value === UNKNOWN)).toEqual([]);
      expect(asked.filter((one) => one.startsWith(what))).toHaveLength(2);
    },
  );

  test('or takes longer than lookupTimeoutMs makes it unknown; its answer counts for the next who asks', async () => {
    const answer = Promise.withResolvers<UserInfo>();
    answers.user = () => answer.promise;
    const first = facts.person('U0ALICE');
    clock.advance(1_500);
    expect(await first).toBe(UNKNOWN);
    answer.resolve(ALICE);
    settings.lookupTimeoutMs = 100;
    expect(await facts.person('U0ALICE')).toMatchObject({ name: 'alice' });
    expect(asked).toEqual(['user U0ALICE']);
  });

  test.each([
    ['as long as Slack says', 42_000, 42_000],
    ['for 30 s if Slack does not say', undefined, 30_000],
  ])('because of the rate holds its method %s, and no other', async (_, retryAfterMs, heldMs) => {
    await facts.groups('U0ALICE', ['S0RELEASE']);
    answers.group = async () => {
      throw new SlackError('usergroups.users.list', 'ratelimited', { retryAfterMs });
    };
    const groups = async () => [...(await facts.groups('U0ALICE', ['S0RELEASE', 'S0DEVS', 'S0OTHERS'])).values()];
    await facts.groups('U0ALICE', ['S0DEVS']);
    answers = {};
    asked = [];
    clock.advance(heldMs - 1_000);
    expect(await groups()).toEqual([true, UNKNOWN, UNKNOWN]);
    expect(await facts.channel('C0DEPLOYS')).toEqual(CHANNEL);
    expect(asked).toEqual(['channel C0DEPLOYS']);
    clock.advance(1_000);
    expect(await groups()).toEqual([true, false, false]);
  });

  test('leaves no timer behind', async () => {
    answers.user = fail;
    await facts.person('U0ALICE');
    await facts.channel('C0DEPLOYS');
    expect(clock.pending).toBe(0);
  });
});

describe('the team of the bot token', () => {
  test('is asked for until it is known: before, nobody is', async () => {
    token = new SlackError('auth.test', 'internal_error');
    expect(await facts.person('U0ALICE')).toBe(UNKNOWN);
    token = 'T0TEAM';
    clock.advance(5_000);
    expect(await facts.person('U0ALICE')).toMatchObject({ isOfTeam: true });
    await facts.person('U0BOB');
    expect(tokenAsked).toBe(2);
  });

  test('has to be that of the configuration of now, whatever Slack says of the person', async () => {
    token = 'T0OTHER';
    expect(await facts.person('U0ALICE')).toMatchObject({ isOfTeam: false });
    expect(errors).toEqual([{ team: 'T0OTHER', configured: 'T0TEAM' }]);
  });
});
