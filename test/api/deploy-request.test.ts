import { describe, expect, test } from 'vitest';
import { ENVIRONMENT_PATTERN, ID_PATTERN, revisionProblem, TASK_PATTERN } from '../../src/api/deploy-request.ts';

describe('Invariant 5: a revision that reaches a command line', () => {
  test.each(['v1.0.0', 'main', 'feature/x', 'a'.repeat(244), '0123456789abcdef', 'user@host', 'a+b_c-d'])(
    'may be %s',
    (revision) => {
      expect(revisionProblem(revision)).toBeUndefined();
    },
  );

  test.each([
    ['nothing', ''],
    ['an option', '-x'],
    ['a hidden file', '.git'],
    ['a path from the root', '/etc'],
    ['a substitution', 'a$(b)'],
    ['a second command', 'a;b'],
    ['a pipe', 'a|b'],
    ['a blank', 'a b'],
    ['a second line', 'v1\n'],
    ['a range', 'a..b'],
    ['a double slash', 'a//b'],
    ['a reflog', 'a@{1}'],
    ['a lock', 'a.lock'],
    ['a lock on the way', 'a.lock/b'],
    ['a folder', 'a/'],
    ['a full stop', 'a.'],
    ['an umlaut', 'ä'],
    ['too much', 'a'.repeat(245)],
  ])('may not be %s', (_, revision) => {
    expect(revisionProblem(revision)).toBeTypeOf('string');
  });
});

describe('Invariant 5: the other words of a message', () => {
  test.each([
    [
      'environment',
      ENVIRONMENT_PATTERN,
      ['a', 'A1', 'my_stage', 'a-b', 'a'.repeat(50)],
      ['', '-a', 'a-', '_a', 'a.b', 'a b', 'a\n', 'a'.repeat(51)],
    ],
    [
      'task',
      TASK_PATTERN,
      ['deploy', 'deploy:restart', 'a:b_c:D1'],
      ['', 'Deploy', ':a', 'a:', 'a::b', 'a[1]', '-T', 'a=b', 'a b', 'a\n'],
    ],
    ['id', ID_PATTERN, ['a', '!~', 'x'.repeat(128)], ['', ' ', 'a b', 'ä', 'a\n', 'x'.repeat(129)]],
  ] as const)('%s', (_, pattern, good, bad) => {
    expect(good.filter((word) => !pattern.test(word))).toEqual([]);
    expect(bad.filter((word) => pattern.test(word))).toEqual([]);
  });
});
