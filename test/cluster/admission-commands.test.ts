import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { EVENTS, JOBS, type KubeObject, PODS } from '../../src/kube/client.ts';
import { buildEvent } from '../../src/kube/events.ts';
import { eventually } from '../behaviour/world.ts';
import {
  ABORTED_BY,
  APPROVED_BY,
  claim,
  FREEZE,
  lanes,
  waits as listed,
  openAdmission,
  outcome,
  resource,
  startedJob,
  USERS,
  type User,
  waitingJob,
} from './admission.ts';

/**
 * Every command of docs/runbook.md, docs/permissions.md and docs/monitoring.md. A shell runs it as it is written, for a
 * user who has the role that the page names.
 */
const world = openAdmission();

const page = ['runbook', 'permissions', 'monitoring']
  .map((name) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8'))
  .join('\n');

/** The shell blocks of the pages as `<heading> <number>`, counted under each heading. */
const blocks = new Map(
  page.split(/^## /m).flatMap((section) => {
    const heading = section.split('\n', 1)[0] ?? '';
    return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text], index): [string, string] => [
      `${heading} ${index + 1}`,
      text ?? '',
    ]);
  }),
);

const run = async (user: User, block: string, env: Record<string, string> = {}): Promise<string> => {
  const text = blocks.get(block);
  if (text === undefined) throw new Error(`the pages have no block "${block}"`);
  // Here the roles and policies have names of this run.
  const script = text
    .replace(/capdeployjob-(viewer|deployer|approver)/g, (name) => world.nameOf('ClusterRole', name))
    .replace(
      'binding capdeployjob-jobs',
      `binding ${world.nameOf('ValidatingAdmissionPolicyBinding', 'capdeployjob-jobs')}`,
    );
  return world.shell(user, script, { NS: world.namespace, ENV: 'production', ...env });
};

const annotationsOf = async (type: typeof JOBS, name: string): Promise<Record<string, string>> =>
  (await world.as(USERS.root).get(type, name)).body.metadata.annotations ?? {};

const { dora, alan, eve, root } = USERS;

/**
 * Blocks that need what no control plane has by itself: a log, the operator's own Pods, a queue. They are not run here.
 */
const NOT_RUN = [
  // Variables, which the test sets itself.
  '# Runbook 1',
  'What runs, what waits, and why 2',
  // A kubelet: tried against the in-memory Kubernetes (npm run demo -- --serve).
  'Log and outcome 1',
  // The operator in a Pod of its own, and the conditions that it writes; the first line is tried below.
  'When nothing moves at all 1',
  'The replicas 1',
  // A queue and an operator: run by test/behaviour/documented-sends.test.ts.
  'Roll back 1',
  'Roll back 2',
];
const RUN_HERE = [
  'What runs, what waits, and why 1',
  'Log and outcome 2',
  'Freeze and thaw 1',
  'Freeze and thaw 2',
  'Freeze and thaw 3',
  'Approve 1',
  'Approve 2',
  'Abort a deploy, or take one out of the lane 1',
  'Abort a deploy, or take one out of the lane 2',
  'Roll back 3',
  'Ship something in front 1',
  'A Pod on a lost node 1',
  'A Pod on a lost node 2',
  'When nothing moves at all 2',
  'Remove a CapDeployJob 1',
  'Remove a CapDeployJob 2',
  'Who may do what 1',
  'In an emergency 1',
  'In an emergency 2',
];

test('every shell block of the pages is known here', () => {
  expect([...blocks.keys()].toSorted()).toEqual([...NOT_RUN, ...RUN_HERE].toSorted());
});

const AT = '2026-11-05T10:00:00.000Z';
const request = { id: 'release-1', repository: 'livesense/web', task: 'deploy', sentAt: AT };
const waits = { ...request, job: 'web-production-2', revision: 'v1.1.0', dueAt: AT };
const ended = { ...request, environment: 'production', startedAt: AT, finishedAt: AT };

