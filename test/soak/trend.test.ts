import { describe, expect, test } from 'vitest';
import { grows, trendOf } from './trend.ts';

/** Up and down around a value, as memory goes between two collections. */
const noisy = (value: (index: number) => number) =>
  Array.from({ length: 12 }, (_, index) => value(index) + [3, -2, 1, -3, 2, -1][index % 6]!);

describe('the judgement of a curve', () => {
  const allowed = { share: 0.05, least: 2 };
  test.each([
    ['a value that stays is flat', Array(12).fill(50), false],
    ['one that goes up and down is flat', noisy(() => 50), false],
    ['one that falls is flat', noisy((index) => 80 - index), false],
    [
      'one that rises a little, within its share, is flat',
      Array.from({ length: 12 }, (_, index) => 100 + index / 4),
      false,
    ],
    ['one that is small and rises by one or two is flat', [0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 1, 2], false],
    ['one that rises by a tenth grows', Array.from({ length: 12 }, (_, index) => 100 + index), true],
    ['one that rises grows, up and down as it may go', noisy((index) => 50 + 2 * index), true],
    ['one that begins with nothing and piles up grows', Array.from({ length: 12 }, (_, index) => index), true],
  ])('%s', (_, values, expected) => {
    expect(grows(values, allowed)).toBe(expected);
  });

  test('knows mean and growth of a straight line, and that nothing of it is chance', () => {
    const { mean, growth, chance } = trendOf([10, 12, 14, 16, 18]);
    expect(mean).toBe(14);
    expect(growth).toBeCloseTo(8);
    expect(chance).toBeCloseTo(0);
  });
});
