import { describe, expect, test } from 'vitest';
import { JOBS } from '../../src/kube/client.ts';
import { KubeError, type KubeErrorKind } from '../../src/kube/errors.ts';
import {
  type Call,
  condition,
  createQueueWithDeadLetters,
  ended,
  eventually,
  inWorld,
  message,
  NAMESPACES,
  PLAYED_NODE,
  turns,
  type World,
} from './world.ts';

const isJobCreate = ({ verb, type, dryRun }: Call): boolean => verb === 'create' && type === JOBS && !dryRun;
const isDryRun = ({ verb, type, dryRun }: Call): boolean => verb === 'create' && type === JOBS && dryRun === true;

const refusal = (kind: KubeErrorKind, status: number, reason: string, words: string, retryAfterSeconds?: number) =>
  new KubeError(kind, { status, reason, message: words, retryAfterSeconds });

/** Counts what the operator asks of its queues. */
function countQueueCalls(world: World) {
  const counts = { receive: 0, delete: 0, changeVisibility: 0, attributes: 0 };
  world.onQueueCall = ({ verb, moment }) => {
    if (moment === 'before') counts[verb] += 1;
  };
  return counts;
}

const container = (name: string) => ({
  spec: { nodeName: PLAYED_NODE, containers: [{ name, image: 'example.test/cap:1' }] },
});

describe.concurrent('a template that the API server refuses', () => {
  test(
    'turns TemplateValid False with its words before any message comes, and the queue is not read until it is mended',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      const asked = countQueueCalls(world);
      await world.deployable('web', queue, { template: container('Not_A_Name') });
      await world.send(queue, message());
      world.startOperator();
      const { message: words } = await turns(world, 'web', 'TemplateValid', 'False', 'DryRunRefused');
      expect(words).toContain('spec.template.spec.containers[0].name');
      expect(words).toContain('Not_A_Name');
      await turns(world, 'web', 'Ready', 'False', 'DryRunRefused');
      expect([asked.receive, await world.depth(queue)]).toEqual([0, 1]);

      await world.edit('web', { template: container('cap') });
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      expect(condition(await world.resource('web'), 'TemplateValid')).toMatchObject({ status: 'True' });
      await turns(world, 'web', 'Ready', 'True', 'AsExpected');
    }),
  );

  test(
    'as soon as it is edited stops the reading of a queue that was read, and harms nothing that waits or runs',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      world.script = () => 'run';
      await world.deployable('web', queue);
      world.startOperator();
      await world.send(queue, message({ revision: 'v1' }));
      const { job } = await eventually('v1 runs', () => world.kubelet.diary[0]);
      await world.send(queue, message({ revision: 'v2' }));
      await eventually('v2 waits', async () => (await world.resource('web')).status?.waiting === 1);
      await world.edit('web', { template: container('Not_A_Name') });
      await turns(world, 'web', 'TemplateValid', 'False', 'DryRunRefused');
      world.script = () => ({ exitCode: 0 });
      await world.kubelet.finish(job, 0);
      for (const revision of ['v1', 'v2']) {
        expect(await ended(world, 'web', revision)).toMatchObject({ result: 'Succeeded' });
      }
    }),
  );

  test(
    'only when a message comes (a policy that looks at real Jobs) keeps the message, and the mended template deploys it',
    inWorld(
      async (world) => {
        const { queue, deadLetters } = await createQueueWithDeadLetters(world, 'web', 1);
        await world.deployable('web', queue, { template: container('refused') });
        const words = 'Job.batch "web" is invalid: spec.template.spec.containers[0].name: the policy wants another';
        world.intercept = (call) => {
          if (isJobCreate(call) && JSON.stringify(call.body).includes('"refused"')) {
            throw refusal('invalid', 422, 'Invalid', words);
          }
        };
        world.startOperator();
        await turns(world, 'web', 'Ready', 'True', 'AsExpected');
        await world.send(queue, message());
        const ready = await turns(world, 'web', 'Ready', 'False', 'JobsCannotBeCreated');
        expect(ready.message).toContain(words);
        await world.edit('web', { template: container('cap') });
        expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
        await eventually('the queue is empty', async () => (await world.depth(queue)) === 0);
        expect(await world.depth(deadLetters)).toBe(0);
        await turns(world, 'web', 'Ready', 'True', 'AsExpected');
      },
      { speed: 20 },
    ),
  );

  test(
    'because a webhook knows no dry run is Unknown, and reading goes on',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      const words = 'admission webhook "policy.example.test" does not support dry run';
      world.intercept = (call) => {
        if (isDryRun(call)) throw refusal('invalid', 400, 'BadRequest', words);
      };
      await world.deployable('web', queue);
      await world.send(queue, message());
      world.startOperator();
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      expect(await turns(world, 'web', 'TemplateValid', 'Unknown', 'DryRunUnsupported')).toMatchObject({
        message: expect.stringContaining(words),
      });
      await turns(world, 'web', 'Ready', 'True', 'AsExpected');
    }),
  );

  test(
    'differs from a template whose dry run failed for another reason: that one is tried again',
    inWorld(
      async (world) => {
        const queue = await world.createQueue('web');
        let refusals = 0;
        world.intercept = (call) => {
          if (isDryRun(call) && refusals < 2) {
            refusals += 1;
            throw refusal(
              'retryable',
              503,
              'ServiceUnavailable',
              'the server is currently unable to handle the request',
            );
          }
        };
        await world.deployable('web', queue);
        await world.send(queue, message());
        world.startOperator();
        await turns(world, 'web', 'TemplateValid', 'Unknown', 'NotChecked');
        expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
        expect(refusals).toBe(2);
      },
      { speed: 20 },
    ),
  );
});

