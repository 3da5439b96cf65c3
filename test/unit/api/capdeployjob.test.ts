import { describe, expect, test } from 'vitest';
import { parseSpec } from '../../../src/api/capdeployjob.ts';

const smallest = {
  queue: { url: 'https://sqs.ap-northeast-1.amazonaws.com/123456789012/web-deploy' },
  environments: [{ name: 'production' }],
  template: {},
};

const example = {
  queue: {
    url: 'https://sqs.ap-northeast-1.amazonaws.com/123456789012/web-deploy',
    region: 'ap-northeast-1',
    roleArn: 'arn:aws:iam::123456789012:role/web-deploy',
    waitTimeSeconds: 20,
    visibilityTimeoutSeconds: 60,
  },
  repositories: ['livesense/web', 'web'],
  environments: [
    {
      name: 'production',
      revisions: '^v[0-9]+\\.[0-9]+\\.[0-9]+$',
      requireApproval: true,
      suspend: false,
      windows: [{ kind: 'Allow', schedule: '0 9 * * MON-FRI', durationSeconds: 28_800, timeZone: 'Asia/Tokyo' }],
    },
    { name: 'staging', concurrencyPolicy: 'Supersede' },
  ],
  tasks: ['deploy'],
  concurrencyPolicy: 'Queue',
  maxWaiting: 20,
  suspend: false,
  startingDeadlineSeconds: 3600,
  waitingDeadlineSeconds: 86_400,
  podStartDeadlineSeconds: 300,
  activeDeadlineSeconds: 3600,
  successfulJobsHistoryLimit: 3,
  failedJobsHistoryLimit: 3,
  ttlSecondsAfterFinished: null,
  sshKey: {
    secretName: 'web-ssh-key',
    key: 'private_key',
    knownHostsKey: 'known_hosts',
    mountPath: '/etc/capdeployjob/ssh',
  },
  template: { spec: { containers: [{ name: 'cap', image: 'i', futureField: 1 }] } },
};

const aWindow = (changes: Record<string, unknown> = {}) => ({
  environments: [
    {
      name: 'a',
      windows: [{ kind: 'Allow', schedule: '0 9 * * MON-FRI', durationSeconds: 3600, timeZone: 'UTC', ...changes }],
    },
  ],
});

