import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { JOBS, type KubeObject } from '../../src/kube/client.ts';
import { eventually } from '../behaviour/world.ts';
import {
  APPROVED_BY,
  annotate,
  foreignJob,
  jobOf,
  outcome,
  resource,
  START,
  STARTED_AT,
  startedJob,
  waitingJob,
} from './admission-objects.ts';
import { admissionWorldWithPeople } from './admission-people.ts';
import { type AdmissionWorld, type PatchType, serviceAccount, USERS, type User } from './admission-world.ts';

/**
 * The policy capdeployjob-jobs on a real API server: who may create, start, change and approve the Job of a deploy.
 * Dora has the role capdeployjob-deployer, Alan capdeployjob-approver; Eve has Kubernetes' own role edit, Amy edit and capdeployjob-approver;
 * root is a system:master.
 */
let world: AdmissionWorld;

beforeAll(async () => {
  world = await admissionWorldWithPeople();
}, 60_000);
afterAll(() => world?.stop());

const { dora, alan, amy, eve, root, jobController, garbageCollector } = USERS;
const operator: User = { name: '(the operator)', groups: [] };
/** The operator's own name is not known before its world is there. */
const the = (user: User): User => (user === operator ? world.operator : user);

/** What the policy says, in full. */
const SAYS = {
  ownName: (user: User, found: string) => `${APPROVED_BY} must be your own user name, "${user.name}"; found "${found}"`,
  noRight: (user: User, job: KubeObject) =>
    `"${user.name}" may not approve deploys of CapDeployJob "${job.metadata.labels?.['capdeployjob.dev/name']}": the verb "approve" on capdeployjobs.capdeployjob.dev is needed, as in the ClusterRole capdeployjob-approver`,
  nothingElse: `a request that changes ${APPROVED_BY} must change nothing else`,
  started: `the deploy has been started, and who approved it is on record: ${APPROVED_BY} can no longer be changed; to stop the deploy, delete its Job`,
  unapproved: `a Job is created without ${APPROVED_BY}; it is approved afterwards, by a person`,
  suspend:
    'only the operator starts a deploy, so spec.suspend cannot be changed by hand; to let it start, remove what status.environments[].waiting[].why of its CapDeployJob names; to abort it, delete the Job; to hold its environment, freeze it',
  spec: 'the Job is the deploy that was accepted, so its spec cannot be changed; to deploy something else, delete the Job and send another message',
  ours: (...keys: string[]) =>
    `only the operator changes these labels and annotations of a deploy; found changed: ${keys.join(', ')}`,
  owner: 'the Job of a deploy belongs to its CapDeployJob; metadata.ownerReferences cannot be changed',
  status: 'how a deploy ended is for the Job controller to say; its status cannot be changed by others',
  patchOnly: (user: User) =>
    `"${user.name}" may patch Jobs but not update them, and so may change nothing but ${APPROVED_BY}`,
  create: () =>
    `only the operator (${world.operator.name}) creates Jobs with the label app.kubernetes.io/managed-by=capdeployjob; to deploy, send a message to the queue of the CapDeployJob; a Job of your own needs another label`,
};

type Expected = string | ((job: KubeObject) => string);

const approve = (name: string | null, more: object = {}) => annotate({ [APPROVED_BY]: name }, more);

