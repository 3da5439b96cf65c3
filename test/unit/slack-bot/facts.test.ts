import { beforeEach, describe, expect, test } from 'vitest';
import { TravelClock } from '../../../dev/local-slack/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
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

let clock: TravelClock;
let asked: string[];
/** What the next look-ups wait for or throw, by method. */
let answers: Record<string, () => Promise<unknown>>;
let settings: { team: string; lookupTimeoutMs: number };
let facts: SlackFacts;

beforeEach(() => {
  clock = new TravelClock();
  asked = [];
  answers = {};
  settings = { team: 'T0TEAM', lookupTimeoutMs: 1_500 };
  const look = async <T>(what: string, id: string, usual: T): Promise<T> => {
    asked.push(`${what} ${id}`);
    return (await (answers[what]?.() ?? usual)) as T;
  };
  const api = {
    userInfo: (id: string) => look('user', id, ALICE),
    channelInfo: (id: string) => look('channel', id, CHANNEL),
    groupMembers: (id: string) => look('group', id, id === 'S0RELEASE' ? ['U0ALICE'] : []),
    isMember: (channel: string, user: string) => look('member', `${channel} ${user}`, user === 'U0ALICE'),
  };
  facts = new SlackFacts({ api, settings: () => settings, clock, log: silentLog });
});

const fail = async (): Promise<never> => {
  throw new SlackError('users.info', 'ratelimited', { retryAfterMs: 30_000 });
};

describe('facts', () => {
  test('are what authorise takes, and what texts need', async () => {
    expect(await facts.facts('U0ALICE', 'C0DEPLOYS', ['S0RELEASE', 'S0DEVS'])).toEqual({
      person: { ...ALICE, teamIds: undefined, isOfTeam: true },
      channel: CHANNEL,
      groups: new Map([
        ['S0RELEASE', true],
        ['S0DEVS', false],
      ]),
    });
    expect(await facts.isMember('C0DEPLOYS', 'U0ALICE')).toBe(true);
    expect(await facts.isMember('C0DEPLOYS', 'U0BOB')).toBe(false);
  });

  test('say who is of the team by the configuration of now', async () => {
    answers.user = async () => ({ ...ALICE, teamIds: ['T0ELSEWHERE', 'T0SECOND'] });
    expect(await facts.person('U0ALICE')).toMatchObject({ isOfTeam: false });
    settings.team = 'T0SECOND';
    expect(await facts.person('U0ALICE')).toMatchObject({ isOfTeam: true });
    expect(asked).toEqual(['user U0ALICE']);
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
    'makes it unknown, and is made again the next time: %s',
    async (what) => {
      answers[what] = fail;
      const all = async () => {
        const { person, channel, groups } = await facts.facts('U0ALICE', 'C0DEPLOYS', ['S0RELEASE']);
        const member = await facts.isMember('C0DEPLOYS', 'U0ALICE');
        return Object.entries({ user: person, channel, group: groups.get('S0RELEASE'), member });
      };
      expect((await all()).filter(([, value]) => value === UNKNOWN)).toEqual([[what, UNKNOWN]]);
      answers = {};
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

  test('leaves no timer behind', async () => {
    answers.user = fail;
    await facts.person('U0ALICE');
    await facts.channel('C0DEPLOYS');
    expect(clock.pending).toBe(0);
  });
});
