import { describe, expect, test } from 'vitest';
import { JOBS } from '../../src/kube/client.ts';
import { eventually } from '../behaviour/world.ts';
import {
  APPROVED_BY,
  annotate,
  type Expected,
  OPERATOR,
  openAdmission,
  outcome,
  type PatchType,
  putStatus,
  resource,
  SAYS,
  START,
  STARTED_AT,
  USERS,
  type User,
  waitingJob,
  wordsOf,
} from './admission.ts';

/**
 * The policy capdeployjob-jobs on a real API server: who may change and approve a deploy that waits. Dora has the role
 * capdeployjob-deployer, Alan capdeployjob-approver; Eve has Kubernetes' own role edit, Amy edit and
 * capdeployjob-approver; root is a system:master.
 */
const world = openAdmission();

const { dora, alan, amy, eve, root, jobController, garbageCollector } = USERS;
const the = (user: User): User => (user === OPERATOR ? world.operator : user);

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
    ['a deployer without the right to approve tries to', dora, approve('dora'), (job) => SAYS.noRight(dora, job)],
    ['the operator tries to approve', OPERATOR, approve('x'), (job, operator) => SAYS.noRight(operator, job)],
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
    ['a deployer starts it', dora, { spec: { suspend: false } }, SAYS.suspend],
    ['the operator starts it', OPERATOR, START, 'allowed'],
    ['the Job controller starts it', jobController, { spec: { suspend: false } }, 'allowed'],
    ['the operator gives up its claim', OPERATOR, annotate({ 'capdeployjob.dev/unclaimed-at': 'now' }), 'allowed'],
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
    expect(outcome(answer)).toBe(wordsOf(expected, job, world.operator));
  });

  test('who has the right to approve for one repository approves its deploys and no others', async () => {
    const [own, other] = [await resource(world), await resource(world)];
    const may = `--verb=approve --resource=capdeployjobs.capdeployjob.dev --resource-name=${own.metadata.name}`;
    await world.shell(
      root,
      `kubectl -n ${world.namespace} create role own-approver ${may}
       kubectl -n ${world.namespace} create rolebinding eve-approves --role=own-approver --user=${eve.name}`,
    );
    const job = await waitingJob(world, own);
    await eventually('the role counts', async () => {
      const answer = await world.as(eve).patch(JOBS, job.metadata.name, approve('eve'));
      return outcome(answer) === 'allowed';
    });
    const others = await waitingJob(world, other);
    const answer = await world.as(eve).patch(JOBS, others.metadata.name, approve('eve'));
    expect(outcome(answer)).toBe(SAYS.noRight(eve, others));
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
    // The Job controller writes the status at any time: the resourceVersion is left out, for it is not what this is
    // about.
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
    const written = await putStatus(world, job.metadata.name, ({ status }) => {
      status.ready = 0;
    });
    expect(written).toBe('allowed');
  });
});

test('without deploy/chat nobody is the chat bot, and nobody passes for it', async () => {
  const found = 'slack:T0TEAM/U0BOB';
  // What is left of a ServiceAccount's name where the policies have been told of none, and one that is there.
  for (const name of ['system:serviceaccount::', world.chatBot.name, found]) {
    const user: User = { ...root, name };
    const job = await waitingJob(world);
    const said = outcome(await world.as(user).patch(JOBS, job.metadata.name, approve(found)));
    expect(said).toBe(SAYS.onlyTheBot(user, found));
    const own = outcome(await world.as(user).patch(JOBS, job.metadata.name, approve(name)));
    expect(own).toBe(name === found ? SAYS.onlyTheBot(user, found) : 'allowed');
  }
});