describe.concurrent('on a deploy that waits', () => {
  const cases: [string, User, object, Expected][] = [
    ['an approver approves under his own name', alan, approve('alan'), 'allowed'],
    ['an editor with the right to approve does', amy, approve('amy'), 'allowed'],
    ['an administrator approves under his own name', root, approve('root'), 'allowed'],
    ["an approver writes another's name", alan, approve('amy'), SAYS.ownName(alan, 'amy')],
    ['an approver writes no name', alan, approve(''), SAYS.ownName(alan, '')],
    ['an approver writes his name with a blank', alan, approve('alan '), SAYS.ownName(alan, 'alan ')],
    ["an administrator writes another's name", root, approve('alan'), SAYS.ownName(root, 'alan')],
    ['an editor without the right to approve tries to', eve, approve('eve'), (job) => SAYS.noRight(eve, job)],
    ['a deployer without the right to approve tries to', dora, approve('dora'), 'refused by RBAC'],
    ['the operator tries to approve', operator, approve('x'), (job) => SAYS.noRight(world.operator, job)],
    ['the Job controller tries to', jobController, approve('x'), (job) => SAYS.noRight(jobController, job)],
    [
      'an approver starts it in the same request',
      alan,
      approve('alan', { spec: { suspend: false } }),
      SAYS.nothingElse,
    ],
    [
      'an administrator starts it in the same request',
      root,
      approve('root', { spec: { suspend: false } }),
      SAYS.nothingElse,
    ],
    [
      'an approver changes another annotation in the same request',
      alan,
      annotate({ [APPROVED_BY]: 'alan', note: 'fine' }),
      SAYS.nothingElse,
    ],
    [
      'an approver changes a label in the same request',
      alan,
      { metadata: { annotations: { [APPROVED_BY]: 'alan' }, labels: { team: 'a' } } },
      SAYS.nothingElse,
    ],
    [
      'an approver sets a finalizer in the same request',
      alan,
      { metadata: { annotations: { [APPROVED_BY]: 'alan' }, finalizers: ['example.test/hold'] } },
      SAYS.nothingElse,
    ],
    [
      'an approver takes its owner away in the same request',
      alan,
      { metadata: { annotations: { [APPROVED_BY]: 'alan' }, ownerReferences: null } },
      SAYS.nothingElse,
    ],
    ['an approver starts it', alan, { spec: { suspend: false } }, SAYS.suspend],
    ['an editor starts it', eve, { spec: { suspend: false } }, SAYS.suspend],
    ['an administrator starts it', root, { spec: { suspend: false } }, SAYS.suspend],
    ['a deployer starts it', dora, { spec: { suspend: false } }, 'refused by RBAC'],
    ['the operator starts it', operator, START, 'allowed'],
    ['the Job controller starts it', jobController, { spec: { suspend: false } }, 'allowed'],
    ['the operator gives up its claim', operator, annotate({ 'capdeployjob.dev/unclaimed-at': 'now' }), 'allowed'],
    ['an approver writes a note', alan, annotate({ note: 'seen' }), SAYS.patchOnly(alan)],
    ['an approver sets a finalizer', alan, { metadata: { finalizers: ['example.test/hold'] } }, SAYS.patchOnly(alan)],
    ['an editor writes a note', eve, annotate({ note: 'seen' }), 'allowed'],
    ['an editor sets a finalizer', eve, { metadata: { finalizers: ['example.test/hold'] } }, 'allowed'],
    ['an editor sets a label of his own', eve, { metadata: { labels: { team: 'a' } } }, 'allowed'],
    ['an approver changes nothing', alan, { metadata: {} }, 'allowed'],
    ['an editor marks it as started', eve, annotate({ [STARTED_AT]: '2026-11-05T10:00:00Z' }), SAYS.ours(STARTED_AT)],
    [
      'an administrator changes its revision',
      root,
      annotate({ 'capdeployjob.dev/revision': 'v6.6.6' }),
      SAYS.ours('capdeployjob.dev/revision'),
    ],
    [
      'an administrator takes its id away',
      root,
      annotate({ 'capdeployjob.dev/id': null }),
      SAYS.ours('capdeployjob.dev/id'),
    ],
    [
      'an editor takes the label off, so that no rule would hold any more',
      eve,
      { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } },
      SAYS.ours('app.kubernetes.io/managed-by'),
    ],
    [
      'an editor moves it into another lane',
      eve,
      { metadata: { labels: { 'capdeployjob.dev/environment': 'staging' } } },
      SAYS.ours('capdeployjob.dev/environment'),
    ],
    ['an editor changes its deadline', eve, { spec: { activeDeadlineSeconds: 1 } }, SAYS.spec],
    ['an editor has it deleted once it ends', eve, { spec: { ttlSecondsAfterFinished: 0 } }, SAYS.spec],
    [
      'an editor changes where its Pod runs',
      eve,
      { spec: { template: { spec: { nodeSelector: { evil: 'yes' } } } } },
      SAYS.spec,
    ],
    ['an editor takes its owner away', eve, { metadata: { ownerReferences: null } }, SAYS.owner],
    ['the garbage collector orphans it', garbageCollector, { metadata: { ownerReferences: null } }, 'allowed'],
    [
      'the garbage collector lets it go',
      garbageCollector,
      { metadata: { finalizers: ['foregroundDeletion'] } },
      'allowed',
    ],
    ['the garbage collector starts it', garbageCollector, { spec: { suspend: false } }, SAYS.suspend],
  ];
  test.each(cases)('%s', async (_, user, patch, expected) => {
    const job = await waitingJob(world);
    const answer = await world.as(the(user)).patch(JOBS, job.metadata.name, patch);
    expect(outcome(answer)).toBe(typeof expected === 'function' ? expected(job) : expected);
  });

  test.each<[PatchType, unknown, unknown]>([
    ['strategic', approve('alan'), approve('alan', { spec: { suspend: false } })],
    [
      'json',
      [{ op: 'add', path: '/metadata/annotations/capdeployjob.dev~1approved-by', value: 'alan' }],
      [
        { op: 'add', path: '/metadata/annotations/capdeployjob.dev~1approved-by', value: 'alan' },
        { op: 'replace', path: '/spec/suspend', value: false },
      ],
    ],
    [
      'apply',
      { apiVersion: 'batch/v1', kind: 'Job', ...approve('alan') },
      {
        apiVersion: 'batch/v1',
        kind: 'Job',
        ...approve('alan', { spec: { backoffLimit: 0, ttlSecondsAfterFinished: 1 } }),
      },
    ],
  ])('an approval by %s patch passes, and with something else beside it does not', async (how, alone, more) => {
    const { metadata } = await waitingJob(world);
    const patch = (body: unknown) => world.as(alan).patch(JOBS, metadata.name, body, how);
    expect(outcome(await patch(more))).toBe(SAYS.nothingElse);
    expect(outcome(await patch(alone))).toBe('allowed');
    const { body } = await world.as(alan).get(JOBS, metadata.name);
    expect(body.metadata.annotations[APPROVED_BY]).toBe('alan');
    expect(body.spec.suspend).toBe(true);
  });

  test('an approval by PUT passes for who may update, and with something else beside it does not', async () => {
    const { metadata } = await waitingJob(world);
    const { body } = await world.as(amy).get(JOBS, metadata.name);
    const approved = structuredClone(body);
    approved.metadata.annotations[APPROVED_BY] = 'amy';
    const more = structuredClone(approved);
    more.spec.suspend = false;
    expect(outcome(await world.as(alan).replace(JOBS, approved))).toBe('refused by RBAC');
    // The Job controller writes the status at any time: the resourceVersion is left out, for it is not what this is about.
    for (const object of [approved, more]) {
      delete object.metadata.resourceVersion;
      object.status = (await world.as(root).get(JOBS, metadata.name)).body.status;
    }
    expect(outcome(await world.as(amy).replace(JOBS, more))).toBe(SAYS.nothingElse);
    expect(outcome(await world.as(amy).replace(JOBS, approved))).toBe('allowed');
  });

  test('what is refused is refused in a dry run, too, and a dry run approves nothing', async () => {
    const { metadata } = await waitingJob(world);
    const dryRun = (name: string) =>
      world.as(alan).patch(JOBS, metadata.name, approve(name), 'merge', { dryRun: 'All' });
    expect(outcome(await dryRun('amy'))).toBe(SAYS.ownName(alan, 'amy'));
    expect(outcome(await dryRun('alan'))).toBe('allowed');
    const { body } = await world.as(alan).get(JOBS, metadata.name);
    expect(body.metadata.annotations).not.toHaveProperty([APPROVED_BY]);
  });

  test('the status sub-resource is no way round: neither approval nor start nor outcome can be written through it', async () => {
    const job = await waitingJob(world);
    const write = (user: User, patch: unknown) => world.as(user).patchStatus(JOBS, job.metadata.name, patch);
    const at = { startTime: '2026-11-05T10:00:00Z', completionTime: '2026-11-05T10:00:01Z' };
    const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True' }));
    const complete = { status: { ...at, active: 0, ready: 0, terminating: 0, succeeded: 1, conditions } };
    expect(outcome(await write(alan, approve('alan')))).toBe('refused by RBAC');
    expect(outcome(await write(root, annotate({ [STARTED_AT]: 'now' })))).toBe(SAYS.ours(STARTED_AT));
    expect(outcome(await write(root, approve('alan')))).toBe(SAYS.ownName(root, 'alan'));
    expect(outcome(await write(root, complete))).toBe(SAYS.status);
    // The API server itself keeps the operator from it: it has no right on jobs/status.
    expect(outcome(await write(world.operator, complete))).toBe('refused by RBAC');
    const { body } = await world.as(root).get(JOBS, job.metadata.name);
    delete body.metadata.resourceVersion;
    body.status.ready = 0;
    expect(outcome(await world.as(jobController).replace(JOBS, body, 'status'))).toBe('allowed');
  });
});

