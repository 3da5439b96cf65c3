import { expect, it } from 'vitest';
import { PersonalLimit } from '../../../src/slack-bot/personal-limit.ts';
import { VirtualClock } from '../../kit/clocks.ts';

const taken = (limit: PersonalLimit, user: string, times: number): number =>
  Array.from({ length: times }, () => limit.take(user)).filter(Boolean).length;

it.each([1, 3, 7, 10, 600])('takes %i a minute at once, and no more', async (perMinute) => {
  const clock = new VirtualClock();
  const limit = new PersonalLimit(clock, () => perMinute);
  expect(taken(limit, 'U0ALICE', perMinute + 5)).toBe(perMinute);
  await clock.advance(60_000 / perMinute + 1);
  expect(taken(limit, 'U0ALICE', 3)).toBe(1);
  await clock.advance(60_000);
  expect(taken(limit, 'U0ALICE', perMinute + 5)).toBe(perMinute);
});

it('counts each person alone', () => {
  const limit = new PersonalLimit(new VirtualClock(), () => 2);
  expect(taken(limit, 'U0ALICE', 5)).toBe(2);
  expect(taken(limit, 'U0BOB', 5)).toBe(2);
});

it('does not give more if the clock is set', () => {
  const clock = new VirtualClock();
  const limit = new PersonalLimit(clock, () => 2);
  expect(taken(limit, 'U0ALICE', 5)).toBe(2);
  clock.setMs = 3_600_000;
  expect(limit.take('U0ALICE')).toBe(false);
  clock.setMs = -3_600_000;
  expect(limit.take('U0ALICE')).toBe(false);
});

it('follows the configuration', () => {
  let perMinute = 10;
  const limit = new PersonalLimit(new VirtualClock(), () => perMinute);
  expect(taken(limit, 'U0ALICE', 5)).toBe(5);
  perMinute = 2;
  expect(taken(limit, 'U0ALICE', 5)).toBe(1);
});
