import { describe, expect, test } from 'vitest';
import type { DeployWindow } from '../../../src/api/capdeployjob.ts';
import { windowState } from '../../../src/lanes/windows.ts';
import { processorTime } from '../../kit/processor-time.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

const allow = (schedule: string, durationSeconds: number, timeZone = 'UTC'): DeployWindow => ({
  kind: 'Allow',
  schedule,
  durationSeconds,
  timeZone,
});
const deny = (schedule: string, durationSeconds: number, timeZone = 'UTC'): DeployWindow => ({
  ...allow(schedule, durationSeconds, timeZone),
  kind: 'Deny',
});
const stateAt = (moment: string, ...windows: DeployWindow[]) => windowState(windows, Date.parse(moment), 'windows');
const iso = (moment: number | undefined) =>
  moment === undefined ? undefined : new Date(moment).toISOString().replace('.000Z', 'Z');
const shown = (moment: string, ...windows: DeployWindow[]) => {
  const { open, since, until } = stateAt(moment, ...windows);
  return [open ? 'open' : 'closed', iso(since), iso(until)];
};

describe('whether deploys may start, since when and until when', () => {
  const office = allow('0 9 * * MON-FRI', 8 * HOUR);
  const night = allow('0 22 * * *', 4 * HOUR);
  test.each([
    // 10 March 2026 is a Tuesday.
    ['always, without windows', '2026-03-10T12:00:00Z', [], ['open', undefined, undefined]],
    [
      'within the only window',
      '2026-03-10T12:00:00Z',
      [office],
      ['open', '2026-03-10T09:00:00Z', '2026-03-10T17:00:00Z'],
    ],
    [
      'from its very first moment',
      '2026-03-10T09:00:00.000Z',
      [office],
      ['open', '2026-03-10T09:00:00Z', '2026-03-10T17:00:00Z'],
    ],
    [
      'not a moment before it',
      '2026-03-10T08:59:59.999Z',
      [office],
      ['closed', '2026-03-09T17:00:00Z', '2026-03-10T09:00:00Z'],
    ],
    [
      'to its very last moment',
      '2026-03-10T16:59:59.999Z',
      [office],
      ['open', '2026-03-10T09:00:00Z', '2026-03-10T17:00:00Z'],
    ],
    [
      'not at its end',
      '2026-03-10T17:00:00.000Z',
      [office],
      ['closed', '2026-03-10T17:00:00Z', '2026-03-11T09:00:00Z'],
    ],
    ['not on a weekend', '2026-03-14T12:00:00Z', [office], ['closed', '2026-03-13T17:00:00Z', '2026-03-16T09:00:00Z']],
    ['across midnight', '2026-03-11T01:00:00Z', [night], ['open', '2026-03-10T22:00:00Z', '2026-03-11T02:00:00Z']],
    [
      'across the end of the year',
      '2027-01-01T00:30:00Z',
      [night],
      ['open', '2026-12-31T22:00:00Z', '2027-01-01T02:00:00Z'],
    ],
    [
      'in each of two windows',
      '2026-03-10T23:00:00Z',
      [office, night],
      ['open', '2026-03-10T22:00:00Z', '2026-03-11T02:00:00Z'],
    ],
    [
      'over two windows that overlap, as in one',
      '2026-03-10T12:00:00Z',
      [office, allow('0 16 * * *', 2 * HOUR)],
      ['open', '2026-03-10T09:00:00Z', '2026-03-10T18:00:00Z'],
    ],
    [
      'over two windows that touch, as in one',
      '2026-03-10T18:00:00Z',
      [office, allow('0 17 * * *', 2 * HOUR)],
      ['open', '2026-03-10T09:00:00Z', '2026-03-10T19:00:00Z'],
    ],
    [
      'not while one denies',
      '2026-03-10T12:30:00Z',
      [office, deny('0 12 * * *', HOUR)],
      ['closed', '2026-03-10T12:00:00Z', '2026-03-10T13:00:00Z'],
    ],
    [
      'until one denies',
      '2026-03-10T11:00:00Z',
      [office, deny('0 12 * * *', HOUR)],
      ['open', '2026-03-10T09:00:00Z', '2026-03-10T12:00:00Z'],
    ],
    [
      'not before the window, though no window denies any more',
      '2026-03-10T08:30:00Z',
      [office, deny('0 7 * * *', HOUR)],
      ['closed', '2026-03-09T17:00:00Z', '2026-03-10T09:00:00Z'],
    ],
    [
      'not when the window opens while one denies',
      '2026-03-10T08:30:00Z',
      [office, deny('0 8 * * *', 2 * HOUR)],
      ['closed', '2026-03-09T17:00:00Z', '2026-03-10T10:00:00Z'],
    ],
    [
      'at all times that none denies, where none allows',
      '2026-03-10T12:00:00Z',
      [deny('0 0 * * SAT', 2 * DAY)],
      ['open', '2026-03-09T00:00:00Z', '2026-03-14T00:00:00Z'],
    ],
    [
      'not in a freeze of weeks',
      '2026-12-31T12:00:00Z',
      [deny('0 0 20 12 *', 20 * DAY)],
      ['closed', '2026-12-20T00:00:00Z', '2027-01-09T00:00:00Z'],
    ],
    [
      'in a window that is longer than its period, for ever',
      '2026-03-10T12:00:00Z',
      [allow('0 0 * * *', 2 * DAY)],
      ['open', undefined, undefined],
    ],
    [
      'in a window of a day that opens every day, for ever',
      '2026-03-10T12:00:00Z',
      [allow('0 0 * * *', DAY)],
      ['open', undefined, undefined],
    ],
    [
      'on a leap day',
      '2028-02-29T12:00:00Z',
      [allow('0 0 29 2 *', DAY)],
      ['open', '2028-02-29T00:00:00Z', '2028-03-01T00:00:00Z'],
    ],
    [
      'not on the day after 28 February of another year',
      '2026-03-01T12:00:00Z',
      [allow('0 0 29 2 *', DAY)],
      ['closed', '2024-03-01T00:00:00Z', '2028-02-29T00:00:00Z'],
    ],
    [
      'on days of the month or of the week, where both are named',
      '2026-03-09T09:30:00Z',
      [allow('0 9 1,15 * MON', HOUR)],
      ['open', '2026-03-09T09:00:00Z', '2026-03-09T10:00:00Z'],
    ],
    ['never', '2026-03-10T12:00:00Z', [allow('0 0 30 2 *', DAY)], ['closed', undefined, undefined]],
    [
      'always, where what denies never comes',
      '2026-03-10T12:00:00Z',
      [deny('0 0 30 2 *', DAY)],
      ['open', undefined, undefined],
    ],
  ] as [string, string, DeployWindow[], (string | undefined)[]][])('%s', (_, moment, windows, expected) => {
    expect(shown(moment, ...windows)).toEqual(expected);
  });
});