/** What an operator would have written. */
const STATUS = {
  waiting: 1,
  active: 1,
  conditions: [{ type: 'Ready', status: 'True', reason: 'AsExpected', message: 'fine', lastTransitionTime: AT }],
  environments: [
    {
      name: 'production',
      active: [
        { ...request, job: 'web-production-1', revision: 'v1.0.0', uid: 'u', dueAt: AT, since: AT, why: 'no node' },
      ],
      waiting: [{ ...waits, why: 'web-production-1 (v1.0.0) has the lane' }],
    },
    {
      name: 'staging',
      frozen: 'dora: incident 42',
      waiting: [{ ...waits, job: 'web-staging-1', why: 'frozen: dora: incident 42' }],
    },
  ],
  history: [
    {
      ...ended,
      job: 'web-production-0',
      revision: 'v0.9.1',
      result: 'Failed',
      reason: 'BackoffLimitExceeded',
      message: 'the log',
    },
    { ...ended, job: 'web-production-00', revision: 'v0.9.0', result: 'Succeeded', reason: 'Completed' },
  ],
  rejections: [{ messageId: 'm', reason: 'NotJSON', message: 'not JSON', body: '{', at: AT }],
};

async function resourceWithStatus(): Promise<string> {
  const { metadata } = await resource(world);
  const fresh = (await world.as(root).get(CAPDEPLOYJOBS, metadata.name)).body as KubeObject;
  const answer = await world.as(world.operator).replace(CAPDEPLOYJOBS, { ...fresh, status: STATUS }, 'status');
  expect(outcome(answer)).toBe('allowed');
  return metadata.name;
}

describe('looking, as a deployer', () => {
  let name = '';
  beforeAll(async () => {
    name = await resourceWithStatus();
  });

  test('shows what runs, what waits, and why', async () => {
    const shown = await run(dora, 'What runs, what waits, and why 1', { CDJ: name });
    expect(shown).toMatch(/^NAME +READY +WAITING +ACTIVE +LAST +AGE$/m);
    expect(shown.slice(shown.indexOf('\n\n'))).toBe(
      [
        '\n',
        'production  ',
        '  runs   web-production-1  v1.0.0  since 2026-11-05T10:00:00.000Z  no node',
        '  waits  web-production-2  v1.1.0  web-production-1 (v1.0.0) has the lane',
        '',
        'staging  dora: incident 42',
        '  waits  web-staging-1  v1.1.0  frozen: dora: incident 42',
        '',
      ].join('\n'),
    );
  });

  test('shows what came of the last deploys', async () => {
    const shown = await run(dora, 'Log and outcome 2', { CDJ: name });
    expect(shown).toBe(
      [
        `${AT}  production  deploy  v0.9.1  Failed  BackoffLimitExceeded`,
        `${AT}  production  deploy  v0.9.0  Succeeded  Completed`,
        'the log',
        '',
      ].join('\n'),
    );
  });

  test('shows what to go back to, what was rejected, and the conditions', async () => {
    expect(await run(dora, 'Roll back 3', { CDJ: name })).toBe(`${AT}  production  v0.9.0\n`);
    expect(await run(dora, 'When nothing moves at all 2', { CDJ: name })).toBe(`${AT}  NotJSON  not JSON\n`);
    const [conditions = ''] = blocks.get('When nothing moves at all 1')?.split('\n') ?? [];
    expect(await world.shell(dora, conditions, { NS: world.namespace, CDJ: name })).toBe(
      'Ready  True  AsExpected  fine\n',
    );
  });
});

