import { expect, it } from 'vitest';
import { wordsOf } from '../../../src/chat/words.ts';

it.each<[string, string[] | undefined]>([
  ['', []],
  ['  a   b ', ['a', 'b']],
  ['--reason "fix the basket" -h v1', ['--reason', 'fix the basket', '-h', 'v1']],
  ["--reason='fix the basket'", ['--reason=fix the basket']],
  ['--reason=""', ['--reason=']],
  ["it's fine", ["it's", 'fine']],
  [`'it's fine'`, ["it's fine"]],
  [`"a 'b' c"`, ["a 'b' c"]],
  ['a\\ b', ['a\\', 'b']],
  ['say="x y"', ['say="x', 'y"']],
  ['"a"b c"', ['a"b c']],
  ['--reason "fix', undefined],
  ["'", undefined],
])('%j', (line, words) => {
  expect(wordsOf(line)).toEqual(words);
});
