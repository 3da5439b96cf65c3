/** What the CapDeployJob's spec may hold and what not: the table of cel.test.ts. A new field has its rows here. */

/** Some valid spec with every object in it, so that each field has a place. */
export const SPEC = {
  queue: { url: 'https://sqs.ap-northeast-1.amazonaws.com/123456789012/web-deploy' },
  environments: [
    { name: 'production', windows: [{ kind: 'Allow', schedule: '0 9 * * MON-FRI', durationSeconds: 28_800 }] },
  ],
  sshKey: { secretName: 'web-ssh-key' },
};

type Refused = [what: string, value: unknown, says: string];

/**
 * What a constraint lets through and what not. `value` is written to the field of the row; to a whole object (spec, a
 * list's item) it is added, where `undefined` takes a field away. `at` is the field that the refusal names, where it is
 * not the row's own.
 */
export interface Row {
  accepts: unknown[];
  refuses: Refused[];
  at?: string;
  /** Of the spec, where another field's bound or a rule would be in the way. */
  beside?: Record<string, unknown>;
}

const text = (length: number, start = 'a') => start.padEnd(length, 'a');
const named = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `e${index}` }));
const windows = (count: number) =>
  Array.from({ length: count }, () => ({ kind: 'Deny', schedule: '0 0 * * *', durationSeconds: 60 }));
const words = (count: number) => Array.from({ length: count }, (_, index) => `a${index}`);

const bytes = (limit: number) => `may not be more than ${limit} bytes`;
const matches = (pattern: string) => `should match '${pattern}'`;
const atMost = (limit: number) => `should be less than or equal to ${limit}`;
const atLeast = (limit: number) => `should be greater than or equal to ${limit}`;

/** A whole number from `min` to `max`. */
const range = (field: string, min: number, max: number): Record<string, Row> => ({
  [`spec.${field} minimum`]: { accepts: [min], refuses: [['one less', min - 1, atLeast(min)]] },
  [`spec.${field} maximum`]: { accepts: [max], refuses: [['one more', max + 1, atMost(max)]] },
});

const longest = (field: string, limit: number, start = 'a'): Record<string, Row> => ({
  [`spec.${field} maxLength`]: {
    accepts: [text(limit, start)],
    refuses: [['one character more', text(limit + 1, start), bytes(limit)]],
  },
});

const SECRET_KEY = '^\\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$';
const SECRET = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';
const secretKey = (field: string): Record<string, Row> => ({
  [`spec.${field} pattern`]: {
    accepts: ['id_ed25519', '.key-1', 'a'],
    refuses: [
      ['a path', '../id_ed25519', matches(SECRET_KEY)],
      ['the way out', '..', matches(SECRET_KEY)],
      ['a name that begins so', '..key', matches(SECRET_KEY)],
      ['a blank', 'id ed25519', matches(SECRET_KEY)],
      ['nothing', '', matches(SECRET_KEY)],
    ],
  },
  ...longest(field, 253),
});

const URL_PATTERN = '^https?:\\/\\/[^\\s?#@]+$';
const REGION = '^[a-z]{2,5}(-[a-z]+){1,3}-[0-9]{1,2}$';
const ROLE = '^arn:aws[a-z-]*:iam::[0-9]{12}:role\\/[A-Za-z0-9+=,.@_/-]+$';
const ENVIRONMENT = '^[A-Za-z0-9]([A-Za-z0-9_-]{0,48}[A-Za-z0-9])?$';
const REPOSITORY = '^[A-Za-z0-9][A-Za-z0-9._/:@+~-]{0,139}$';
const TASK = '^[a-z]\\w*([:-]\\w+)*$';
const MOUNT_PATH = '^\\/[^:]*$';
const SCHEDULE = '^[0-9A-Za-z*,/-]+( +[0-9A-Za-z*,/-]+){4}$';
const TIME_ZONE = '^[A-Za-z0-9_+/-]+$';
const POLICIES = 'supported values: "Queue", "Supersede", "Replace"';
const role = (name: string) => `arn:aws:iam::123456789012:role/${name}`;

