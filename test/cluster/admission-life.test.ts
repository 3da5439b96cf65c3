import { describe, expect, test } from 'vitest';
import { JOBS } from '../../src/kube/client.ts';
import { eventually } from '../behaviour/world.ts';
import {
  APPROVED_BY,
  annotate,
  type Expected,
  foreignJob,
  jobOf,
  OPERATOR,
  openAdmission,
  outcome,
  resource,
  SAYS,
  START,
  STARTED_AT,
  serviceAccount,
  startedJob,
  USERS,
  type User,
  waitingJob,
  wordsOf,
} from './admission.ts';

/**
 * The policy capdeployjob-jobs on a real API server: who may create a Job, and what
 * becomes of one that is approved, started or not ours. The people are those of admission.test.ts.
 */
const world = openAdmission();

const { dora, alan, amy, eve, root, jobController } = USERS;
const the = (user: User): User => (user === OPERATOR ? world.operator : user);

const approve = (name: string | null, more: object = {}) => annotate({ [APPROVED_BY]: name }, more);

describe.concurrent('on a deploy that is approved already', () => {
  const cases: [string, User, string | null, Expected][] = [
    ['the approver withdraws', alan, null, 'allowed'],
    ['another approver withdraws it', amy, null, 'allowed'],
    ['another approver takes it over under her own name', amy, 'amy', 'allowed'],
    ["another approver writes a third one's name", amy, 'eve', SAYS.ownName(amy, 'eve')],
    ['one without the right to approve withdraws it', eve, null, (job) => SAYS.noRight(eve, job)],
    ['the operator withdraws it', OPERATOR, null, (job, operator) => SAYS.noRight(operator, job)],
  ];
  test.each(cases)('%s', async (_, user, value, expected) => {
    const job = await waitingJob(world);
    expect(outcome(await world.as(alan).patch(JOBS, job.metadata.name, approve('alan')))).toBe('allowed');
    const answer = await world.as(the(user)).patch(JOBS, job.metadata.name, approve(value));
    expect(outcome(answer)).toBe(wordsOf(expected, job, world.operator));
  });

  test('the operator starts it, and the approval stays', async () => {
    const { metadata } = await waitingJob(world);
    await world.as(alan).patch(JOBS, metadata.name, approve('alan'));
    const { body } = await world.as(world.operator).patch(JOBS, metadata.name, START);
    expect(body.metadata.annotations).toMatchObject({ [APPROVED_BY]: 'alan', [STARTED_AT]: expect.any(String) });
  });
});

describe.concurrent('on a deploy that has been started', () => {
  const cases: [string, User, object, string][] = [
    ['an approver approves', alan, approve('alan'), SAYS.started],
    ['an administrator approves', root, approve('root'), SAYS.started],
    ['an editor suspends it', eve, { spec: { suspend: true } }, SAYS.suspend],
    ['an administrator suspends it', root, { spec: { suspend: true } }, SAYS.suspend],
    ['the Job controller suspends it', jobController, { spec: { suspend: true } }, 'allowed'],
    [
      'an administrator takes the mark of the start away',
      root,
      annotate({ [STARTED_AT]: null }),
      SAYS.ours(STARTED_AT),
    ],
    ['an administrator takes a finalizer away', root, { metadata: { finalizers: null } }, 'allowed'],
  ];
  test.each(cases)('%s', async (_, user, patch, expected) => {
    const { metadata } = await startedJob(world);
    expect(outcome(await world.as(user).patch(JOBS, metadata.name, patch))).toBe(expected);
  });

  test('the real Job controller does its work: it suspends, starts and counts', async () => {
    const { metadata } = await waitingJob(world);
    const status = async () => (await world.as(root).get(JOBS, metadata.name)).body.status;
    await eventually('the Job is said to be suspended', async () =>
      (await status()).conditions?.some(
        (each: { type: string; status: string }) => each.type === 'Suspended' && each.status === 'True',
      ),
    );
    expect(outcome(await world.as(world.operator).patch(JOBS, metadata.name, START))).toBe('allowed');
    await eventually('its Pod is made', async () => (await status()).active === 1);
  });

  test.each<[string, User, string]>([
    ['a deployer aborts it', dora, 'allowed'],
    ['an editor aborts it', eve, 'allowed'],
    ['the operator removes it', OPERATOR, 'allowed'],
    ['an approver tries to', alan, 'refused by RBAC'],
  ])('%s', async (_, user, expected) => {
    const { metadata } = await startedJob(world);
    expect(outcome(await world.as(the(user)).delete(JOBS, metadata.name))).toBe(expected);
  });
});

