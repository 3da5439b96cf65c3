import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../../../src/lanes/job.ts';
import { SqsError } from '../../../../src/sqs/errors.ts';
import type { Queue } from '../../../../src/sqs/queue.ts';
import { aCheckedResource, anEnvelope, GOOD } from '../../../kit/builders.ts';
import { until } from '../../../kit/eventually.ts';
import { SqsServer } from '../../sqs/sqs-server.ts';
import { apiError } from './cluster.ts';
import { aRig, KEY, peek, type Rig, stopAll } from './rig.ts';

let server: SqsServer;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterAll(async () => {
  await stopAll();
  await server.stop();
});

const send = (rig: Rig, body: unknown, options?: Parameters<Queue['send']>[1]) =>
  rig.producer.send(typeof body === 'string' ? body : JSON.stringify(body), options);
/** Nothing in the queue, neither visible nor in flight. */
async function expectEmpty(rig: Rig) {
  await until(() => expect(rig.calls).toContain('delete'));
  await rig.poller.stop();
  expect(await peek(rig.producer, 1)).toEqual([]);
}
const specOfRig = (rig: Rig) => (rig.cluster.get(KEY) as { spec: Record<string, unknown> }).spec;
const jobs = (rig: Rig) => [...rig.cluster.jobs.values()];
/** So often somebody asked the API server live. */
const untilLooked = (rig: Rig, times: number) => until(() => expect(rig.cluster.gets).toBeGreaterThanOrEqual(times));
const annotation = (job: Job | undefined, name: string) => job?.metadata.annotations?.[`capdeployjob.dev/${name}`];

describe.concurrent('a message becomes a Job', () => {
  it('and is deleted once the request stands in the status', async () => {
    const rig = await aRig(server);
    await send(rig, GOOD);
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    await expectEmpty(rig);
    expect(rig.cluster.queueStates.at(-1)).toMatchObject({ kind: 'reading', lastReadAt: expect.any(Number) });
    expect(rig.cluster.listeners).toBe(0);
  });

  it('out of an SNS envelope, under the id of the envelope', async () => {
    const rig = await aRig(server);
    await send(rig, anEnvelope(GOOD));
    await until(() => expect(annotation(jobs(rig)[0], 'id')).toBe('sns-message-id'));
    await expectEmpty(rig);
  });

  it('only once, if it was sent twice with one id', async () => {
    const rig = await aRig(server, { started: false });
    for (let i = 0; i < 2; i++) await send(rig, { ...GOOD, id: 'ci-1' });
    rig.poller = rig.start();
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    await expectEmpty(rig);
    expect(rig.cluster.created).toHaveLength(1);
  });

  it('only once, if it is delivered again after the delete was lost', async () => {
    let lost = 0;
    const wrap = (queue: Queue): Queue =>
      Object.assign(Object.create(queue), {
        receive: queue.receive.bind(queue),
        changeVisibility: queue.changeVisibility.bind(queue),
        close: queue.close.bind(queue),
        // Says that it deleted, and makes the message visible again.
        delete: async (handles: string[]) => {
          if (lost++ > 0) return queue.delete(handles);
          return queue.changeVisibility(handles.map((receiptHandle) => ({ receiptHandle, seconds: 0 })));
        },
      });
    const rig = await aRig(server, { wrap });
    await send(rig, GOOD);
    await until(() => expect(lost).toBe(2));
    await expectEmpty(rig);
    expect(rig.cluster.created).toHaveLength(1);
  });

  it('in the order of due times within a lane', async () => {
    const rig = await aRig(server, { started: false });
    for (const day of [3, 1, 2]) await send(rig, { ...GOOD, id: `day-${day}`, sentAt: `2026-01-0${day}T00:00:00Z` });
    rig.poller = rig.start();
    await until(() => expect(jobs(rig)).toHaveLength(3));
    expect(jobs(rig).map((job) => annotation(job, 'id'))).toEqual(['day-1', 'day-2', 'day-3']);
    await expectEmpty(rig);
  });

  it('by the spec of now: an environment that was added since the start is served', async () => {
    const rig = await aRig(server);
    const { queue } = specOfRig(rig);
    rig.cluster.put(aCheckedResource({ spec: { queue, environments: [{ name: 'qa' }] } }));
    await send(rig, { ...GOOD, environment: 'qa' });
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    await expectEmpty(rig);
  });
});

