import { describe, expect, test } from 'vitest';
import { bounded, boundedKeepingTheEnd, plain } from '../../../src/text/truncate.ts';

describe('a text that the status schema bounds', () => {
  test('stays as it is if it fits to the character', () => {
    expect(bounded('abcd', 4)).toBe('abcd');
    expect(boundedKeepingTheEnd('abcd', 4)).toBe('abcd');
  });

  test('keeps its beginning, or its end, and shows that it was cut', () => {
    expect(bounded('abcde', 4)).toBe('abc…');
    expect(boundedKeepingTheEnd('abcde', 4)).toBe('…cde');
  });

  test.each([
    ['lines', 'alice:\r\n incident\t42 ', 'alice: incident 42'],
    ['control characters', 'a\u0000b\u001b[2Jc\u009b', 'a b [2Jc'],
    ['what reorders or hides text', 'a\u202eb\u200bc\ufeff\u2028d', 'a b c d'],
    ['half a character', 'a\ud800b', 'a\ufffdb'],
    ['too much', 'x'.repeat(300), `${'x'.repeat(255)}…`],
    ['nothing', ' \n', ''],
  ])('is one plain line, whatever people wrote: %s', (_, words, expected) => {
    expect(plain(words, 256)).toBe(expected);
  });

  test('holds no half character, which the API server would replace, so that each pass found another text than it wrote', () => {
    for (const cut of [bounded('ab😀de', 4), boundedKeepingTheEnd('ab😀de', 4)]) {
      expect(cut.isWellFormed()).toBe(true);
      expect(cut.length).toBeLessThanOrEqual(4);
    }
  });
});