describe.concurrent('on a deploy that is approved already', () => {
  const cases: [string, User, string | null, Expected][] = [
    ['the approver withdraws', alan, null, 'allowed'],
    ['another approver withdraws it', amy, null, 'allowed'],
    ['another approver takes it over under her own name', amy, 'amy', 'allowed'],
    ["another approver writes a third one's name", amy, 'eve', SAYS.ownName(amy, 'eve')],
    ['one without the right to approve withdraws it', eve, null, (job) => SAYS.noRight(eve, job)],
    ['the operator withdraws it', operator, null, (job) => SAYS.noRight(world.operator, job)],
  ];
  test.each(cases)('%s', async (_, user, value, expected) => {
    const job = await waitingJob(world);
    expect(outcome(await world.as(alan).patch(JOBS, job.metadata.name, approve('alan')))).toBe('allowed');
    const answer = await world.as(the(user)).patch(JOBS, job.metadata.name, approve(value));
    expect(outcome(answer)).toBe(typeof expected === 'function' ? expected(job) : expected);
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
    ['the operator removes it', operator, 'allowed'],
    ['an approver tries to', alan, 'refused by RBAC'],
  ])('%s', async (_, user, expected) => {
    const { metadata } = await startedJob(world);
    expect(outcome(await world.as(the(user)).delete(JOBS, metadata.name))).toBe(expected);
  });
});

