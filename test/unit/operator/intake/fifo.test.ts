import { afterAll, describe, expect, it } from 'vitest';
import { Poller } from '../../../../src/operator/intake/poller.ts';
import type { Queue, QueueMessage } from '../../../../src/sqs/queue.ts';
import { aCheckedResource, aMessage, GOOD } from '../../../kit/builders.ts';
import { until } from '../../../kit/eventually.ts';
import { apiError, Cluster } from './cluster.ts';
import { KEY, partsOf } from './rig.ts';

/** A FIFO queue that hands over several messages of a group at once, as AWS does and the server in process does not. */
class Script implements Queue {
  readonly deleted: string[] = [];
  readonly hidden: { receiptHandle: string; seconds: number }[] = [];
  #batch: QueueMessage[];

  constructor(batch: QueueMessage[]) {
    this.#batch = batch;
  }

  async receive() {
    return this.#batch.splice(0);
  }
  async delete(handles: readonly string[]) {
    this.deleted.push(...handles);
    return handles.map(() => undefined);
  }
  async changeVisibility(changes: readonly { receiptHandle: string; seconds: number }[]) {
    this.hidden.push(...changes);
    return changes.map(() => undefined);
  }
  async attributes() {
    return { fifo: true, redrive: { maxReceiveCount: 3, dlqArn: 'arn' } };
  }
  async send() {
    return { messageId: '' };
  }
  close() {}
}

const pollers: Poller[] = [];
afterAll(() => Promise.all(pollers.map((poller) => poller.abort())));

/** The name of a message is its id, handle and, up to the digit, its group. */
const named = (id: string, changes: Record<string, unknown> = {}) =>
  aMessage({ ...GOOD, id, ...changes }, { messageId: id, receiptHandle: id, messageGroupId: id.slice(0, 1) });

function start(batch: QueueMessage[], setUp: (cluster: Cluster) => void = () => {}) {
  const cluster = new Cluster();
  cluster.put(
    aCheckedResource({
      spec: { queue: { url: 'https://sqs.us-east-1.amazonaws.com/123456789012/q.fifo', waitTimeSeconds: 0 } },
    }),
  );
  setUp(cluster);
  const queue = new Script(batch);
  pollers.push(new Poller(partsOf(cluster), { key: KEY, uid: 'uid-1', queue }));
  const ids = () => [...cluster.jobs.values()].map((job) => job.metadata.annotations?.['capdeployjob.dev/id']);
  return { cluster, queue, ids };
}

describe('a message group of a FIFO queue', () => {
  it('is created in its order, whatever the messages claim of their age', async () => {
    const batch = [
      named('A1', { sentAt: '2026-03-03T00:00:00Z' }),
      named('A2', { sentAt: '2026-01-01T00:00:00Z', environment: 'staging' }),
      named('A3', { sentAt: '2026-02-02T00:00:00Z' }),
    ];
    const { queue, ids } = start(batch);
    await until(() => expect(queue.deleted).toHaveLength(3));
    expect(ids()).toEqual(['A1', 'A2', 'A3']);
  });

  it('stops at its first failure in the middle: later ones wait in flight, across lanes, and other groups go on', async () => {
    let healthy = false;
    const batch = [
      named('A1'),
      named('A2'),
      named('A3', { environment: 'staging' }),
      named('B1', { environment: 'staging' }),
    ];
    const { cluster, queue, ids } = start(batch, (created) => {
      created.failCreate = (job) => {
        if (healthy || job.metadata.annotations?.['capdeployjob.dev/id'] !== 'A2') return undefined;
        // Its name is taken by a Job that is on its way out: this one waits, the API server is fine.
        const leaving = { ...job, metadata: { ...job.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
        created.jobs.set(`deploy/${job.metadata.name}`, leaving as never);
        return undefined;
      };
    });
    await until(() => expect(queue.deleted).toEqual(expect.arrayContaining(['A1'])));
    await until(() => expect(cluster.createCalls).toBeGreaterThan(3));
    expect(ids()).not.toContain('A3');
    expect(queue.deleted).not.toContain('A2');
    healthy = true;
    for (const [name, job] of cluster.jobs) if (job.metadata.deletionTimestamp) cluster.jobs.delete(name);
    await until(() => expect(queue.deleted).toHaveLength(4));
    expect(ids().filter((id) => id?.startsWith('A'))).toEqual(['A1', 'A2', 'A3']);
  });

  it('creates nothing out of order when the API server fails in the middle', async () => {
    let failures = 3;
    const batch = ['A1', 'A2', 'A3', 'A4'].map((id) => named(id));
    const { queue, ids } = start(batch, (created) => {
      created.failCreate = (job) =>
        job.metadata.annotations?.['capdeployjob.dev/id'] === 'A2' && failures-- > 0
          ? apiError('retryable', 500, 'InternalError')
          : undefined;
    });
    await until(() => expect(queue.deleted).toHaveLength(4));
    expect(ids()).toEqual(['A1', 'A2', 'A3', 'A4']);
  });

  it('goes on after a rejected message, which never becomes valid', async () => {
    const { cluster, queue, ids } = start([named('A1'), named('A2', { environment: 'qa' }), named('A3')]);
    await until(() => expect(queue.deleted).toEqual(['A1', 'A3']));
    expect(ids()).toEqual(['A1', 'A3']);
    expect(cluster.rejections).toMatchObject([{ messageId: 'A2', reason: 'UnknownEnvironment' }]);
    expect(queue.hidden).toEqual([{ receiptHandle: 'A2', seconds: 0 }]);
  });
});
