import { describe, expect, test } from 'vitest';
import { bounded, boundedKeepingTheEnd } from '../../src/lanes/text.ts';

describe('a text that the status schema bounds', () => {
  test('stays as it is where it fits to the character', () => {
    expect(bounded('abcd', 4)).toBe('abcd');
    expect(boundedKeepingTheEnd('abcd', 4)).toBe('abcd');
  });

  test('keeps its beginning, or its end, and shows that it was cut', () => {
    expect(bounded('abcde', 4)).toBe('abc…');
    expect(boundedKeepingTheEnd('abcde', 4)).toBe('…cde');
  });

  test('holds no half character, which the API server would replace, so that each pass found another text than it wrote', () => {
    for (const cut of [bounded('ab😀de', 4), boundedKeepingTheEnd('ab😀de', 4)]) {
      expect(cut.isWellFormed()).toBe(true);
      expect(cut.length).toBeLessThanOrEqual(4);
    }
  });
});
