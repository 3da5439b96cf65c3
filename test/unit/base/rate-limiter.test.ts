import { expect, test } from 'vitest';
import { RateLimiter } from '../../../src/base/rate-limiter.ts';
import { JOB_COST_MS, JOBS_AT_ONCE_MS } from '../../../src/operator/intake/create/create-in-order.ts';
import { VirtualClock } from '../../kit/clocks.ts';

const forever = new AbortController().signal;

/** Whether there is room now, and after so many milliseconds. */
async function hasRoom(rateLimiter: RateLimiter, clock: VirtualClock, afterMs = 0): Promise<boolean> {
  let isThere = false;
  void rateLimiter.waitForCapacity(forever).then(() => {
    isThere = true;
  });
  await clock.advance(afterMs);
  return isThere;
}

const spend = (rateLimiter: RateLimiter, jobs: number): void => {
  for (let job = 0; job < jobs; job += 1) rateLimiter.spend(JOB_COST_MS);
};

test('there is room for fifty Jobs at once, and then for ten each second', async () => {
  const clock = new VirtualClock();
  const rateLimiter = new RateLimiter(clock, JOBS_AT_ONCE_MS);
  spend(rateLimiter, 50);
  expect(await hasRoom(rateLimiter, clock)).toBe(true);
  spend(rateLimiter, 10);
  expect(await hasRoom(rateLimiter, clock, 999)).toBe(false);
  expect(await hasRoom(rateLimiter, clock, 1)).toBe(true);
});

test('who has been still has room for fifty again, and for no more than that', async () => {
  const clock = new VirtualClock();
  const rateLimiter = new RateLimiter(clock, JOBS_AT_ONCE_MS);
  spend(rateLimiter, 50);
  await clock.advance(60_000);
  spend(rateLimiter, 50);
  expect(await hasRoom(rateLimiter, clock)).toBe(true);
  spend(rateLimiter, 1);
  expect(await hasRoom(rateLimiter, clock)).toBe(false);
});

test('who is told to stop does not wait', async () => {
  const clock = new VirtualClock();
  const rateLimiter = new RateLimiter(clock, JOBS_AT_ONCE_MS);
  spend(rateLimiter, 60);
  await rateLimiter.waitForCapacity(AbortSignal.abort());
});

test('a clock that is set back delays no request', async () => {
  const clock = new VirtualClock();
  const rateLimiter = new RateLimiter(clock, 0);
  rateLimiter.spend(100);
  clock.setMs = -3_600_000;
  expect(await hasRoom(rateLimiter, clock, 99)).toBe(false);
  expect(await hasRoom(rateLimiter, clock, 1)).toBe(true);
});
