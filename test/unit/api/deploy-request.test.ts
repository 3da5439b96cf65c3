import { describe, expect, test } from 'vitest';
import {
  dueAtOf,
  ENVIRONMENT_PATTERN,
  ID_PATTERN,
  isRollback,
  revisionProblem,
  TASK_PATTERN,
} from '../../../src/api/deploy-request.ts';

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

describe('a rollback', () => {
  test.each([
    ['deploy:rollback', true],
    ['rollback', true],
    ['app:db:rollback', true],
    ['deploy', false],
    ['deploy:rollback_cleanup', false],
    ['deploy:no_rollback', false],
    ['rollback:check', false],
  ])('%s: %s', (task, expected) => {
    expect(isRollback(task)).toBe(expected);
  });
});

describe('when a request is due', () => {
  const sentAt = '2026-03-10T12:00:00.000Z';
  test.each([
    ['when it was sent, if it says nothing', undefined, sentAt],
    ['not before it says', '2026-03-10T22:00:00.000Z', '2026-03-10T22:00:00.000Z'],
    ['when it was sent, if it names an earlier moment', '2026-03-10T11:00:00.000Z', sentAt],
    ['by moments, not by letters', '2026-03-10T12:30:00.000+02:00', sentAt],
  ])('%s', (_, notBefore, expected) => {
    expect(dueAtOf({ sentAt, notBefore })).toBe(expected);
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
      ['deploy', 'deploy:restart', 'a:b_c:D1', 'puma:phased-restart', 'a-b-c:d-1'],
      ['', 'Deploy', ':a', 'a:', 'a::b', 'a-', '-a', 'a--b', 'a:-b', 'a-:b', 'a[1]', '-T', 'a=b', 'a b', 'a\n'],
    ],
    ['id', ID_PATTERN, ['a', '!~', 'x'.repeat(128)], ['', ' ', 'a b', 'ä', 'a\n', 'x'.repeat(129)]],
  ] as const)('%s', (_, pattern, good, bad) => {
    expect(good.filter((word) => !pattern.test(word))).toEqual([]);
    expect(bad.filter((word) => pattern.test(word))).toEqual([]);
  });
});