describe.concurrent('creating Jobs', () => {
  test.each<[string, User, Expected]>([
    ['the operator creates the Job of a request', operator, 'allowed'],
    ['an editor creates one that looks like it', eve, SAYS.create],
    ['an administrator creates one that looks like it', root, SAYS.create],
    ['a CronJob creates one that looks like it', serviceAccount('kube-system', 'cronjob-controller'), SAYS.create],
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
      expect(outcome(answer)).toBe(typeof expected === 'function' ? expected(job) : expected);
    }
  });

  test('not even the operator creates one that is approved', async () => {
    const job = jobOf(await resource(world));
    Object.assign(job.metadata.annotations ?? {}, { [APPROVED_BY]: world.operator.name });
    expect(outcome(await world.as(world.operator).create(JOBS, job))).toBe(SAYS.unapproved);
  });

  test('server-side apply is no way round', async () => {
    const job = jobOf(await resource(world));
    expect(outcome(await world.as(eve).patch(JOBS, job.metadata.name, job, 'apply'))).toBe(SAYS.create());
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
    ['capdeployjob-deletion', 'capdeployjob-freeze', 'capdeployjob-jobs'].map((name) =>
      world.nameOf('ValidatingAdmissionPolicy', name),
    ),
  );
  for (const { status } of checked) expect(status?.typeChecking?.expressionWarnings ?? []).toEqual([]);
});
