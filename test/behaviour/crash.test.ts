import { describe, expect, test } from 'vitest';
import type { CapDeployJobStatus } from '../../src/api/capdeployjob.ts';
import { ANNOTATION, CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { JOBS, type KubeObject, PODS } from '../../src/kube/client.ts';
import { KubeError } from '../../src/kube/errors.ts';
import {
  type Call,
  deployed,
  ended,
  eventually,
  inWorld,
  lane,
  message,
  type Operator,
  overlaps,
  sentAt,
  type World,
} from './world.ts';

type Moment = 'before' | 'after';
type CallMatcher = (call: Call) => boolean;

const isCreate: CallMatcher = ({ verb, type, dryRun }) => verb === 'create' && type === JOBS && !dryRun;
const isDelete: CallMatcher = ({ verb, type }) => verb === 'delete' && type === JOBS;
const isResume: CallMatcher = ({ verb, body }) =>
  verb === 'patch' && (body?.spec as { suspend?: boolean } | undefined)?.suspend === false;
const isTouch: CallMatcher = ({ verb, body }) =>
  verb === 'patch' && JSON.stringify(body).includes(ANNOTATION.unclaimedAt);

/** A PUT of a status of which something is true. */
const isStatus =
  (of: (status: CapDeployJobStatus) => boolean): CallMatcher =>
  ({ verb, body }) =>
    verb === 'replaceStatus' && of(body?.status as CapDeployJobStatus);
const isListing = isStatus(({ waiting }) => waiting === 1);
const isClaiming = isStatus(({ active }) => active === 1);
const isRecording = isStatus(({ history }) => history?.length === 1);

/** Kills the operator at the first such call: before it takes effect, or after and before the operator hears of it. */
function killAt(world: World, operator: Operator, moment: Moment, matches: CallMatcher): void {
  const kill = (call: Call) => {
    if (matches(call)) operator.kill();
  };
  if (moment === 'before') world.intercept = kill;
  else world.afterCall = kill;
}

/** Whatever happened: each request ran once and has one entry, none overlapped, nothing is left in the queue. */
async function allIsWell(world: World, queue: string, ...revisions: string[]): Promise<void> {
  for (const revision of revisions) {
    expect(await ended(world, 'web', revision)).toMatchObject({ result: 'Succeeded', revision });
  }
  await eventually('the queue is empty', async () => (await world.depth(queue)) === 0);
  await eventually('nothing waits or runs', async () => {
    const { status } = await world.resource('web');
    return status?.waiting === 0 && status.active === 0;
  });
  expect(world.kubelet.diary.map(({ env }) => env.REVISION).toSorted()).toEqual(revisions.toSorted());
  expect([...overlaps(world, 'production'), ...overlaps(world, 'staging')]).toEqual([]);
  const { status } = await world.resource('web');
  expect(status?.history?.map(({ revision }) => revision).toSorted()).toEqual(revisions.toSorted());
}

const POINTS: { what: string; matches: CallMatcher; spec?: Record<string, unknown> }[] = [
  { what: 'a Job is created', matches: isCreate },
  { what: 'the status lists a request that waits', matches: isListing },
  { what: 'the status claims the lane', matches: isClaiming },
  { what: 'a Job is resumed', matches: isResume },
  { what: 'the end of a deploy is recorded', matches: isRecording },
  { what: 'a Job that is recorded is deleted', matches: isDelete, spec: { successfulJobsHistoryLimit: 0 } },
];

describe.concurrent('an operator that is killed, and another one after it: each request runs once, is recorded once, and none overlap (invariants 1, 3 and 7)', () => {
  describe.each(POINTS)('when $what', ({ matches, spec }) => {
    test.for(['before', 'after'] as const)('right %s that', (moment, context) =>
      inWorld(async (world) => {
        const queue = await world.createQueue('web');
        await world.deployable('web', queue, spec);
        // One batch: so both are in flight, and one of them waits while the other one is claimed.
        for (const revision of ['v1', 'v2']) await world.send(queue, message({ revision }));
        const first = world.startOperator();
        killAt(world, first, moment, matches);
        await first.killed;
        await world.redeliver(queue);
        world.startOperator();
        await allIsWell(world, queue, 'v1', 'v2');
      })(context),
    );
  });

  test.for([
    { what: 'right after it has received messages', verb: 'receive', moment: 'after' },
    { what: 'right before it deletes a message', verb: 'delete', moment: 'before' },
    { what: 'right after a message was deleted', verb: 'delete', moment: 'after' },
  ] as const)('$what', ({ verb, moment }, context) =>
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      for (const revision of ['v1', 'v2']) await world.send(queue, message({ revision }));
      const first = world.startOperator();
      world.onQueueCall = (call) => {
        if (call.verb === verb && call.moment === moment) first.kill();
      };
      await first.killed;
      await world.redeliver(queue);
      world.startOperator();
      await allIsWell(world, queue, 'v1', 'v2');
    })(context),
  );

  test.for([
    { what: 'and the deploy ends while no operator is there', endsAlone: true },
    { what: 'and the deploy ends under the next operator', endsAlone: false },
  ])('while a Pod runs, $what', ({ endsAlone }, context) =>
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      world.script = () => 'run';
      const first = world.startOperator();
      await world.send(queue, message({ revision: 'v1' }));
      const { job } = await eventually('v1 runs', () => world.kubelet.diary[0]);
      await world.send(queue, message({ revision: 'v2' }));
      await eventually('v2 waits', async () => (await world.resource('web')).status?.waiting === 1);
      first.kill();
      world.script = () => ({ exitCode: 0 });
      if (endsAlone) await world.kubelet.finish(job, 0);
      await world.redeliver(queue);
      world.startOperator();
      if (!endsAlone) await world.kubelet.finish(job, 0);
      await allIsWell(world, queue, 'v1', 'v2');
    })(context),
  );

  test.for([
    { what: 'right before the Job is touched', moment: 'before', matches: isTouch },
    { what: 'right after the Job is touched', moment: 'after', matches: isTouch },
    {
      what: 'right after the status gave the claim up',
      moment: 'after',
      matches: isStatus(({ active }) => active === 0),
    },
  ] as const)('while it gives up the claim of a deploy that never started, $what', ({ moment, matches }, context) =>
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      await world.send(queue, message({ revision: 'v1' }));
      const first = world.startOperator();
      killAt(world, first, 'before', isResume);
      await first.killed;
      await world.redeliver(queue);
      await world.edit('web', { environments: [{ name: 'production', suspend: true }] });

      const second = world.startOperator();
      world.intercept = undefined;
      killAt(world, second, moment, matches);
      await second.killed;
      await world.redeliver(queue);
      world.startOperator();
      await eventually('the request waits again', async () => {
        const production = lane((await world.resource('web')).status, 'production');
        return production?.waiting?.length === 1 && production.active === undefined;
      });
      expect(world.kubelet.diary).toEqual([]);
      await world.edit('web', { environments: [{ name: 'production' }] });
      await allIsWell(world, queue, 'v1');
    })(context),
  );

  test.for([
    { what: 'right before it', moment: 'before' },
    { what: 'right after it', moment: 'after' },
  ] as const)(
    'at the delete that ends a deploy without a container, $what: the reason survives (invariant 7)',
    ({ moment }, context) =>
      inWorld(
        async (world) => {
          const queue = await world.createQueue('web');
          await world.deployable('web', queue, { podStartDeadlineSeconds: 1 });
          world.script = () => 'pending';
          await world.send(queue, message({ revision: 'v1' }));
          const first = world.startOperator();
          killAt(world, first, moment, isDelete);
          await first.killed;
          await world.redeliver(queue);
          world.startOperator();
          expect(await ended(world, 'web', 'v1')).toMatchObject({ result: 'Failed', reason: 'PodNotStarted' });
          expect(world.kubelet.diary).toEqual([]);
          expect((await world.resource('web')).status?.history).toHaveLength(1);
          await eventually('its Job is gone', async () => (await world.jobs('web')).length === 0);
          // Whoever finds a Job gone and never saw its Pod waits for half a minute.
        },
        { speed: 10 },
      )(context),
  );
});

