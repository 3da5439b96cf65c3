import { expect, it } from 'vitest';
import { durationOf } from '../../../../src/chat/texts/duration.ts';

it.each([
  [-5, '0 s', '0 秒'],
  [400, '0 s', '0 秒'],
  [59_600, '1 min', '1 分'],
  [130_000, '2 min 10 s', '2 分 10 秒'],
  [3_600_000, '1 h', '1 時間'],
  [3_605_000, '1 h', '1 時間'],
  [90_061_000, '1 d 1 h', '1 日 1 時間'],
])('%i ms is %s', (ms, english, japanese) => {
  expect(durationOf(ms, 'en')).toBe(english);
  expect(durationOf(ms, 'ja')).toBe(japanese);
});
