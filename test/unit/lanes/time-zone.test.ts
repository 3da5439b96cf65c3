import tzdata from 'tzdata' with { type: 'json' };
import { describe, expect, test } from 'vitest';
import { parseSpec } from '../../../src/api/capdeployjob.ts';
import { localTime, problemOfTimeZone } from '../../../src/lanes/time-zone.ts';

const names = Object.keys(tzdata.zones);

describe('a name of the tz database can be used', () => {
  test.each([
    ['a place', ['Asia/Tokyo', 'Asia/Kolkata', 'America/Argentina/Buenos_Aires', 'Antarctica/Troll']],
    ['a link to another name', ['Asia/Calcutta', 'US/Eastern', 'Europe/Kiev', 'Japan', 'GB-Eire', 'W-SU']],
    ['UTC by its names', ['UTC', 'Etc/UTC', 'Zulu', 'GMT', 'Etc/GMT', 'GMT0', 'GMT+0', 'GMT-0']],
    ['an offset by its name', ['Etc/GMT-9', 'Etc/GMT+12', 'Etc/GMT-14']],
    ['one of the few that look like abbreviations', ['EST', 'MST', 'HST', 'CET', 'EST5EDT', 'PST8PDT']],
  ])('%s', (_, some) => {
    for (const name of some) expect(problemOfTimeZone(name), name).toBeUndefined();
  });
});

describe('no other name can be used, though Node may know it', () => {
  test.each([
    ['abbreviations', ['BST', 'CST', 'IST', 'AST', 'JST', 'PST', 'ECT', 'VST']],
    ['offsets', ['+09', '+0900', '+09:00', '-03', 'GMT+9', 'GMT-9', 'UTC+9', 'UTC+09:00', 'Etc/GMT+09', 'Etc/GMT-15']],
    ["the machine's own", ['Local', 'local', 'localtime', 'SystemV/EST5']],
    ['nothing', ['', ' ']],
    ['a blank beside it', ['Asia/Tokyo ', ' UTC']],
    ['a part of a name, or more than one', ['Tokyo', 'Asia', 'Asia/', 'posix/Asia/Tokyo', 'Asia/Tokyo/Shibuya']],
    ['a place that has none', ['Mars/Phobos', 'Asia/Osaka']],
    ['what every object of JavaScript has', ['constructor', '__proto__', 'toString']],
  ])('%s', (_, some) => {
    for (const name of some) {
      expect(problemOfTimeZone(name), name).toBe(
        `the tz database (${tzdata.version}) has no such time zone; expected is one of its names, such as Asia/Tokyo or UTC`,
      );
    }
  });

  test.each([
    ['asia/tokyo', 'Asia/Tokyo'],
    ['ASIA/TOKYO', 'Asia/Tokyo'],
    ['Asia/tokyo', 'Asia/Tokyo'],
    ['utc', 'UTC'],
    ['Etc/Utc', 'Etc/UTC'],
    ['us/eastern', 'US/Eastern'],
    ['est5edt', 'EST5EDT'],
    ['America/Port-Au-Prince', 'America/Port-au-Prince'],
  ])('%s: in another case, of which the right one is said: %s', (name, right) => {
    expect(problemOfTimeZone(name)).toBe(`the tz database spells it ${right}`);
  });
});

describe('the list of names', () => {
  test('has those that a tz database has: its links, too, and no two that differ in case alone', () => {
    // 2026d has 598; names are never taken away (https://data.iana.org/time-zones/theory.html#naming).
    expect(names.length).toBeGreaterThanOrEqual(598);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
  });

  test('can be used whole, but for what this Node does not know, of which it is said so', () => {
    const unusable = names.filter((name) => problemOfTimeZone(name) !== undefined);
    // Its clocks show no time of any place: it stands for a machine that nobody has set up.
    expect(unusable).toEqual(['Factory']);
    expect(problemOfTimeZone('Factory')).toContain('the Node.js of this operator does not know it');
  });

  test('has every name that Node has of its own', () => {
    expect(Intl.supportedValuesOf('timeZone').filter((name) => !names.includes(name))).toEqual([]);
  });

  test('passes the CustomResourceDefinition whole', () => {
    const spec = (timeZone: string) => ({
      queue: { url: 'https://sqs.ap-northeast-1.amazonaws.com/123456789012/web-deploy' },
      environments: [
        { name: 'production', windows: [{ kind: 'Allow', schedule: '0 9 * * *', durationSeconds: 60, timeZone }] },
      ],
      template: {},
    });
    expect(names.filter((timeZone) => 'problem' in parseSpec(spec(timeZone)))).toEqual([]);
  });
});

test.each([
  ['2026-03-11T01:00:00Z', 'Asia/Tokyo', 'Wed 2026-03-11 10:00 Asia/Tokyo'],
  ['2026-03-10T15:00:00Z', 'Asia/Tokyo', 'Wed 2026-03-11 00:00 Asia/Tokyo'],
  ['2026-01-01T04:59:59Z', 'America/New_York', 'Wed 2025-12-31 23:59:59 America/New_York'],
  ['2026-07-01T00:00:00Z', 'Asia/Kathmandu', 'Wed 2026-07-01 05:45 Asia/Kathmandu'],
  ['2026-03-29T00:59:59.999Z', 'Europe/Berlin', 'Sun 2026-03-29 01:59:59 Europe/Berlin'],
  ['2026-03-29T01:00:00Z', 'Europe/Berlin', 'Sun 2026-03-29 03:00 Europe/Berlin'],
  ['2026-03-11T01:00:00Z', 'Etc/GMT-9', 'Wed 2026-03-11 10:00 Etc/GMT-9'],
])('%s is, by the clocks of %s, %s', (moment, timeZone, words) => {
  expect(localTime(Date.parse(moment), timeZone)).toBe(words);
});
