import { describe, expect, test, vi } from 'vitest';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import {
  ALLOW_DELETE,
  annotate,
  FREEZE,
  newResource,
  openAdmission,
  outcome,
  resource,
  serviceAccount,
  USERS,
  type User,
} from './admission.ts';

/**
 * What drops a freeze on a real API server, with the policy capdeployjob-freeze: a thaw does, and an edit that forgets
 * it does not. The people are those of admission.test.ts.
 */
const world = openAdmission();
// Several kubectl one after the other, each a large program that takes seconds to start where the machine is busy.
vi.setConfig({ testTimeout: 180_000 });

const { dora, root } = USERS;
/** Argo CD, which may do everything. */
const argo: User = {
  name: serviceAccount('argocd', 'argocd-application-controller').name,
  groups: ['system:masters', 'system:authenticated'],
};
const STAGING = 'freeze.capdeployjob.dev/staging';
const incident = { [FREEZE]: 'dora: incident 42' };
const both = { ...incident, [STAGING]: 'dora: sale' };
const thaw = { [FREEZE]: null };

const refusal = (owner: string, dropped = 'production ("dora: incident 42")', keys = [FREEZE]) =>
  `this would thaw ${dropped} and change something else as well, and what waits there would start: to keep the freeze, use a request that keeps its annotation (kubectl apply; Argo CD without Replace=true); or thaw first, with  kubectl -n ${world.namespace} annotate cdj ${owner} ${keys.map((key) => `${key}-`).join(' ')}  and then change the rest`;

