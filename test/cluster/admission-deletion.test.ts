import { describe, expect, test } from 'vitest';
import type { CapDeployJob } from '../../src/api/capdeployjob.ts';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { JOBS } from '../../src/kube/client.ts';
import { eventually } from '../behaviour/world.ts';
import {
  ALLOW_DELETE,
  claim,
  FREEZE,
  lanes,
  openAdmission,
  outcome,
  resource,
  USERS,
  type User,
  waitingJob,
  waits,
} from './admission.ts';

/**
 * The policy capdeployjob-deletion on a real API server, of resources whose status says what an operator would. With an
 * operator at work: admission-prune.test.ts. The people are those of admission.test.ts.
 */
const world = openAdmission();

const { dora, root } = USERS;

const SAYS = {
  underWay: (job: string) => `a deploy is under way and would be killed (production: ${job})`,
  wait: (what: string) => `requests wait and would never be deployed (${what})`,
  frozen: 'it is frozen, and one that is made anew would not be',
  /** @param open the environments that are to be frozen first. */
  howTo: (owner: string, open = ['production', 'staging']) => {
    const kubectl = `kubectl -n ${world.namespace}`;
    const freezes = open.map((name) => ` freeze.capdeployjob.dev/${name}="<you>: to be removed"`).join('');
    const first =
      open.length > 0
        ? `so that nothing starts meanwhile, freeze it with  ${kubectl} annotate cdj ${owner}${freezes}  then `
        : '';
    return `. To delete it all the same: ${first}say so with  ${kubectl} annotate cdj ${owner} ${ALLOW_DELETE}=true  and delete it again with  ${kubectl} delete cdj ${owner}`;
  },
};

const incident = { [FREEZE]: 'dora: incident 42' };