describe.concurrent('a message', () => {
  test(
    'is deleted only when its request stands in the status of the living resource (invariant 2)',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      const known: boolean[] = [];
      world.onQueueCall = async ({ verb, moment }) => {
        if (verb !== 'delete' || moment !== 'before') return;
        const { status } = await world.resource('web');
        const lanes = status?.environments?.flatMap(({ active = [], waiting = [] }) => [...active, ...waiting]) ?? [];
        known.push([...lanes, ...(status?.history ?? [])].some(({ revision }) => revision === 'v1'));
      };
      world.startOperator();
      await world.send(queue, message({ revision: 'v1' }));
      await allIsWell(world, queue, 'v1');
      expect(known).toEqual([true]);
    }),
  );

  test(
    'whose Job is deleted before a status lists it makes its Job once more (invariant 2)',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      let made = 0;
      world.afterCall = async (call) => {
        if (!isCreate(call)) return;
        made += 1;
        if (made === 1) await world.remove(JOBS, call.name ?? '');
      };
      // Until the operator's watch has told of the deletion it would list the Job, and record that somebody took it
      // back.
      world.intercept = (call) => {
        if (made > 1 || (!isListing(call) && !isClaiming(call))) return;
        throw new KubeError('conflict', { status: 409, reason: 'Conflict', message: 'not before its Job was deleted' });
      };
      world.startOperator();
      await world.send(queue, message({ revision: 'v1' }));
      await allIsWell(world, queue, 'v1');
      expect(made).toBe(2);
    }),
  );

  test(
    'of a resource that is deleted before the request is listed stays in the queue (invariant 2)',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      const { metadata } = await world.deployable('web', queue);
      let deletes = 0;
      world.onQueueCall = ({ verb, moment }) => {
        if (verb === 'delete' && moment === 'before') deletes += 1;
      };
      const stored = Promise.withResolvers<void>();
      world.intercept = async (call) => {
        // Nobody lists it: the resource goes right after the Job was stored.
        if (!isListing(call) && !isClaiming(call)) return;
        const live = await world.resource('web').catch(() => undefined);
        if (live) await world.remove(CAPDEPLOYJOBS, 'web');
        stored.resolve();
      };
      const operator = world.startOperator();
      await world.send(queue, message({ revision: 'v1' }));
      await stored.promise;
      await eventually('the Job is collected', async () => (await world.jobs('web')).length === 0);
      await operator.stop();
      expect([deletes, await world.depth(queue)]).toEqual([0, 1]);

      world.intercept = undefined;
      const next = await world.deployable('web', queue);
      expect(next.metadata.uid).not.toBe(metadata.uid);
      world.startOperator();
      await allIsWell(world, queue, 'v1');
    }),
  );

  test(
    'that is delivered again after its delete, while its Job is there and after that was cleaned up, runs nothing (invariant 1)',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue, { successfulJobsHistoryLimit: 1 });
      world.startOperator();
      const again = async () => {
        for (const revision of ['v1', 'v2']) await world.send(queue, message({ revision, id: `build-${revision}` }));
      };
      await again();
      await allIsWell(world, queue, 'v1', 'v2');
      await again();
      await allIsWell(world, queue, 'v1', 'v2');
      await world.edit('web', { successfulJobsHistoryLimit: 0 });
      await eventually('the Jobs are cleaned up', async () => (await world.jobs('web')).length === 0);
      await again();
      await allIsWell(world, queue, 'v1', 'v2');
      await eventually('no Job of them is left', async () => (await world.jobs('web')).length === 0);
    }),
  );
});

