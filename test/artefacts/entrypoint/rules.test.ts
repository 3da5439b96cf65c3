import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ENVIRONMENT_PATTERN, revisionProblem, TASK_PATTERN } from '../../../src/api/deploy-request.ts';
import { functionsOfEntrypoint } from './script.ts';

/** The image must not take what the operator refuses, nor refuse what it takes: the same values go through both. */

const functions = functionsOfEntrypoint();

/** What the shell says of each value, in one shell. */
function shell(command: string, values: readonly string[]): string[] {
  const script = `${functions}\nfor value; do ${command}; printf '\\036'; done`;
  const out = execFileSync('/bin/sh', ['-c', script, 'entrypoint', ...values], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' },
  });
  return out.split('\x1e').slice(0, -1);
}

const revisions = (values: readonly string[]) =>
  shell('revision_problem "$value"', values).map((words) => words.trim());
const environments = (values: readonly string[]) => shell('is_environment "$value" && printf yes', values);
const tasks = (values: readonly string[]) => shell('is_task "$value" && printf yes', values);

const VALUES = [
  ...[
    'v1.0.0',
    'main',
    'feature/x',
    'a',
    '0',
    'Z',
    'user@host',
    'a+b_c-d',
    '0123456789abcdef',
    'a.b.c/d.e',
    'a-',
    'a_',
    'a@',
  ],
  ...[
    '',
    ' ',
    '-',
    '-e',
    '--help',
    '-x',
    '.git',
    '/etc',
    'a..b',
    '..',
    'a//b',
    'a@{1}',
    '@{',
    'a{b',
    'a.lock',
    'a.lock/b',
    'a.lockb',
  ],
  ...[
    'a.locks',
    '.lock',
    'lock',
    'a/',
    'a.',
    'a/.lock',
    'a/.',
    'a b',
    'a\n',
    '\na',
    'a\nb',
    'a\tb',
    'a\r',
    'ä',
    'aä',
    '☃',
    'a\u0301',
  ],
  ...[
    'a;b',
    'a|b',
    'a&b',
    'a$(b)',
    'a`b`',
    'a$b',
    "a'b",
    'a"b',
    'a\\b',
    'a*',
    'a?',
    '[a]',
    'a[b]',
    'a!b',
    'a#b',
    'a%b',
    'a=b',
  ],
  ...[
    `a$(touch\${IFS}pwned)`,
    'NAME=x',
    'production NAME=x',
    'deploy[x]',
    'a:b',
    'a::b',
    ':a',
    'a:',
    'deploy:rollback',
    'Deploy',
  ],
  ...[
    'deploy_all',
    'deploy-all',
    'puma:phased-restart',
    'a--b',
    'a:-b',
    'a-:b',
    'a.b:c',
    '1a',
    '_a',
    '*',
    '?',
    '[a-z]',
    '~',
    'a~b',
    'a^b',
    'a,b',
    'a<b',
    'a>b',
    '\x7f',
    'a\x01',
  ],
  ...['a'.repeat(50), 'a'.repeat(51), 'a'.repeat(100), 'a'.repeat(101), 'a'.repeat(244), 'a'.repeat(245)],
  ...[
    `${'a'.repeat(49)}-`,
    `a${'-'.repeat(48)}b`,
    `a${'-'.repeat(49)}b`,
    'production',
    'staging_2',
    '-production',
    'production-',
  ],
];

/** Bits of good and bad values, so that what is made of them is often nearly good. */
const BITS = [
  '.lock',
  '..',
  '//',
  '@{',
  '/',
  '.',
  '-',
  '_',
  ':',
  '::',
  '@',
  '+',
  '{',
  '}',
  '=',
  ' ',
  '\n',
  '$(',
  ')',
  ';',
  '`',
  '*',
  'ä',
  '☃',
];
const value = fc.oneof(
  fc
    .array(fc.oneof(fc.constantFrom(...'abzAZ059'), fc.constantFrom(...BITS)), { maxLength: 8 })
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
  fc.integer({ min: 40, max: 260 }).map((length) => 'a'.repeat(length)),
);
const values = fc.array(value, { minLength: 100, maxLength: 200 });
const often = { numRuns: 20 };

describe('Invariant 5, once more in the image: entrypoint and operator agree', () => {
  test('on revisions, word for word', () => {
    const expected = (revision: string) => revisionProblem(revision) ?? '';
    expect(revisions(VALUES)).toEqual(VALUES.map(expected));
    fc.assert(
      fc.property(values, (some) => {
        expect(revisions(some)).toEqual(some.map(expected));
      }),
      often,
    );
  });

  test('on environments, of which the resource allows 50 characters', () => {
    const expected = (name: string) => (ENVIRONMENT_PATTERN.test(name) ? 'yes' : '');
    expect(environments(VALUES)).toEqual(VALUES.map(expected));
    fc.assert(
      fc.property(values, (some) => {
        expect(environments(some)).toEqual(some.map(expected));
      }),
      often,
    );
  });

  test('on tasks, of which the resource allows 100 characters', () => {
    const expected = (name: string) => (TASK_PATTERN.test(name) && name.length <= 100 ? 'yes' : '');
    expect(tasks(VALUES)).toEqual(VALUES.map(expected));
    fc.assert(
      fc.property(values, (some) => {
        expect(tasks(some)).toEqual(some.map(expected));
      }),
      often,
    );
  });

  test('and each of the three takes some values of the table and refuses some', () => {
    const counts = [revisions(VALUES).map((words) => (words === '' ? 'yes' : '')), environments(VALUES), tasks(VALUES)];
    for (const answers of counts) {
      expect(answers.filter((answer) => answer === 'yes').length).toBeGreaterThan(5);
      expect(answers.filter((answer) => answer === '').length).toBeGreaterThan(40);
    }
  });
});