const TROUBLE: { what: string; error: KubeError }[] = [
  {
    what: 'a quota is used up',
    error: refusal('forbidden', 403, 'Forbidden', 'jobs.batch "x" is forbidden: exceeded quota: deploys, requested: 1'),
  },
  {
    what: 'the right to create Jobs is missing',
    error: refusal('forbidden', 403, 'Forbidden', 'jobs.batch is forbidden: User "op" cannot create resource "jobs"'),
  },
  {
    what: 'the namespace is terminating',
    error: refusal(
      'forbidden',
      403,
      'Forbidden',
      'unable to create new content in namespace deploy because it is being terminated',
    ),
  },
  { what: 'the API server is throttling', error: refusal('retryable', 429, 'TooManyRequests', 'too many requests', 1) },
  { what: 'a webhook is down', error: refusal('retryable', 500, 'InternalError', 'failed calling webhook "x": EOF') },
  { what: 'the API server is not reachable', error: refusal('retryable', 0, 'ECONNREFUSED', 'connect ECONNREFUSED') },
];

describe.concurrent('while Jobs cannot be created', () => {
  test.for(TROUBLE)(
    'because $what, receiving stops, what is in flight stays hidden, the condition says why, and then all goes on and nothing is lost',
    ({ error }, context) =>
      inWorld(
        async (world) => {
          // A second receive of a message would already make it a dead letter.
          const { queue, deadLetters } = await createQueueWithDeadLetters(world, 'web', 1);
          await world.deployable('web', queue);
          let trouble = true;
          world.intercept = (call) => {
            if (trouble && isJobCreate(call)) throw error;
          };
          for (const revision of ['v1', 'v2', 'v3']) await world.send(queue, message({ revision }));
          const asked = countQueueCalls(world);
          world.startOperator();
          expect(await turns(world, 'web', 'Ready', 'False', 'JobsCannotBeCreated')).toMatchObject({
            message: expect.stringContaining(error.message),
          });
          const receives = asked.receive;
          await world.send(queue, message({ revision: 'v4' }));
          await eventually(
            'the messages in flight were hidden for longer three times',
            () => asked.changeVisibility >= 3,
          );
          expect([asked.receive, asked.delete]).toEqual([receives, 0]);

          trouble = false;
          for (const revision of ['v1', 'v2', 'v3', 'v4']) {
            expect(await ended(world, 'web', revision)).toMatchObject({ result: 'Succeeded' });
          }
          await eventually('the queue is empty', async () => (await world.depth(queue)) === 0);
          expect(await world.depth(deadLetters)).toBe(0);
          await turns(world, 'web', 'Ready', 'True', 'AsExpected');
        },
        { speed: 20 },
      )(context),
  );

  test(
    'for one resource, another one is deployed (invariant 9)',
    inWorld(async (world) => {
      const stuck = await world.createQueue('web');
      const healthy = await world.createQueue('api');
      await world.deployable('web', stuck);
      await world.deployable('api', healthy);
      world.intercept = (call) => {
        if (isJobCreate(call) && call.name?.startsWith('web-')) throw TROUBLE[0]?.error;
      };
      world.startOperator();
      await world.send(stuck, message());
      await turns(world, 'web', 'Ready', 'False', 'JobsCannotBeCreated');
      await world.send(healthy, message());
      expect(await ended(world, 'api', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
    }),
  );
});

test('a namespace that is deleted takes its resource along: nothing more is received, and what was not listed stays in the queue', async (context) => {
  await inWorld(async (world) => {
    const queue = await world.createQueue('web');
    await world.deployable('web', queue, { environments: [{ name: 'production', suspend: true }] });
    const operator = world.startOperator();
    await world.send(queue, message({ revision: 'v1' }));
    await eventually('v1 is listed and its message deleted', async () => (await world.depth(queue)) === 0);
    const namespace = await world.kube.get(NAMESPACES, '', world.namespace);
    await world.kube.delete(NAMESPACES, '', world.namespace, {
      uid: namespace.metadata.uid ?? '',
      resourceVersion: namespace.metadata.resourceVersion ?? '',
    });
    await eventually('the namespace is gone', async () =>
      world.kube.get(NAMESPACES, '', world.namespace).then(
        () => false,
        () => true,
      ),
    );
    await operator.stop();
    const asked = countQueueCalls(world);
    world.startOperator();
    await world.send(queue, message({ revision: 'v2' }));
    await eventually('the caches are complete', () => world.calls.filter(({ verb }) => verb === 'watch').length >= 6);
    expect([asked.receive, await world.depth(queue)]).toEqual([0, 1]);
    expect(world.kubelet.diary).toEqual([]);
  })(context);
});