describe.concurrent('a status that was lost', () => {
  test(
    'is made again of Jobs and Pods before anything starts, and nothing runs twice (invariants 1 and 3)',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      world.startOperator();
      await world.send(queue, message({ revision: 'v1', id: 'build-v1' }));
      await allIsWell(world, queue, 'v1');
      world.script = () => 'run';
      await world.send(queue, message({ revision: 'v2' }));
      const { job } = await eventually('v2 runs', () => world.kubelet.diary[1]);
      await world.send(queue, message({ revision: 'v3' }));
      await eventually('v3 waits', async () => (await world.resource('web')).status?.waiting === 1);

      const { status: _, ...bare } = await world.resource('web');
      await eventually('the status is wiped', () =>
        world.kube.replaceStatus(CAPDEPLOYJOBS, { ...bare, status: {} } as unknown as KubeObject).then(
          () => true,
          () => false,
        ),
      );
      await eventually('the running deploy holds the lane again', async () => {
        const production = lane((await world.resource('web')).status, 'production');
        return production?.active?.[0]?.job === job && production.waiting?.length === 1;
      });
      world.script = () => ({ exitCode: 0 });
      await world.kubelet.finish(job, 0);
      await world.send(queue, message({ revision: 'v1', id: 'build-v1' }));
      await allIsWell(world, queue, 'v1', 'v2', 'v3');
    }),
  );
});

