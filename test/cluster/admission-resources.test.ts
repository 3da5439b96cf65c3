import { describe, expect, test } from 'vitest';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import {
  ALLOW_DELETE,
  annotate,
  claim,
  FREEZE,
  openAdmission,
  outcome,
  type PatchType,
  resource,
  serviceAccount,
  USERS,
  type User,
} from './admission.ts';

/**
 * The policy capdeployjob-freeze on a real API server. What drops a freeze is in admission-thaw.test.ts. The people are
 * those of admission.test.ts.
 */
const world = openAdmission();

const { dora, alan, eve, root } = USERS;
const STAGING = 'freeze.capdeployjob.dev/staging';

const SAYS = {
  who: (user: User, key = FREEZE) =>
    `the value of ${key} must be your own user name and why: "${user.name}: <why>"; to freeze from git, set suspend: true on the environment`,
  onlyFreeze: (user: User) =>
    `"${user.name}" may patch CapDeployJobs but not update them, and so may change nothing but the annotations freeze.capdeployjob.dev/<environment>`,
};

const incident = { [FREEZE]: 'dora: incident 42' };

describe.concurrent('freezing and thawing', () => {
  /** Who, with which annotations there before, asks for what. */
  const cases: [string, User, Record<string, string>, object, string][] = [
    ['a deployer freezes', dora, {}, annotate(incident), 'allowed'],
    ['a deployer freezes two environments', dora, {}, annotate({ ...incident, [STAGING]: 'dora: too' }), 'allowed'],
    ['a deployer thaws', dora, incident, annotate({ [FREEZE]: null }), 'allowed'],
    [
      'a deployer thaws what another one froze',
      dora,
      { [FREEZE]: 'root: sale' },
      annotate({ [FREEZE]: null }),
      'allowed',
    ],
    ['a deployer says another why', dora, incident, annotate({ [FREEZE]: 'dora: incident 43' }), 'allowed'],
    ['a deployer takes over from another one', dora, { [FREEZE]: 'root: x' }, annotate(incident), 'allowed'],
    ["a deployer freezes under another's name", dora, {}, annotate({ [FREEZE]: 'root: sale' }), SAYS.who(dora)],
    ['a deployer names nobody', dora, {}, annotate({ [FREEZE]: 'incident 42' }), SAYS.who(dora)],
    ['a deployer gives no reason', dora, {}, annotate({ [FREEZE]: 'dora:  ' }), SAYS.who(dora)],
    ['a deployer of a longer name is meant', dora, {}, annotate({ [FREEZE]: 'doralee: sale' }), SAYS.who(dora)],
    ['one of two is wrong', dora, {}, annotate({ ...incident, [STAGING]: 'eve: x' }), 'not both'],
    ['an administrator freezes under his own name', root, {}, annotate({ [FREEZE]: 'root: sale' }), 'allowed'],
    ["an administrator freezes under another's name", root, {}, annotate(incident), SAYS.who(root)],
    ['an approver freezes', alan, {}, annotate({ [FREEZE]: 'alan: x' }), 'refused by RBAC'],
    ['one with the role edit freezes', eve, {}, annotate({ [FREEZE]: 'eve: x' }), 'refused by RBAC'],
    [
      'a deployer changes the spec in the same request',
      dora,
      {},
      annotate(incident, { spec: { suspend: true } }),
      SAYS.onlyFreeze(dora),
    ],
    ['a deployer changes the spec', dora, {}, { spec: { maxWaiting: 1 } }, SAYS.onlyFreeze(dora)],
    ['a deployer writes another annotation', dora, {}, annotate({ ...incident, note: 'x' }), SAYS.onlyFreeze(dora)],
    ['a deployer allows the deletion', dora, {}, annotate({ [ALLOW_DELETE]: 'true' }), SAYS.onlyFreeze(dora)],
    ['a deployer sets a label', dora, {}, { metadata: { labels: { team: 'a' } } }, SAYS.onlyFreeze(dora)],
    ['a deployer sets a finalizer', dora, {}, { metadata: { finalizers: ['example.test/x'] } }, SAYS.onlyFreeze(dora)],
    [
      'a deployer gives it an owner',
      dora,
      {},
      { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' }] } },
      SAYS.onlyFreeze(dora),
    ],
    ['an administrator changes the spec while it is frozen', root, incident, { spec: { maxWaiting: 1 } }, 'allowed'],
    [
      'an administrator freezes and edits at once',
      root,
      {},
      annotate({ [FREEZE]: 'root: x' }, { spec: { maxWaiting: 1 } }),
      'allowed',
    ],
  ];
  test.each(cases)('%s', async (_, user, before, patch, expected) => {
    const { metadata } = await resource(world, before);
    const said = outcome(await world.as(user).patch(CAPDEPLOYJOBS, metadata.name, patch));
    // The order in which two wrong annotations are named is nobody's business.
    if (expected === 'not both') expect([SAYS.who(dora), SAYS.who(dora, STAGING)]).toContain(said);
    else expect(said).toBe(expected);
  });

  test.each<[PatchType, unknown, unknown]>([
    [
      'json',
      [{ op: 'add', path: '/metadata/annotations/freeze.capdeployjob.dev~1production', value: 'dora: x' }],
      [{ op: 'add', path: '/spec/suspend', value: true }],
    ],
    [
      'apply',
      { apiVersion: 'capdeployjob.dev/v1alpha1', kind: 'CapDeployJob', ...annotate({ [FREEZE]: 'dora: x' }) },
      { apiVersion: 'capdeployjob.dev/v1alpha1', kind: 'CapDeployJob', spec: { ttlSecondsAfterFinished: 3 } },
    ],
  ])('a deployer freezes by %s patch, and changes nothing else by one', async (how, freeze, other) => {
    const { metadata } = await resource(world, { note: 'x' });
    const patch = (body: unknown) => world.as(dora).patch(CAPDEPLOYJOBS, metadata.name, body, how);
    expect(outcome(await patch(other))).toBe(SAYS.onlyFreeze(dora));
    expect(outcome(await patch(freeze))).toBe('allowed');
  });

  test('a deployer cannot replace it, nor write its status', async () => {
    const object = (await resource(world)) as unknown as KubeObject;
    expect(outcome(await world.as(dora).replace(CAPDEPLOYJOBS, object))).toBe('refused by RBAC');
    expect(outcome(await world.as(dora).replace(CAPDEPLOYJOBS, object, 'status'))).toBe('refused by RBAC');
  });

  test('a resource that is created frozen, as from a backup, stays as it was', async () => {
    const { metadata } = await resource(world, incident);
    expect(metadata.annotations).toEqual(incident);
  });

  test("the operator's own writes pass while it is frozen", async () => {
    const owner = await resource(world, incident);
    expect(await claim(world, owner, ['web-production-1'])).toMatchObject({
      status: { environments: [{ active: [{ job: 'web-production-1' }] }, {}] },
    });
  });
});

test('an operator elsewhere may not use the name: only this very ServiceAccount writes a status', async () => {
  const owner = (await resource(world)) as unknown as KubeObject;
  const other = serviceAccount('default', 'capdeployjob');
  expect(outcome(await world.as(other).replace(CAPDEPLOYJOBS, owner, 'status'))).toBe('refused by RBAC');
});
