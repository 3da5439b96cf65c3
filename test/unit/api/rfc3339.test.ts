import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { momentOf, problemOfMoment } from '../../../src/api/rfc3339.ts';

const read = (text: string): string | undefined => {
  const moment = momentOf(text);
  return moment === undefined ? undefined : new Date(moment).toISOString();
};

describe('a time of RFC 3339', () => {
  // The examples of its section 5.8 are among them.
  test.each([
    ['1985-04-12T23:20:50.52Z', '1985-04-12T23:20:50.520Z'],
    ['1996-12-19T16:39:57-08:00', '1996-12-20T00:39:57.000Z'],
    ['1990-12-31T23:59:60Z', '1991-01-01T00:00:00.000Z'],
    ['1990-12-31T15:59:60-08:00', '1991-01-01T00:00:00.000Z'],
    ['2016-12-31T23:59:60.5Z', '2017-01-01T00:00:00.500Z'],
    ['1937-01-01T12:00:27.87+00:20', '1937-01-01T11:40:27.870Z'],
    ['2026-01-31t09:30:00z', '2026-01-31T09:30:00.000Z'],
    ['2026-01-31T09:30:00-00:00', '2026-01-31T09:30:00.000Z'],
    ['2026-01-31T09:30:00.123456789Z', '2026-01-31T09:30:00.123Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
    ['0099-12-31T23:59:59Z', '0099-12-31T23:59:59.000Z'],
    ['9999-12-31T23:59:59-23:59', '+010000-01-01T23:58:59.000Z'],
    ['0000-01-01T00:00:00+09:00', '-000001-12-31T15:00:00.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  test('is any that this machine writes', () => {
    const years = { min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z') };
    fc.assert(
      fc.property(fc.date({ ...years, noInvalidDate: true }), (date) => {
        expect(momentOf(date.toISOString())).toBe(date.getTime());
      }),
    );
  });

  test.each([
    ['a day that February does not have', '2026-02-30T00:00:00Z'],
    ['29 February of a year without one', '2026-02-29T00:00:00Z'],
    ['29 February of 1900', '1900-02-29T00:00:00Z'],
    ['a day that April does not have', '2026-04-31T00:00:00Z'],
    ['day 0', '2026-04-00T00:00:00Z'],
    ['month 13', '2026-13-01T00:00:00Z'],
    ['hour 24', '2026-01-31T24:00:00Z'],
    ['minute 60', '2026-01-31T09:60:00Z'],
    ['second 61', '2016-12-31T23:59:61Z'],
    ['a leap second within a month', '2026-01-30T23:59:60Z'],
    ['a leap second at the end of a month in another zone only', '2016-12-31T23:59:60+09:00'],
    ['a leap second in the middle of a day', '2016-12-31T09:30:60Z'],
    ['no offset', '2026-01-31T09:30:00'],
    ['no seconds', '2026-01-31T09:30Z'],
    ['an offset of 24 hours', '2026-01-31T09:30:00+24:00'],
    ['an offset without a colon', '2026-01-31T09:30:00+0900'],
    ['an offset of hours only', '2026-01-31T09:30:00+09'],
    ['a point without digits', '2026-01-31T09:30:00.Z'],
    ['a comma', '2026-01-31T09:30:00,5Z'],
    ['a blank for the T', '2026-01-31 09:30:00Z'],
    ['a blank at its end', '2026-01-31T09:30:00Z '],
    ['a line end', '2026-01-31T09:30:00Z\n'],
    ['a day only', '2026-01-31'],
    ['five digits of a year', '+012026-01-31T09:30:00Z'],
    ['other digits', '２０２６-01-31T09:30:00Z'],
    ['a number', '1'],
    ['a day in words', 'March 7'],
    ['the form of HTTP', 'Sat, 31 Jan 2026 09:30:00 GMT'],
    ['nothing', ''],
  ])('is not %s: %j', (_, text) => {
    expect(momentOf(text)).toBeUndefined();
  });

  test.each([
    ['2026-01-31T09:30:00', 'it has no offset'],
    ['2026-01-31T09:30:00.5', 'it has no offset'],
    ['2026-02-30T09:30:00Z', 'there is no such day or second'],
    ['2026-01-30T23:59:60Z', 'there is no such day or second'],
    ['tonight', ''],
  ])('%s is none, for: %s', (text, why) => {
    expect(problemOfMoment(text)).toBe(why);
  });
});
