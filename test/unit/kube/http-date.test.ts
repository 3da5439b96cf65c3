import { expect, test } from 'vitest';
import { readHttpDate } from '../../../src/kube/http/http-date.ts';

const NOW = Date.parse('2026-11-05T10:00:00Z');
const read = (text: string): string | undefined => {
  const moment = readHttpDate(text, NOW);
  return moment === undefined ? undefined : new Date(moment).toISOString();
};

// The first three are those of RFC 9110, 5.6.7.
test.each([
  ['Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
  ['Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
  ['Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37.000Z'],
  ['Sun Nov 16 08:49:37 1994', '1994-11-16T08:49:37.000Z'],
  ['Friday, 06-Nov-26 08:49:37 GMT', '2026-11-06T08:49:37.000Z'],
  ['Wednesday, 06-Nov-75 08:49:37 GMT', '2075-11-06T08:49:37.000Z'],
  ['Saturday, 06-Nov-76 08:49:37 GMT', '1976-11-06T08:49:37.000Z'],
])('the HTTP-date %s is %s', (text, expected) => {
  expect(read(text)).toBe(expected);
});

test.each([
  'Sun, 06 Nov 1994 08:49:37',
  'Sun, 06 Nov 1994 08:49:37 +0900',
  'Sun, 06 Nov 1994 24:00:00 GMT',
  'Mon, 30 Feb 2026 08:49:37 GMT',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'sun, 06 nov 1994 08:49:37 gmt',
  '06 Nov 1994 08:49:37 GMT',
  '1994-11-06T08:49:37Z',
  'March 7',
  '1',
  '',
])('%j is no HTTP-date', (text) => {
  expect(read(text)).toBeUndefined();
});
