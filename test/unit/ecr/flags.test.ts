import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/base/usage-error.ts';
import { ecrLoginHelp, parseEcrLogin } from '../../../src/cli/ecr-login-flags.ts';

let directory: string;
let file: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'capdeployjob-ecr-'));
  file = join(directory, 'config.yaml');
  await writeFile(file, 'targets: [{ secretName: a, namespaces: [b] }]\n');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const ENV = { AWS_REGION: 'eu-west-1' };
const LEAST = ['--secret-name=ecr', '--namespace=deploy'];
const parse = (args: string[], env: NodeJS.ProcessEnv = ENV) => parseEcrLogin(args, env);

function problem(args: string[], env: NodeJS.ProcessEnv = ENV): string {
  try {
    parse(args, env);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).not.toContain('\n');
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

describe('what the flags say', () => {
  test('one target, one run, nothing dry', () => {
    expect(parse(LEAST)).toEqual({
      targets: [
        {
          label: 'target',
          registryIds: [],
          region: 'eu-west-1',
          role: undefined,
          secretName: 'ecr',
          namespaces: ['deploy'],
          serviceAccounts: [],
        },
      ],
      intervalMs: undefined,
      dryRun: false,
      kubeconfig: undefined,
      logLevel: 'info',
    });
  });

  const everything = {
    registryIds: ['123456789012', '210987654321'],
    region: 'cn-north-1',
    role: { roleArn: 'arn:aws-cn:iam::123456789012:role/pull', externalId: 'ours' },
    secretName: 'ecr',
    namespaces: { labelSelector: 'team in (a,b)' },
    serviceAccounts: ['default', 'web'],
  };

  test('every field of a target has its flag', () => {
    const args = [
      '--registry-id=123456789012',
      '--registry-id=210987654321',
      '--region=cn-north-1',
      '--role-arn=arn:aws-cn:iam::123456789012:role/pull',
      '--external-id=ours',
      '--secret-name=ecr',
      '--namespace-selector=team in (a,b)',
      '--service-account=default',
      '--service-account=web',
    ];
    expect(parse(args).targets).toEqual([{ label: 'target', ...everything }]);
  });

  test('and each flag its variable in the environment', () => {
    const env = {
      CAPDEPLOY_REGISTRY_ID: '123456789012,210987654321',
      CAPDEPLOY_REGION: 'cn-north-1',
      CAPDEPLOY_ROLE_ARN: 'arn:aws-cn:iam::123456789012:role/pull',
      CAPDEPLOY_EXTERNAL_ID: 'ours',
      CAPDEPLOY_SECRET_NAME: 'ecr',
      CAPDEPLOY_NAMESPACE_SELECTOR: 'team in (a,b)',
      CAPDEPLOY_SERVICE_ACCOUNT: 'default\nweb',
      CAPDEPLOY_DRY_RUN: 'true',
      CAPDEPLOY_INTERVAL: '4h',
    };
    expect(parse([], env)).toMatchObject({
      targets: [everything],
      dryRun: true,
      intervalMs: 4 * 3600_000,
    });
  });

  test.each([
    [
      'a file holds the targets',
      () => [`--config=${file}`],
      {},
      { targets: [{ label: 'targets[0]', secretName: 'a' }] },
    ],
    ['--dry-run needs no value', () => [...LEAST, '--dry-run'], {}, { dryRun: true }],
    [
      '--dry-run=false takes the environment back',
      () => [...LEAST, '--dry-run=false'],
      { CAPDEPLOY_DRY_RUN: 'true' },
      { dryRun: false },
    ],
    ['--interval is a duration', () => [...LEAST, '--interval=90m'], {}, { intervalMs: 90 * 60_000 }],
    [
      '--once is the default, and wins over an interval in the environment',
      () => [...LEAST, '--once'],
      { CAPDEPLOY_INTERVAL: '4h' },
      { intervalMs: undefined },
    ],
    [
      'the region may be AWS_DEFAULT_REGION',
      () => LEAST,
      { AWS_REGION: '', AWS_DEFAULT_REGION: 'eu-north-1' },
      { targets: [{ region: 'eu-north-1' }] },
    ],
  ])('%s', (_, args, env, expected) => {
    expect(parse(args(), { ...ENV, ...env })).toMatchObject(expected);
  });
});

describe('what is wrong is said in one line that names the flag', () => {
  test.each([
    [[], {}, '--config or --secret-name is needed: a file with targets, or flags for one target'],
    // An unset variable of a shell must not mean every namespace.
    [
      ['--secret-name=ecr', '--namespace-selector='],
      {},
      '--namespace-selector: "" would select every namespace: expected a label selector such as team=web',
    ],
    [['--secret-name=ecr'], {}, '--namespace, --namespace-selector: neither is set, exactly one is needed'],
    [
      [...LEAST, '--namespace-selector=a=b'],
      {},
      '--namespace, --namespace-selector: both are set, exactly one is needed',
    ],
    [[...LEAST, '--external-id=ours'], {}, '--external-id: is only sent when a role is assumed: set --role-arn too'],
    [
      LEAST,
      { CAPDEPLOY_EXTERNAL_ID: 'ours' },
      'CAPDEPLOY_EXTERNAL_ID: is only sent when a role is assumed: set --role-arn too',
    ],
    [LEAST, { AWS_REGION: '' }, '--region: no region is known: set it, or AWS_REGION in the environment'],
    [
      [...LEAST, '--registry-id=1'],
      {},
      '--registry-id: "1": expected an account id of 12 digits (in YAML between quotes)',
    ],
    [
      [...LEAST, ...Array.from({ length: 11 }, () => '--registry-id=123456789012')],
      {},
      '--registry-id: 11 values, expected at most 10 account ids (what ECR takes in one request): make two targets of it',
    ],
    [[...LEAST, '--namespace=A'], {}, '--namespace: "A": expected the name of a namespace: 1 to 63 of a-z 0-9 -'],
    [
      LEAST,
      { CAPDEPLOY_SECRET_NAME: 'x', CAPDEPLOY_DRY_RUN: 'yes' },
      'CAPDEPLOY_DRY_RUN: "yes": expected true or false',
    ],
    [[...LEAST, '--interval=30s'], {}, '--interval: "30s" is no interval: expected 1m to 6h, such as 90m or 4h'],
    [[...LEAST, '--interval=7h'], {}, '--interval: "7h" is no interval: expected 1m to 6h, such as 90m or 4h'],
    [[...LEAST, '--interval=4'], {}, '--interval: "4" is no interval: expected 1m to 6h, such as 90m or 4h'],
    [[...LEAST, '--once', '--interval=4h'], {}, '--once, --interval: only one of them can be meant'],
    [['--config=none.yaml'], {}, '--config: none.yaml is not there'],
    [[], { CAPDEPLOY_CONFIG: 'none.yaml' }, 'CAPDEPLOY_CONFIG: none.yaml is not there'],
    [['--config=/'], {}, '--config: / cannot be read (EISDIR)'],
    [
      ['--config=x', '--region=eu-west-1'],
      {},
      '--config, --region: targets come from the file or from flags, not from both',
    ],
    [
      ['--config=x'],
      { CAPDEPLOY_NAMESPACE: 'a' },
      '--config, CAPDEPLOY_NAMESPACE: targets come from the file or from flags, not from both',
    ],
    [['--dry-run', 'now'], {}, '"now": no argument is allowed here, only flags'],
  ])('%j with %j', (args, env, message) => {
    expect(problem(args, { ...ENV, ...env })).toBe(message);
  });

  test('a mistake in the file names the file and its field', async () => {
    const bad = join(directory, 'bad.yaml');
    await writeFile(bad, 'targets: [{ secretName: a, namespace: [b] }]\n');
    expect(problem([`--config=${bad}`])).toBe(`${bad}:1: targets[0]: unknown field "namespace"`);
  });
});

test('the help names every flag, with a value if it takes one', () => {
  expect(ecrLoginHelp().match(/^ {2}--[a-z-]+( [A-Z]+)?$/gm)).toEqual([
    '  --config FILE',
    '  --registry-id ACCOUNT',
    '  --region REGION',
    '  --role-arn ARN',
    '  --external-id ID',
    '  --secret-name NAME',
    '  --namespace NAME',
    '  --namespace-selector SELECTOR',
    '  --service-account NAME',
    '  --once',
    '  --interval DURATION',
    '  --dry-run',
    '  --kubeconfig FILE',
    '  --log-level LEVEL',
  ]);
});