describe.concurrent('deleting a CapDeployJob', () => {
  interface Before {
    active?: string[];
    waiting?: object[];
    annotations?: Record<string, string>;
    spec?: object;
  }
  const running = { active: ['web-production-1'] };
  const waiting = { waiting: [waits('web-production-2', { revision: 'v1.1.0', requestedBy: 'alice' })] };
  const allowed = { [ALLOW_DELETE]: 'true' };
  const KILLED = () => SAYS.underWay('web-production-1');
  const LOST = () => SAYS.wait('production: web-production-2 (v1.1.0 for alice)');
  const { garbageCollector, namespaceController } = USERS;

  /** With what there, what is refused, and which environments are to be frozen first. */
  const cases: [string, User, Before, (() => string)[], string[]?][] = [
    ['on which nothing runs', root, {}, []],
    ['with a deploy under way', root, running, [KILLED]],
    ['that allows it', root, { ...running, ...waiting, annotations: { ...incident, ...allowed } }, []],
    ['whose annotation says false', root, { ...running, annotations: { [ALLOW_DELETE]: 'false' } }, [KILLED]],
    ['as its namespace goes', namespaceController, { ...running, ...waiting, annotations: incident }, []],
    ['as its own owner goes', garbageCollector, running, [KILLED]],
    [
      'where kube-controller-manager has one name for all, as its namespace goes',
      { name: 'system:kube-controller-manager', groups: ['system:masters', 'system:authenticated'] },
      { ...running, ...waiting },
      [],
    ],
    ['on which a request waits', root, waiting, [LOST]],
    ['on which a request waits, as its own owner goes', garbageCollector, waiting, [LOST]],
    ['with a deploy under way and a request that waits', root, { ...running, ...waiting }, [KILLED, LOST]],
    [
      'on which a request waits, frozen',
      root,
      { ...waiting, annotations: incident },
      [LOST, () => SAYS.frozen],
      ['staging'],
    ],
    ['that is frozen', root, { annotations: incident }, [() => SAYS.frozen], ['staging']],
    [
      'on which a request waits, frozen in git',
      root,
      { ...waiting, spec: { environments: [{ name: 'production', suspend: true }, { name: 'staging' }] } },
      [LOST],
      ['staging'],
    ],
    ['on which a request waits, all of it frozen in git', root, { ...waiting, spec: { suspend: true } }, [LOST], []],
    [
      'on which four wait, one without a revision, and one that says nothing of who asked',
      root,
      {
        waiting: [
          waits('w1', { task: 'deploy:restart', senderId: 'AIDAEXAMPLE' }),
          waits('w2', { revision: 'main' }),
          waits('w3', { revision: 'v3', requestedBy: 'bob', senderId: 'AIDAEXAMPLE' }),
          waits('w4'),
        ],
      },
      [
        () =>
          SAYS.wait(
            'production: w1 (deploy:restart for AIDAEXAMPLE), production: w2 (main), production: w3 (v3 for bob) and 1 more',
          ),
      ],
    ],
  ];
  test.each(cases)('%s', async (_, user, { active = [], waiting = [], annotations, spec }, refused, open) => {
    const owner = await resource(world, annotations, spec);
    const claimed = await claim(world, owner, active);
    const [production, staging] = (claimed as unknown as CapDeployJob).status?.environments ?? [];
    await lanes(world, owner, [{ ...production, waiting }, staging as object]);
    const { name } = owner.metadata;
    const why = refused.map((words) => words()).join('; ');
    for (const dryRun of ['All', undefined]) {
      const said = outcome(await world.as(user).delete(CAPDEPLOYJOBS, name, { dryRun }));
      expect(said).toBe(refused.length === 0 ? 'allowed' : `${why}${SAYS.howTo(name, open)}`);
    }
    expect((await world.as(root).get(CAPDEPLOYJOBS, name)).status).toBe(refused.length === 0 ? 404 : 200);
  });

  test('is told on one line, and in no more than the API server shows, however much waits', async () => {
    const environments = Array.from({ length: 50 }, (_, index) => ({
      name: `${'e'.repeat(48)}${String(index).padStart(2, '0')}`,
    }));
    const owner = await resource(world, {}, { environments, maxWaiting: 20 });
    const hostile = `\u001b[2J\n\u202e"'$(rm) ${'\u{1f525}'.repeat(110)}`;
    const entry = (index: number) =>
      waits(`j${index}-${'x'.repeat(240)}`, { revision: 'r'.repeat(244), requestedBy: hostile });
    const active = { ...waits('j'.repeat(250)), uid: 'uid-1', since: '2026-11-05T10:00:00.000Z' };
    const waiting = Array.from({ length: 20 }, (_, index) => entry(index));
    await lanes(
      world,
      owner,
      environments.map(({ name }) => ({ name, active: [active], waiting })),
    );
    const said = outcome(await world.as(root).delete(CAPDEPLOYJOBS, owner.metadata.name));
    expect(said).toContain('a deploy is under way and would be killed (');
    expect(said).toContain(' and 47 more)');
    expect(said).toContain(' and 997 more)');
    expect(said).toContain('  (and 45 more environments) then ');
    expect(said.split(`(${'r'.repeat(63)}… for [2J "'$(rm) \u{1f525}`)).toHaveLength(4);
    expect(said).not.toMatch(/\p{Cc}|\p{Cf}/u);
    expect(Buffer.byteLength(said)).toBeLessThan(5 * 1024);
  });

  test('goes through with the commands that the refusal names', async () => {
    const owner = await resource(world, incident);
    await lanes(world, owner, [{ name: 'production', waiting: waiting.waiting }]);
    const { name } = owner.metadata;
    const said = outcome(await world.as(root).delete(CAPDEPLOYJOBS, name));
    const commands = [...said.matchAll(/ {2}(kubectl .+?)(?= {2}|$)/g)].map(([, command = '']) => command);
    expect(commands).toHaveLength(3);
    await world.shell(root, commands.join('\n').replaceAll('<you>', root.name));
    expect((await world.as(root).get(CAPDEPLOYJOBS, name)).status).toBe(404);
  });

  test.each(['Foreground', 'Orphan'])(
    '%s deletion goes through to its end, Jobs and all',
    async (propagationPolicy) => {
      const owner = await resource(world);
      const job = await waitingJob(world, owner);
      const { name } = owner.metadata;
      expect(outcome(await world.as(root).delete(CAPDEPLOYJOBS, name, { propagationPolicy }))).toBe('allowed');
      await eventually(
        'the resource is gone',
        async () => (await world.as(root).get(CAPDEPLOYJOBS, name)).status === 404,
      );
      const found = () => world.as(root).get(JOBS, job.metadata.name);
      // Its owner reference does not say blockOwnerDeletion, so it may be the last to go.
      if (propagationPolicy === 'Foreground')
        await eventually('its Job is gone', async () => (await found()).status === 404);
      else expect((await found()).body.metadata.ownerReferences ?? []).toEqual([]);
    },
  );

  test('again, once it was allowed and has begun, asks nothing more', async () => {
    const owner = await resource(world, allowed);
    await lanes(world, owner, [{ name: 'production', waiting: waiting.waiting }]);
    const { name } = owner.metadata;
    const change = (metadata: object) => world.as(root).patch(CAPDEPLOYJOBS, name, { metadata });
    await change({ finalizers: ['example.test/hold'] });
    const remove = async () => outcome(await world.as(root).delete(CAPDEPLOYJOBS, name));
    expect(await remove()).toBe('allowed');
    await change({ annotations: { [ALLOW_DELETE]: null } });
    expect(await remove()).toBe('allowed');
    await change({ finalizers: null });
    expect((await world.as(root).get(CAPDEPLOYJOBS, name)).status).toBe(404);
  });

  test('a deployer cannot', async () => {
    const { metadata } = await resource(world);
    expect(outcome(await world.as(dora).delete(CAPDEPLOYJOBS, metadata.name))).toBe('refused by RBAC');
  });
});

test('deleting all CapDeployJobs at once stops at the one with a deploy under way', async () => {
  const label = { metadata: { labels: { test: 'all-at-once' } } };
  const busy = await resource(world);
  await world.as(root).patch(CAPDEPLOYJOBS, busy.metadata.name, label);
  await claim(world, busy, ['web-production-1']);
  const answer = await world.as(root).deleteAll(CAPDEPLOYJOBS, { labelSelector: 'test=all-at-once' });
  expect(outcome(answer)).toBe(`${SAYS.underWay('web-production-1')}${SAYS.howTo(busy.metadata.name)}`);
  await claim(world, busy, []);
  expect(outcome(await world.as(root).deleteAll(CAPDEPLOYJOBS, { labelSelector: 'test=all-at-once' }))).toBe('allowed');
  expect((await world.as(root).get(CAPDEPLOYJOBS, busy.metadata.name)).status).toBe(404);
});
