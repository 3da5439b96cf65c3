import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ClockWasSetError, clockWasSet } from '../../../src/base/clock-step.ts';
import { VirtualClock } from '../../kit/clocks.ts';

let clock: VirtualClock;
let over: AbortController;
let found: ClockWasSetError | undefined;

beforeEach(() => {
  clock = new VirtualClock();
  over = new AbortController();
  found = undefined;
});
afterEach(() => over.abort());

function watch(): void {
  void clockWasSet(clock, over.signal).then((error) => {
    found = error;
  });
}

describe('a clock', () => {
  test.for([
    [-3_600_000, 'the clock of this machine was set back by 3600 s'],
    [60_000, 'the clock of this machine was set forward by 60 s'],
  ] as const)('that is set by %i ms is found within a second', async ([byMs, words]) => {
    watch();
    await clock.advance(100_000);
    expect(found).toBeUndefined();
    clock.setMs = byMs;
    await clock.advance(1_000);
    expect(found?.message).toBe(words);
    expect(clock.pending).toBe(0);
  });

  test('that is corrected by little, again and again, is as good as any', async () => {
    watch();
    for (let times = 0; times < 60; times += 1) {
      clock.setMs += 500;
      await clock.advance(1_000);
    }
    expect(found).toBeUndefined();
  });

  test('is watched no more when that is over', async () => {
    watch();
    await clock.advance(10_000);
    over.abort();
    clock.setMs = -60_000;
    await clock.advance(10_000);
    expect([found, clock.pending]).toEqual([undefined, 0]);
  });
});
