import { describe, expect, test } from 'vitest';
import { KubeError } from '../../src/kube/errors.ts';
import { condition, ended, eventually, inWorld, message, turns, type World } from './world.ts';

const HEALTHY = ['one', 'two', 'three'];

/** Each of the healthy resources gets a message, and each of these is deployed. */
async function theOthersDeploy(world: World, queues: ReadonlyMap<string, string>, revision: string): Promise<void> {
  for (const [name, queue] of queues) await world.send(queue, message({ revision: `${revision}-${name}` }));
  for (const name of queues.keys()) {
    expect(await ended(world, name, `${revision}-${name}`)).toMatchObject({ result: 'Succeeded' });
    expect(condition(await world.resource(name), 'Ready')).toMatchObject({ status: 'True' });
  }
}

/** The healthy resources, which are read, and a resource "faulty" beside them. */
async function besideTheOthers(
  world: World,
  fault: (queue: string) => Promise<unknown> | unknown,
): Promise<{ queues: Map<string, string>; faulty: string }> {
  const queues = new Map<string, string>();
  for (const name of HEALTHY) {
    const queue = await world.createQueue(name);
    queues.set(name, queue);
    await world.deployable(name, queue);
  }
  const faulty = await world.createQueue('faulty');
  await fault(faulty);
  await world.deployable('faulty', faulty);
  world.startOperator();
  return { queues, faulty };
}

describe.concurrent('a fault in one resource does not harm another resource (invariant 9)', () => {
  test(
    'a queue that does not exist: the messages of other resources become deploys',
    inWorld(async (world) => {
      const { queues } = await besideTheOthers(world, () => {});
      await world.edit('faulty', { queue: { url: `${[...queues.values()][0]}-that-is-not-there` } });
      await turns(world, 'faulty', 'QueueReachable', 'False', 'QueueDoesNotExist');
      await theOthersDeploy(world, queues, 'v1');
    }),
  );

  test(
    'an endpoint that never answers: the others’ messages become deploys',
    inWorld(async (world) => {
      const answers: (() => void)[] = [];
      let asked = false;
      const { queues } = await besideTheOthers(world, (queue) => {
        world.onQueueCall = ({ queueUrl, moment }) => {
          if (queueUrl !== queue || moment !== 'before') return;
          asked = true;
          return new Promise<void>((resolve) => answers.push(resolve));
        };
      });
      await eventually('the faulty queue is asked', () => asked);
      await theOthersDeploy(world, queues, 'v1');
      // An operator stops only when its last poll has returned.
      world.onQueueCall = undefined;
      for (const answer of answers) answer();
    }),
  );

  test(
    'a flood of poison whose rejections cannot be recorded: the others’ messages become deploys, and of the flood nothing is deleted',
    inWorld(async (world) => {
      const refused: string[] = [];
      world.intercept = ({ verb, name, body }) => {
        const { rejectionsCount = 0 } = (body?.status ?? {}) as { rejectionsCount?: number };
        if (verb !== 'replaceStatus' || name !== 'faulty' || rejectionsCount === 0) return;
        refused.push(name);
        throw new KubeError('retryable', { status: 503, reason: 'ServiceUnavailable', message: 'played' });
      };
      const { queues, faulty } = await besideTheOthers(world, (queue) =>
        Promise.all(Array.from({ length: 300 }, (_, index) => world.send(queue, `poison ${index}`))),
      );
      await eventually('a write of rejections is refused', () => refused.length > 0);
      await theOthersDeploy(world, queues, 'v1');
      expect(await world.depth(faulty)).toBe(300);
      expect((await world.resource('faulty')).status?.rejections).toBeUndefined();
    }),
  );

  test(
    'a flood of poison in its own queue keeps no good message waiting until it is over',
    inWorld(async (world) => {
      const deletes: string[] = [];
      world.onQueueCall = ({ verb, queueUrl, moment }) => {
        if (verb === 'delete' && moment === 'before') deletes.push(queueUrl);
      };
      const { queues, faulty } = await besideTheOthers(world, async (queue) => {
        for (let sent = 0; sent < 300; sent += 30) {
          await Promise.all(Array.from({ length: 30 }, (_, index) => world.send(queue, `poison ${sent + index}`)));
        }
        await world.send(queue, message({ revision: 'good' }));
      });
      expect(await ended(world, 'faulty', 'good')).toMatchObject({ result: 'Succeeded' });
      await theOthersDeploy(world, queues, 'v1');
      await eventually('the queue is empty', async () => (await world.depth(faulty)) === 0);
      expect((await world.resource('faulty')).status).toMatchObject({ rejectionsCount: 300 });
      // Thirty receives' worth of them, and the good one: not one request for each message.
      expect(deletes.filter((queue) => queue === faulty).length).toBeLessThan(100);
    }),
  );

  test(
    'Jobs that are refused: the others’ messages become deploys, and the refused one follows when it may',
    inWorld(async (world) => {
      let isRefused = true;
      world.intercept = ({ verb, name = '', dryRun }) => {
        if (isRefused && verb === 'create' && name.startsWith('faulty-') && !dryRun) {
          throw new KubeError('forbidden', { status: 403, reason: 'Forbidden', message: 'exceeded quota: jobs' });
        }
      };
      const { queues, faulty } = await besideTheOthers(world, (queue) =>
        world.send(queue, message({ revision: 'held' })),
      );
      await turns(world, 'faulty', 'Ready', 'False', 'JobsCannotBeCreated');
      await theOthersDeploy(world, queues, 'v1');
      isRefused = false;
      expect(await ended(world, 'faulty', 'held')).toMatchObject({ result: 'Succeeded' });
      expect(await world.depth(faulty)).toBe(0);
    }),
  );
});
