import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { JOBS, type KubeObject } from '../../src/kube/client.ts';
import { KubeError } from '../../src/kube/errors.ts';
import { FAST } from '../kit/clocks.ts';
import { DEFINITIONS } from '../kit/store.ts';
import { condition, ended, eventually, inWorld, message, sentAt, turns, type World } from './world.ts';

const MINUTE = 60_000;

/** Everything but watches. */
const requests = ({ calls }: World) => calls.filter(({ verb }) => verb !== 'watch');

/** Waits until so much of the world's time has passed. */
async function pass(world: World, ms: number): Promise<void> {
  const end = world.now() + ms;
  await eventually('time passes', () => world.now() >= end, 90_000);
}

/** Waits until the operator has asked nothing for a minute. */
async function comesToRest(world: World): Promise<void> {
  let count = -1;
  let since = 0;
  await eventually(
    'the operator comes to rest',
    () => {
      const now = world.now();
      if (requests(world).length !== count) [count, since] = [requests(world).length, now];
      return now - since >= MINUTE;
    },
    90_000,
  );
}

async function inFlight(world: World, queue: string): Promise<number> {
  const { Attributes } = await world.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: ['ApproximateNumberOfMessagesNotVisible'] }),
  );
  return Number(Attributes?.ApproximateNumberOfMessagesNotVisible);
}

describe('at rest (invariant 8)', () => {
  test(
    '50 resources with history and retained Jobs cost no request in five minutes: only watches, and one long poll for each queue',
    inWorld(
      async (world) => {
        world.script = (pod) => ({ exitCode: JSON.stringify(pod.spec).includes('"v2"') ? 1 : 0 });
        const names = Array.from({ length: 50 }, (_, index) => `app-${index}`);
        const open = new Map<string, number>();
        const receives = new Map<string, number>();
        let most = 0;
        world.onQueueCall = ({ verb, queueUrl, moment }) => {
          if (verb !== 'receive') return;
          const now = (open.get(queueUrl) ?? 0) + (moment === 'before' ? 1 : -1);
          open.set(queueUrl, now);
          most = Math.max(most, now);
          if (moment === 'before') receives.set(queueUrl, (receives.get(queueUrl) ?? 0) + 1);
        };
        for (const name of names) {
          const queue = await world.createQueue(name);
          await world.deployable(name, queue, {
            queue: { url: queue, waitTimeSeconds: 20, visibilityTimeoutSeconds: 10 },
          });
          for (const revision of ['v1', 'v2']) await world.send(queue, message({ revision }));
          await world.send(queue, 'not JSON');
        }
        const { controller } = world.startOperator();
        for (const name of names) {
          expect(await ended(world, name, 'v1')).toMatchObject({ result: 'Succeeded' });
          expect(await ended(world, name, 'v2')).toMatchObject({ result: 'Failed' });
          expect(await world.jobs(name)).toHaveLength(2);
        }
        world.setSpeed(FAST);
        await comesToRest(world);

        const before = requests(world).length;
        receives.clear();
        await pass(world, 5 * MINUTE);
        expect(requests(world).slice(before)).toEqual([]);
        expect(most).toBe(1);
        expect(receives.size).toBe(50);
        for (const count of receives.values()) {
          expect(count).toBeGreaterThan(5);
          expect(count).toBeLessThanOrEqual(5 * 3 + 1);
        }
        expect(controller.liveness()).toEqual({ ok: true });
        for (const name of names) {
          expect(condition(await world.resource(name), 'Ready')).toMatchObject({
            status: 'True',
            reason: 'AsExpected',
          });
        }
      },
      { speed: 1 },
    ),
    180_000,
  );
});

describe.concurrent('at rest (invariant 8)', () => {
  test(
    'requests that wait in a frozen lane cost nothing either',
    inWorld(
      async (world) => {
        const queue = await world.createQueue('web');
        await world.deployable('web', queue, { environments: [{ name: 'production', suspend: true }] });
        world.startOperator();
        for (const revision of ['v1', 'v2', 'v3']) await world.send(queue, message({ revision }));
        await eventually('three wait', async () => (await world.resource('web')).status?.waiting === 3);
        await comesToRest(world);
        const before = requests(world).length;
        await pass(world, 3 * MINUTE);
        expect(requests(world).slice(before)).toEqual([]);
      },
      { speed: FAST },
    ),
  );

  test(
    'a deploy that runs costs nothing either',
    inWorld(
      async (world) => {
        const queue = await world.createQueue('web');
        await world.deployable('web', queue);
        world.script = () => 'run';
        world.startOperator();
        await world.send(queue, message());
        await eventually('it runs', () => world.kubelet.diary.length === 1);
        await comesToRest(world);
        const before = requests(world).length;
        await pass(world, 3 * MINUTE);
        expect(requests(world).slice(before)).toEqual([]);
      },
      { speed: FAST },
    ),
  );

  test(
    'two operators of which only one may read the queue contradict each other only a few times a minute',
    inWorld(
      async (world) => {
        const queue = await world.createQueue('web');
        await world.deployable('web', queue);
        world.startOperator();
        await turns(world, 'web', 'Ready', 'True', 'AsExpected');
        world.startOperator({ allowedOrigins: [] });
        await turns(world, 'web', 'Ready', 'False', 'QueueOriginNotAllowed');
        const before = requests(world).length;
        const begun = world.now();
        await pass(world, 2 * MINUTE);
        const writes = requests(world)
          .slice(before)
          .filter(({ verb }) => verb === 'replaceStatus');
        // Each says its own again after ten seconds.
        expect(writes.length).toBeLessThanOrEqual((2 * (world.now() - begun)) / 10_000 + 2);
        await world.send(queue, message());
        expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      },
      { speed: FAST },
    ),
  );
});