describe.concurrent('creating Jobs', () => {
  test.each<[string, User, Expected]>([
    ['the operator creates the Job of a request', OPERATOR, 'allowed'],
    ['an editor creates one that looks like it', eve, (_, operator) => SAYS.create(operator)],
    ['an administrator creates one that looks like it', root, (_, operator) => SAYS.create(operator)],
    [
      'a CronJob creates one that looks like it',
      serviceAccount('kube-system', 'cronjob-controller'),
      (_, operator) => SAYS.create(operator),
    ],
    ['a deployer creates one', dora, 'refused by RBAC'],
    [
      "a ServiceAccount of the operator's name in another namespace creates one",
      serviceAccount('default', 'capdeployjob'),
      'refused by RBAC',
    ],
  ])('%s', async (_, user, expected) => {
    const job = jobOf(await resource(world));
    for (const dryRun of ['All', undefined]) {
      const answer = await world.as(the(user)).create(JOBS, job, { dryRun });
      expect(outcome(answer)).toBe(wordsOf(expected, job, world.operator));
    }
  });

  test('not even the operator creates one that is approved', async () => {
    const job = jobOf(await resource(world));
    Object.assign(job.metadata.annotations ?? {}, { [APPROVED_BY]: world.operator.name });
    expect(outcome(await world.as(world.operator).create(JOBS, job))).toBe(SAYS.unapproved);
  });

  test('server-side apply is no way round', async () => {
    const job = jobOf(await resource(world));
    expect(outcome(await world.as(eve).patch(JOBS, job.metadata.name, job, 'apply'))).toBe(SAYS.create(world.operator));
  });
});

describe.concurrent("other people's Jobs", () => {
  test('are created, started, annotated as they like, ended and deleted', async () => {
    const eves = world.as(eve);
    const job = foreignJob(world, { 'app.kubernetes.io/managed-by': 'helm' });
    const { name } = job.metadata;
    expect(outcome(await eves.create(JOBS, job))).toBe('allowed');
    expect(outcome(await eves.patch(JOBS, name, annotate({ [APPROVED_BY]: 'anybody' })))).toBe('allowed');
    expect(outcome(await eves.patch(JOBS, name, { spec: { suspend: false } }))).toBe('allowed');
    expect(outcome(await world.as(root).patchStatus(JOBS, name, { status: { ready: 0 } }))).toBe('allowed');
    expect(outcome(await eves.delete(JOBS, name))).toBe('allowed');
  });

  test('without any label or annotation pass as well', async () => {
    const job = foreignJob(world);
    delete job.metadata.labels;
    expect(outcome(await world.as(eve).create(JOBS, job))).toBe('allowed');
    expect(outcome(await world.as(eve).patch(JOBS, job.metadata.name, { spec: { suspend: false } }))).toBe('allowed');
  });

  test('do not become the Job of a deploy by a label that is put on later', async () => {
    const job = foreignJob(world, { 'capdeployjob.dev/name': 'web', 'capdeployjob.dev/environment': 'production' });
    expect(outcome(await world.as(eve).create(JOBS, job))).toBe('allowed');
    const label = { metadata: { labels: { 'app.kubernetes.io/managed-by': 'capdeployjob' } } };
    expect(outcome(await world.as(eve).patch(JOBS, job.metadata.name, label))).toBe(
      SAYS.ours('app.kubernetes.io/managed-by'),
    );
  });
});

test('the API server finds nothing to complain of in the types of the policies', async () => {
  const checked = await eventually('the policies are checked', async () => {
    const policies = await world.policies();
    return policies.every(({ status, metadata }) => status?.observedGeneration === metadata.generation) && policies;
  });
  expect(checked.map(({ metadata }) => metadata.name).toSorted()).toEqual(
    [
      'capdeployjob-aborts',
      'capdeployjob-chat-bot',
      'capdeployjob-deletion',
      'capdeployjob-freeze',
      'capdeployjob-jobs',
      'capdeployjob-pods',
    ].map((name) => world.nameOf('ValidatingAdmissionPolicy', name)),
  );
  for (const { status } of checked) expect(status?.typeChecking?.expressionWarnings ?? []).toEqual([]);
});