describe.concurrent('Invariant 2: a message is deleted only after its request stands in the status of a living resource', () => {
  it('so it stays until a status lists the Job, and is deleted then, even without an event of the watch', async () => {
    const rig = await aRig(server, {
      cluster: (cluster) => {
        cluster.reconciles = false;
        cluster.watches = false;
      },
    });
    await send(rig, GOOD);
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    const receives = rig.calls.filter((call) => call === 'receive').length;
    await untilLooked(rig, 3);
    expect(rig.calls).not.toContain('delete');
    expect(rig.calls.filter((call) => call === 'receive')).toHaveLength(receives);
    rig.cluster.reconciles = true;
    rig.cluster.reconcile();
    await expectEmpty(rig);
  });

  it('so the cache alone is not believed', async () => {
    const rig = await aRig(server, { started: false });
    await send(rig, { ...GOOD, id: 'known' });
    rig.cluster.put({ ...aCheckedResource({ spec: specOfRig(rig) }), ...withWaiting('known') } as never);
    // The API server has another view than the cache: the entry is gone there.
    const live = aCheckedResource({ spec: specOfRig(rig) });
    rig.cluster.watches = false;
    rig.cluster.put(live);
    rig.cluster.reconciles = false;
    rig.poller = rig.start();
    // The Job that the cache promises does not exist. Once that is noticed, and the cache is right, the request is
    // created after all.
    await untilLooked(rig, 2);
    expect(rig.calls).not.toContain('delete');
    rig.cluster.catchUp();
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    expect(rig.calls).not.toContain('delete');
  });

  it('so it stays when the resource is deleted between create and delete', async () => {
    const rig = await aRig(server, { cluster: (cluster) => (cluster.reconciles = false) });
    await send(rig, GOOD);
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    rig.cluster.remove(KEY);
    const [message] = await until(async () => {
      const seen = await peek(rig.producer, 0);
      expect(seen).toHaveLength(1);
      return seen;
    });
    expect(message?.receiveCount).toBe(2);
    expect(rig.calls).not.toContain('delete');
  });

  it('so it stays when the resource is being deleted, although it stands in the status', async () => {
    const rig = await aRig(server, { cluster: (cluster) => (cluster.reconciles = false) });
    await send(rig, GOOD);
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    rig.cluster.watches = false;
    rig.cluster.reconciles = true;
    rig.cluster.reconcile();
    const resource = rig.cluster.resources.get(KEY) as ReturnType<typeof aCheckedResource>;
    rig.cluster.put({ ...resource, metadata: { ...resource.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
    await until(async () => expect(await peek(rig.producer, 0)).toHaveLength(1));
    expect(rig.calls).not.toContain('delete');
  });

  it('so it stays when the resource was created anew under another uid, and the new one gets it', async () => {
    const rig = await aRig(server, { cluster: (cluster) => (cluster.reconciles = false) });
    await send(rig, GOOD);
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    const spec = specOfRig(rig);
    // The garbage collector takes the old one's Job.
    rig.cluster.jobs.clear();
    rig.cluster.reconciles = true;
    rig.cluster.put(aCheckedResource({ spec, metadata: { uid: 'uid-2' } }));
    await rig.poller.stop();
    rig.poller = rig.start('uid-2');
    await until(() => expect(jobs(rig)[0]?.metadata.ownerReferences?.[0]?.uid).toBe('uid-2'));
    await expectEmpty(rig);
  });

  it('so a Job that vanished before it was listed is created again', async () => {
    const rig = await aRig(server, { cluster: (cluster) => (cluster.reconciles = false) });
    await send(rig, GOOD);
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    rig.cluster.jobs.clear();
    await until(() => expect(rig.cluster.created).toHaveLength(2));
    rig.cluster.reconciles = true;
    rig.cluster.reconcile();
    await expectEmpty(rig);
  });

  it('or after its rejection is recorded', async () => {
    const rig = await aRig(server, { cluster: (cluster) => (cluster.records = false) });
    await send(rig, 'nonsense');
    await until(() => expect(rig.cluster.rejections).toHaveLength(1));
    await rig.poller.stop(0);
    expect(rig.calls).not.toContain('delete');
    expect(await peek(rig.producer, 1)).toHaveLength(1);
  });

  it('and not if its rejection could not be recorded', async () => {
    const rig = await aRig(server, { cluster: (cluster) => (cluster.records = 'refuses') });
    await send(rig, 'nonsense');
    await until(() => expect(rig.cluster.rejections).toHaveLength(1));
    await rig.poller.stop();
    expect(rig.calls).not.toContain('delete');
  });

  it('and the word of the cache that an id had another content is not enough to reject', async () => {
    const rig = await aRig(server, { started: false });
    await send(rig, { ...GOOD, id: 'known', revision: 'v2' });
    const live = aCheckedResource({ spec: specOfRig(rig) });
    rig.cluster.put({ ...live, ...withWaiting('known') } as never);
    rig.cluster.watches = false;
    rig.cluster.put(live);
    rig.poller = rig.start();
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    expect(rig.cluster.rejections).toEqual([]);
  });

  function withWaiting(id: string) {
    const waiting = [{ id, job: 'j', repository: GOOD.repository, task: 'deploy', revision: GOOD.revision }];
    return { status: { environments: [{ name: 'production', waiting }] } };
  }
});

describe.concurrent('a message that cannot become a Job', () => {
  it('is recorded and deleted if the queue has no redrive policy', async () => {
    const rig = await aRig(server);
    await send(rig, 'nonsense');
    await expectEmpty(rig);
    expect(rig.cluster.rejections).toMatchObject([{ reason: 'NotJSON', body: 'nonsense', at: expect.any(String) }]);
  });

  it('goes to the dead-letter queue at once if there is one, and is recorded once', async () => {
    const dead = await server.createQueue();
    const rig = await aRig(server, { queue: { redriveTo: dead, maxReceiveCount: 3 } });
    await send(rig, 'nonsense');
    const buried = server.open(dead);
    const [message] = await until(async () => {
      const seen = await peek(buried, 1);
      expect(seen).toHaveLength(1);
      return seen;
    });
    expect(message?.body).toBe('nonsense');
    expect(rig.cluster.rejections).toHaveLength(1);
    expect(rig.calls).not.toContain('delete');
  });

  it('delays no other message: the good ones of its batch are created meanwhile', async () => {
    const rig = await aRig(server, { started: false, cluster: (cluster) => (cluster.records = false) });
    await send(rig, 'nonsense');
    await send(rig, GOOD);
    rig.poller = rig.start();
    await until(() => expect(rig.calls).toContain('delete'));
    expect(rig.cluster.created).toHaveLength(1);
  });

  it('is rejected as IdConflict if its id came with another content, found in the status or by the Job', async () => {
    for (const reconciles of [true, false]) {
      const rig = await aRig(server, { started: false, cluster: (cluster) => (cluster.reconciles = reconciles) });
      await send(rig, { ...GOOD, id: 'ci-1', sentAt: '2026-01-01T00:00:00Z' });
      await send(rig, { ...GOOD, id: 'ci-1', revision: 'v2' });
      rig.poller = rig.start();
      await until(() => expect(rig.cluster.rejections).toMatchObject([{ reason: 'IdConflict', field: 'id' }]));
      expect(annotation(jobs(rig)[0], 'revision')).toBe('v1.0.0');
      expect(rig.cluster.created).toHaveLength(1);
    }
  });

  it('is rejected as NameConflict if a Job of that name is not ours', async () => {
    const rig = await aRig(server, { started: false });
    rig.cluster.failCreate = (job) => {
      const foreign = { ...job, metadata: { ...job.metadata, labels: {} } };
      rig.cluster.jobs.set(`deploy/${job.metadata.name}`, foreign as never);
      return undefined;
    };
    await send(rig, GOOD);
    rig.poller = rig.start();
    await until(() => expect(rig.cluster.rejections).toMatchObject([{ reason: 'NameConflict' }]));
    await expectEmpty(rig);
  });
});

describe.concurrent('while Jobs cannot be created', () => {
  it('nothing is lost: receiving stops, what is in flight stays hidden, and goes on when the API server is back', async () => {
    const rig = await aRig(server, { started: false });
    await send(rig, GOOD);
    rig.cluster.failAll = apiError('retryable', 503, 'ServiceUnavailable', 'down');
    rig.poller = rig.start();
    await until(() =>
      expect(rig.cluster.troubles.at(-1)).toMatchObject({ reason: 'ServiceUnavailable', template: false }),
    );
    // Three beats take 15 seconds: half as long again as the visibility that the message was received with.
    const beats = () => rig.calls.filter((call) => call === 'changeVisibility').length;
    await until(() => expect(beats()).toBeGreaterThanOrEqual(3), 25_000);
    expect(await rig.producer.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 0 })).toEqual([]);
    expect(rig.calls.filter((call) => call === 'receive')).toHaveLength(1);
    await send(rig, { ...GOOD, environment: 'staging' });
    rig.cluster.failAll = undefined;
    await until(() => expect(rig.cluster.created).toHaveLength(2), 25_000);
    expect(rig.cluster.troubles.at(-1)).toBeUndefined();
    await until(() => expect(rig.calls.filter((call) => call === 'delete')).toHaveLength(2));
    await expectEmpty(rig);
    expect(rig.cluster.createCalls).toBeLessThan(30);
  }, 60_000);

  it('because the API server refuses the template, that is said, and an edit is tried at once', async () => {
    const rig = await aRig(server);
    rig.cluster.failCreate = () => apiError('invalid', 422, 'Invalid', 'spec.template: nope');
    await send(rig, GOOD);
    await until(() => expect(rig.cluster.troubles).toMatchObject([{ template: true, message: 'spec.template: nope' }]));
    rig.cluster.failCreate = undefined;
    const spec = specOfRig(rig);
    rig.cluster.put(aCheckedResource({ spec, metadata: { generation: 2 } }));
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    await expectEmpty(rig);
  });

  it('for a minute because the API server asked for it, an edit is tried at once all the same', async () => {
    const rig = await aRig(server);
    rig.cluster.failCreate = () => apiError('retryable', 429, 'TooManyRequests', 'later', 60);
    await send(rig, GOOD);
    await until(() =>
      expect(rig.cluster.troubles).toMatchObject([
        { template: false, message: expect.stringMatching(/^message .* \(production, v1.0.0\): later$/) },
      ]),
    );
    rig.cluster.failCreate = undefined;
    rig.cluster.put(aCheckedResource({ spec: specOfRig(rig), metadata: { generation: 2 } }));
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    await expectEmpty(rig);
  });

  it.each([
    ['a quota', apiError('forbidden', 403, 'Forbidden', 'exceeded quota')],
    ['a throttle', apiError('retryable', 429, 'TooManyRequests')],
    ['a conflict of the quota controller', apiError('conflict', 409, 'Conflict')],
  ])('because of %s, it is tried again', async (_, failure) => {
    const rig = await aRig(server);
    let failures = 2;
    rig.cluster.failCreate = () => (failures-- > 0 ? failure : undefined);
    await send(rig, GOOD);
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    await expectEmpty(rig);
    expect(rig.cluster.troubles.map((trouble) => trouble?.reason)).toEqual([failure.reason, undefined]);
  });

  it('because a Job of ours with that name is being deleted, its lane waits and the others go on', async () => {
    const rig = await aRig(server, { started: false });
    let leaving: string | undefined;
    rig.cluster.failCreate = (job) => {
      if (annotation(job, 'id') === 'leaving' && leaving === undefined) {
        leaving = `deploy/${job.metadata.name}`;
        const gone = { ...job, metadata: { ...job.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
        rig.cluster.jobs.set(leaving, gone as never);
      }
      return undefined;
    };
    await send(rig, { ...GOOD, id: 'leaving', sentAt: '2026-01-01T00:00:00Z' });
    await send(rig, { ...GOOD, id: 'later', sentAt: '2026-01-02T00:00:00Z' });
    await send(rig, { ...GOOD, id: 'other-lane', environment: 'staging' });
    rig.cluster.reconciles = false;
    rig.poller = rig.start();
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    expect(annotation(jobs(rig).at(-1), 'id')).toBe('other-lane');
    rig.cluster.jobs.delete(leaving as string);
    rig.cluster.reconciles = true;
    await until(() => expect(rig.cluster.created).toHaveLength(3));
    expect(jobs(rig).map((job) => annotation(job, 'id'))).toEqual(['other-lane', 'leaving', 'later']);
    await expectEmpty(rig);
  });
});

describe.concurrent('a queue that cannot be read', () => {
  it('because it is missing says so at once, and as lasting', async () => {
    const rig = await aRig(server, { started: false });
    const missing = server.open(server.missingQueue());
    const receive = missing.receive.bind(missing);
    const broken = await aRig(server, { wrap: (queue) => Object.assign(queue, { receive }) });
    await until(() =>
      expect(broken.cluster.queueStates.at(-1)).toMatchObject({
        kind: 'failing',
        reason: 'QueueDoesNotExist',
        lasting: true,
        lastReadAt: 0,
      }),
    );
    expect(rig.cluster.queueStates).toEqual([]);
    await broken.poller.stop();
  });

  it('for a moment is tried again soon, and is reading again then', async () => {
    let failures = 2;
    const wrap = (queue: Queue): Queue => {
      const receive = queue.receive.bind(queue);
      return Object.assign(queue, {
        receive: (options: Parameters<Queue['receive']>[0]) => {
          if (failures-- > 0) throw new SqsError('unreachable', 'ECONNRESET', 'no connection');
          return receive(options);
        },
      });
    };
    const rig = await aRig(server, { wrap });
    await send(rig, GOOD);
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    expect(rig.cluster.queueStates.map(({ kind }) => kind).slice(0, 4)).toEqual([
      'reading',
      'failing',
      'failing',
      'reading',
    ]);
    await expectEmpty(rig);
  });
});

describe.concurrent('stopping', () => {
  it('lets the poll under way return and works off what it brought', async () => {
    const rig = await aRig(server);
    await until(() => expect(rig.calls).toContain('receive'));
    const stopped = rig.poller.stop();
    await send(rig, GOOD);
    await stopped;
    expect(rig.cluster.created).toHaveLength(1);
    expect(rig.calls.filter((call) => call === 'receive')).toHaveLength(1);
    expect(await peek(rig.producer, 1)).toEqual([]);
  });

  it('makes visible again what could not be worked off by the deadline', async () => {
    const rig = await aRig(server, { started: false });
    await send(rig, GOOD);
    await send(rig, 'nonsense');
    rig.cluster.failAll = apiError('retryable', 503, 'ServiceUnavailable');
    rig.cluster.records = false;
    rig.poller = rig.start();
    await until(() => expect(rig.cluster.createCalls).toBeGreaterThan(0));
    await rig.poller.stop(100);
    expect(await peek(rig.producer, 1)).toHaveLength(2);
    expect(rig.cluster.listeners).toBe(0);
  });

  it('gives back what the last poll brought too, if it cannot be worked off', async () => {
    const rig = await aRig(server);
    rig.cluster.failAll = apiError('retryable', 503, 'ServiceUnavailable');
    await until(() => expect(rig.calls).toContain('receive'));
    const stopped = rig.poller.stop(1);
    await send(rig, GOOD);
    await stopped;
    expect(rig.cluster.createCalls).toBeGreaterThan(0);
    expect(await peek(rig.producer, 1)).toHaveLength(1);
  });

  it('at once, on a second signal, ends although nothing answers', async () => {
    const rig = await aRig(server, { started: false });
    await send(rig, GOOD);
    rig.cluster.failAll = apiError('retryable', 503, 'ServiceUnavailable');
    rig.poller = rig.start();
    await until(() => expect(rig.cluster.createCalls).toBeGreaterThan(0));
    const stopped = rig.poller.stop();
    const started = performance.now();
    await rig.poller.abort();
    await stopped;
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