describe.concurrent('a request that drops a freeze', () => {
  /** Who, with which annotations there before, asks for what. */
  const cases: [string, User, Record<string, string>, object, 'allowed' | 'refused'][] = [
    ['and nothing else, by a deployer', dora, incident, annotate(thaw), 'allowed'],
    ['and nothing else, by an administrator', root, incident, annotate(thaw), 'allowed'],
    ['and sets another one', dora, incident, annotate({ ...thaw, [STAGING]: 'dora: x' }), 'allowed'],
    ['one of two', dora, both, annotate(thaw), 'allowed'],
    ['and changes the spec', root, incident, annotate(thaw, { spec: { maxWaiting: 1 } }), 'refused'],
    ['and changes the spec, by Argo CD', argo, incident, annotate(thaw, { spec: { maxWaiting: 1 } }), 'refused'],
    ['one of two, and changes the spec', root, both, annotate(thaw, { spec: { maxWaiting: 1 } }), 'refused'],
    ['and sets another annotation', root, incident, annotate({ ...thaw, note: 'x' }), 'refused'],
    [
      'and takes another annotation off',
      root,
      { ...incident, note: 'x' },
      annotate({ ...thaw, note: null }),
      'refused',
    ],
    ['and all other annotations', root, { ...incident, note: 'x' }, { metadata: { annotations: null } }, 'refused'],
    ['and allows the deletion', root, incident, annotate({ ...thaw, [ALLOW_DELETE]: 'true' }), 'refused'],
    [
      'and what was applied last',
      root,
      { ...incident, 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
      annotate({ ...thaw, 'kubectl.kubernetes.io/last-applied-configuration': null }),
      'refused',
    ],
    ['and sets a label', root, incident, { metadata: { annotations: thaw, labels: { team: 'a' } } }, 'refused'],
    [
      'and sets a finalizer',
      root,
      incident,
      { metadata: { annotations: thaw, finalizers: ['example.test/x'] } },
      'refused',
    ],
    [
      'and gives it an owner',
      root,
      incident,
      {
        metadata: {
          annotations: thaw,
          ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' }],
        },
      },
      'refused',
    ],
    // What the operator takes for a freeze is one here: of an environment that is not there, and one that names nobody.
    [
      'of an environment that the spec does not name, and changes the spec',
      root,
      { 'freeze.capdeployjob.dev/Production': 'dora: incident 42' },
      annotate({ 'freeze.capdeployjob.dev/Production': null }, { spec: { maxWaiting: 1 } }),
      'refused',
    ],
    [
      'that names nobody, and changes the spec',
      root,
      { [FREEZE]: '' },
      annotate(thaw, { spec: { maxWaiting: 1 } }),
      'refused',
    ],
  ];
  test.each(cases)('%s', async (_, user, before, patch, expected) => {
    const { metadata } = await resource(world, before);
    const said = outcome(await world.as(user).patch(CAPDEPLOYJOBS, metadata.name, patch));
    const [key = '', words] = Object.entries(before)[0] ?? [];
    const dropped = `${key.split('/')[1]} ("${words}")`;
    expect(said).toBe(expected === 'allowed' ? 'allowed' : refusal(metadata.name, dropped, [key]));
    const { body } = await world.as(root).get(CAPDEPLOYJOBS, metadata.name);
    expect(key in (body.metadata.annotations ?? {})).toBe(expected === 'refused');
  });

  test('cannot empty its value instead: not even that would thaw', async () => {
    const { metadata } = await resource(world, incident);
    for (const value of ['', ' ', 'root:', 'root: \t']) {
      const patch = annotate({ [FREEZE]: value }, { spec: { maxWaiting: 1 } });
      expect(outcome(await world.as(root).patch(CAPDEPLOYJOBS, metadata.name, patch))).toContain(
        'must be your own user name and why: "root: <why>"',
      );
    }
  });

  test('cannot take the way by the status, for which the API server keeps the metadata', async () => {
    const { metadata } = await resource(world, incident);
    const patch = annotate(thaw, { status: { waiting: 1 } });
    expect(outcome(await world.as(root).patchStatus(CAPDEPLOYJOBS, metadata.name, patch))).toBe('allowed');
    const { body } = await world.as(root).get(CAPDEPLOYJOBS, metadata.name);
    expect(body).toMatchObject({ metadata: { annotations: incident }, status: { waiting: 1 } });
  });

  test('is told on one line, and in no more than the API server shows, whatever the freezes say', async () => {
    const name = (index: number) => `${'e'.repeat(48)}${String(index).padStart(2, '0')}`;
    const words = `dora: \u001b[2J\n\u202e"'$(rm) ${'\u{1f525}'.repeat(300)}`;
    const freezes = Array.from({ length: 50 }, (_, index) => [`freeze.capdeployjob.dev/${name(index)}`, words]);
    const { metadata } = await resource(world, Object.fromEntries(freezes));
    const answer = await world
      .as(root)
      .patch(CAPDEPLOYJOBS, metadata.name, { metadata: { annotations: null }, spec: { maxWaiting: 1 } });
    const said = outcome(answer);
    const shown = `dora: [2J "'$(rm) ${'\u{1f525}'.repeat(99 - 'dora: .[2J.."\'$(rm) '.length)}…`;
    expect(said.split(`("${shown}")`)).toHaveLength(6);
    expect(said).toContain(' and 45 more and change something else');
    expect(said).not.toMatch(/\p{Cc}|\p{Cf}/u);
    expect(Buffer.byteLength(said)).toBeLessThan(5 * 1024);
  });
});

/**
 * kubectl as people and Argo CD use it, on the manifest of a resource, on the same with another spec, and with another
 * label.
 */
describe.concurrent('kubectl', () => {
  const FILES = `
    cd "$(mktemp -d)"
    printf '%s' "$MANIFEST" > file.json
    sed 's/"maxWaiting":5/"maxWaiting":6/' file.json > edited.json
    sed 's/"team":"a"/"team":"b"/' file.json > labelled.json`;
  const APPLY = 'kubectl apply -f file.json';
  const CREATE = 'kubectl create -f file.json';
  const SERVER_SIDE = 'kubectl apply --server-side --force-conflicts --field-manager=argocd-controller';
  const FROZEN = `sed 's|"annotations":{|&"${FREEZE}":"root: sale",|' file.json > frozen.json`;

  /** How it was made and then frozen; what is done then; and what becomes of the freeze. */
  const cases: [string, string, string, 'kept' | 'refused' | 'thawed'][] = [
    ['apply of an edited manifest', APPLY, 'kubectl apply -f edited.json', 'kept'],
    ['apply of the same manifest', APPLY, 'kubectl apply -f file.json', 'kept'],
    ['apply on the server, with force', APPLY, `${SERVER_SIDE} -f edited.json`, 'kept'],
    [
      'apply on the server, of what was made so',
      `${SERVER_SIDE} -f file.json`,
      `${SERVER_SIDE} -f edited.json`,
      'kept',
    ],
    ['replace by an edited manifest', CREATE, 'kubectl replace -f edited.json', 'refused'],
    ['replace by a manifest with another label', CREATE, 'kubectl replace -f labelled.json', 'refused'],
    ['replace by the same manifest of what was applied', APPLY, 'kubectl replace -f file.json', 'refused'],
    // What nobody can tell from a thaw.
    ['replace by the same manifest', CREATE, 'kubectl replace -f file.json', 'thawed'],
    ['replace that is saved, by the same manifest', APPLY, 'kubectl replace --save-config -f file.json', 'thawed'],
    [
      'replace by an edited copy of what is there',
      CREATE,
      `kubectl -n $NS get cdj $NAME -o json | sed 's/"maxWaiting": 5/"maxWaiting": 6/' | kubectl replace -f -`,
      'kept',
    ],
    ['replace by force, which deletes it', CREATE, 'kubectl replace --force -f file.json', 'refused'],
    [
      'edit of the spec',
      CREATE,
      `KUBE_EDITOR="sed -i 's/maxWaiting: 5/maxWaiting: 6/'" kubectl -n $NS edit cdj $NAME`,
      'kept',
    ],
    [
      'edit of the spec that takes the line of the freeze out',
      CREATE,
      `KUBE_EDITOR="sed -i -e 's/maxWaiting: 5/maxWaiting: 6/' -e /freeze.capdeployjob/d" kubectl -n $NS edit cdj $NAME`,
      'refused',
    ],
    [
      'edit that takes that line out and nothing else',
      CREATE,
      'KUBE_EDITOR="sed -i /freeze.capdeployjob/d" kubectl -n $NS edit cdj $NAME',
      'thawed',
    ],
    // Frozen by a manifest, which then says nothing of it any more.
    ['apply without the freeze that was applied', `${FROZEN}; kubectl apply -f frozen.json`, APPLY, 'refused'],
    [
      'apply on the server, of something else, without the freeze that was applied',
      `${FROZEN}; ${SERVER_SIDE} -f file.json; ${SERVER_SIDE} -f frozen.json`,
      `${SERVER_SIDE} -f edited.json`,
      'refused',
    ],
  ];
  test.each(cases)('%s', async (_, make, act, expected) => {
    const object = newResource(world, { note: 'x' });
    const { name } = object.metadata;
    const manifest = { ...object, metadata: { ...object.metadata, labels: { team: 'a' } } };
    const MANIFEST = JSON.stringify({ ...manifest, spec: { ...object.spec, maxWaiting: 5 } });
    const env = { MANIFEST, NS: world.namespace, NAME: name };
    const words = make.includes('frozen.json') ? 'root: sale' : 'dora: incident 42';
    await world.shell(root, `${FILES}\n${make}`, env);
    if (!make.includes('frozen.json')) {
      await world.shell(dora, `kubectl -n $NS annotate cdj $NAME ${FREEZE}='${words}'`, env);
    }
    const freeze = async () => (await world.as(root).get(CAPDEPLOYJOBS, name)).body.metadata.annotations?.[FREEZE];
    expect(await freeze()).toBe(words);
    // As an administrator and as Argo CD's account: each is bound.
    for (const user of expected === 'refused' ? [argo, root] : [root]) {
      const done = world.shell(user, `${FILES}\n${act}`, env).then(
        () => 'done',
        (error: Error) => error.message,
      );
      if (expected !== 'refused') expect(await done).toBe('done');
      else if (act.includes('--force -f')) expect(await done).toContain('it is frozen, and one that is made anew');
      else expect(await done).toContain(refusal(name, `production ("${words}")`));
    }
    expect(await freeze()).toBe(expected === 'thawed' ? undefined : words);
  });

  test('a refused replace passes after the command that the refusal names', async () => {
    const object = newResource(world);
    const env = { MANIFEST: JSON.stringify({ ...object, spec: { ...object.spec, maxWaiting: 5 } }) };
    await world.shell(root, `${FILES}\n${CREATE}`, env);
    await world.as(dora).patch(CAPDEPLOYJOBS, object.metadata.name, annotate(both));
    const replace = () => world.shell(root, `${FILES}\nkubectl replace -f edited.json`, env);
    const refused = await replace().then(String, String);
    const [, command = ''] = / {2}(kubectl .+?) {2}/.exec(refused) ?? [];
    await world.shell(dora, command);
    await replace();
    const { body } = await world.as(root).get(CAPDEPLOYJOBS, object.metadata.name);
    expect([body.spec.maxWaiting, Object.keys(body.metadata.annotations ?? {})]).toEqual([6, []]);
  });
});

test('who may only patch is told that, before anything is said of freezes', async () => {
  const { metadata } = await resource(world, incident);
  const patch = annotate(thaw, { spec: { maxWaiting: 1 } });
  expect(outcome(await world.as(dora).patch(CAPDEPLOYJOBS, metadata.name, patch))).toContain('"dora" may patch');
});
