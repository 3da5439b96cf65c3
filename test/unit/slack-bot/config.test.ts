import { expect, it } from 'vitest';
import { UsageError } from '../../../src/base/usage-error.ts';
import { parseBotConfig } from '../../../src/slack-bot/config.ts';
import { CONFIG, FILE_CONFIG } from './fake-bot.ts';

const QUEUE = 'https://sqs.ap-northeast-1.amazonaws.com/123456789012/web-deploy';

const CLUSTER = `slack:
  team: T0TEAM
source: cluster
rules:
  - may: [deploy]
    targets: [deploy/web]
    environments: [staging]
    channels: [C0PROD]
    users: [U0ALICE]
`;

const FILE = `slack: { team: T0TEAM }
source: file
rules: []
targets:
  - name: deploy/web
    repositories: [livesense/web]
    environments: [staging]
    queueUrl: ${QUEUE}
`;

const problem = (text: string): string => {
  try {
    parseBotConfig(text, 'bot.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  return 'none';
};

it('is taken with defaults', () => {
  expect(parseBotConfig(CLUSTER, 'bot.yaml')).toMatchObject({
    slack: { team: 'T0TEAM', locale: 'auto' },
    targets: [],
    trustedSenders: [],
    approveUnverified: false,
    protected: [],
    confirm: [],
    limits: { perUserPerMinute: 10, lookupTimeoutMs: 1500 },
  });
  expect(parseBotConfig(FILE, 'bot.yaml').targets[0]?.tasks).toEqual(['deploy']);
  for (const text of [CONFIG, FILE_CONFIG]) expect(problem(text)).toBe('none');
});

it.each([
  ['an unknown field', `${CLUSTER}extra: 1\n`, 'bot.yaml:10: unknown field "extra"'],
  ['an unknown field of a rule', `${CLUSTER}    user: U1\n`, 'bot.yaml:10: rules[0]: unknown field "user"'],
  ["a team's name", CLUSTER.replace('T0TEAM', 'example'), 'bot.yaml:2: slack.team: expected the id of a workspace'],
  ['an organization', CLUSTER.replace('T0TEAM', 'E0ORG'), 'bot.yaml:2: slack.team: expected the id of a workspace'],
  ['a language that there is not', CLUSTER.replace('T0TEAM', 'T0\n  locale: fr'), 'bot.yaml:3: slack.locale: '],
  ['another source', CLUSTER.replace('cluster', 'git'), 'bot.yaml:3: source: '],
  ['no source', CLUSTER.replace('source: cluster\n', ''), 'bot.yaml: source: '],
  ['no rules', CLUSTER.slice(0, CLUSTER.indexOf('rules')), 'bot.yaml: rules: found nothing'],
  ['a rule for nobody', CLUSTER.replace('users: [U0ALICE]', 'users: []'), 'bot.yaml:5: rules[0]: names nobody'],
  ["a channel's name", CLUSTER.replace('C0PROD', '"#prod"'), 'bot.yaml:8: rules[0].channels[0]: expected the id'],
  ['targets with source: cluster', FILE.replace('file', 'cluster'), 'bot.yaml:4: targets: is for source: file only'],
  [
    'no target with source: file',
    CLUSTER.replace('cluster', 'file'),
    'bot.yaml: targets: with source: file expected at least one',
  ],
  ['namespaces with source: file', `${FILE}namespaces: [deploy]\n`, 'bot.yaml:9: namespaces: is for source: cluster'],
  ['an empty list of namespaces', `${CLUSTER}namespaces: []\n`, 'bot.yaml:10: namespaces: expected at least one'],
  ['what is no namespace', `${CLUSTER}namespaces: [Web_1]\n`, 'bot.yaml:10: namespaces[0]: expected the name of a'],
  [
    'a rule about a target outside the namespaces',
    `${CLUSTER}namespaces: [other]\n`,
    'bot.yaml:6: rules[0].targets[0]: is in none of the "namespaces"',
  ],
  ['a target twice', `${FILE}${FILE.slice(FILE.indexOf('  - name'))}`, 'bot.yaml:9: targets[1].name: is there twice'],
  ['a target without its namespace', FILE.replace('deploy/web', 'web'), 'bot.yaml:5: targets[0].name: expected <name'],
  ['a target without repositories', FILE.replace('livesense/web', ''), 'bot.yaml:6: targets[0].repositories'],
  ['a repository that is an option', FILE.replace('livesense/web', '-web'), 'bot.yaml:6: targets[0].repositories[0]'],
  ['a target without environments', FILE.replace('[staging]', '[]'), 'bot.yaml:7: targets[0].environments: expected'],
  ['a task that is none', `${FILE}    tasks: ["rm -rf"]\n`, 'bot.yaml:9: targets[0].tasks[0]: expected a Capistrano'],
  ['an address that is no queue', FILE.replace(QUEUE, 'ftp://x'), 'bot.yaml:8: targets[0].queueUrl: '],
  ['a region that is none', `${FILE}    region: "Tokyo!"\n`, 'bot.yaml:9: targets[0].region: expected an AWS region'],
  ['a role that is none', `${FILE}    roleArn: deploy\n`, 'bot.yaml:9: targets[0].roleArn: expected the ARN'],
  [
    'a sender with a session name',
    `${CLUSTER}trustedSenders: ["AROAEXAMPLEID1234567:s"]\n`,
    'bot.yaml:10: trustedSenders[0]: expected the unique id',
  ],
  [
    "SNS's own id as a trusted sender",
    `${CLUSTER}trustedSenders: [AIDAIENQZJOLO23YVJ4VO]\n`,
    'bot.yaml:10: trustedSenders[0]: is an id of SNS',
  ],
  ['an environment that is none', `${CLUSTER}protected: ["prod;id"]\n`, 'bot.yaml:10: protected[0]: expected the name'],
  ['no request a minute', `${CLUSTER}limits: { perUserPerMinute: 0 }\n`, 'bot.yaml:10: limits.perUserPerMinute: '],
  ['a longer wait than an answer has', `${CLUSTER}limits: { lookupTimeoutMs: 3000 }\n`, 'limits.lookupTimeoutMs: '],
])('is refused with its line: %s', (_, text, expected) => {
  expect(problem(text)).toContain(expected);
});
