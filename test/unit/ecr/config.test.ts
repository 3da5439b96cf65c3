import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/base/usage-error.ts';
import { parseConfig } from '../../../src/ecr/config.ts';

const parse = (text: string, region: string | undefined = 'eu-west-1') => parseConfig(text, 'config.yaml', region);
const one = (fields: string) => `targets:\n  - ${fields.split('\n').join('\n    ')}\n`;
const LEAST = 'secretName: ecr\nnamespaces: [deploy]';

function problem(text: string, region?: string | null): string {
  try {
    parseConfig(text, 'config.yaml', region === null ? undefined : (region ?? 'eu-west-1'));
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).not.toContain('\n');
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

describe('what a file says', () => {
  test('a target needs a Secret name and namespaces; the region is AWS_REGION, the registry the account of the credentials', () => {
    expect(parse(one(LEAST))).toEqual([
      {
        label: 'targets[0]',
        registryIds: [],
        region: 'eu-west-1',
        role: undefined,
        secretName: 'ecr',
        namespaces: ['deploy'],
        serviceAccounts: [],
      },
    ]);
  });

  test('every field', () => {
    const fields = [
      'registryIds: ["123456789012", "210987654321", "123456789012"]',
      'region: us-gov-west-1',
      'roleArn: arn:aws-us-gov:iam::123456789012:role/path/pull',
      'externalId: a:b/c=d',
      'secretName: ecr.pull-secret',
      'namespaceSelector: { matchLabels: { team: web } }',
      'serviceAccounts: [default, default]',
    ];
    expect(parse(one(fields.join('\n')), undefined)).toEqual([
      {
        label: 'targets[0]',
        registryIds: ['123456789012', '210987654321'],
        region: 'us-gov-west-1',
        role: { roleArn: 'arn:aws-us-gov:iam::123456789012:role/path/pull', externalId: 'a:b/c=d' },
        secretName: 'ecr.pull-secret',
        namespaces: { labelSelector: 'team=web' },
        serviceAccounts: ['default'],
      },
    ]);
  });

  test('targets are counted from nought', () => {
    const text = `${one(LEAST)}  - { secretName: b, namespaces: [a, a] }\n`;
    expect(parse(text).map(({ label, namespaces }) => [label, namespaces])).toEqual([
      ['targets[0]', ['deploy']],
      ['targets[1]', ['a']],
    ]);
  });

  test.each([
    ['an empty selector selects every namespace', '{}', ''],
    ['labels are and-ed', '{ matchLabels: { a: b, x.y/c: "" } }', 'a=b,x.y/c='],
    [
      'expressions are what kubectl -l takes',
      '{ matchLabels: { a: b }, matchExpressions: [{ key: c, operator: In, values: [d, e] }, { key: f, operator: NotIn, values: [g] }, { key: h, operator: Exists }, { key: i, operator: DoesNotExist }] }',
      'a=b,c in (d,e),f notin (g),h,!i',
    ],
  ])('%s', (_, selector, expected) => {
    expect(parse(one(`secretName: ecr\nnamespaceSelector: ${selector}`))[0]?.namespaces).toEqual({
      labelSelector: expected,
    });
  });
});

describe('what is wrong is said in one line that names the field and what is allowed, and quotes nothing', () => {
  const IN = 'config.yaml: targets[0].';
  test.each([
    [
      'an unknown field of a target',
      one(`${LEAST}\nsecretname: hush`),
      'config.yaml: targets[0]: unknown field "secretname"',
    ],
    ['an unknown field of the file', `${one(LEAST)}region: hush\n`, 'config.yaml: unknown field "region"'],
    [
      'an unknown field of a selector',
      one('secretName: e\nnamespaceSelector: { labels: {} }'),
      `${IN}namespaceSelector: unknown field "labels"`,
    ],
    ['no file content', '', 'config.yaml: the file: found nothing; expected a mapping with the key targets'],
    ['no targets', 'targets: []', 'config.yaml: targets: expected at least one target'],
    ['targets that are no list', 'targets: hush', 'config.yaml: targets: found a string; expected a list of targets'],
    [
      'no Secret name',
      one('namespaces: [deploy]'),
      `${IN}secretName: found nothing; expected the name of a Secret: a-z 0-9 - and .`,
    ],
    [
      'a Secret name in capitals',
      one('secretName: Hush\nnamespaces: [a]'),
      `${IN}secretName: expected the name of a Secret: a-z 0-9 - and .`,
    ],
    [
      'a namespace that is none',
      one('secretName: e\nnamespaces: [a, hush_]'),
      `${IN}namespaces[1]: expected the name of a namespace: 1 to 63 of a-z 0-9 -`,
    ],
    [
      'no namespace',
      one('secretName: e'),
      `${IN}namespaces, ${IN}namespaceSelector: neither is set, exactly one is needed`,
    ],
    [
      'an empty list of namespaces',
      one('secretName: e\nnamespaces: []'),
      `${IN}namespaces: expected at least one namespace`,
    ],
    [
      'a word for a list of namespaces',
      one('secretName: e\nnamespaces: "*"'),
      `${IN}namespaces: found a string; expected a list of names, such as [deploy]; for namespaces by their labels, or all, use namespaceSelector`,
    ],
    [
      'a target that is a word',
      'targets: [hush]',
      'config.yaml: targets[0]: found a string; expected a target, such as { secretName: ecr-pull-secret, namespaces: [deploy] }',
    ],
    [
      'a selector as kubectl takes it',
      one('secretName: e\nnamespaceSelector: team=hush'),
      `${IN}namespaceSelector: found a string; expected a label selector, such as { matchLabels: { team: web } }; {} selects every namespace`,
    ],
    [
      'a list of labels',
      one('secretName: e\nnamespaceSelector: { matchLabels: [hush] }'),
      `${IN}namespaceSelector.matchLabels: found a list; expected names of labels and their values, such as { team: web }`,
    ],
    [
      'names and a selector',
      one(`${LEAST}\nnamespaceSelector: {}`),
      `${IN}namespaces, ${IN}namespaceSelector: both are set, exactly one is needed`,
    ],
    [
      'an account id that YAML reads as a number',
      one(`${LEAST}\nregistryIds: [012345678901]`),
      `${IN}registryIds[0]: found a number; expected an account id of 12 digits (in YAML between quotes)`,
    ],
    [
      'an account id that is too short',
      one(`${LEAST}\nregistryIds: ["1234"]`),
      `${IN}registryIds[0]: expected an account id of 12 digits (in YAML between quotes)`,
    ],
    [
      'more registries than ECR takes in one request',
      one(`${LEAST}\nregistryIds: [${Array.from({ length: 11 }, () => '"123456789012"').join(', ')}]`),
      `${IN}registryIds: expected at most 10 account ids (what ECR takes in one request): make two targets of it`,
    ],
    [
      'a region that is none',
      one(`${LEAST}\nregion: Tokyo`),
      `${IN}region: expected an AWS region such as ap-northeast-1`,
    ],
    [
      'a role that is none',
      one(`${LEAST}\nroleArn: arn:aws:iam::1:user/hush`),
      `${IN}roleArn: expected the ARN of an IAM role: arn:aws:iam::<account id>:role/<name>`,
    ],
    [
      'an external id without a role',
      one(`${LEAST}\nexternalId: hush`),
      `${IN}externalId: is only sent when a role is assumed: set ${IN}roleArn too`,
    ],
    [
      'a label that YAML reads as true',
      one('secretName: e\nnamespaceSelector: { matchLabels: { a: true } }'),
      `${IN}namespaceSelector.matchLabels.a: found a boolean; expected the value of a label, in quotes where it looks like a number`,
    ],
    [
      'a label that could end the selector',
      one('secretName: e\nnamespaceSelector: { matchLabels: { a: "b,!c" } }'),
      `${IN}namespaceSelector.matchLabels.a: expected the value of a label, in quotes where it looks like a number`,
    ],
    [
      'In without values',
      one('secretName: e\nnamespaceSelector: { matchExpressions: [{ key: a, operator: In }] }'),
      `${IN}namespaceSelector.matchExpressions[0].values: the operator In needs at least one value`,
    ],
    [
      'Exists with values',
      one('secretName: e\nnamespaceSelector: { matchExpressions: [{ key: a, operator: Exists, values: [b] }] }'),
      `${IN}namespaceSelector.matchExpressions[0].values: the operator Exists takes no values`,
    ],
    [
      'an unknown operator',
      one('secretName: e\nnamespaceSelector: { matchExpressions: [{ key: a, operator: Gt }] }'),
      `${IN}namespaceSelector.matchExpressions[0].operator: expected In, NotIn, Exists or DoesNotExist`,
    ],
    [
      'a field that is given twice',
      one(`${LEAST}\nsecretName: hush`),
      'config.yaml: Map keys must be unique at line 4, column 5',
    ],
    [
      'no YAML',
      'targets: [hush',
      'config.yaml: Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 15',
    ],
  ])('%s', (_, text, message) => {
    // Lines: test/unit/base/strict-yaml.test.ts.
    expect(problem(text).replace(/^config\.yaml:\d+/, 'config.yaml')).toBe(message);
    expect(message).not.toMatch(/hush/i);
  });

  const WRONG = [null, true, 1, 'hush', [], {}, [null], [{}], { hush: null }];
  test.each([
    '',
    'targets',
    ...['registryIds', 'region', 'roleArn', 'externalId', 'secretName', 'namespaces', 'serviceAccounts'].map(
      (field) => `targets.0.${field}`,
    ),
    ...['', '.matchLabels', '.matchLabels.a', '.matchLabels.hush_/', '.matchExpressions', '.matchExpressions.0'].map(
      (field) => `targets.0.namespaceSelector${field}`,
    ),
    ...['key', 'operator', 'values'].map((field) => `targets.0.namespaceSelector.matchExpressions.0.${field}`),
  ])('it is never in the words of the parser: %s', (path) => {
    for (const value of WRONG) {
      let file: unknown = value;
      for (const step of path === '' ? [] : path.split('.').reverse()) file = step === '0' ? [file] : { [step]: file };
      try {
        parse(JSON.stringify(file));
      } catch (error) {
        expect((error as Error).message).not.toMatch(/invalid|received|too (big|small)/i);
        expect((error as Error).message).toMatch(/expected|unknown field|needed|needs|takes no values/);
      }
    }
  });

  test('AWS_REGION that is none', () => {
    expect(problem(one(LEAST), 'Tokyo')).toBe(
      `AWS_REGION: found "Tokyo"; expected an AWS region such as ap-northeast-1 (or set ${IN}region)`,
    );
    expect(parse(one(`${LEAST}\nregion: eusc-de-east-1`), 'Tokyo')[0]?.region).toBe('eusc-de-east-1');
  });

  test('no region anywhere', () => {
    expect(problem(one(LEAST), null)).toBe(`${IN}region: no region is known: set it, or AWS_REGION in the environment`);
  });
});