describe.concurrent('two operators at once', () => {
  const requests = Array.from({ length: 20 }, (_, index) => ({
    revision: `v${String(index + 1).padStart(2, '0')}`,
    environment: index % 2 === 0 ? 'production' : 'staging',
    sentAt: sentAt(index),
  }));
  const revisions = requests.map(({ revision }) => revision);

  test(
    'on one FIFO queue deploy each of 20 requests in 2 lanes once and in order, and never two in a lane (invariants 1, 3 and 4)',
    inWorld(async (world) => {
      const queue = await world.createQueue('web.fifo', { FifoQueue: 'true' });
      await world.deployable('web', queue);
      for (const request of requests) await world.send(queue, message(request), { groupId: request.environment });
      world.startOperator();
      world.startOperator();
      await allIsWell(world, queue, ...revisions);
      for (const environment of ['production', 'staging']) {
        expect(deployed(world, environment)).toEqual(deployed(world, environment).toSorted());
      }
    }),
  );

  test(
    'on one standard queue, which they read in any order, end each request once; what ran, ran once, and never an older after a newer (invariants 1, 3 and 4)',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue, { maxWaiting: 100 });
      world.startOperator();
      world.startOperator();
      for (const request of requests) await world.send(queue, message(request));
      for (const revision of revisions) await ended(world, 'web', revision);
      await eventually('the queue is empty', async () => (await world.depth(queue)) === 0);
      const { status } = await world.resource('web');
      expect(status?.history?.map(({ revision }) => revision).toSorted()).toEqual(revisions);
      const ran = status?.history?.filter(({ result }) => result === 'Succeeded').map(({ revision }) => revision);
      expect(world.kubelet.diary.map(({ env }) => env.REVISION).toSorted()).toEqual(ran?.toSorted());
      expect(status?.history?.filter(({ result }) => result !== 'Succeeded' && result !== 'Superseded')).toEqual([]);
      for (const environment of ['production', 'staging']) {
        expect(overlaps(world, environment)).toEqual([]);
        expect(deployed(world, environment)).toEqual(deployed(world, environment).toSorted());
      }
    }),
  );

  test(
    'of which one is killed in the middle lose nothing (invariants 1 and 3)',
    inWorld(async (world) => {
      const queue = await world.createQueue('web.fifo', { FifoQueue: 'true' });
      await world.deployable('web', queue);
      for (const request of requests) await world.send(queue, message(request), { groupId: request.environment });
      const first = world.startOperator();
      world.startOperator();
      await eventually('some have run', () => world.kubelet.diary.length >= 5);
      first.kill();
      await world.redeliver(queue);
      await allIsWell(world, queue, ...revisions);
    }),
  );
});