describe.concurrent('an operator that is stopped', () => {
  test(
    'accepts the messages that it has received, leaves none in flight, and the next operator continues',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue, { environments: [{ name: 'production', suspend: true }] });
      const revisions = Array.from({ length: 10 }, (_, index) => `v${index}`);
      for (const [minute, revision] of revisions.entries()) {
        await world.send(queue, message({ revision, sentAt: sentAt(minute) }));
      }
      const operator = world.startOperator();
      let stopped: Promise<void> | undefined;
      let created = 0;
      world.intercept = ({ verb, type, dryRun }) => {
        if (verb !== 'create' || type !== JOBS || dryRun) return;
        created += 1;
        if (created === 3) stopped = operator.stop();
      };
      await eventually('it is being stopped', () => stopped !== undefined);
      expect(operator.controller.readiness()).toEqual({ ok: false, message: 'stopping' });
      await stopped;
      const { status } = await world.resource('web');
      expect(await inFlight(world, queue)).toBe(0);
      expect((await world.depth(queue)) + (status?.waiting ?? 0)).toBe(10);
      expect(status?.waiting).toBeGreaterThanOrEqual(3);
      expect(await world.jobs('web')).toHaveLength(status?.waiting ?? 0);

      world.intercept = undefined;
      await world.edit('web', { environments: [{ name: 'production' }] });
      world.startOperator();
      for (const revision of revisions) {
        expect(await ended(world, 'web', revision)).toMatchObject({ result: 'Succeeded' });
      }
      expect(world.kubelet.diary.map(({ env }) => env.REVISION)).toEqual(revisions);
    }),
  );

  test(
    'gives back at once what it could not accept in time',
    inWorld(
      async (world) => {
        const queue = await world.createQueue('web');
        await world.deployable('web', queue);
        world.intercept = ({ verb, type, dryRun }) => {
          if (verb === 'create' && type === JOBS && !dryRun) {
            throw new KubeError('forbidden', { status: 403, reason: 'Forbidden', message: 'exceeded quota' });
          }
        };
        for (const revision of ['v1', 'v2']) await world.send(queue, message({ revision }));
        const operator = world.startOperator();
        await turns(world, 'web', 'Ready', 'False', 'JobsCannotBeCreated');
        await operator.stop();
        expect([await inFlight(world, queue), await world.depth(queue)]).toEqual([0, 2]);
      },
      { speed: 20 },
    ),
  );
});

describe.concurrent('an operator says', () => {
  test(
    'that it is not ready before it has listed everything: the definition is missing, and then it is there',
    inWorld(async (world) => {
      const { metadata, ...definition } = await world.kube.get<KubeObject>(
        DEFINITIONS,
        '',
        'capdeployjobs.capdeployjob.dev',
      );
      await world.kube.delete(DEFINITIONS, '', metadata.name, {
        uid: metadata.uid ?? '',
        resourceVersion: metadata.resourceVersion ?? '',
      });
      await eventually('the definition is gone', () =>
        world.kube.get(DEFINITIONS, '', metadata.name).then(
          () => false,
          () => true,
        ),
      );
      const { controller } = world.startOperator();
      await eventually(
        'only the CapDeployJobs are missing',
        () => controller.readiness().message === 'not listed yet: capdeployjobs',
      );
      expect(controller.liveness()).toEqual({ ok: true });
      const { status: _, ...spec } = definition;
      await world.kube.create(DEFINITIONS, { ...spec, metadata: { name: metadata.name } } as KubeObject);
      await eventually('it is ready', () => controller.readiness().ok);
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      await world.send(queue, message());
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
    }),
  );

  test(
    'that it is not alive when a pass has hung for five minutes, and that it is alive when the pass ends',
    inWorld(
      async (world) => {
        const gate = Promise.withResolvers<void>();
        world.intercept = async ({ verb, dryRun }) => {
          if (verb === 'create' && dryRun) await gate.promise;
        };
        const queue = await world.createQueue('web');
        await world.deployable('web', queue);
        const { controller } = world.startOperator();
        await eventually('the pass hangs', () => world.calls.some(({ dryRun }) => dryRun));
        expect(controller.liveness()).toEqual({ ok: true });
        await pass(world, MINUTE);
        expect(controller.liveness()).toEqual({ ok: true });
        const { message: words } = await eventually('it is found hanging', () => {
          const found = controller.liveness();
          return !found.ok && found;
        });
        gate.resolve();
        expect(words).toMatch(/^no pass has begun or ended for \d+ s$/);
        await eventually('it lives', () => controller.liveness().ok);
      },
      { speed: 120 },
    ),
  );
});