describe('across the change of clocks', () => {
  test.each([
    [
      'Berlin, put forward: a time that does not exist that day comes at the end of the gap',
      '2026-03-29T01:10:00Z',
      allow('30 2 * * *', HOUR, 'Europe/Berlin'),
      ['open', '2026-03-29T01:00:00Z', '2026-03-29T02:00:00Z'],
    ],
    [
      'Berlin, put forward: eight hours are eight hours, and end an hour later by the clock on the wall',
      '2026-03-29T05:30:00Z',
      allow('0 22 * * *', 8 * HOUR, 'Europe/Berlin'),
      ['closed', '2026-03-29T05:00:00Z', '2026-03-29T20:00:00Z'],
    ],
    [
      'Berlin, put back: a single time opens once, the first time that it is shown',
      '2026-10-25T00:45:00Z',
      allow('30 2 * * *', HOUR, 'Europe/Berlin'),
      ['open', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'],
    ],
    [
      'Berlin, put back: not the second time that it is shown',
      '2026-10-25T01:45:00Z',
      allow('30 2 * * *', HOUR, 'Europe/Berlin'),
      ['closed', '2026-10-25T01:30:00Z', '2026-10-26T01:30:00Z'],
    ],
    [
      'Berlin, put back: every half hour goes on through both hours',
      '2026-10-25T01:35:00Z',
      allow('*/30 2 * * *', 600, 'Europe/Berlin'),
      ['open', '2026-10-25T01:30:00Z', '2026-10-25T01:40:00Z'],
    ],
    [
      'New York, put back: once',
      '2026-11-01T05:45:00Z',
      allow('30 1 * * *', HOUR, 'America/New_York'),
      ['open', '2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z'],
    ],
    [
      'New York, put forward: at the end of the gap',
      '2026-03-08T07:00:00Z',
      allow('30 2 * * *', HOUR, 'America/New_York'),
      ['open', '2026-03-08T07:00:00Z', '2026-03-08T08:00:00Z'],
    ],
    [
      'Lord Howe, put forward by half an hour: at the end of the gap',
      '2026-10-03T15:35:00Z',
      allow('15 2 * * *', HOUR, 'Australia/Lord_Howe'),
      ['open', '2026-10-03T15:30:00Z', '2026-10-03T16:30:00Z'],
    ],
    [
      'Lord Howe, put back by half an hour: the first time',
      '2026-04-04T14:50:00Z',
      allow('45 1 * * *', HOUR, 'Australia/Lord_Howe'),
      ['open', '2026-04-04T14:45:00Z', '2026-04-04T15:45:00Z'],
    ],
    [
      'Tokyo, where clocks are never changed',
      '2026-03-29T01:10:00Z',
      allow('0 10 * * *', HOUR, 'Asia/Tokyo'),
      ['open', '2026-03-29T01:00:00Z', '2026-03-29T02:00:00Z'],
    ],
  ] as [string, string, DeployWindow, string[]][])('%s', (_, moment, window, expected) => {
    expect(shown(moment, window)).toEqual(expected);
  });
});

describe('a window that cannot be read', () => {
  test.each([
    [
      'a minute that no hour has',
      allow('61 9 * * *', HOUR),
      'windows[1].schedule: found "61 9 * * *"; the minute, "61", cannot be read; expected are 0 to 59, ',
    ],
    [
      'an hour range that goes backwards',
      allow('0 17-9 * * *', HOUR),
      'windows[1].schedule: found "0 17-9 * * *"; the hour, "17-9", cannot be read; expected are 0 to 23, ',
    ],
    [
      'day 0',
      allow('0 9 0 * *', HOUR),
      'windows[1].schedule: found "0 9 0 * *"; the day of the month, "0", cannot be read; expected are 1 to 31, ',
    ],
    [
      'month 13, in the whole text',
      allow('0  9 * 13 MON', HOUR),
      'windows[1].schedule: found "0  9 * 13 MON"; the month, "13", cannot be read; expected are 1 to 12 or JAN to DEC, * for all, lists (1,3), ranges from low to high (1-5) and steps (*/2)',
    ],
    [
      'the last day of a month, which a CronJob does not know',
      allow('0 9 L * *', HOUR),
      'windows[1].schedule: found "0 9 L * *"; the day of the month, "L", cannot be read; ',
    ],
    ['a weekday nearest to a day', allow('0 9 15W * *', HOUR), 'windows[1].schedule: '],
    ['a nickname', allow('@daily', HOUR), 'windows[1].schedule: '],
    [
      'six fields',
      allow('0 0 9 * * *', HOUR),
      'windows[1].schedule: found "0 0 9 * * *"; five fields are expected (minute, hour, day of the month, month, day of the week), as in a CronJob, for example 0 9 * * MON-FRI',
    ],
    [
      'a range that ends with SUN, which a CronJob takes for 0',
      allow('0 9 * * FRI-SUN', HOUR),
      'windows[1].schedule: found "0 9 * * FRI-SUN"; the day of the week, "FRI-SUN", cannot be read; expected are 0 to 7 or SUN to SAT, ',
    ],
    [
      'an hour that no day has, though its steps do not reach it',
      allow('0 9-24/2 * * *', HOUR),
      'windows[1].schedule: found "0 9-24/2 * * *"; the hour, "9-24/2", cannot be read; ',
    ],
    [
      'a day that no month has, beside all days',
      allow('0 9 *,99 * *', HOUR),
      'windows[1].schedule: found "0 9 *,99 * *"; the day of the month, "*,99", ',
    ],
    [
      'a place that is none',
      allow('0 9 * * *', HOUR, 'Mars/Phobos'),
      'windows[1].timeZone: found "Mars/Phobos"; the tz database',
    ],
    [
      'an abbreviation, which is Dhaka to the one and London to the other',
      allow('0 9 * * *', HOUR, 'BST'),
      'windows[1].timeZone: found "BST"; the tz database',
    ],
    [
      'a time zone in small letters',
      allow('0 9 * * *', HOUR, 'asia/tokyo'),
      'windows[1].timeZone: found "asia/tokyo"; the tz database spells it Asia/Tokyo',
    ],
  ])('%s: it must not open the lane, and says which field is wrong', (_, window, words) => {
    const state = stateAt('2026-03-10T12:00:00Z', allow('0 0 * * *', DAY), window);
    expect(state).toMatchObject({ open: false, until: undefined });
    expect(state.problem?.slice(0, words.length)).toBe(words);
    expect(state.closed).toBe(`a window cannot be read: ${state.problem}`);
  });

  test.each(['0 9 * JUL WED', '0 9 * jul wed', '*/5 9-17/2 1,15 1-6 SUN,MON', '0 0 * * 7'])(
    '%s can be read',
    (schedule) => {
      expect(stateAt('2026-03-10T12:00:00Z', allow(schedule, HOUR)).problem).toBeUndefined();
    },
  );
});

describe('a schedule means what it means in a CronJob', () => {
  // 10 March 2026 is a Tuesday.
  test.each([
    ['all days of the month, and Mondays: Mondays', '0 9 * * MON', '2026-03-16T09:00:00Z'],
    ['every first day of the month, and Mondays: Mondays', '0 9 */1 * MON', '2026-03-16T09:00:00Z'],
    ['a list with all days of the month, and Mondays: Mondays', '0 9 5,* * MON', '2026-03-16T09:00:00Z'],
    ['a list that begins with all days of the month, and Mondays: Mondays', '0 9 *,5 * MON', '2026-03-16T09:00:00Z'],
    ['the 15th, and every first day of the week: the 15th', '0 9 15 * */01', '2026-03-15T09:00:00Z'],
    ['the 15th, and a list with all days of the week: the 15th', '0 9 15 * MON,*', '2026-03-15T09:00:00Z'],
    ['every second day of the month, or Mondays', '0 9 */2 * MON', '2026-03-11T09:00:00Z'],
    ['from Sunday to Sunday: Sundays', '0 9 * * SUN-SUN', '2026-03-15T09:00:00Z'],
    ['from 0 to Sunday: Sundays', '0 9 * * 0-sun', '2026-03-15T09:00:00Z'],
    ['from Sunday to Tuesday', '0 9 * * SUN-TUE', '2026-03-15T09:00:00Z'],
  ])('%s', (_, schedule, opening) => {
    expect(iso(stateAt('2026-03-10T12:00:00Z', allow(schedule, HOUR)).until)).toBe(opening);
  });
});

describe('why it is closed', () => {
  const noAllow = 'no window of kind Allow is open (windows)';
  const isDenied = 'a window of kind Deny is open (windows)';
  test.each([
    [
      'until when',
      [allow('0 9 * * *', HOUR)],
      'no window of kind Allow is open (windows); it opens at 2026-03-11T09:00:00.000Z',
    ],
    [
      'by what',
      [deny('0 12 * * *', HOUR)],
      'a window of kind Deny is open (windows); it opens at 2026-03-10T13:00:00.000Z',
    ],
    [
      'that it is for ever',
      [allow('0 0 30 2 *', HOUR)],
      'no window of kind Allow is open (windows), and none ever opens',
    ],
    ['nothing, where it is open', [allow('0 12 * * *', HOUR)], undefined],
    [
      'until when, by the clocks of its time zone, too',
      [allow('0 10 * * *', HOUR, 'Asia/Tokyo')],
      `${noAllow}; it opens at 2026-03-11T01:00:00.000Z (Wed 2026-03-11 10:00 Asia/Tokyo)`,
    ],
    [
      'midnight by those clocks as 00:00',
      [allow('0 0 * * *', HOUR, 'Asia/Kolkata')],
      `${noAllow}; it opens at 2026-03-10T18:30:00.000Z (Wed 2026-03-11 00:00 Asia/Kolkata)`,
    ],
    [
      'seconds by those clocks, where a window closes within a minute',
      [deny('0 8 * * *', 61, 'America/New_York')],
      `${isDenied}; it opens at 2026-03-10T12:01:01.000Z (Tue 2026-03-10 08:01:01 America/New_York)`,
    ],
  ])('says %s', (_, windows, words) => {
    expect(stateAt('2026-03-10T12:00:00Z', ...windows).closed).toBe(words);
  });

  const clocks = (...windows: DeployWindow[]) =>
    / \(\w{3} .* (.*)\)$/.exec(stateAt(noon, ...windows).closed ?? '')?.[1];
  const noon = '2026-03-10T12:00:00Z';
  const tokyo = allow('0 22 * * *', HOUR, 'Asia/Tokyo');
  const berlin = allow('0 14 * * *', HOUR, 'Europe/Berlin');
  const denied = deny('0 12 * * *', HOUR, 'Europe/London');
  test.each([
    ['that opens first', [allow('0 9 * * *', HOUR, 'America/Lima'), tokyo], 'Asia/Tokyo'],
    ['that is listed first, of two that open at the same moment', [tokyo, berlin], 'Asia/Tokyo'],
    ['that is listed first, in the other order', [berlin, tokyo], 'Europe/Berlin'],
    ['of kind Deny that closes', [allow('0 0 * * *', DAY, 'Africa/Cairo'), denied], 'Europe/London'],
    [
      'that opens where one that denied has closed before',
      [denied, allow('0 23 * * *', HOUR, 'Asia/Tokyo')],
      'Asia/Tokyo',
    ],
    ['of kind Deny that closes last', [deny('0 7 * * *', 2 * HOUR, 'America/Lima'), denied], 'America/Lima'],
    [
      'of kind Deny that closes, where one of kind Allow has opened meanwhile',
      [allow('0 22 * * *', 3 * HOUR, 'Asia/Tokyo'), deny('0 12 * * *', 2 * HOUR, 'Europe/London')],
      'Europe/London',
    ],
    ['that is listed first, of one that closes when the other one opens', [denied, tokyo], 'Europe/London'],
    ['that is listed first, of one that opens when the other one closes', [tokyo, denied], 'Asia/Tokyo'],
    [
      'that opens, not that of one of kind Allow that closes at that moment',
      [allow('0 7 * * *', HOUR, 'America/Lima'), tokyo, denied],
      'Asia/Tokyo',
    ],
  ] as [string, DeployWindow[], string][])('tells the time of the window %s', (_, windows, timeZone) => {
    expect(clocks(...windows)).toBe(timeZone);
  });

  test('says the same from its first moment to its last, whatever was asked before', () => {
    const from = Date.parse('2026-03-09T14:00:00Z');
    const said = Array.from({ length: 23 }, (_, hour) => {
      // A path of its own, so that nothing is kept of another.
      const path = `windows ${hour}`;
      return windowState([berlin, tokyo], from + hour * HOUR * 1000, path).closed?.replace(path, 'windows');
    });
    expect(new Set(said)).toEqual(new Set([stateAt(noon, berlin, tokyo).closed]));
  });

  test('fits into the status, whatever the names', () => {
    const path = `spec.environments[${'e'.repeat(50)}].windows`;
    const longest = allow('0 3 * * *', HOUR, 'America/Argentina/ComodRivadavia');
    expect(windowState([longest], Date.parse(noon), path).closed?.length).toBeLessThan(256);
    const wrong = allow('9'.repeat(92).concat(' * * * *'), HOUR, 'e'.repeat(64));
    expect(windowState([wrong], Date.parse(noon), path).closed?.length).toBeLessThan(512);
  });

  test('changes with what closes it', () => {
    const windows = [allow('0 9 * * *', HOUR), deny('0 12 * * *', HOUR)];
    expect(stateAt('2026-03-10T12:30:00Z', ...windows).closed).toContain('a window of kind Deny is open');
    expect(stateAt('2026-03-10T13:00:00Z', ...windows).closed).toContain('no window of kind Allow is open');
  });
});

test('an answer that was kept is the one that is computed anew, whatever was asked for before', () => {
  const windows = [
    allow('0 9 * * MON-FRI', 8 * HOUR, 'Europe/Berlin'),
    deny('20 */2 * * *', 900),
    deny('0 0 28 3 *', DAY),
  ];
  const moments = Array.from({ length: 120 }, (_, index) => Date.parse('2026-03-26T00:00:00Z') + index * 3_277_777);
  const forward = moments.map((moment) => windowState(windows, moment, 'forward'));
  const backward = moments.toReversed().map((moment) => windowState(windows, moment, 'backward'));
  const words = ({ closed, ...state }: (typeof forward)[number]) => ({
    ...state,
    closed: closed?.replace(/forward|backward/, ''),
  });
  expect(backward.toReversed().map(words)).toEqual(forward.map(words));
  // By the book: minute by minute.
  for (const [index, moment] of moments.entries()) {
    const { open, until } = forward[index]!;
    if (until === undefined) continue;
    expect(windowState(windows, until - 1, 'before').open, new Date(moment).toISOString()).toBe(open);
    expect(windowState(windows, until, 'after').open).toBe(!open);
  }
});

test('patterns that never close or never open are given up after a bounded search', () => {
  // Each opens before the one before it has closed, and none repeats in the same way.
  const hostile = Array.from({ length: 20 }, (_, index) => [
    allow(`${index}-59 * * * *`, 60 + index),
    allow(`*/${index + 1} ${index} 30 2 *`, 61),
    deny(`${index} 0 31 4 *`, 366 * DAY),
  ]).flat();
  const stateAfter = (ms: number) =>
    windowState(hostile.slice(0, 20), Date.parse('2026-03-10T12:00:00Z') + ms, 'hostile');
  expect(processorTime(() => stateAfter(0))).toBeLessThan(2_000);
  const state = stateAfter(0);
  expect(state.open).toBe(true);
  // It is looked at again, at the latest, where the search has ended.
  expect(state.until ?? state.searchAgainAt).toBeGreaterThan(Date.parse('2026-03-10T12:00:00Z'));
  const again = () => {
    for (let pass = 0; pass < 100; pass += 1) stateAfter(1000 + pass);
  };
  expect(processorTime(again)).toBeLessThan(200);
});
