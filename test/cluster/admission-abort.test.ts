import { beforeAll, describe, expect, test } from 'vitest';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { JOBS, type KubeObject } from '../../src/kube/client.ts';
import { eventually } from '../behaviour/world.ts';
import {
  ABORTED_BY,
  APPROVED_BY,
  admissionWorldWithPeople,
  annotate,
  type Expected,
  finish,
  foreignJob,
  jobOf,
  OPERATOR,
  openAdmission,
  outcome,
  putStatus,
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
 * Who aborts, on a real API server: the policy capdeployjob-jobs on the annotation, and capdeployjob-aborts on the
 * delete after it. The people are those of admission.test.ts.
 */
const world = openAdmission();

beforeAll(async () => {
  // A policy of its own, which the API server may hear of later.
  const { metadata } = await named('dora');
  await eventually('the policy holds', async () => {
    const answer = await world.as(eve).delete(JOBS, metadata.name, { dryRun: 'All' });
    return outcome(answer) !== 'allowed';
  });
}, 60_000);

const { dora, alan, amy, eve, root, jobController, garbageCollector, namespaceController } = USERS;
const the = (user: User): User => (user === OPERATOR ? world.operator : user);
const userOf = (name: string): User => Object.values(USERS).find((user) => user.name === name) ?? the(OPERATOR);

const abort = (name: string | null, more: object = {}) => annotate({ [ABORTED_BY]: name }, more);
const patch = async (user: User, { metadata }: KubeObject, body: unknown) =>
  outcome(await world.as(the(user)).patch(JOBS, metadata.name, body));
const remove = async (user: User, { metadata }: KubeObject, query = {}) =>
  outcome(await world.as(the(user)).delete(JOBS, metadata.name, query));

/** A deploy on whose Job somebody has written that he aborts it. */
async function named(who: string, make = startedJob): Promise<KubeObject> {
  const job = await make(world);
  expect(await patch(userOf(who), job, abort(who))).toBe('allowed');
  return job;
}

describe.concurrent('a name', () => {
  const cases: [string, User, object, Expected][] = [
    ['a deployer writes his own', dora, abort('dora'), 'allowed'],
    ['an editor does', eve, abort('eve'), 'allowed'],
    ['an administrator does', root, abort('root'), 'allowed'],
    ["a deployer writes another's", dora, abort('eve'), SAYS.abortInOwnName(dora, 'eve')],
    ['a deployer writes none', dora, abort(''), SAYS.abortInOwnName(dora, '')],
    ["an administrator writes another's", root, abort('dora'), SAYS.abortInOwnName(root, 'dora')],
    ["the operator writes another's", OPERATOR, abort('dora'), (_, operator) => SAYS.abortInOwnName(operator, 'dora')],
    ['an approver without the right to delete tries to', alan, abort('alan'), SAYS.mayNotAbort(alan)],
    ['the Job controller tries to', jobController, abort('x'), SAYS.mayNotAbort(jobController)],
    ['a deployer approves in the same request', dora, approveToo('dora'), (job) => SAYS.noRight(dora, job)],
    ['an editor who may approve does both in one request', amy, approveToo('amy'), SAYS.nothingElse],
    ['a deployer suspends it in the same request', dora, abort('dora', { spec: { suspend: true } }), SAYS.abortAlone],
    [
      'an administrator changes another annotation in the same request',
      root,
      annotate({ [ABORTED_BY]: 'root', note: 'now' }),
      SAYS.abortAlone,
    ],
    [
      'an editor sets a finalizer in the same request',
      eve,
      { metadata: { annotations: { [ABORTED_BY]: 'eve' }, finalizers: ['example.test/hold'] } },
      SAYS.abortAlone,
    ],
    ['a deployer writes a note instead', dora, annotate({ note: 'seen' }), SAYS.patchOnly(dora)],
    ['a deployer suspends it instead', dora, { spec: { suspend: true } }, SAYS.suspend],
    ['a deployer says that it was never started', dora, annotate({ [STARTED_AT]: null }), SAYS.ours(STARTED_AT)],
  ];

  function approveToo(name: string) {
    return annotate({ [ABORTED_BY]: name, [APPROVED_BY]: name });
  }

  test.each(cases)('on a deploy that runs: %s', async (_, user, body, expected) => {
    const job = await startedJob(world);
    expect(await patch(user, job, body)).toBe(wordsOf(approvedFirst(user, body, expected), job, world.operator));
  });

  /** Of a deploy that runs, that it can no longer be approved is said first where the right is there. */
  function approvedFirst(user: User, body: object, expected: Expected): Expected {
    return user === amy && JSON.stringify(body).includes(APPROVED_BY) ? SAYS.started : expected;
  }

  test.each(cases.filter(([words]) => !words.includes('suspends') && !words.includes('never started')))(
    'on a deploy that waits: %s',
    async (_, user, body, expected) => {
      const job = await waitingJob(world);
      expect(await patch(user, job, body)).toBe(wordsOf(expected, job, world.operator));
    },
  );

  test.each<[string, User, string | null, Expected]>([
    ['who wrote it takes it off', dora, null, 'allowed'],
    ['another one who may delete takes it off', eve, null, 'allowed'],
    ['another one puts his own in its place', eve, 'eve', 'allowed'],
    ["another one puts a third one's in its place", eve, 'root', SAYS.abortInOwnName(eve, 'root')],
    ['one without the right to delete takes it off', alan, null, SAYS.mayNotAbort(alan)],
    ['the operator takes it off', OPERATOR, null, 'allowed'],
  ])('that is there already: %s', async (_, user, name, expected) => {
    const job = await named('dora');
    expect(await patch(user, job, abort(name))).toBe(wordsOf(expected, job, world.operator));
  });

  test('on a deploy that waits goes with the write that starts it, and a delete from before that is refused', async () => {
    const { metadata } = await named('dora', waitingJob);
    const before = (await world.as(dora).get(JOBS, metadata.name)).body;
    const { status, body } = await world.as(world.operator).patch(JOBS, metadata.name, START);
    expect(status).toBe(200);
    expect(body.metadata.annotations).not.toHaveProperty([ABORTED_BY]);
    const late = `printf '{"preconditions":{"resourceVersion":"%s"}}' ${before.metadata.resourceVersion} |
      kubectl delete --raw /apis/batch/v1/namespaces/${world.namespace}/jobs/${metadata.name} -f -`;
    await expect(world.shell(dora, late)).rejects.toThrow(/Conflict|conflict|Precondition/);
  });

  test.each(['Complete', 'Failed'] as const)('is not written on a Job that is %s, nor taken off', async (type) => {
    const [without, before] = [await startedJob(world), await named('dora')];
    for (const job of [without, before]) await finish(world, job, type);
    expect(await patch(dora, without, abort('dora'))).toBe(SAYS.isOver);
    expect(await patch(eve, before, abort(null))).toBe(SAYS.isOver);
  });

  test('is not changed any more once the Job is being deleted: it is that of who deleted it', async () => {
    const job = await waitingJob(world);
    await world.as(eve).patch(JOBS, job.metadata.name, { metadata: { finalizers: ['example.test/hold'] } });
    expect(await patch(dora, job, abort('dora'))).toBe('allowed');
    expect(await remove(dora, job)).toBe('allowed');
    for (const name of ['eve', null]) expect(await patch(eve, job, abort(name))).toBe(SAYS.isOver);
    // A second delete changes nothing, and is nobody's to refuse.
    expect(await remove(eve, job)).toBe('allowed');
    await world.as(eve).patch(JOBS, job.metadata.name, { metadata: { finalizers: null } });
  });

  test('is not on a Job that is created, be it the operator’s own', async () => {
    const job = jobOf(await resource(world));
    Object.assign(job.metadata.annotations ?? {}, { [ABORTED_BY]: world.operator.name });
    expect(outcome(await world.as(world.operator).create(JOBS, job))).toBe(SAYS.unaborted);
  });

  test('is not written through the status sub-resource either', async () => {
    const { metadata } = await startedJob(world);
    const write = async (user: User, name: string) =>
      outcome(await world.as(user).patchStatus(JOBS, metadata.name, abort(name)));
    expect(await write(root, 'dora')).toBe(SAYS.abortInOwnName(root, 'dora'));
    const written = await putStatus(world, metadata.name, (job) => {
      job.metadata.annotations[ABORTED_BY] = jobController.name;
    });
    expect(written).toBe(SAYS.mayNotAbort(jobController));
  });
});

describe.concurrent('deleting a Job', () => {
  test.each<[string, User, Expected]>([
    ['its own name', dora, 'allowed'],
    ["another's name, as an editor", eve, (job) => SAYS.anothersAbort(eve, 'dora', job)],
    ["another's name, as an administrator", root, (job) => SAYS.anothersAbort(root, 'dora', job)],
    ["another's name, as the operator", OPERATOR, 'allowed'],
    ["another's name, as the garbage collector", garbageCollector, 'allowed'],
    ["another's name, as the namespace controller", namespaceController, 'allowed'],
    [
      "another's name, as the controller of Jobs with a time to live",
      serviceAccount('kube-system', 'ttl-after-finished-controller'),
      'allowed',
    ],
    [
      "another's name, as a kube-controller-manager that has one name for all",
      { name: 'system:kube-controller-manager', groups: ['system:masters', 'system:authenticated'] },
      'allowed',
    ],
    [
      "another's name, as an account of that name elsewhere",
      { ...serviceAccount('default', 'namespace-controller'), groups: ['system:masters'] },
      (job) => SAYS.anothersAbort(serviceAccount('default', 'namespace-controller'), 'dora', job),
    ],
  ])('with %s on it', async (_, user, expected) => {
    const job = await named('dora');
    for (const dryRun of ['All', undefined]) {
      expect(await remove(user, job, { dryRun })).toBe(wordsOf(expected, job, world.operator));
    }
  });

  test('without a name on it is as it was', async () => {
    for (const user of [dora, eve, OPERATOR]) expect(await remove(user, await startedJob(world))).toBe('allowed');
    expect(await remove(alan, await startedJob(world))).toBe('refused by RBAC');
  });

  test.each(['Complete', 'Failed'] as const)(
    'that is %s is open to all who may, whatever stands on it',
    async (type) => {
      const job = await named('dora');
      await finish(world, job, type);
      expect(await remove(eve, job)).toBe('allowed');
    },
  );

  test('with another’s name on it goes by the two commands that the refusal names', async () => {
    const job = await named('dora');
    const refused = await remove(eve, job);
    const [annotation, deletion] = [...refused.matchAll(/kubectl -n .*?(?= {2}and|$)/g)].map(([command]) => command);
    await world.shell(eve, `${annotation}\n${deletion}`);
    expect((await world.as(root).get(JOBS, job.metadata.name)).status).toBe(404);
  });

  test('of no deploy is allowed', async () => {
    const job = foreignJob(world);
    job.metadata.annotations = { [ABORTED_BY]: 'dora' };
    expect(outcome(await world.as(eve).create(JOBS, job))).toBe('allowed');
    expect(await remove(eve, job)).toBe('allowed');
  });

  test('all at once stops at the one with another’s name, and Kubernetes itself at none', async () => {
    const owner = await resource(world);
    const job = await waitingJob(world, owner);
    expect(await patch(dora, job, abort('dora'))).toBe('allowed');
    const labelSelector = `capdeployjob.dev/name=${owner.metadata.name}`;
    const query = { labelSelector, propagationPolicy: 'Background' };
    expect(outcome(await world.as(eve).deleteAll(JOBS, query))).toBe(SAYS.anothersAbort(eve, 'dora', job));
    expect(outcome(await world.as(namespaceController).deleteAll(JOBS, query))).toBe('allowed');
    expect((await world.as(root).get(JOBS, job.metadata.name)).status).toBe(404);
  });

  test.each(['Background', 'Foreground'])(
    'goes on where the real garbage collector does it, after its resource was deleted (%s)',
    async (propagationPolicy) => {
      const owner = await resource(world);
      const job = await waitingJob(world, owner);
      expect(await patch(dora, job, abort('dora'))).toBe('allowed');
      await world.as(root).delete(CAPDEPLOYJOBS, owner.metadata.name, { propagationPolicy });
      await eventually('both are gone', async () => {
        const [one, other] = [
          world.as(root).get(CAPDEPLOYJOBS, owner.metadata.name),
          world.as(root).get(JOBS, job.metadata.name),
        ];
        return (await one).status === 404 && (await other).status === 404;
      });
    },
  );
});

test('the real namespace controller empties a namespace in which a Job has the name of a person who aborts it', async () => {
  const ending = await admissionWorldWithPeople();
  try {
    const job = await waitingJob(ending);
    expect(outcome(await ending.as(dora).patch(JOBS, job.metadata.name, abort('dora')))).toBe('allowed');
    await ending.shell(root, `kubectl delete namespace ${ending.namespace} --timeout=60s`);
  } finally {
    await ending.stop();
  }
}, 120_000);
