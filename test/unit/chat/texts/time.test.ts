import { expect, it } from 'vitest';
import { shortTimeOf, timeOf } from '../../../../src/chat/texts/time.ts';

it.each([
  ['Asia/Tokyo', '2026-12-01T10:30:00.000Z', '2026-12-01 19:30 GMT+9'],
  ['Asia/Tokyo', '2026-12-31T15:00:00Z', '2027-01-01 00:00 GMT+9'],
  ['America/New_York', '2026-07-01T00:00:00Z', '2026-06-30 20:00 GMT−4'],
  ['UTC', '2026-12-01T10:30:00Z', '2026-12-01 10:30 UTC'],
  ['Moon/Base', '2026-12-01T10:30:00Z', '2026-12-01 10:30 UTC'],
])('in %s %s is %s', (timeZone, moment, expected) => {
  expect(timeOf(moment, { timeZone })).toBe(expected);
  expect(timeOf(Date.parse(moment), { timeZone })).toBe(expected);
});

it('a moment of today is its time alone, by the clock of the reader', () => {
  const reader = { timeZone: 'Asia/Tokyo', now: Date.parse('2026-12-01T16:00:00Z') };
  expect(shortTimeOf('2026-12-01T15:00:00Z', reader)).toBe('00:00');
  expect(shortTimeOf('2026-12-01T14:59:00Z', reader)).toBe('2026-12-01 23:59');
});