/**
 * By the names that constraints.ts gives them. A new field has its rows here; a row whose constraint is gone goes too.
 */
export const ROWS: Record<string, Row> = {
  'rule self.metadata.name.size() <= 63': {
    accepts: [{ metadata: { name: text(63) } }],
    refuses: [
      ['one character more', { metadata: { name: text(64) } }, 'metadata.name must be no more than 63 characters'],
    ],
    at: '<nil>',
  },
  'requires spec': { accepts: [], refuses: [['none', { spec: undefined }, 'Required value']], at: 'spec' },

  'spec requires queue': { accepts: [], refuses: [['none', { queue: undefined }, 'Required value']], at: 'spec.queue' },
  'spec requires environments': {
    accepts: [],
    refuses: [['none', { environments: undefined }, 'Required value']],
    at: 'spec.environments',
  },
  'spec requires template': {
    accepts: [],
    refuses: [['none', { template: undefined }, 'Required value']],
    at: 'spec.template',
  },
  'spec rule size(self.environments) * self.maxWaiting <= 1000': {
    accepts: [
      { environments: named(50), maxWaiting: 20 },
      { environments: named(10), maxWaiting: 100 },
    ],
    refuses: [
      [
        'too many requests for each environment',
        { environments: named(50), maxWaiting: 21 },
        'environments times maxWaiting must not exceed 1000',
      ],
      [
        'too many environments',
        { environments: named(11), maxWaiting: 100 },
        'environments times maxWaiting must not exceed 1000',
      ],
    ],
    at: 'spec.maxWaiting',
  },
  'spec rule self.environments.map(e, has(e.windows) ? size(e.windows) : 0).sum() <= 100': {
    accepts: [{ environments: named(5).map((environment) => ({ ...environment, windows: windows(20) })) }],
    refuses: [
      [
        'one more',
        {
          environments: [
            ...named(5).map((environment) => ({ ...environment, windows: windows(20) })),
            { name: 'last', windows: windows(1) },
          ],
        },
        'there must not be more than 100 windows',
      ],
    ],
    at: 'spec.environments',
  },
  'spec rule self.waitingDeadlineSeconds >= self.startingDeadlineSeconds': {
    accepts: [{ waitingDeadlineSeconds: 60, startingDeadlineSeconds: 60 }, { startingDeadlineSeconds: 86_400 }],
    refuses: [
      [
        'it said',
        { waitingDeadlineSeconds: 59, startingDeadlineSeconds: 60 },
        'must not be less than startingDeadlineSeconds',
      ],
      [
        'the other left to its default',
        { waitingDeadlineSeconds: 3599 },
        'must not be less than startingDeadlineSeconds',
      ],
      ['it left to its default', { startingDeadlineSeconds: 86_401 }, 'must not be less than startingDeadlineSeconds'],
    ],
    at: 'spec.waitingDeadlineSeconds',
  },

  'spec.queue requires url': {
    accepts: [],
    refuses: [['none', { url: undefined }, 'Required value']],
    at: 'spec.queue.url',
  },
  'spec.queue.url pattern': {
    accepts: ['https://sqs.us-east-1.amazonaws.com/123456789012/a.fifo', 'http://127.0.0.1:4566/000000000000/a'],
    refuses: [
      ['another scheme', 'ftp://sqs.us-east-1.amazonaws.com/1/a', matches(URL_PATTERN)],
      ['a blank', 'https://sqs.us-east-1.amazonaws.com/1/a b', matches(URL_PATTERN)],
      ['credentials', 'https://user:word@sqs.us-east-1.amazonaws.com/1/a', matches(URL_PATTERN)],
      ['a query', 'https://sqs.us-east-1.amazonaws.com/1/a?b=c', matches(URL_PATTERN)],
      ['a fragment', 'https://sqs.us-east-1.amazonaws.com/1/a#b', matches(URL_PATTERN)],
      ['nothing but a scheme', 'https://', matches(URL_PATTERN)],
    ],
  },
  ...longest('queue.url', 1024, 'https://'),
  'spec.queue.region pattern': {
    accepts: ['ap-northeast-1', 'us-gov-west-1', 'us-iso-east-1', 'eusc-de-east-1'],
    refuses: [
      ['a zone', 'ap-northeast-1a', matches(REGION)],
      ['upper case', 'AP-NORTHEAST-1', matches(REGION)],
      ['a host', 'us-east-1.example.com', matches(REGION)],
    ],
  },
  'spec.queue.region maxLength': {
    accepts: [`us-${text(27)}-1`],
    refuses: [['one character more', `us-${text(28)}-1`, bytes(32)]],
  },
  'spec.queue.roleArn pattern': {
    accepts: [role('web'), 'arn:aws-cn:iam::123456789012:role/path/to/web+=,.@_-'],
    refuses: [
      ['a user', 'arn:aws:iam::123456789012:user/web', matches(ROLE)],
      ['a short account', 'arn:aws:iam::12345678901:role/web', matches(ROLE)],
      ['a wildcard', role('*'), matches(ROLE)],
    ],
  },
  'spec.queue.roleArn maxLength': {
    accepts: [text(256, role(''))],
    refuses: [['one character more', text(257, role('')), bytes(256)]],
  },
  'spec.queue.waitTimeSeconds default': { accepts: [20], refuses: [] },
  ...range('queue.waitTimeSeconds', 0, 20),
  'spec.queue.visibilityTimeoutSeconds default': { accepts: [60], refuses: [] },
  ...range('queue.visibilityTimeoutSeconds', 10, 43_200),

  'spec.repositories minItems': { accepts: [['a']], refuses: [['none', [], 'should have at least 1 items']] },
  'spec.repositories maxItems': {
    accepts: [words(50)],
    refuses: [['one more', words(51), 'must have at most 50 items']],
  },
  'spec.repositories is a list of type set': {
    accepts: [['a', 'b']],
    refuses: [['one twice', ['a', 'a'], 'Duplicate value']],
    at: 'spec.repositories[1]',
  },
  'spec.repositories[] pattern': {
    accepts: ['livesense/web', 'git@example.com:livesense/web.git', '~'.padStart(2, 'a')],
    refuses: [
      ['a blank', 'livesense web', matches(REPOSITORY)],
      ['an option', '--upload-pack=x', matches(REPOSITORY)],
      ['nothing', '', matches(REPOSITORY)],
    ],
  },
  ...longest('repositories[]', 140),

  'spec.environments minItems': { accepts: [named(1)], refuses: [['none', [], 'should have at least 1 items']] },
  'spec.environments maxItems': {
    accepts: [named(50)],
    refuses: [['one more', named(51), 'must have at most 50 items']],
  },
  'spec.environments is a list of type map': {
    accepts: [[{ name: 'a' }, { name: 'A' }]],
    refuses: [['one twice', [{ name: 'a' }, { name: 'a' }], 'Duplicate value']],
    at: 'spec.environments[1]',
  },
  'spec.environments[] requires name': {
    accepts: [],
    refuses: [['none', { name: undefined }, 'Required value']],
    at: 'spec.environments[0].name',
  },
  'spec.environments[].name pattern': {
    accepts: ['production', 'Staging_2', 'a', text(50)],
    refuses: [
      ['a hyphen at its start, as an option has', '-production', matches(ENVIRONMENT)],
      ['a hyphen at its end', 'production-', matches(ENVIRONMENT)],
      ['a command', 'a;b', matches(ENVIRONMENT)],
      ['a dot', 'a.b', matches(ENVIRONMENT)],
      ['nothing', '', matches(ENVIRONMENT)],
    ],
  },
  ...longest('environments[].name', 50),
  'spec.environments[].revisions minLength': {
    accepts: ['v'],
    refuses: [['nothing', '', 'should be at least 1 chars long']],
  },
  ...longest('environments[].revisions', 512),

  'spec.environments[].concurrencyPolicy enum': {
    accepts: ['Queue', 'Supersede', 'Replace'],
    refuses: [["CronJob's word", 'Forbid', POLICIES]],
  },
  'spec.environments[].windows maxItems': {
    accepts: [windows(20)],
    refuses: [['one more', windows(21), 'must have at most 20 items']],
  },
  'spec.environments[].windows is a list of type atomic': {
    accepts: [windows(2)],
    refuses: [['a word', 'Allow', 'must be of type array']],
  },
  'spec.environments[].windows[] requires kind': {
    accepts: [],
    refuses: [['none', { kind: undefined }, 'Required value']],
    at: 'spec.environments[0].windows[0].kind',
  },
  'spec.environments[].windows[] requires schedule': {
    accepts: [],
    refuses: [['none', { schedule: undefined }, 'Required value']],
    at: 'spec.environments[0].windows[0].schedule',
  },
  'spec.environments[].windows[] requires durationSeconds': {
    accepts: [],
    refuses: [['none', { durationSeconds: undefined }, 'Required value']],
    at: 'spec.environments[0].windows[0].durationSeconds',
  },
  'spec.environments[].windows[].kind enum': {
    accepts: ['Allow', 'Deny'],
    refuses: [['small letters', 'allow', 'supported values: "Allow", "Deny"']],
  },
  'spec.environments[].windows[].schedule pattern': {
    accepts: ['0 9 * * MON-FRI', '*/5 0-3,5 1 jan *'],
    refuses: [
      ['a field for seconds', '0 0 9 * * MON', matches(SCHEDULE)],
      ['a field too few', '0 9 * *', matches(SCHEDULE)],
      ['a nickname', '@daily', matches(SCHEDULE)],
      ['a time zone within', 'TZ=UTC 0 9 * *', matches(SCHEDULE)],
    ],
  },
  'spec.environments[].windows[].schedule maxLength': {
    accepts: [`${text(92, '0')} * * * *`],
    refuses: [['one character more', `${text(93, '0')} * * * *`, bytes(100)]],
  },
  ...range('environments[].windows[].durationSeconds', 60, 31_622_400),
  'spec.environments[].windows[].timeZone pattern': {
    accepts: ['UTC', 'Asia/Tokyo', 'Etc/GMT+9', 'America/Port-au-Prince'],
    refuses: [
      ['a blank', 'Asia Tokyo', matches(TIME_ZONE)],
      ['nothing', '', matches(TIME_ZONE)],
    ],
  },
  ...longest('environments[].windows[].timeZone', 64),

  'spec.tasks default': { accepts: [['deploy']], refuses: [] },
  'spec.tasks minItems': { accepts: [['deploy']], refuses: [['none', [], 'should have at least 1 items']] },
  'spec.tasks maxItems': { accepts: [words(20)], refuses: [['one more', words(21), 'must have at most 20 items']] },
  'spec.tasks is a list of type set': {
    accepts: [['deploy', 'deploy:rollback']],
    refuses: [['one twice', ['deploy', 'deploy'], 'Duplicate value']],
    at: 'spec.tasks[1]',
  },
  'spec.tasks[] pattern': {
    accepts: ['deploy:rollback', 'a_1:B2', 'puma:phased-restart'],
    refuses: [
      ['an option of rake', '-e', matches(TASK)],
      ['an assignment', 'A=b', matches(TASK)],
      ['an argument', 'deploy[now]', matches(TASK)],
      ['an open end', 'deploy:', matches(TASK)],
      ['a hyphen at its end', 'deploy-', matches(TASK)],
    ],
  },
  ...longest('tasks[]', 100),

  'spec.concurrencyPolicy default': { accepts: ['Queue'], refuses: [] },
  'spec.concurrencyPolicy enum': {
    accepts: ['Queue', 'Supersede', 'Replace'],
    refuses: [["CronJob's word", 'Forbid', POLICIES]],
  },
  'spec.maxWaiting default': { accepts: [20], refuses: [] },
  ...range('maxWaiting', 1, 100),
  'spec.suspend default': { accepts: [false], refuses: [] },
  'spec.startingDeadlineSeconds default': { accepts: [3600], refuses: [] },
  'spec.startingDeadlineSeconds minimum': { accepts: [1], refuses: [['one less', 0, atLeast(1)]] },
  'spec.startingDeadlineSeconds maximum': {
    accepts: [1_209_600],
    refuses: [['one more', 1_209_601, atMost(1_209_600)]],
    beside: { waitingDeadlineSeconds: 2_592_000 },
  },
  'spec.waitingDeadlineSeconds default': { accepts: [86_400], refuses: [] },
  'spec.waitingDeadlineSeconds minimum': {
    accepts: [1],
    refuses: [['one less', 0, atLeast(1)]],
    beside: { startingDeadlineSeconds: 1 },
  },
  'spec.waitingDeadlineSeconds maximum': {
    accepts: [2_592_000],
    refuses: [['one more', 2_592_001, atMost(2_592_000)]],
  },
  'spec.podStartDeadlineSeconds default': { accepts: [300], refuses: [] },
  ...range('podStartDeadlineSeconds', 1, 86_400),
  'spec.activeDeadlineSeconds default': { accepts: [3600], refuses: [] },
  ...range('activeDeadlineSeconds', 1, 604_800),
  'spec.successfulJobsHistoryLimit default': { accepts: [3], refuses: [] },
  ...range('successfulJobsHistoryLimit', 0, 20),
  'spec.failedJobsHistoryLimit default': { accepts: [3], refuses: [] },
  ...range('failedJobsHistoryLimit', 0, 20),
  'spec.ttlSecondsAfterFinished nullable': { accepts: [null], refuses: [] },
  ...range('ttlSecondsAfterFinished', 0, 31_536_000),

  'spec.sshKey requires secretName': {
    accepts: [],
    refuses: [['none', { secretName: undefined }, 'Required value']],
    at: 'spec.sshKey.secretName',
  },
  'spec.sshKey.secretName minLength': {
    accepts: ['a'],
    refuses: [['nothing', '', 'should be at least 1 chars long']],
  },
  'spec.sshKey.secretName pattern': {
    accepts: ['web-ssh-key', 'web.ssh-key', '1'],
    refuses: [
      ['upper case', 'Web-ssh-key', matches(SECRET)],
      ['an underscore', 'web_ssh_key', matches(SECRET)],
      ['a hyphen at its end', 'web-', matches(SECRET)],
    ],
  },
  ...longest('sshKey.secretName', 253),
  'spec.sshKey.key default': { accepts: ['private_key'], refuses: [] },
  ...secretKey('sshKey.key'),
  'spec.sshKey.knownHostsKey default': { accepts: ['known_hosts'], refuses: [] },
  ...secretKey('sshKey.knownHostsKey'),
  'spec.sshKey.mountPath default': { accepts: ['/etc/capdeployjob/ssh'], refuses: [] },
  'spec.sshKey.mountPath pattern': {
    accepts: ['/root/.ssh', '/'],
    refuses: [
      ['a relative one', 'root/.ssh', matches(MOUNT_PATH)],
      ['a colon, which no volume mount takes', '/a:b', matches(MOUNT_PATH)],
    ],
  },
  ...longest('sshKey.mountPath', 512, '/'),
  'spec.template preserve-unknown-fields': { accepts: [{ spec: { aFieldOfTheFuture: [1] } }], refuses: [] },
};