test.concurrent(
  'an operator that read a Job before another operator resumed it, and its Pod afterwards, does not record the deploy as suspended by hand (invariant 7)',
  inWorld(async (world) => {
    const queue = await world.createQueue('web');
    await world.deployable('web', queue);
    const resumed = Promise.withResolvers<void>();
    const hasRead = Promise.withResolvers<void>();
    const hasActed = Promise.withResolvers<void>();
    let look: 'nothing' | 'resource' | 'jobs' | 'pods' = 'nothing';
    world.intercept = async (call) => {
      if (call.by === 1) {
        // The first operator: it resumes the Job between two reads of the second one, and writes nothing more before
        // that one has.
        if (isResume(call)) await hasRead.promise;
        if (isRecording(call)) await hasActed.promise;
        return;
      }
      if (call.verb === 'get' && call.type === CAPDEPLOYJOBS && look === 'nothing') look = 'resource';
      if (call.verb === 'list' && call.type === JOBS && look === 'resource') look = 'jobs';
      if (call.verb === 'list' && call.type === PODS && look === 'jobs') {
        look = 'pods';
        hasRead.resolve();
        await resumed.promise;
        await eventually('the deploy has ended', () => world.kubelet.diary[0]?.endedAt !== undefined);
      }
    };
    world.afterCall = (call) => {
      if (call.by === 1 && isResume(call)) resumed.resolve();
      if (call.by === 2 && call.verb === 'replaceStatus') hasActed.resolve();
    };
    const holdsResume = () => world.calls.some((call) => call.by === 1 && isResume(call));
    world.startOperator();
    await world.send(queue, message({ revision: 'v1' }));
    await eventually('the first operator is about to resume the Job', holdsResume);
    world.startOperator();
    await hasActed.promise;
    await allIsWell(world, queue, 'v1');
    expect(look).toBe('pods');
  }),
);

describe.concurrent('in the middle of work', () => {
  const revisions = ['v1', 'v2', 'v3', 'v4', 'v5', 'v6'];
  const sendAll = async (world: World, queue: string) => {
    for (const revision of revisions) await world.send(queue, message({ revision }));
  };

  test.for([
    { what: 'before they take effect', moment: 'before' },
    { what: 'after they took effect, unheard', moment: 'after' },
  ] as const)(
    'an API server that fails all requests for a while, $what, costs time and nothing else (invariants 1 and 3)',
    ({ moment }, context) =>
      inWorld(async (world) => {
        const queue = await world.createQueue('web');
        await world.deployable('web', queue);
        let failed = 0;
        let out = false;
        const fail = () => {
          if (!out) return;
          failed += 1;
          throw new KubeError('retryable', { status: 0, reason: 'ECONNREFUSED', message: 'connect ECONNREFUSED' });
        };
        if (moment === 'before') world.intercept = fail;
        else world.afterCall = fail;
        world.startOperator();
        await sendAll(world, queue);
        await eventually('one has run', () => world.kubelet.diary.length >= 1);
        out = true;
        world.endWatches();
        await eventually('many requests have failed', () => failed >= 12);
        out = false;
        await allIsWell(world, queue, ...revisions);
      })(context),
  );

  test.for([
    { what: 'all watches', forgotten: false },
    {
      what: 'all watches, whose place in history is forgotten (410)',
      forgotten: true,
    },
  ])('the loss of $what after each write costs time and nothing else (invariants 1 and 3)', ({ forgotten }, context) =>
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      let cuts = 0;
      world.afterCall = (call) => {
        if (!isCreate(call) && !isResume(call) && !isClaiming(call)) return;
        cuts += 1;
        world.endWatches({ forgotten });
      };
      world.startOperator();
      await sendAll(world, queue);
      await allIsWell(world, queue, ...revisions);
      expect(cuts).toBeGreaterThanOrEqual(revisions.length * 3);
    })(context),
  );
});
