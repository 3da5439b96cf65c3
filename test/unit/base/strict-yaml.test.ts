import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseStrictYaml } from '../../../src/base/strict-yaml.ts';
import { UsageError } from '../../../src/base/usage-error.ts';

const schema = z.strictObject({
  slack: z.strictObject({ team: z.string().regex(/^T/, 'expected the id of a team') }),
  rules: z.array(z.strictObject({ may: z.array(z.enum(['deploy', 'abort'])).min(1, 'expected a command') })),
});

const GOOD = `slack: { team: T1 }
rules:
  - may: [deploy]
`;

const problem = (text: string): string => {
  try {
    parseStrictYaml(text, 'bot.yaml', schema);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  return 'none';
};

test('a file that fits is read', () => {
  expect(parseStrictYaml(GOOD, 'bot.yaml', schema)).toEqual({ slack: { team: 'T1' }, rules: [{ may: ['deploy'] }] });
});

test.each([
  ['an unknown key', `${GOOD}  - may: [abort]\n    user: U1\n`, 'bot.yaml:5: rules[1]: unknown field "user"'],
  ['an unknown key at the top', `${GOOD}extra: 1\n`, 'bot.yaml:4: unknown field "extra"'],
  ['a bad value', GOOD.replace('T1', 'X1'), 'bot.yaml:1: slack.team: expected the id of a team'],
  [
    'a bad item of a list',
    GOOD.replace('[deploy]', '\n      - deploy\n      - fly'),
    'bot.yaml:5: rules[0].may[1]: Invalid option: expected one of "deploy"|"abort"',
  ],
  ['a missing key', 'slack: { team: T1 }\n', /^bot\.yaml: rules: found nothing; /],
  ['a missing key within another', 'rules: []\nslack: {}\n', /^bot\.yaml:2: slack\.team: found nothing; /],
  ['a key twice', `${GOOD}rules: []\n`, /^bot\.yaml: Map keys must be unique at line 4/],
  ['no YAML', 'slack: [', /^bot\.yaml: .* at line 1/],
  ['an empty file', '', /^bot\.yaml: the file: found nothing; /],
  ['an alias of nothing', 'slack: *gone\n', /^bot\.yaml: /],
])('%s: the line and the field are named', (_, text, expected) => {
  expect(problem(text)).toMatch(expected);
});

test('no value is quoted: it can be a secret in the wrong place', () => {
  for (const text of [GOOD.replace('T1', 'xoxb-hush'), GOOD.replace('[deploy]', '[xoxb-hush]'), 'xoxb-hush'])
    expect(problem(text)).not.toContain('hush');
});
