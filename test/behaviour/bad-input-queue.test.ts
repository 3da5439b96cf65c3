import { describe, expect, test } from 'vitest';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { parseAllowQueue } from '../../src/sqs/allow-queue.ts';
import { SqsError } from '../../src/sqs/errors.ts';
import { condition, ended, eventually, inWorld, message, turns, type World } from './world.ts';

/** How often each queue was asked for messages, by its URL. */
function countReceives(world: World): Map<string, number> {
  const receives = new Map<string, number>();
  world.onQueueCall = ({ verb, moment, queueUrl }) => {
    if (verb === 'receive' && moment === 'before') receives.set(queueUrl, (receives.get(queueUrl) ?? 0) + 1);
  };
  return receives;
}

describe.concurrent('a queue', () => {
  test(
    "that does not exist turns QueueReachable False with AWS's code, harms no other resource, and is read once it is created",
    inWorld(
      async (world) => {
        const api = await world.createQueue('api');
        await world.deployable('web', api.replace(/api$/, 'web'));
        await world.deployable('api', api);
        const { metrics } = world.startOperator();
        const { message: words } = await turns(world, 'web', 'QueueReachable', 'False', 'QueueDoesNotExist');
        expect(words).toContain('the queue does not exist');
        await turns(world, 'web', 'Ready', 'False', 'QueueDoesNotExist');
        expect(await metrics.text()).toContain('capdeployjob_sqs_errors_total{code="QueueDoesNotExist"}');
        await world.send(api, message());
        expect(await ended(world, 'api', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
        await turns(world, 'api', 'Ready', 'True', 'AsExpected');

        const web = await world.createQueue('web');
        await world.send(web, message());
        expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
        await turns(world, 'web', 'Ready', 'True', 'AsExpected');
      },
      { speed: 20 },
    ),
  );

  test(
    'of two resources is read for the older one; the younger is QueueShared, and takes over when the older is gone',
    inWorld(
      async (world) => {
        const queue = await world.createQueue('shared');
        const receives = countReceives(world);
        const { metadata } = await world.deployable('zebra', queue);
        world.startOperator();
        await turns(world, 'zebra', 'Ready', 'True', 'AsExpected');
        // By the clock of whoever writes the timestamps, in whole seconds: a real API server's is the machine's.
        const age = () => Math.min(world.now(), Date.now()) - Date.parse(metadata.creationTimestamp);
        await eventually('the first is older by more than a second', () => age() > 2000);
        await world.deployable('apple', queue);
        const { message: words } = await turns(world, 'apple', 'QueueReachable', 'False', 'QueueShared');
        expect(words).toContain(`${world.namespace}/zebra`);
        await turns(world, 'apple', 'Ready', 'False', 'QueueShared');
        for (const revision of ['v1', 'v2', 'v3']) await world.send(queue, message({ revision }));
        for (const revision of ['v1', 'v2', 'v3']) {
          expect(await ended(world, 'zebra', revision)).toMatchObject({ result: 'Succeeded' });
        }
        expect((await world.resource('apple')).status?.history).toBeUndefined();
        expect(await world.jobs('apple')).toEqual([]);

        await world.remove(CAPDEPLOYJOBS, 'zebra');
        await turns(world, 'apple', 'Ready', 'True', 'AsExpected');
        await world.send(queue, message({ revision: 'v4' }));
        expect(await ended(world, 'apple', 'v4')).toMatchObject({ result: 'Succeeded' });
        expect([...receives.keys()]).toEqual([queue]);
      },
      { speed: 20 },
    ),
  );

  test(
    "at an origin that is not SQS's own is never asked, and its message stays",
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      const receives = countReceives(world);
      await world.deployable('web', queue);
      await world.send(queue, message());
      world.startOperator({ allowedOrigins: [] });
      const { message: words } = await turns(world, 'web', 'QueueReachable', 'False', 'QueueOriginNotAllowed');
      expect(words).toContain(`--allow-queue-origin=${new URL(queue).origin}`);
      await turns(world, 'web', 'Ready', 'False', 'QueueOriginNotAllowed');
      expect([[...receives.keys()], await world.depth(queue)]).toEqual([[], 1]);
    }),
  );

  test(
    'that no --allow-queue names is never asked, while a queue that is named is read',
    inWorld(async (world) => {
      const web = await world.createQueue('web-deploys');
      const api = await world.createQueue('api-deploys');
      const receives = countReceives(world);
      await world.deployable('web', web);
      await world.deployable('api', api);
      for (const queue of [web, api]) await world.send(queue, message());
      world.startOperator({
        allowRules: [
          parseAllowQueue(`${world.namespace}=${(await world.queueArn(web)).replace(/deploys$/, '*')}`),
          parseAllowQueue(`other=${(await world.queueArn(api)).replace(/deploys$/, '*')}`),
        ],
      });
      const { message: words } = await turns(world, 'api', 'QueueReachable', 'False', 'QueueNotAllowed');
      expect(words).toContain(`namespace "${world.namespace}"`);
      expect(words).toContain(await world.queueArn(api));
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      expect([[...receives.keys()], await world.depth(api)]).toEqual([[web], 1]);
    }),
  );

  test(
    'of a suspended resource is not read, and is read when the resource is resumed',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      const receives = countReceives(world);
      await world.deployable('web', queue, { suspend: true });
      await world.send(queue, message());
      world.startOperator();
      await turns(world, 'web', 'Ready', 'True', 'Suspended');
      expect([[...receives.keys()], await world.depth(queue)]).toEqual([[], 1]);
      await world.edit('web', { suspend: false });
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
    }),
  );

  test(
    'whose answers fail for a while is told of only when it was not read for 90 s, and then is read on',
    inWorld(
      async (world) => {
        const queue = await world.createQueue('web');
        await world.deployable('web', queue);
        world.startOperator();
        await turns(world, 'web', 'Ready', 'True', 'AsExpected');
        const seen = new Set<string | undefined>();
        let failing = true;
        const begun = world.now();
        world.onQueueCall = async ({ verb, moment }) => {
          if (!failing || verb !== 'receive' || moment !== 'before') return;
          if (world.now() - begun < 80_000) seen.add(condition(await world.resource('web'), 'Ready')?.status);
          throw new SqsError('unreachable', 'ECONNREFUSED', 'SQS cannot be reached');
        };
        await turns(world, 'web', 'QueueReachable', 'False', 'ECONNREFUSED');
        await turns(world, 'web', 'Ready', 'False', 'ECONNREFUSED');
        expect([...seen]).toEqual(['True']);
        failing = false;
        await world.send(queue, message());
        expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
        await turns(world, 'web', 'Ready', 'True', 'AsExpected');
      },
      { speed: 20 },
    ),
  );
});