describe('doing', () => {
  test('a deployer freezes, freezes again, and thaws', async () => {
    const { metadata } = await resource(world);
    for (const _ of [1, 2]) await run(dora, 'Freeze and thaw 1', { CDJ: metadata.name });
    expect(await annotationsOf(CAPDEPLOYJOBS, metadata.name)).toEqual({ [FREEZE]: 'dora: incident 42' });
    await run(dora, 'Freeze and thaw 2', { CDJ: metadata.name });
    expect(await annotationsOf(CAPDEPLOYJOBS, metadata.name)).toEqual({});
  });

  test('a deployer sees that an environment was thawed, and what was frozen before', async () => {
    const regarding = (await resource(world)) as unknown as KubeObject;
    const told = { type: 'Normal', action: 'Thaw', regarding } as const;
    const reporter = { controller: 'capdeployjob.dev/controller', instance: 'operator' };
    const events = [
      buildEvent({ ...told, reason: 'Thawed', note: 'production was frozen', turn: 'thawed' }, reporter, Date.now()),
      buildEvent({ ...told, reason: 'Started', note: 'v1 started', turn: 'started' }, reporter, Date.now()),
    ];
    for (const event of events) {
      expect(outcome(await world.as(world.operator).create(EVENTS, event))).toBe('allowed');
    }
    const shown = await run(dora, 'Freeze and thaw 3', { CDJ: regarding.metadata.name });
    expect(shown.trim().split('\n')).toEqual([
      expect.stringMatching(/^LAST SEEN/),
      expect.stringMatching(new RegExp(`Thawed +capdeployjob/${regarding.metadata.name} +production was frozen$`)),
    ]);
  });

  test('an approver approves, approves again, and withdraws', async () => {
    const { metadata } = await waitingJob(world);
    for (const _ of [1, 2]) await run(alan, 'Approve 1', { JOB: metadata.name });
    expect((await annotationsOf(JOBS, metadata.name))[APPROVED_BY]).toBe('alan');
    await run(alan, 'Approve 2', { JOB: metadata.name });
    expect(await annotationsOf(JOBS, metadata.name)).not.toHaveProperty([APPROVED_BY]);
  });

  test('a deployer is told why she cannot approve', async () => {
    const { metadata } = await waitingJob(world);
    await expect(run(dora, 'Approve 1', { JOB: metadata.name })).rejects.toThrow(/"dora" may not approve deploys/);
  });

  test('a deployer aborts', async () => {
    const { metadata } = await startedJob(world);
    expect(await nameAtDeletion(metadata.name, 'Abort a deploy, or take one out of the lane 1')).toBe('dora');
  });

  test('a deployer aborts what has not moved since her name was written, and nothing else', async () => {
    const abort = (job: string, more = '') => {
      const block = blocks.get('Abort a deploy, or take one out of the lane 2') ?? '';
      return world.shell(dora, block.replace(/^echo/m, `${more}\necho`), { NS: world.namespace, JOB: job });
    };
    const { metadata } = await waitingJob(world);
    const moves = `kubectl -n $NS annotate job $JOB ${ABORTED_BY}-`;
    await expect(abort(metadata.name, moves)).rejects.toThrow(/ResourceVersion in the precondition .* does not match/);
    expect((await world.as(root).get(JOBS, metadata.name)).status).toBe(200);
    expect(await nameAtDeletion(metadata.name, 'Abort a deploy, or take one out of the lane 2')).toBe('dora');
  });

  /** Dora runs the block. @returns the name on the Job when it is deleted, which a finalizer puts off for a moment. */
  async function nameAtDeletion(job: string, block: string): Promise<string | undefined> {
    const finalizers = (value: string[] | null) => world.as(root).patch(JOBS, job, { metadata: { finalizers: value } });
    expect(outcome(await finalizers(['example.test/hold']))).toBe('allowed');
    const aborted = run(dora, block, { JOB: job });
    const last = await eventually('the Job is being deleted', async () => {
      const { body } = await world.as(root).get(JOBS, job);
      return body.metadata.deletionTimestamp && body;
    });
    await finalizers(null);
    await aborted;
    await eventually('the Job is gone', async () => (await world.as(root).get(JOBS, job)).status === 404);
    return last.metadata.annotations[ABORTED_BY];
  }

  test('a deployer empties the lane: what waits goes, what runs stays, and so does the other environment', async () => {
    const owner = await resource(world);
    const running = await startedJob(world, owner);
    const waiting = [await waitingJob(world, owner), await waitingJob(world, owner)];
    await run(dora, 'Ship something in front 1', { CDJ: owner.metadata.name });
    for (const { metadata } of waiting) {
      await eventually('it is gone', async () => (await world.as(root).get(JOBS, metadata.name)).status === 404);
    }
    expect((await world.as(root).get(JOBS, running.metadata.name)).status).toBe(200);
    // And in an empty lane nothing is left to delete, which is no error.
    await run(dora, 'Ship something in front 1', { CDJ: owner.metadata.name });
    await run(dora, 'Ship something in front 1', { CDJ: owner.metadata.name, ENV: 'staging' });
    expect((await world.as(root).get(JOBS, running.metadata.name)).status).toBe(200);
  });

  test('a Pod is found by its lane, and an editor deletes it by force', { timeout: 90_000 }, async () => {
    const owner = await resource(world);
    const job = await startedJob(world, owner);
    const pod = await eventually('the Job controller has made it', async () => {
      const found = await run(dora, 'A Pod on a lost node 1', { CDJ: owner.metadata.name });
      return found.split(/\s/).find((word) => word.startsWith(job.metadata.name));
    });
    const names = { JOB: job.metadata.name, POD: pod };
    // A deployer may abort: the Job goes, and its Pod terminates.
    await expect(run(dora, 'A Pod on a lost node 2', names)).rejects.toThrow(/cannot delete resource "pods"/);
    await run(eve, 'A Pod on a lost node 2', names);
    // The Job controller takes its finalizer off when it has seen that its Job is gone, which it may put off for a
    // while.
    await eventually('it is gone', async () => (await world.as(root).get(PODS, pod)).status === 404, 60_000);
  });
});