describe('the spec', () => {
  test('of the full example is read as it stands', () => {
    expect(parseSpec(example)).toEqual({
      spec: {
        ...example,
        environments: [example.environments[0], { ...example.environments[1], suspend: false, requireApproval: false }],
      },
    });
  });

  test('of the least that is required gets the documented defaults', () => {
    expect(parseSpec(smallest)).toEqual({
      spec: {
        queue: { ...smallest.queue, waitTimeSeconds: 20, visibilityTimeoutSeconds: 60 },
        environments: [{ name: 'production', suspend: false, requireApproval: false }],
        tasks: ['deploy'],
        concurrencyPolicy: 'Queue',
        maxWaiting: 20,
        suspend: false,
        startingDeadlineSeconds: 3600,
        waitingDeadlineSeconds: 86_400,
        podStartDeadlineSeconds: 300,
        activeDeadlineSeconds: 3600,
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 3,
        template: {},
      },
    });
  });

  test('gets an SSH key’s defaults if it names a Secret', () => {
    expect(parseSpec({ ...smallest, sshKey: { secretName: 'k' } })).toMatchObject({
      spec: {
        sshKey: {
          secretName: 'k',
          key: 'private_key',
          knownHostsKey: 'known_hosts',
          mountPath: '/etc/capdeployjob/ssh',
        },
      },
    });
  });

  test.each(['ap-northeast-1', 'us-gov-west-1', 'us-isob-east-1', 'eusc-de-east-1'])(
    'takes the region %s',
    (region) => {
      expect(parseSpec({ ...smallest, queue: { ...smallest.queue, region } })).toMatchObject({
        spec: { queue: { region } },
      });
    },
  );

  test('takes a task that Rake names with a hyphen', () => {
    expect(parseSpec({ ...smallest, tasks: ['puma:phased-restart'] })).toMatchObject({
      spec: { tasks: ['puma:phased-restart'] },
    });
  });

  test.each([
    ['the region is a zone', { queue: { ...smallest.queue, region: 'eu-west-1a' } }, 'spec.queue.region'],
    ['there is no queue', { queue: undefined }, 'spec.queue'],
    ['the queue’s URL has another scheme', { queue: { url: 'sqs://x' } }, 'spec.queue.url'],
    [
      'the queue’s URL hides another host behind a user',
      { queue: { url: 'https://sqs.us-east-1.amazonaws.com@evil.example/1/q' } },
      'spec.queue.url',
    ],
    [
      'it polls for longer than SQS can',
      { queue: { ...smallest.queue, waitTimeSeconds: 21 } },
      'spec.queue.waitTimeSeconds',
    ],
    [
      'it hides messages for too short',
      { queue: { ...smallest.queue, visibilityTimeoutSeconds: 9 } },
      'spec.queue.visibilityTimeoutSeconds',
    ],
    ['the role is none', { queue: { ...smallest.queue, roleArn: 'admin' } }, 'spec.queue.roleArn'],
    ['there are no environments', { environments: [] }, 'spec.environments'],
    [
      'there are 51 environments',
      { environments: Array.from({ length: 51 }, (_, n) => ({ name: `e${n}` })) },
      'spec.environments',
    ],
    ['an environment’s name is part of a command', { environments: [{ name: 'a;b' }] }, 'spec.environments[0].name'],
    [
      'an environment’s name is no label',
      { environments: [{ name: 'a' }, { name: 'a-' }] },
      'spec.environments[1].name',
    ],
    [
      'an environment’s name has 51 characters',
      { environments: [{ name: 'a'.repeat(51) }] },
      'spec.environments[0].name',
    ],
    ['a policy is none', { concurrencyPolicy: 'Forbid' }, 'spec.concurrencyPolicy'],
    [
      'an environment’s policy is none',
      { environments: [{ name: 'a', concurrencyPolicy: 'queue' }] },
      'spec.environments[0].concurrencyPolicy',
    ],
    [
      'an approval is a word',
      { environments: [{ name: 'a', requireApproval: 'yes' }] },
      'spec.environments[0].requireApproval',
    ],
    ['a window is of no kind', aWindow({ kind: 'Block' }), 'spec.environments[0].windows[0].kind'],
    ['a schedule has six fields', aWindow({ schedule: '0 0 9 * * *' }), 'spec.environments[0].windows[0].schedule'],
    ['a schedule is a nickname', aWindow({ schedule: '@daily' }), 'spec.environments[0].windows[0].schedule'],
    ['a schedule has two lines', aWindow({ schedule: '0 9 * * *\n' }), 'spec.environments[0].windows[0].schedule'],
    [
      'a window is shorter than a minute',
      aWindow({ durationSeconds: 59 }),
      'spec.environments[0].windows[0].durationSeconds',
    ],
    [
      'a window is longer than a year',
      aWindow({ durationSeconds: 366 * 86_400 + 1 }),
      'spec.environments[0].windows[0].durationSeconds',
    ],
    ['a time zone holds a blank', aWindow({ timeZone: 'Asia Tokyo' }), 'spec.environments[0].windows[0].timeZone'],
    [
      'there are 21 windows',
      {
        environments: [{ name: 'a', windows: Array.from({ length: 21 }, () => aWindow().environments[0]?.windows[0]) }],
      },
      'spec.environments[0].windows',
    ],
    ['a task is an option of rake', { tasks: ['-T'] }, 'spec.tasks[0]'],
    ['a task is an assignment', { tasks: ['A=1'] }, 'spec.tasks[0]'],
    ['nothing may wait', { maxWaiting: 0 }, 'spec.maxWaiting'],
    ['a deadline is a fraction', { startingDeadlineSeconds: 1.5 }, 'spec.startingDeadlineSeconds'],
    ['the Secret has a name that none can have', { sshKey: { secretName: 'Web_key' } }, 'spec.sshKey.secretName'],
    ['the key is a way out', { sshKey: { secretName: 'k', key: '..' } }, 'spec.sshKey.key'],
    [
      'the key of known_hosts is a way out',
      { sshKey: { secretName: 'k', knownHostsKey: '..a' } },
      'spec.sshKey.knownHostsKey',
    ],
    ['the key is mounted nowhere', { sshKey: { secretName: 'k', mountPath: 'ssh' } }, 'spec.sshKey.mountPath'],
    ['there is no template', { template: undefined }, 'spec.template'],
  ])('is refused by the name of its field: %s', (_, changes, field) => {
    const parsed = parseSpec({ ...smallest, ...changes });
    expect('problem' in parsed && parsed.problem.slice(0, parsed.problem.indexOf(': '))).toBe(field);
  });
});