describe('as an administrator', () => {
  test('the roles are bound to groups, and count', async () => {
    await run(root, 'Who may do what 1');
    const { metadata } = await resource(world);
    const newcomer: User = { name: 'nina', groups: ['deployers', 'release-managers', 'system:authenticated'] };
    await eventually(
      'the role counts',
      async () => (await world.as(newcomer).get(CAPDEPLOYJOBS, metadata.name)).status === 200,
    );
    await run(newcomer, 'Freeze and thaw 1', { CDJ: metadata.name });
    const job = await waitingJob(world);
    await run(newcomer, 'Approve 1', { JOB: job.metadata.name });
    expect((await annotationsOf(JOBS, job.metadata.name))[APPROVED_BY]).toBe('nina');
  });

  test('a resource on which a request waits is frozen, then allowed to go, then deleted', async () => {
    const owner = await resource(world);
    const { name } = owner.metadata;
    const [production = {}] = ((await claim(world, owner, ['web-production-1'])).status as { environments: object[] })
      .environments;
    await lanes(world, owner, [{ ...production, waiting: [listed('web-production-2')] }]);
    const commands = blocks.get('Remove a CapDeployJob 2') ?? '';
    const last = commands.trim().split('\n').at(-1) ?? '';
    const env = { NS: world.namespace, CDJ: name };
    await expect(world.shell(root, last, env)).rejects.toThrow(/requests wait and would never be deployed/);
    await run(dora, 'Remove a CapDeployJob 1', { CDJ: name });
    expect(await annotationsOf(CAPDEPLOYJOBS, name)).toEqual({
      [FREEZE]: 'dora: to be removed',
      'freeze.capdeployjob.dev/staging': 'dora: to be removed',
    });
    // The refusal names what is left to do, in the page's own words.
    const refused = await world.shell(root, last, env).then(String, String);
    for (const command of commands.trim().split('\n')) {
      expect(refused).toContain(command.replace('$NS', world.namespace).replace('$CDJ', name));
    }
    await run(root, 'Remove a CapDeployJob 2', { CDJ: name });
    expect((await world.as(root).get(CAPDEPLOYJOBS, name)).status).toBe(404);
  });

  test('the rules for Jobs are turned into warnings in an emergency, and back', async () => {
    const { metadata } = await waitingJob(world);
    const resume = () =>
      world.as(root).patch(JOBS, metadata.name, { spec: { suspend: false } }, 'merge', { dryRun: 'All' });
    expect(outcome(await resume())).toContain('only the operator starts a deploy');
    await run(root, 'In an emergency 1');
    await eventually('it passes', async () => outcome(await resume()) === 'allowed');
    await run(root, 'In an emergency 2');
    await eventually('it is refused again', async () => outcome(await resume()) !== 'allowed');
  });
});
